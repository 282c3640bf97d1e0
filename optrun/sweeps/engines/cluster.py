"""Runs carried out by the workers of a Dask cluster, with a file system in common or without.

Where all workers see the folder of runs, they write into it as local ones do. Otherwise the files
of a run travel through the scheduler, and the run's directory is kept locked here meanwhile.
"""

import asyncio
import logging
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
from optrun.sweeps.engines.cluster_worker import (
    DEATH,
    Parcel,
    Software,
    perform,
    pulse_from,
    sees,
    software,
    stop_runs,
)
from optrun.sweeps.engines.executor import Death, Event, Outcome, Task

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
        UserError: Dask is not installed, no scheduler answers, it has no workers, or they have
            another optrun.
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
        self.here = software()
        self.workers: dict[str, Software | str] = {}
        self.count_again_at = 0.0
        self._check_workers()
        self.in_common = self._have_files_in_common()

    def _check_workers(self) -> None:
        """Raise a UserError unless all workers have what is here."""
        try:
            self._count()
        except UserError:
            self.client.close()
            raise
        for address, found in self.workers.items():
            if isinstance(found, str):
                self.client.close()
                raise UserError(
                    f"the worker {address} cannot carry out runs: {found}; give every worker the "
                    "same optrun and libraries as here"
                )

    def _have_files_in_common(self) -> bool:
        """Whether all workers see the folder of runs."""
        return all(self.client.run(sees, self.shelf.folder).values())

    def start(self, count: int) -> None:
        pass  # they are there

    def free(self) -> int:
        return max(0, self._count() - len(self.sent))

    def obstacle(self) -> str | None:
        if not self._count():
            return (
                f"the scheduler at {self.address} has no workers any more; the sweep goes on when "
                "there are some"
            )
        unfit = [f"{address}: {why}" for address, why in self.workers.items() if type(why) is str]
        if unfit:
            return f"workers that joined are not used; {'; '.join(unfit)}"
        kinds = {worker.processor for worker in self._fit().values()}
        if len(kinds) > 1:
            return (
                f"the workers have different processors ({', '.join(sorted(map(str, kinds)))}): "
                "the last digits of a result depend on which one it comes from"
            )
        return None

    def _count(self) -> int:
        """How many workers there are that have what is here."""
        if monotonic() > self.count_again_at:
            try:
                there = self.client.nthreads()
                new = [address for address in there if address not in self.workers]
                # An address that left and came back is another process.
                self.workers = {a: found for a, found in self.workers.items() if a in there}
                told = self.client.run(software, workers=new, on_error="return") if new else {}
            except Exception as error:  # of many kinds, by what was under way
                raise self._gone() from error
            for address, found in told.items():
                self.workers[address] = self._judged(found)
            self.count_again_at = monotonic() + COUNT_SECONDS
        return len(self._fit())

    def _judged(self, found: Any) -> Software | str:
        """A worker's software, or why it is not used."""
        if not isinstance(found, Software):
            return f"{type(found).__name__}: {found}"
        return self.here.lacks(found) or found

    def _fit(self) -> dict[str, Software]:
        """The workers that are used, by address."""
        return {a: found for a, found in self.workers.items() if isinstance(found, Software)}

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
        future = self.client.submit(
            perform, parcel, key=attempt, pure=False, workers=list(self._fit())
        )
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
                    directory.check_config(sent.task.config)
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
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it prints tracebacks
    try:
        kind = asyncio.run(identify(address))["type"]
        if kind != "Scheduler":
            raise ValueError(f"there is a {kind}")
        client = Client(address, timeout=PATIENCE_SECONDS, set_as_default=False)
    except Exception as error:  # of many kinds, by what answers
        raise UserError(
            f"no Dask scheduler answers at {address} ({said(error)}); start one with "
            "`dask scheduler`"
        ) from None
    if not client.nthreads():
        client.close()
        raise UserError(
            f"the scheduler at {address} has no workers; start some with "
            f"`dask worker {address} --nthreads 1`"
        )
    return client


async def identify(address: str) -> Any:
    """What a server at the address says of itself.

    `Client` waits for ever for one that does not speak Dask's protocol.
    """
    from distributed.core import rpc
    from distributed.security import Security

    async def ask() -> Any:
        secured = Security().get_connection_args("client")
        async with rpc(address, timeout=PATIENCE_SECONDS, connection_args=secured) as server:
            return await server.identity()

    return await asyncio.wait_for(ask(), PATIENCE_SECONDS)


def said(error: Exception) -> str:
    """The error in a line."""
    if isinstance(error, TimeoutError):
        return f"no answer in {PATIENCE_SECONDS} s"
    return " ".join(str(error).split())[:200] or type(error).__name__
