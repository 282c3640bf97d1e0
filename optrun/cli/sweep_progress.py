"""What a person sees of a sweep: one live table in a terminal, plain lines elsewhere."""

import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from optrun.cli.output import echo, escaped
from optrun.cli.progress import duration
from optrun.metrics import figure_text, higher_is_better, label_of
from optrun.settings import flatten, piece, short
from optrun.sweeps.runs import SweepRun
from optrun.sweeps.stored import Stored
from optrun.sweeps.watcher import Watcher
from optrun.training.observer import Plan, Pulse

FEW_RUNS = 60
SILENCE_SECONDS = 10.0
BAR = 30  # letters


Underway = tuple[SweepRun, Plan | None, Pulse | None]
"""A run, and the last that was heard of it."""


def watch_sweep(total: int, keys: Sequence[str], metric: str) -> "SweepWatcher":
    """The watcher that suits where standard error goes."""
    kind = LiveTable if sys.stderr.isatty() else PlainSweep
    return kind(total, keys, metric)


class SweepWatcher(Watcher, ABC):
    """Keeps count of what has come of a sweep.

    Args:
        total: runs there will be at most.
        keys: that vary, the seed apart.
        metric: by which runs are compared.
    """

    def __init__(self, total: int, keys: Sequence[str], metric: str):
        self.total = total
        self.metric = metric
        self.shorts = Counter(short(key) for key in keys)
        self.statuses: dict[str, str] = {}
        self.reused: set[str] = set()
        self.running: dict[str, Underway] = {}
        self.best: tuple[float, SweepRun] | None = None
        self.begun_at: float | None = None

    def label(self, run: SweepRun) -> str:
        """The run by what it has that others have not."""
        settings = flatten(run.candidate.settings)  # sections of one name differ in what is in them
        parts = [piece(key, value, self.shorts) for key, value in settings.items()]
        return ", ".join([*parts, f"seed {run.config.seed}"])

    def begun(self, run: SweepRun) -> None:
        self.begun_at = self.begun_at or monotonic()
        self.running[run.id] = run, None, None

    def progress(self, run: SweepRun, what: Plan | Pulse) -> None:
        _, plan, pulse = self.running[run.id]
        if isinstance(what, Plan):
            plan = what
        else:
            pulse = what
        self.running[run.id] = run, plan, pulse

    def settled(self, run: SweepRun, stored: Stored, reused: bool = False) -> None:
        self.running.pop(run.id, None)
        self.statuses[run.id] = stored.status
        if reused:
            self.reused.add(run.id)
        if stored.status == "failed":
            self.say(f"failed: {self.label(run)}: {stored.reason}")
        value = self.value(stored)
        if value is not None:
            sign = -1 if higher_is_better(self.metric) else 1
            if self.best is None or sign * value < sign * self.best[0]:
                self.best = value, run

    def value(self, stored: Stored) -> float | None:
        """The run's metric; None if it diverged, for what came before tells nothing of it."""
        return None if stored.status == "diverged" else stored.figures.get(self.metric)

    def again(self, run: SweepRun, reason: str) -> None:
        self.running.pop(run.id, None)
        self.say(f"again: {self.label(run)}: {reason}")

    def elsewhere(self, run: SweepRun) -> None:
        self.running.pop(run.id, None)
        self.say(f"waiting: {self.label(run)} is being run by another process")

    def note(self, text: str) -> None:
        self.say(f"note: {text}")

    def stopping(self) -> None:
        self.say("stopping as soon as all runs are saved; once more stops at once")

    @abstractmethod
    def say(self, text: str) -> None:
        """Print a line that stays."""

    def counts(self) -> str:
        """How many runs there are of each kind: `12 of 60 runs done, 1 diverged`."""
        kinds = Counter(self.statuses.values())
        parts = [f"{sum(kinds.values())} of {self.total} runs done"]
        names = {"diverged": "diverged", "failed": "failed", "stopped": "paused"}
        parts += [f"{kinds[status]} {name}" for status, name in names.items() if kinds[status]]
        if self.reused:
            parts.append(f"{len(self.reused)} were there")
        return ", ".join(parts)

    def failed(self) -> int:
        """How many runs have failed."""
        return sum(status == "failed" for status in self.statuses.values())

    def best_so_far(self) -> str:
        """The best run and its figure, or nothing."""
        if self.best is None:
            return ""
        value, run = self.best
        return f"best {label_of(self.metric)} {figure_text(value, self.metric)} ({self.label(run)})"

    def time_left(self) -> str:
        """At the pace so far; nothing where runs are paused, for then more is to come."""
        underway = sum(map(share_done, self.running.values()))
        done = len(self.statuses) - len(self.reused) + underway
        left = self.total - len(self.statuses) - underway
        if self.begun_at is None or not done or not left or "stopped" in self.statuses.values():
            return ""
        return f"{duration(left * (monotonic() - self.begun_at) / done)} left"

    def headline(self) -> str:
        """The sweep in a line."""
        return "  ".join(part for part in (self.counts(), self.time_left()) if part)


