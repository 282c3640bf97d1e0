"""Runs carried out by processes of this machine.

Every worker has a pipe of its own: one that is killed, at whatever moment, holds no lock that
another waits for. Libraries that share a queue between workers stop there.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType

import numpy as np

from optrun.data.shelf import Shelf
from optrun.sweeps.engines.executor import Death, Event, Outcome, Task

THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Read by BLAS when it is loaded, so that its pools are never made."""


@dataclass
class Worker:
    """A process, the pipe to it, and what it is doing."""

    process: BaseProcess
    pipe: Connection
    task: str | None = None


class LocalWorkers:
    """Processes of this machine, as many as are needed up to a number.

    Args:
        count: of processes at most.
        shelf: where they find datasets.
    """

    def __init__(self, count: int, shelf: Shelf):
        self.count = count
        self.shelf = shelf
        self.workers: list[Worker] = []

    def start(self, count: int) -> None:
        while len(self.workers) < min(count, self.count):
            self.workers.append(self._start())

    def _start(self) -> Worker:
        spawn = get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=work, args=(theirs, self.shelf.folder), daemon=True)
        with one_thread_each(), deaf_to_interrupts(), without_main():
            process.start()
        theirs.close()
        return Worker(process, ours)

    def free(self) -> int:
        return self.count - sum(worker.task is not None for worker in self.workers)

    def submit(self, task: Task) -> None:
        idle = next((worker for worker in self.workers if worker.task is None), None)
        if idle is None:
            idle = self._start()
            self.workers.append(idle)
        idle.task = task.id
        with suppress(OSError):  # it has died, as `events` will tell
            idle.pipe.send(task)

    def events(self, timeout: float) -> Iterator[Event]:
        pipes = {worker.pipe: worker for worker in self.workers}
        for ready in wait(list(pipes), timeout):
            worker = pipes[ready]  # type: ignore[index]
            yield from self._hear(worker)

    def _hear(self, worker: Worker) -> Iterator[Event]:
        try:
            while worker.pipe.poll():
                what = worker.pipe.recv()
                task = worker.task
                if isinstance(what, Outcome):
                    worker.task = None
                if task is not None:
                    yield Event(task, what)
        except (EOFError, OSError):
            self.workers.remove(worker)
            worker.process.join()
            worker.pipe.close()
            if worker.task is not None:
                yield Event(worker.task, Death(manner(worker.process.exitcode)))

    def obstacle(self) -> None:
        return None

    def stop(self) -> None:
        for worker in self.workers:
            if worker.task is not None:
                worker.process.terminate()

    def close(self) -> None:
        """End all processes, without waiting for what they are doing."""
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            worker.process.join()
            worker.pipe.close()
        self.workers = []


def manner(code: int | None) -> str:
    """How a process ended, for people."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with status {code}"


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started in the block have BLAS make no threads, unless the user says otherwise."""
    unset = [name for name in THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(unset, "1"))
    try:
        yield
    finally:
        for name in unset:
            del os.environ[name]


@contextmanager
def deaf_to_interrupts() -> Iterator[None]:
    """Processes started in the block never see Ctrl-C: who started them tells them to stop."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # which, started in between, would let them through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def without_main() -> Iterator[None]:
    """Processes started in the block do not import the script that started this one.

    They need nothing of it; the command line is 7 MB and a tenth of a second.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


# In the worker


def work(pipe: Connection, folder: Path) -> None:
    """Carry out tasks until the pipe is closed at the other end."""
    from optrun.numerics.sums import norms
    from optrun.sweeps.engines.work import Bench, Reporter

    norms(np.zeros(1))  # so that Numba is loaded while there is nothing else to do
    shelf = Shelf(folder)
    bench = Bench(lambda config: shelf.take(config.dataset, config.seed))
    try:
        while True:
            task = pipe.recv()
            pipe.send(bench.perform(task, Reporter(pipe.send)))
    except (EOFError, OSError):
        return
