"""A sweep as a whole: what it comes to, what of that is there already, and doing the rest."""

import re
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from optrun.config.schema import Config
from optrun.data.prepare import Data
from optrun.data.shelf import Shelf, new_shelf
from optrun.errors import RunError, UserError
from optrun.store.files import unwritable
from optrun.store.run_directory import DONE
from optrun.sweeps.conduct import Conductor
from optrun.sweeps.directory import FOLDER, SweepDirectory
from optrun.sweeps.engines.executor import Executor
from optrun.sweeps.engines.local import LocalWorkers
from optrun.sweeps.engines.work import Bench
from optrun.sweeps.rehearsal import compile_for, lacking_kernels
from optrun.sweeps.results.rows import (
    ResultRow,
    row_of,
    row_without_figures,
    write_results,
)
from optrun.sweeps.runs import RunsOf, SweepRun
from optrun.sweeps.space.candidates import Candidate, Job
from optrun.sweeps.space.load import Sweep
from optrun.sweeps.stored import Stored
from optrun.sweeps.watcher import Watcher
from optrun.training.interrupt import Interrupt

LOCAL, DASK = "local", "dask://"
DASK_ADDRESS = re.compile(r"dask://[^/\s]+:\d+")


@dataclass(frozen=True)
class Order:
    """How a sweep is to be carried out.

    Attributes:
        out: where run directories live.
        data_dir: folder of stored datasets; None: `OPTRUN_DATA_DIR` or the user's cache.
        engine: `local`, or `dask://host:port`.
        workers: processes at most, where they are started here.
        fail_fast: whether the first run that fails stops the sweep.
    """

    out: Path
    data_dir: Path | None
    engine: str
    workers: int
    fail_fast: bool

    def __post_init__(self) -> None:
        """Refuse an engine that there is not."""
        if self.engine != LOCAL and not DASK_ADDRESS.fullmatch(self.engine):
            raise UserError(
                f"--engine is {self.engine}; write {LOCAL}, or {DASK}host:port of a scheduler"
            )


class Sweeping:
    """A sweep with its runs, its datasets and its directory.

    Args:
        sweep: what was asked for.
        order: how.
        shelf: where datasets are put.
        pause: called again and again on the way; may raise what is to end it.
    """

    def __init__(
        self, sweep: Sweep, order: Order, shelf: Shelf, pause: Callable[[], None] = lambda: None
    ):
        self.sweep = sweep
        self.order = order
        self.shelf = shelf
        self.pause = pause
        self.directory = SweepDirectory.named(order.out, sweep.name)
        self.bench = Bench(lambda config: shelf.take(config.dataset, config.seed))
        self.runs_of = RunsOf(sweep.configs, self.fingerprint, order.out)
        self.settled_rows: dict[str, ResultRow] = {}

    def fingerprint(self, config: Config) -> str:
        """That of the config's dataset, which is on the shelf from now on."""
        self.pause()
        try:
            return self.shelf.put(config.dataset, config.seed, self.order.data_dir)
        except OSError as error:
            raise unwritable(self.shelf.folder, error) from error

    def data_of(self, config: Config) -> Data:
        """The config's dataset, prepared."""
        self.fingerprint(config)
        return self.bench.data_of(config)

    def known(self) -> list[SweepRun]:
        """The runs that are known before anything is trained, in the order of tables."""
        for candidate in known_candidates(self.sweep):
            self.runs_of(candidate)
        return self.runs_of.in_order()

    def save(self) -> None:
        """Write results.csv as things stand."""
        rows = [self.row(run) for run in self.runs_of.in_order()]
        write_results(self.directory.results, rows, self.sweep.keys)

    def row(self, run: SweepRun) -> ResultRow:
        """The run's row of results.csv; why it failed, where its files do not say more."""
        if run.id in self.settled_rows:
            return self.settled_rows[run.id]
        settings, seed, path = run.candidate.settings, run.config.seed, run.directory.path
        if run.failure is not None:
            return row_without_figures(path, settings, seed, "failed", run.failure)
        try:
            row = row_of(path, settings, seed)
        except RunError as error:
            return row_without_figures(path, settings, seed, "failed", str(error))
        if row.status in DONE:
            self.settled_rows[run.id] = row
        return row