class PlainSweep(SweepWatcher):
    """A line for what ended, for one in so many of a long sweep, and for every trouble."""

    def __init__(self, total: int, keys: Sequence[str], metric: str):
        super().__init__(total, keys, metric)
        self.told = monotonic()

    def say(self, text: str) -> None:
        with suppress(BrokenPipeError):  # nobody reads on, which is no reason to stop
            echo(text, err=True)
        self.told = monotonic()

    def notice(self, text: str) -> None:
        self.say(text)

    def progress(self, run: SweepRun, what: Plan | Pulse) -> None:
        super().progress(run, what)
        if isinstance(what, Pulse) and monotonic() - self.told > SILENCE_SECONDS:
            self.say(f"{self.headline()}; {self.label(run)} is in epoch {what.epoch}")

    def settled(self, run: SweepRun, stored: Stored, reused: bool = False) -> None:
        super().settled(run, stored, reused)
        every = max(1, self.total // FEW_RUNS)
        done = len(self.statuses)
        if not reused and (done % every == 0 or done == self.total):
            value = self.value(stored)
            label = f"  {label_of(self.metric)} "
            result = "" if value is None else label + figure_text(value, self.metric)
            self.say(f"{done}/{self.total}  {ending(stored)}  {self.label(run)}{result}")


class LiveTable(SweepWatcher):
    """What is done, what is running with its loss, the best so far, the time left."""

    def __init__(self, total: int, keys: Sequence[str], metric: str):
        super().__init__(total, keys, metric)
        self.text = ""
        self.live = Live(
            get_renderable=self.picture,
            console=Console(stderr=True),
            refresh_per_second=5,
            transient=True,
        )
        self.live.start()

    def picture(self) -> Group:
        """The table as it is now."""
        if self.begun_at is None:
            return Group(Text(self.text))
        head = Table.grid(padding=(0, 2, 0, 0))
        bar = ProgressBar(total=self.total, completed=len(self.statuses), width=BAR)
        head.add_row(bar, Text(self.headline()))
        table = Table(box=None, pad_edge=False, show_header=False)
        for run, plan, pulse in list(self.running.values()):
            epochs = run.pause_after or run.config.training.epochs
            at = f"epoch {pulse.epoch}/{epochs}" if pulse else "begun" if plan else "waiting"
            loss = f"loss {pulse.loss:.4g}" if pulse else ""
            table.add_row(Text(escaped(self.label(run))), at, loss)
        return Group(head, Text(escaped(self.best_so_far())), table)

    def say(self, text: str) -> None:
        self.live.console.print(escaped(text), highlight=False, markup=False)

    def notice(self, text: str) -> None:
        self.text = text

    def close(self) -> None:
        self.live.stop()


def share_done(underway: Underway) -> float:
    """How much of a run is done, from 0 to 1."""
    run, _, pulse = underway
    return (pulse.epoch - 1) / run.config.training.epochs if pulse else 0.0


def ending(stored: Stored) -> str:
    """How far a run has come, in a few words."""
    return f"paused after epoch {stored.epochs}" if stored.status == "stopped" else stored.status
