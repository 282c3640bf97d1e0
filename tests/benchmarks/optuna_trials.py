"""Random trials of nothing under optuna: what it costs to be led by it.

python -m tests.benchmarks.optuna_trials TRIALS PROCESSES STORAGE

STORAGE is `memory` (threads instead of processes), `sqlite` or `journal`.
"""

import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path
from typing import Any


def main(trials: int, processes: int, kind: str) -> None:
    """Run so many trials, shared between the processes."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if kind == "memory":
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler())
        study.optimize(nothing, trials, n_jobs=processes)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study"
        optuna.create_study(study_name="nothing", storage=storage(kind, file))
        spawn = get_context("spawn")
        share = [trials // processes + (n < trials % processes) for n in range(processes)]
        workers = [spawn.Process(target=work, args=(kind, file, count)) for count in share]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        done = len(optuna.load_study(study_name="nothing", storage=storage(kind, file)).trials)
        if done != trials:
            raise RuntimeError(f"{done} trials were made instead of {trials}")


def work(kind: str, file: Path, trials: int) -> None:
    """One process's share."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.RandomSampler()
    study = optuna.load_study(study_name="nothing", storage=storage(kind, file), sampler=sampler)
    study.optimize(nothing, trials)


def storage(kind: str, file: Path) -> Any:
    """Where processes meet."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    if kind == "sqlite":
        return f"sqlite:///{file}"
    return JournalStorage(JournalFileBackend(str(file)))


def nothing(trial: Any) -> float:
    """A number drawn, and given back."""
    value: float = trial.suggest_float("lr", 0.0, 1.0)
    return value


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