def carry_out(sweep: Sweep, order: Order, watcher: Watcher) -> SweepDirectory:
    """Have all runs of a sweep done that are not, and the results written.

    Returns:
        The sweep's directory, with sweep.yaml and results.csv.

    Raises:
        KeyboardInterrupt: somebody asked to stop; what was under way has been saved.
        UserError: the sweep cannot be carried out as ordered. What was finished is kept.
    """
    directory = SweepDirectory.named(order.out, sweep.name)
    with (
        directory.taken(sweep.written()) as aside,
        new_shelf(order.out / FOLDER) as shelf,
        Interrupt(watcher.stopping) as interrupt,
        closing(executor_for(order, shelf)) as executor,
    ):
        if aside:
            watcher.note(
                f"the results of another sweep named {sweep.name} were put into {aside}; "
                "sweep.name=... keeps both apart"
            )
        sweeping = Sweeping(sweep, order, shelf, partial(end_if, interrupt))
        watcher.notice("looking at what is there")
        if not directory.results.exists():  # else there may be nothing left to do
            executor.start(most_runs(sweep))
        missing = unfinished(sweeping)
        executor.start(len(missing))
        if order.engine == LOCAL:
            prepare_kernels(missing, sweeping, watcher)
        lead(sweeping, executor, watcher, interrupt)
    return directory


def prepare_kernels(configs: Sequence[Config], sweeping: Sweeping, watcher: Watcher) -> None:
    """Compile here what workers need, once for all of them."""
    for number, config in enumerate(lacking_kernels(configs)):
        if number == 0:
            watcher.notice("getting kernels ready, which takes longer the first time")
        compile_for(config, sweeping.data_of(config))


def unfinished(sweeping: Sweeping) -> list[Config]:
    """The configs of runs that are not done; where they are not known yet, some like them."""
    runs = sweeping.known()
    if not runs:
        return examples(sweeping.sweep)
    return [run.config for run in runs if not is_done(run)]


def lead(sweeping: Sweeping, executor: Executor, watcher: Watcher, interrupt: Interrupt) -> None:
    """Lead the sweep to its end, and write its results however it ends."""
    sweep = sweeping.sweep
    values: dict[Job, float] = {}
    jobs = sweep.strategy.jobs(sweep.points, sweep.epochs, values)
    conductor = Conductor(
        jobs, values, sweeping.runs_of, sweep.metric, executor, watcher, sweeping.save,
        sweeping.order.fail_fast,
    )  # fmt: skip
    try:
        conductor.lead(interrupt)
    except BaseException:
        with suppress(RunError):
            sweeping.save()
        raise
    sweeping.save()
    end_if(interrupt)


def end_if(interrupt: Interrupt) -> None:
    """Raise a KeyboardInterrupt if somebody has asked to stop."""
    if interrupt.requested:
        raise KeyboardInterrupt


def executor_for(order: Order, shelf: Shelf) -> Executor:
    """The workers that the engine's name stands for.

    Raises:
        UserError: it cannot be reached.
    """
    if order.engine == LOCAL:
        return LocalWorkers(order.workers, shelf)
    from optrun.sweeps.engines.cluster import DaskWorkers

    return DaskWorkers(order.engine.removeprefix(DASK), shelf, order.data_dir)


def most_runs(sweep: Sweep) -> int:
    """How many runs a sweep comes to at most."""
    return sweep.strategy.trials(sweep.points, sweep.epochs) * len(sweep.seeds)


def known_candidates(sweep: Sweep) -> Sequence[Candidate]:
    """The candidates known before anything is trained."""
    return sweep.strategy.candidates(sweep.points, sweep.epochs)


def examples(sweep: Sweep) -> list[Config]:
    """Configs like those that will be run: those known, else one for each point."""
    candidates = known_candidates(sweep) or [point.draw(0, 0) for point in sweep.points]
    return [sweep.configs(candidate)[0] for candidate in candidates]


def is_done(run: SweepRun) -> bool:
    return look(run).status in DONE


def look(run: SweepRun) -> Stored:
    """What is there of a run; `failed` where it cannot be read."""
    try:
        return run.stored()
    except RunError as error:
        return Stored("failed", reason=str(error))
