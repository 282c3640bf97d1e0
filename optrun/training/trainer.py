"""Training a program epoch by epoch: everything that happens between two chunks of steps."""

import json
import math
from dataclasses import asdict, dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from optrun.engine.arrays import Epoch
from optrun.engine.program import LONGEST_CHUNK, Program
from optrun.numerics.sums import norms
from optrun.optim.plateau import Plateau
from optrun.store.run_directory import MEASURES, METRICS, STEPS, RunDirectory
from optrun.training.divergence import diagnose, loss_limit
from optrun.training.interrupt import Interrupt
from optrun.training.observer import Observer, Pulse
from optrun.training.selection import Selection

CARRIED = ("weights", "state", "slow", "average")
"""The parameters' arrays that a checkpoint holds; the gradient is made anew at every step."""
CHUNK_SECONDS = 0.1
CHECKPOINT_SECONDS = 1.0
CHECKPOINT_SHARE = 0.05
"""Checkpoints are at least so far apart that writing them takes no more of the time than this."""


@dataclass
class Progress:
    """How far a run has come, beside its arrays; with them, all that resuming needs.

    Attributes:
        step, epoch: steps and whole epochs done.
        norms: sum of the gradient's norms over the epoch under way.
        limit: the batch loss that counts as exploded.
        seconds_train, seconds_eval, seconds_compile: spent so far, in all processes.
        watched: the metric that the schedule answers to, after each epoch.
        metrics_length, steps_length: bytes of the two tables.
    """

    step: int = 0
    epoch: int = 0
    norms: float = 0.0
    limit: float = math.inf
    seconds_train: float = 0.0
    seconds_eval: float = 0.0
    seconds_compile: float = 0.0
    watched: list[float] = field(default_factory=list)
    metrics_length: int = 0
    steps_length: int = 0
    selection: Selection = field(default_factory=Selection)


class Stopped(Exception):
    """The run is to go on another time, and has been saved; why, in words."""


