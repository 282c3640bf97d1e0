"""What carries out the runs of a sweep, wherever that is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from optrun.training.observer import Plan, Pulse


@dataclass(frozen=True)
class Task:
    """A run to be carried out.

    Attributes:
        id: of the run.
        config: resolved, as a plain mapping.
        out: where run directories live.
        pause_after: epochs after which the run is paused; None: it goes to its end.
    """

    id: str
    config: Mapping[str, Any]
    out: Path
    pause_after: int | None


@dataclass(frozen=True)
class Outcome:
    """How a task ended.

    Attributes:
        status: that of the run's summary, or `failed`, or `busy` where another process has it.
        reason: what went wrong, for people.
        disk_full: whether everything else would fail as well, for want of room.
    """

    status: str
    reason: str | None = None
    disk_full: bool = False


@dataclass(frozen=True)
class Death:
    """The worker was gone before the task was done; how, for people."""

    reason: str


@dataclass(frozen=True)
class Event:
    """Something that happened to a task: a plan, a pulse, its outcome, or its worker's death."""

    task: str
    what: Plan | Pulse | Outcome | Death


class Executor(Protocol):
    """Workers that carry out tasks."""

    def start(self, count: int) -> None:
        """Have workers for so many tasks made ready, as far as that is ours to do."""

    def free(self) -> int:
        """How many more tasks would be begun at once."""

    def submit(self, task: Task) -> None:
        """Have a task carried out; only while some worker is free."""

    def events(self, timeout: float) -> Iterator[Event]:
        """What has happened since, waiting up to `timeout` seconds for the first event."""

    def obstacle(self) -> str | None:
        """What keeps everything from going on, for people; None if nothing does."""

    def stop(self) -> None:
        """Have what is running saved and stopped; outcomes are still to be waited for."""

    def close(self) -> None:
        """Let go of all workers, without waiting for what they are doing."""
