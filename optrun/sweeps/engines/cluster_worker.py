"""What happens on the worker of a cluster: a task, carried out in place or brought along."""

import platform
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from optrun.config.schema import Config
from optrun.data.dataset import Raw
from optrun.data.prepare import fingerprint
from optrun.data.shelf import Shelf
from optrun.store.environment import LIBRARIES, cpu_model, installed_version, sources_digest
from optrun.store.run_directory import RunDirectory
from optrun.sweeps.engines.executor import Death, Outcome, Task
from optrun.sweeps.engines.work import Bench, Reporter
from optrun.training.observer import Plan, Pulse


@dataclass(frozen=True)
class Parcel:
    """A task on its way.

    Attributes:
        sweep: that it belongs to.
        attempt: at the task, this one.
        task: what is to be done.
        files: what the run's directory has so far; None: the worker writes into it.
        shelf: the folder of loaded datasets, where it can be seen.
        data_dir: folder of datasets, where it is not.
    """

    sweep: str
    attempt: str
    task: Task
    files: Mapping[str, bytes] | None
    shelf: Path
    data_dir: Path | None


@dataclass(frozen=True)
class Software:
    """What a process computes with.

    Attributes:
        sources: digest of optrun's files.
        versions: of Python and the libraries that results depend on.
        processor: its model; runs on another kind may differ in their last bits.
    """

    sources: str
    versions: Mapping[str, str | None]
    processor: str | None

    def lacks(self, other: "Software") -> str | None:
        """Why runs of `other` are not those of this one, for people; None: they are."""
        for library, here in self.versions.items():
            there = other.versions.get(library)
            if there != here:
                return f"it has {library} {there}, and here is {here}"
        if self.sources != other.sources:
            return "its optrun has other source files than the one here"
        return None


def software() -> Software:
    """Of this process."""
    versions = {library: installed_version(library) for library in LIBRARIES}
    return Software(
        sources_digest(), {"python": platform.python_version(), **versions}, cpu_model()
    )


ALONE = threading.Lock()
"""One run a process at a time: BLAS's threads and the bench are the process's."""
STOPPED: set[str] = set()
RUNNING: dict[str, Reporter] = {}
DEATH = Death("its worker on the cluster died")


def perform(parcel: Parcel) -> tuple[Outcome | Death, dict[str, bytes] | None]:
    """Carry out a task; its end, and the files of the run unless they are in place.

    Dask gives what a dead worker had to another one, and that as often as the scheduler is set to.
    Whether to try again is for the sweep to say, so it is only told of the death. A worker that was
    retired over a task counts as dead.
    """
    from distributed import get_client, get_worker

    client, attempt = get_client(), [parcel.sweep, parcel.attempt]
    worker, topic = get_worker(), parcel.sweep

    def send(what: Plan | Pulse) -> None:
        worker.log_event(topic, message(parcel.task.id, what))

    with ALONE:
        if client.get_metadata(attempt, default=False):
            return DEATH, None
        client.set_metadata(attempt, True)
        reporter = RUNNING[parcel.sweep] = Reporter(send)
        if parcel.sweep in STOPPED:  # looked at when we can be stopped, so that nothing is missed
            return Outcome("stopped"), None
        bench = bench_for(parcel.shelf, parcel.data_dir)
        if parcel.files is None and not sees(parcel.shelf):
            reason = f"{parcel.task.out} is not to be seen on {platform.node()}, but elsewhere is"
            return Outcome("failed", reason), None
        if parcel.files is None:
            return bench.perform(parcel.task, reporter), None
        return perform_apart(parcel, bench, reporter)


def perform_apart(
    parcel: Parcel, bench: Bench, reporter: Reporter
) -> tuple[Outcome, dict[str, bytes]]:
    """Carry out a task in a folder of its own; the outcome, and the files it came to."""
    with TemporaryDirectory(prefix="optrun-") as scratch:
        task = replace(parcel.task, out=Path(scratch))
        directory = RunDirectory.of(task.out, task.config, task.id)
        directory.create()
        directory.write_all(parcel.files or {})
        outcome = bench.perform(task, reporter)
        return outcome, directory.read_all()


@lru_cache(maxsize=1)
def bench_for(shelf: Path, data_dir: Path | None) -> Bench:
    """This process's bench for a sweep."""

    def load(config: Config) -> tuple[Raw, str]:
        if sees(shelf):
            return Shelf(shelf).take(config.dataset, config.seed)
        known = data_dir if data_dir and data_dir.exists() else None
        raw = config.dataset.load(config.seed, known)
        return raw, fingerprint(raw)

    return Bench(load)


def sees(folder: Path) -> bool:
    """Whether this machine has the folder, whose name no other has."""
    return folder.exists()


def stop_runs(sweep: str) -> None:
    """Have the sweep's run on this process saved and stopped, and begin no other."""
    STOPPED.add(sweep)
    if sweep in RUNNING:
        RUNNING[sweep].wants_stop = True


def message(task: str, what: Plan | Pulse) -> dict[str, Any]:
    """What was told, in terms that travel."""
    told = asdict(what)
    if isinstance(what, Plan):
        told["directory"] = str(what.directory)
    return {"task": task, "kind": type(what).__name__, "told": told}


def pulse_from(message: Mapping[str, Any]) -> Plan | Pulse:
    """What was told, read from its message."""
    told = message["told"]
    if message["kind"] == "Plan":
        return Plan(**{**told, "directory": Path(told["directory"])})
    return Pulse(**told)