class Trainer:
    """One run under way: at its beginning, or where its checkpoint left it."""

    def __init__(
        self, program: Program, directory: RunDirectory, observer: Observer, interrupt: Interrupt
    ):
        self.program = program
        self.directory = directory
        self.observer = observer
        self.interrupt = interrupt
        self.progress = Progress()
        self.weights = program.parameters.weights
        self.trained = program.parameters.gradient.size
        self.best = self.weights.copy()
        self.best_average = program.parameters.average.copy()
        self.epoch_start = self.weights.copy()
        self.planned = program.rates.copy()
        self.row: dict[str, Any] = {}
        self.chunk = 1
        self.save_again_at = perf_counter() + CHECKPOINT_SECONDS
        if directory.has_checkpoint():
            self.resume()
        else:
            self.metrics, self.steps = directory.open_metrics(), directory.open_steps()

    # Saving and resuming

    def start(self) -> None:
        """Evaluate the start, epoch 0."""
        row = self.measure(epoch=0, rate=None, mean_norm=None, moved=None)
        self.progress.limit = loss_limit(row["train_loss"])
        self.finish_row(row)

    def resume(self) -> None:
        """Take up the run where its checkpoint left it."""
        saved = self.directory.load_checkpoint()
        progress = json.loads(str(saved["progress"]))
        selection = Selection(**progress.pop("selection"))
        self.progress = Progress(**progress, selection=selection)
        parameters = self.program.parameters
        for name in CARRIED:
            getattr(parameters, name)[:] = saved[name]
        self.best[:] = saved["best"]
        self.best_average[:] = saved["best_average"]
        self.epoch_start[:] = saved["epoch_start"]
        self.row = json.loads(str(saved["row"]))
        self.cut_rates()
        self.metrics = self.directory.open_metrics(self.progress.metrics_length)
        self.steps = self.directory.open_steps(self.progress.steps_length)

    def save(self) -> None:
        """Write a checkpoint that agrees with the tables on disk."""
        begun = perf_counter()
        for table in (self.metrics, self.steps):
            table.sync()
        self.progress.metrics_length = self.metrics.length()
        self.progress.steps_length = self.steps.length()
        self.directory.save_checkpoint(
            {
                "progress": np.array(json.dumps(asdict(self.progress))),
                "row": np.array(json.dumps(self.row)),
                **{name: getattr(self.program.parameters, name) for name in CARRIED},
                "best": self.best,
                "best_average": self.best_average,
                "epoch_start": self.epoch_start,
            }
        )
        taken = perf_counter() - begun
        self.save_again_at = begun + max(CHECKPOINT_SECONDS, taken / CHECKPOINT_SHARE)

    def close(self) -> None:
        """Close the tables."""
        for table in (self.metrics, self.steps):
            table.close()

    # Training

    def train(self, pause_after: int | None = None) -> str | None:
        """Train to the last epoch.

        Returns:
            Why training ended before that, or None.

        Raises:
            Divergence: the loss is not finite or has exploded.
            Stopped: on request, or after `pause_after` epochs.
        """
        training = self.program.config.training
        while self.progress.epoch < training.epochs:
            if self.progress.selection.exhausted(training):
                best = self.progress.selection
                return (
                    f"early stopping: {training.best_by} has not improved in {best.waited} epochs"
                )
            if pause_after is not None and self.progress.epoch >= pause_after:
                self.save()
                raise Stopped(f"paused after epoch {self.progress.epoch} of {training.epochs}")
            self.train_epoch()
        return None

    def train_epoch(self) -> None:
        """Run the epoch under way to its end, measure it and write its row."""
        program, progress = self.program, self.progress
        begun = perf_counter()
        epoch = program.epoch(progress.epoch)
        progress.seconds_train += perf_counter() - begun
        end = (progress.epoch + 1) * program.steps_per_epoch
        while progress.step < end:
            self.run_chunk(epoch, min(end - progress.step, self.chunk))
            self.pause()
        # in place, as weights may be many; below it is set to where the next epoch starts
        np.subtract(self.weights, self.epoch_start, out=self.epoch_start)
        moved = length(self.epoch_start[: self.trained])
        row = self.measure(
            epoch=progress.epoch + 1,
            rate=self.rate_at(progress.step),
            mean_norm=progress.norms / program.steps_per_epoch,
            moved=moved,
        )
        progress.epoch += 1
        progress.norms = 0.0
        self.epoch_start[:] = self.weights
        self.finish_row(row)
        self.watch(row)
        self.pause()

    def watch(self, row: dict[str, Any]) -> None:
        """Let a schedule that answers to a metric see it."""
        scheduler = self.program.config.scheduler
        if isinstance(scheduler, Plateau):
            self.progress.watched.append(row[scheduler.watch])
            self.cut_rates()

    def cut_rates(self) -> None:
        """Work out the rates to come from what has been watched so far."""
        scheduler, program = self.program.config.scheduler, self.program
        if isinstance(scheduler, Plateau):
            program.rates[:] = scheduler.cut_rates(
                self.planned, self.progress.watched, program.steps_per_epoch
            )

    def run_chunk(self, epoch: Epoch, count: int) -> None:
        """Run some steps, log them, and adapt the length of the next chunk to the time taken."""
        program, progress = self.program, self.progress
        begun = perf_counter()
        done = program.run(progress.step, count, epoch, progress.limit)
        seconds = perf_counter() - begun
        self.log(done, seconds)
        progress.step += done
        progress.seconds_train += seconds
        # one by one, so that the sum does not depend on where chunks begin
        for norm in program.record.norm[:done].tolist():
            progress.norms += norm
        loss = float(program.record.loss[done - 1])
        if not -progress.limit <= loss <= progress.limit:
            raise diagnose(program, loss, progress.step)
        self.tell(loss)
        faster = done * CHUNK_SECONDS / max(seconds, 1e-9)
        self.chunk = int(min(max(faster, 1), 4 * self.chunk, LONGEST_CHUNK))

    def pause(self) -> None:
        """Between two chunks: stop if asked to, save if it is time."""
        if self.interrupt.requested or self.observer.wants_stop:
            self.save()
            raise Stopped("stopped on request")
        if perf_counter() > self.save_again_at:
            self.save()

    # Measuring and telling

    def test(self) -> dict[str, float | None]:
        """Loss and accuracy of the chosen weights on the test set, which nothing else looks at.

        Empty for data without one.
        """
        if not self.program.config.dataset.tested:
            return {}
        begun, data = perf_counter(), self.program.data
        figures = measures("test", self.program.evaluate(data.test, self.best))
        if self.best_average.size:
            average = self.program.evaluate(data.test, self.best_average)
            figures |= measures("average_test", average)
        self.progress.seconds_eval += perf_counter() - begun
        return figures

    def chosen_weights(self) -> dict[str, np.ndarray]:
        """What best.npz holds: the chosen weights, and their average if there is one."""
        named = self.program.named_weights(self.best)
        if self.best_average.size:
            average = self.program.named_weights(self.best_average)
            named |= {f"average.{name}": part for name, part in average.items()}
        return named

    def measure(
        self, epoch: int, rate: float | None, mean_norm: float | None, moved: float | None
    ) -> dict[str, Any]:
        """The present weights' row of metrics.csv.

        Raises:
            Divergence: the loss on the training or the validation data has exploded.
        """
        program, progress = self.program, self.progress
        begun = perf_counter()
        weights = program.evaluation_weights()
        figures = self.figures("", weights)
        if program.parameters.average.size:
            figures |= self.figures("average_", program.parameters.average)
        penalty = program.penalty(weights)
        progress.seconds_eval += perf_counter() - begun
        for loss in (figures["train_loss"], figures["val_loss"]):
            if loss is not None and not (abs(loss) <= progress.limit and math.isfinite(loss)):
                raise diagnose(program, loss, progress.step)
        return {
            "epoch": epoch,
            "step": progress.step,
            "lr": rate,
            **dict.fromkeys(MEASURES),
            **figures,
            "penalty": penalty,
            "grad_norm": mean_norm,
            "weight_norm": length(weights[: self.trained]),
            "update_norm": moved,
            "seconds": progress.seconds_train,
        }

    def figures(self, prefix: str, weights: np.ndarray) -> dict[str, float | None]:
        """Loss and accuracy of weights on training and validation data, if there are any."""
        data = self.program.data
        found: dict[str, float | None] = {}
        for name, split in (("train", data.train), ("val", data.validation)):
            result = self.program.evaluate(split, weights) if split is not None else (None, None)
            found |= measures(f"{prefix}{name}", result)
        return found

    def finish_row(self, row: dict[str, Any]) -> None:
        """Write an epoch's row, and keep its weights if they are the best."""
        training = self.program.config.training
        if self.progress.selection.offer(row["epoch"], row, training):
            self.best[:] = self.program.evaluation_weights()
            self.best_average[:] = self.program.parameters.average
            self.row = row
        self.metrics.append([[row[column] for column in METRICS]])
        self.observer.epoch(row)

    def log(self, done: int, seconds: float) -> None:
        """Add the chunk's logged steps, and a step that broke off, to steps.csv."""
        program, progress, record = self.program, self.progress, self.program.record
        every = program.config.training.log_every
        broken = not -progress.limit <= record.loss[done - 1] <= progress.limit
        rows = []
        for k in range(done):
            t = progress.step + k + 1
            if t == 1 or t % every == 0 or (broken and k == done - 1):
                row = {
                    "step": t,
                    "epoch": t / program.steps_per_epoch,
                    "lr": self.rate_at(t),
                    "loss": float(record.loss[k]),
                    "penalty": float(record.penalty[k]),
                    "grad_norm": float(record.norm[k]),
                    "seconds": progress.seconds_train + seconds * (k + 1) / done,
                }
                rows.append([row[column] for column in STEPS])
        if rows:
            self.steps.append(rows)

    def rate_at(self, t: int) -> float | None:
        """The learning rate of step t, counted from 1; None where the optimizer has none."""
        rate = float(self.program.rates[t - 1])
        return None if math.isnan(rate) else rate

    def tell(self, loss: float) -> None:
        """Let the observer know where training is."""
        program, progress = self.program, self.progress
        seen = program.examples_in(progress.step)
        speed = seen / max(progress.seconds_train, 1e-9)
        left = program.examples_in(program.rates.size) - seen
        self.observer.pulse(
            Pulse(
                step=progress.step,
                epoch=progress.epoch + 1,
                loss=loss,
                rate=self.rate_at(progress.step),
                examples_per_second=speed,
                seconds_left=left / max(speed, 1e-9),
            )
        )


def measures(name: str, result: tuple[float | None, float | None]) -> dict[str, float | None]:
    """(loss, accuracy) by the names they have in tables and summaries."""
    return dict(zip((f"{name}_loss", f"{name}_accuracy"), result, strict=True))


def length(vector: np.ndarray) -> float:
    """‖vector‖, in an order that no BLAS chooses."""
    return math.sqrt(norms(vector)[1])
