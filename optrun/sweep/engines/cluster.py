"""Runs carried out by the workers of a Dask cluster, with a file system in common or without.

Where all workers see the folder of runs, they write into it as local ones do. Otherwise the files
of a run travel through the scheduler, and the run's directory is kept locked here meanwhile.
"""

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, Queue
from secrets import token_hex
from time import monotonic
from typing import Any

from optrun.data.shelf import Shelf
from optrun.errors import DiskFull, RunBusy, RunError, UserError
from optrun.store.run_directory import DONE, RunDirectory
from optrun.sweep.engines.cluster_worker import (
    DEATH,
    Parcel,
    perform,
    pulse_from,
    sees,
    stop_runs,
)
from optrun.sweep.engines.executor import Death, Event, Outcome, Task

PATIENCE_SECONDS = 10
COUNT_SECONDS = 1.0


@dataclass
class Sent:
    """A task that the cluster has."""

    task: Task
    future: Any
    held: ExitStack = field(default_factory=ExitStack)


class DaskWorkers:
    """The workers of a Dask scheduler, one task a process at a time.

    Args:
        address: of the scheduler, `host:port`.
        shelf: where workers on the same file system find datasets.
        data_dir: where the others look for them.

    Raises:
        UserError: Dask is not installed, no scheduler answers, or it has no workers.
    """

    def __init__(self, address: str, shelf: Shelf, data_dir: Path | None):
        self.address = address
        self.shelf = Shelf(shelf.folder.absolute())
        self.data_dir = data_dir
        self.sweep = token_hex(8)
        self.heard: Queue[Any] = Queue()
        self.sent: dict[str, Sent] = {}
        self.client = connect(address)
        self.client.subscribe_topic(self.sweep, self.heard.put)
        self.count, self.count_again_at = 0, 0.0
        self.in_common = self._have_files_in_common()

    def _have_files_in_common(self) -> bool:
        """Whether all workers see the folder of runs."""
        try:
            return all(self.client.run(sees, self.shelf.folder).values())
        except Exception as error:
            self.client.close()
            raise UserError(
                f"a worker at {self.address} cannot carry out runs: {error}; every worker needs "
                "optrun, of the same version as here"
            ) from error

    def start(self, count: int) -> None:
        pass  # they are there

    def free(self) -> int:
        return max(0, self._count() - len(self.sent))

    def obstacle(self) -> str | None:
        if self._count():
            return None
        return (
            f"the scheduler at {self.address} has no workers any more; the sweep goes on when "
            "there are some"
        )

    def _count(self) -> int:
        """How many workers there are."""
        if monotonic() > self.count_again_at:
            try:
                self.count = len(self.client.nthreads())
            except Exception as error:  # of many kinds, by what was under way
                raise self._gone() from error
            self.count_again_at = monotonic() + COUNT_SECONDS
        return self.count

    def submit(self, task: Task) -> None:
        held, files = ExitStack(), None
        # relative to where we are, which is nowhere that a worker knows
        task = replace(task, out=task.out.absolute())
        if not self.in_common:
            try:
                files = self._take_along(task, held)
            except RunError as error:
                held.close()
                self.heard.put((task.id, failure(error)))
                return
            if files is None:
                held.close()
                self.heard.put((task.id, Outcome("finished")))
                return
        attempt = f"{task.id}-{token_hex(4)}"
        parcel = Parcel(self.sweep, attempt, task, files, self.shelf.folder, self.data_dir)
        future = self.client.submit(perform, parcel, key=attempt, pure=False)
        self.sent[task.id] = Sent(task, future, held)
        future.add_done_callback(lambda _: self.heard.put(task.id))

    def _take_along(self, task: Task, held: ExitStack) -> dict[str, bytes] | None:
        """The files that the run has so far, which nobody else is to change now.

        None if another process has done it meanwhile.

        Raises:
            RunBusy: another process has the run.
            RunError: its directory cannot be read or written.
        """
        directory = RunDirectory.of(task.out, task.config, task.id)
        directory.create()
        held.enter_context(directory.lock())
        directory.check_config(task.config)
        if directory.has_summary() and directory.read_summary()["status"] in DONE:
            return None
        return directory.read_all() if directory.has_checkpoint() else {}

    def events(self, timeout: float) -> Iterator[Event]:
        with suppress(Empty):
            yield from self._event(self.heard.get(timeout=timeout))
            while True:
                yield from self._event(self.heard.get_nowait())

    def _event(self, what: Any) -> Iterator[Event]:
        if isinstance(what, str):  # a task is done
            yield Event(what, self._end(self.sent.pop(what)))
        elif isinstance(what[1], Outcome):
            yield Event(*what)
        else:
            task, told = what[1]["task"], pulse_from(what[1])
            if task in self.sent:
                yield Event(task, told)

    def _end(self, sent: Sent) -> Outcome | Death:
        """How a task ended; its files are brought in if they are not in place."""
        from distributed import KilledWorker

        with sent.held:
            try:
                end, files = sent.future.result()
            except KilledWorker:  # of a scheduler that tries nothing again
                return DEATH
            except (Exception, CancelledError) as error:
                if sent.future.cancelled():
                    raise self._gone() from error
                return Outcome("failed", f"{type(error).__name__} on a worker: {error}")
            if files:
                directory = RunDirectory.of(sent.task.out, sent.task.config, sent.task.id)
                try:
                    directory.write_all(files)
                except RunError as error:
                    return failure(error)
            return end

    def _gone(self) -> UserError:
        return UserError(
            f"the scheduler at {self.address} is gone; what was finished is kept: start the sweep "
            "again when there is one"
        )

    def stop(self) -> None:
        try:
            self.client.run(stop_runs, self.sweep, on_error="ignore")
        except Exception as error:
            raise self._gone() from error

    def close(self) -> None:
        """Let go of the cluster, and have what still runs there stopped."""
        with suppress(Exception):  # the scheduler may be gone
            if self.sent:
                self.stop()
                self.client.cancel([sent.future for sent in self.sent.values()], force=True)
            self.client.set_metadata([self.sweep], {})
        for sent in self.sent.values():
            sent.held.close()
        self.client.close()


def failure(error: RunError) -> Outcome:
    """The outcome of a task that a directory here stands in the way of."""
    if isinstance(error, RunBusy):
        return Outcome("busy", str(error))
    return Outcome("failed", str(error), isinstance(error, DiskFull))


def connect(address: str) -> Any:
    """A client of the scheduler at this address, which has workers."""
    try:
        from distributed import Client
    except ImportError:
        raise UserError("a sweep on a cluster needs Dask: pip install 'optrun[cluster]'") from None
    try:
        client = Client(address, timeout=PATIENCE_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"no Dask scheduler answers at {address} ({error}); start one with `dask scheduler`"
        ) from None
    if not client.nthreads():
        client.close()
        raise UserError(
            f"the scheduler at {address} has no workers; start some with "
            f"`dask worker {address} --nthreads 1`"
        )
    return client
