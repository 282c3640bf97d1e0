"""What happens on the worker of a cluster: a task, carried out in place or brought along."""

import platform
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from optrun.config.schema import Config
from optrun.data.dataset import Raw
from optrun.data.prepare import fingerprint
from optrun.data.shelf import Shelf
from optrun.store.run_directory import RunDirectory
from optrun.sweep.engines.executor import Outcome, Task
from optrun.sweep.engines.work import Bench, Reporter
from optrun.training.observer import Plan, Pulse


@dataclass(frozen=True)
class Order:
    """A task on its way.

    Attributes:
        sweep: that it belongs to.
        task: what is to be done.
        files: what the run's directory has so far; None: the worker writes into it.
        shelf: the folder of loaded datasets, where it can be seen.
        data_dir: folder of datasets, where it is not.
    """

    sweep: str
    task: Task
    files: Mapping[str, bytes] | None
    shelf: Path
    data_dir: Path | None


ALONE = threading.Lock()
"""One run a process at a time: BLAS's threads and the bench are the process's."""
STOPPED: set[str] = set()
RUNNING: dict[str, Reporter] = {}


def perform(order: Order) -> tuple[Outcome, dict[str, bytes] | None]:
    """Carry out an order; its outcome, and the files of the run unless they are in place."""
    from distributed import get_worker

    worker, topic = get_worker(), order.sweep

    def send(what: Plan | Pulse) -> None:
        worker.log_event(topic, message(order.task.id, what))

    with ALONE:
        if order.sweep in STOPPED:
            return Outcome("stopped"), None
        reporter = RUNNING[order.sweep] = Reporter(send)
        bench = bench_for(order.shelf, order.data_dir)
        if order.files is None and not sees(order.shelf):
            reason = f"{order.task.out} is not to be seen on {platform.node()}, but elsewhere is"
            return Outcome("failed", reason), None
        if order.files is None:
            return bench.perform(order.task, reporter), None
        return perform_apart(order, bench, reporter)


def perform_apart(
    order: Order, bench: Bench, reporter: Reporter
) -> tuple[Outcome, dict[str, bytes]]:
    """Carry out an order in a folder of its own; the outcome, and the files it came to."""
    with TemporaryDirectory(prefix="optrun-") as scratch:
        task = replace(order.task, out=Path(scratch))
        directory = RunDirectory.of(task.out, task.config, task.id)
        directory.create()
        directory.write_all(order.files or {})
        outcome = bench.perform(task, reporter)
        return outcome, directory.read_all()


@cache
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
