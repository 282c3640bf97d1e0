"""One run from config to finished directory: begun, resumed, or reused if it is there already."""

from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from optrun import __version__
from optrun.config.load import resolved
from optrun.config.schema import Config
from optrun.data.prepare import Data, prepare
from optrun.engine.compiler import compile_program
from optrun.errors import RunError
from optrun.nn.pretrained import Pretrained
from optrun.numerics.blas import one_thread
from optrun.numerics.kernel_cache import is_cold
from optrun.store.environment import describe_environment, differences
from optrun.store.identity import run_id
from optrun.store.run_directory import DONE, RunDirectory
from optrun.store.summary import EMPTY_SUMMARY
from optrun.training.divergence import Divergence
from optrun.training.interrupt import Interrupt
from optrun.training.memory import peak_memory_mb
from optrun.training.observer import Observer, Plan
from optrun.training.trainer import Stopped, Trainer

NUMERICS = 3
"""Version of all arithmetic and random streams: a change that moves a bit of any run's result
raises it, so that runs from before are not taken for the same."""


def run(
    config: Config,
    out: str | Path = "runs",
    data_dir: str | Path | None = None,
    observer: Observer | None = None,
    data: Data | None = None,
    pause_after: int | None = None,
) -> Path:
    """Train a config into its run directory under `out`.

    A run that is finished or has diverged is left as it is; one that was cut short goes on from
    its checkpoint, and ends with the bytes it would have had. Its summary says how it ended.

    Args:
        config: what to run.
        out: where run directories live.
        data_dir: folder of stored datasets; default: `OPTRUN_DATA_DIR` or the user's cache.
        observer: hears of the run as it goes.
        data: the config's dataset, if it has been prepared already.
        pause_after: epochs after which the run is stopped, to be taken up again; default: none.

    Returns:
        The run directory.

    Raises:
        DataError: the dataset is absent or damaged.
        RunBusy: another process is writing the run.
        RunError: it cannot be written or read.
    """
    observer = observer or Observer()
    if data is None:
        observer.notice("loading data")
        data = prepare(config.dataset, config.seed, config.dtype, data_dir)
    identity = identify(config, data.fingerprint)
    directory = RunDirectory.named(Path(out), config.name, identity)
    directory.create()
    with directory.lock(), Interrupt(observer.stopping) as interrupt:
        directory.check_config(resolved(config))
        before = directory.read_summary() if directory.has_summary() else {}
        if before.get("status") in DONE:
            observer.reuse(directory.path)
            return directory.path
        facts = EMPTY_SUMMARY | {
            "name": config.name,
            "id": identity,
            "optrun": __version__,
            "started": before.get("started", now()),
        }
        execute(config, data, directory, observer, interrupt, facts, pause_after)
    return directory.path


def identify(config: Config, fingerprint: str) -> str:
    """The id of a config's run, given the fingerprint of its dataset."""
    start = config.initialization
    content = fingerprint + (start.fingerprint() if isinstance(start, Pretrained) else "")
    return run_id(resolved(config), content, NUMERICS)


def execute(
    config: Config,
    data: Data,
    directory: RunDirectory,
    observer: Observer,
    interrupt: Interrupt,
    facts: dict[str, Any],
    pause_after: int | None,
) -> None:
    """Compile and train, and leave a summary whatever happens."""
    directory.write_config(resolved(config))
    directory.write_summary(facts | {"status": "running"})
    try:
        trainer = prepare_trainer(config, data, directory, observer, interrupt)
        with one_thread(), closing(trainer):
            outcome = train(trainer, observer, pause_after)
        directory.save_best(trainer.kept_weights())
        directory.write_summary(facts | outcome | totals(trainer) | {"ended": now()})
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        with suppress(RunError):
            failure = {"status": "failed", "reason": reason, "ended": now()}
            directory.write_summary(facts | failure)
        raise


def prepare_trainer(
    config: Config,
    data: Data,
    directory: RunDirectory,
    observer: Observer,
    interrupt: Interrupt,
) -> Trainer:
    """Compile the program and note the environment; the trainer takes up a checkpoint."""
    observer.notice(
        "compiling kernels, which takes some seconds and only the first run does"
        if is_cold()
        else "loading kernels, compiling what is new among them"
    )
    begun = perf_counter()
    program = compile_program(config, data)
    seconds = perf_counter() - begun
    with one_thread():
        note_environment(directory, observer)
    trainer = Trainer(program, directory, observer, interrupt)
    trainer.progress.seconds_compile += seconds
    return trainer


def note_environment(directory: RunDirectory, observer: Observer) -> None:
    """Write down what the run's bits depend on; begin anew if it is not what the checkpoint had."""
    environment = describe_environment(NUMERICS)
    if directory.has_checkpoint():
        changed = differences(directory.read_environment(), environment)
        if changed:
            observer.notice(
                f"begun under other conditions ({'; '.join(changed)}): the run begins anew, so "
                "that all of it comes from the same"
            )
            directory.forget_checkpoint()
    directory.write_environment(environment)


def train(trainer: Trainer, observer: Observer, pause_after: int | None) -> dict[str, Any]:
    """Train to the end, or to what stops it; what the summary says of that."""
    program, progress = trainer.program, trainer.progress
    observer.begin(
        Plan(
            directory=trainer.directory.path,
            epochs=program.config.training.epochs,
            steps=program.rates.size,
            parameters=trainer.weights.size,
            resumed_at=progress.step,
            chance=chance_loss(program.config, program.data),
        )
    )
    try:
        if progress.metrics is None:
            trainer.start()
        reason = trainer.train(pause_after)
    except Stopped as stop:
        trainer.log.add_last()  # after the checkpoint, so that the run that goes on has no such row
        return {"status": "stopped", "reason": str(stop)}
    except Divergence as divergence:
        # no checkpoint: a run cut short before its summary is written diverges again, alike
        trainer.log.add_last()
        return {
            "status": "diverged",
            "reason": divergence.reason,
            "diverged_step": divergence.step,
        }
    trainer.log.add_last()
    trainer.save()
    return {"status": "finished", "reason": reason, **trainer.test()}


def chance_loss(config: Config, data: Data) -> float | None:
    """The loss on the training data of a model that has learned nothing, if that can be told."""
    return config.loss.chance(data.outputs, data.train.y) if config.loss else None


def totals(trainer: Trainer) -> dict[str, Any]:
    """The summary's figures: how far, how good at the chosen epochs, how long, how large."""
    progress = trainer.progress
    seconds = progress.seconds_train
    return {
        "epochs": progress.epoch,
        "steps": progress.step,
        **{name: figure for c in trainer.candidates for name, figure in c.summary().items()},
        "sparsity": trainer.candidates[0].row.get("sparsity"),
        "seconds_train": seconds,
        "seconds_eval": progress.seconds_eval,
        "seconds_compile": progress.seconds_compile,
        "samples_per_second": trainer.program.examples_in(progress.step) / seconds
        if seconds
        else None,
        "peak_memory_mb": peak_memory_mb(),
    }


def now() -> str:
    """The time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
