"""What a person sees of a run: a live bar in a terminal, plain lines elsewhere."""

import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from optrun.cli.output import echo, escaped
from optrun.metrics import AVERAGE, SPLITS
from optrun.store.run_directory import RunDirectory
from optrun.training.observer import Observer, Plan, Pulse

FEW_EPOCHS = 30
SILENCE_SECONDS = 10.0
STOPPING = "stopping as soon as everything is saved; once more stops at once"
REUSED = "this run is there already; nothing needs training"


def watch() -> Observer:
    """The observer that suits where standard error goes."""
    return LiveBar() if sys.stderr.isatty() else PlainLines()


class PlainLines(Observer):
    """A line an epoch, every so many epochs of a long run, and one after a long silence."""

    def __init__(self) -> None:
        self.epochs = 0
        self.chance: float | None = None
        self.told = monotonic()

    def say(self, text: str) -> None:
        with suppress(BrokenPipeError):  # nobody reads on, which is no reason not to train
            echo(text, err=True)
        self.told = monotonic()

    def notice(self, text: str) -> None:
        self.say(text)

    def begin(self, plan: Plan) -> None:
        self.epochs, self.chance = plan.epochs, plan.chance
        self.say(opening(plan))

    def pulse(self, pulse: Pulse) -> None:
        if monotonic() - self.told > SILENCE_SECONDS:
            time_left = duration(pulse.seconds_left)
            self.say(f"epoch {pulse.epoch}/{self.epochs}  {moment(pulse)}  {time_left} left")

    def epoch(self, row: dict[str, Any]) -> None:
        every = max(1, self.epochs // FEW_EPOCHS)
        if row["epoch"] % every == 0 or row["epoch"] == self.epochs:
            self.say(epoch_line(row, self.epochs, self.chance))

    def stopping(self) -> None:
        self.say(STOPPING)

    def reuse(self, directory: Path) -> None:
        self.say(REUSED)


class LiveBar(Observer):
    """One line that moves: epoch, step, loss, rate, examples a second, time left."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.status = self.console.status("")
        whole = Column(no_wrap=True)
        self.bar = Progress(
            TextColumn("epoch {task.fields[epoch]}", table_column=whole),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=1)),
            TextColumn("{task.fields[moment]}", table_column=whole),
            TimeRemainingColumn(compact=True, table_column=whole),
            TextColumn("left", table_column=whole),
            console=self.console,
            transient=True,
            expand=True,
        )
        self.epochs = 0
        self.chance: float | None = None

    def notice(self, text: str) -> None:
        self.status.update(text)
        self.status.start()

    def begin(self, plan: Plan) -> None:
        self.status.stop()
        self.console.print(escaped(opening(plan)), highlight=False, markup=False)
        self.epochs, self.chance = plan.epochs, plan.chance
        self.task = self.bar.add_task(
            "", total=plan.steps, completed=plan.resumed_at, epoch="", moment=""
        )
        self.bar.start()

    def pulse(self, pulse: Pulse) -> None:
        epoch = f"{pulse.epoch}/{self.epochs}"
        self.bar.update(self.task, completed=pulse.step, epoch=epoch, moment=moment(pulse))

    def epoch(self, row: dict[str, Any]) -> None:
        if self.epochs <= FEW_EPOCHS or row["epoch"] in (0, self.epochs):
            self.console.print(epoch_line(row, self.epochs, self.chance), highlight=False)

    def stopping(self) -> None:
        self.console.print(STOPPING, highlight=False)

    def reuse(self, directory: Path) -> None:
        self.console.print(REUSED)

    def close(self) -> None:
        """Leave the terminal as it was found, whatever happened."""
        self.status.stop()
        self.bar.stop()


def moment(pulse: Pulse) -> str:
    """Where training is, in a few words."""
    speed = pulse.examples_per_second
    rate = "" if pulse.rate is None else f"lr {pulse.rate:.2g}  "
    return (
        f"step {pulse.step}  loss {pulse.loss:.3g}  {rate}"
        f"{f'{speed / 1000:.0f}k' if speed >= 10_000 else f'{speed:.0f}'} examples/s"
    )


def opening(plan: Plan) -> str:
    """What is about to run, in a line."""
    text = f"{plan.directory}  {plan.parameters:,} parameters, {plan.steps:,} steps"
    return text + (f", resumed after step {plan.resumed_at:,}" if plan.resumed_at else "")


def epoch_line(row: dict[str, Any], epochs: int, chance: float | None = None) -> str:
    """An epoch's figures in a line; that of the start names the loss of chance, if it is known."""
    width = len(str(epochs))
    text = f"epoch {row['epoch']:>{width}}/{epochs}"
    for name in ("train", "val", f"{AVERAGE}val"):
        if row.get(f"{name}_loss") is not None:
            text += f"  {name.replace('_', ' ')} {shown(row[f'{name}_loss'])}"
        if row.get(f"{name}_accuracy") is not None:
            text += f"  {row[f'{name}_accuracy']:7.2%}"
    text += "" if row["lr"] is None else f"  lr {row['lr']:.3g}"
    if row["epoch"]:
        return f"{text}  trained {duration(row['seconds'])}"
    return text if chance is None else f"{text}  (chance: {shown(chance)})"


def ending(directory: Path, summary: dict[str, Any], data_dir: Path | None = None) -> list[str]:
    """How a run ended, and where to look or how to go on."""
    status = summary["status"]
    if status == "stopped":
        again = f"optrun train {directory / 'config.yaml'}"
        again += f" --data-dir {data_dir}" if data_dir else ""
        return [
            f"stopped after step {summary['steps']:,}, {counted(summary['epochs'], 'epoch')} done; "
            f"everything is saved. To go on: {again}"
        ]
    if status == "diverged":
        lines = [f"diverged at step {summary['diverged_step']:,}: {summary['reason']}"]
    else:
        lines = finished_lines(summary)
        if summary.get("reason"):
            lines.append(summary["reason"])
    curves = RunDirectory(directory).curves
    return [*lines, *([f"curves: {curves}"] if curves.exists() else []), str(directory)]


def finished_lines(summary: dict[str, Any]) -> list[str]:
    """The result of a finished run, and the time it took."""
    lines = [f"best epoch {summary['best_epoch']}: {figures(summary)}"]
    if summary["average_best_epoch"] is not None:
        chosen = f"best epoch {summary['average_best_epoch']}"
        lines.append(f"averaged weights, {chosen}: {figures(summary, 'average_')}")
    return [
        *lines,
        f"trained {counted(summary['epochs'], 'epoch')} in {duration(summary['seconds_train'])}; "
        f"evaluation {duration(summary['seconds_eval'])}, "
        f"kernels ready in {duration(summary['seconds_compile'])}",
    ]


def figures(summary: dict[str, Any], whose: str = "") -> str:
    """Validation and test figures, as far as there are any; otherwise those of training.

    `validation accuracy 98.05%, loss 0.0712; test accuracy 97.98%, loss 0.0700`
    """
    splits = [split for split in ("val", "test") if summary[f"{whose}{split}_loss"] is not None]
    return "; ".join(split_figures(summary, whose, split) for split in splits or ["train"])


def split_figures(summary: dict[str, Any], whose: str, split: str) -> str:
    """Accuracy, where there are labels, and loss on a split."""
    accuracy, loss = (summary[f"{whose}{split}_{what}"] for what in ("accuracy", "loss"))
    known = f"accuracy {accuracy:.2%}, " if accuracy is not None else ""
    return f"{SPLITS[split]} {known}loss {shown(loss)}"


def shown(loss: float) -> str:
    """A loss to four places, or to three digits where that would show nothing."""
    return f"{loss:.4f}" if loss == 0 or 1e-3 <= abs(loss) < 1e4 else f"{loss:.2e}"


def counted(number: int, noun: str) -> str:
    """ "1 epoch", "2 epochs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A time in two or three digits."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:,.0f} s"
