"""Training a program epoch by epoch: everything that happens between two chunks of steps."""

import json
import math
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from optrun.engine.arrays import Epoch
from optrun.engine.program import LONGEST_CHUNK, Program
from optrun.metrics import EVALUATED, whose
from optrun.numerics.sums import norms
from optrun.optim.plateau import Plateau
from optrun.store.run_directory import RunDirectory
from optrun.training.candidate import Figures, candidates
from optrun.training.divergence import diagnose, loss_limit
from optrun.training.interrupt import Interrupt
from optrun.training.observer import Observer, Pulse
from optrun.training.progress import Progress
from optrun.training.step_log import StepLog

CARRIED = ("weights", "state", "slow", "average")
"""The parameters' arrays that a checkpoint holds; the gradient is made anew at every step."""
TEXTS = ("progress", "candidates")
"""What else a checkpoint holds, as JSON."""
CHUNK_SECONDS = 0.1
CHECKPOINT_SECONDS = 1.0
CHECKPOINT_SHARE = 0.05
"""Checkpoints are at least so far apart that writing them takes no more of the time than this."""


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
        self.candidates = candidates(program)
        self.epoch_start = self.weights.copy()
        self.planned = program.rates.copy()
        self.chunk = 1
        self.save_again_at = perf_counter() + CHECKPOINT_SECONDS
        if directory.has_checkpoint():
            self.resume()
        else:
            self.metrics, self.steps = directory.open_metrics(), directory.open_steps()
        self.log = StepLog(program, self.steps, self.progress)

    # Saving and resuming

    def start(self) -> None:
        """Evaluate the start, epoch 0."""
        row = self.measure(epoch=0, rate=None, mean_norm=None, moved=None)
        self.progress.limit = loss_limit(row["train_loss"])
        self.finish_row(row)

    def resume(self) -> None:
        """Take up the run where its checkpoint left it."""
        saved = self.directory.load_checkpoint()
        try:
            check_arrays(saved, self.carried(), TEXTS)
            self.progress = Progress.restored(str(saved["progress"]))
            states = json.loads(str(saved["candidates"]))
            for candidate in self.candidates:
                candidate.restore(states[candidate.whose])
            self.progress.check(self.program)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise self.directory.wrong_checkpoint(error) from error
        for name, array in self.carried().items():
            array[:] = saved[name]
        self.cut_rates()
        self.metrics = self.directory.open_metrics(self.progress.metrics)
        self.steps = self.directory.open_steps(self.progress.steps)

    def save(self) -> None:
        """Write a checkpoint that agrees with the tables on disk."""
        begun = perf_counter()
        for table in (self.metrics, self.steps):
            table.sync()
        self.progress.metrics, self.progress.steps = self.metrics.mark(), self.steps.mark()
        states = {candidate.whose: candidate.state() for candidate in self.candidates}
        texts = {"progress": self.progress.state(), "candidates": json.dumps(states)}
        self.directory.save_checkpoint({**texts, **self.carried()})
        taken = perf_counter() - begun
        self.save_again_at = begun + max(CHECKPOINT_SECONDS, taken / CHECKPOINT_SHARE)

    def carried(self) -> dict[str, np.ndarray]:
        """The arrays that a checkpoint holds."""
        return {
            **{name: getattr(self.program.parameters, name) for name in CARRIED},
            **{f"{candidate.whose}best": candidate.kept for candidate in self.candidates},
            "epoch_start": self.epoch_start,
        }

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
        watched = next(c for c in self.candidates if c.whose == whose(str(training.best_by)))
        while self.progress.epoch < training.epochs:
            if watched.selection.exhausted(training.early_stopping):
                return (
                    f"early stopping: {training.best_by} has not improved in "
                    f"{watched.selection.waited} epochs{self.without_average()}"
                )
            if pause_after is not None and self.progress.epoch >= pause_after:
                self.save()
                raise Stopped(f"paused after epoch {self.progress.epoch} of {training.epochs}")
            self.train_epoch()
        return None

    def without_average(self) -> str:
        """The end of a sentence where the run has ended before its average began."""
        begins = self.program.first_average
        if begins is None or self.progress.step >= begins:
            return ""
        return f"; there are no averaged weights, which begin at step {begins:,}"

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
            rate=program.rate_at(progress.step),
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
        self.log.add_chunk(done, seconds)
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

    def test(self) -> Figures:
        """Losses and accuracies of what was kept on the test set, if there is one."""
        if not self.program.config.dataset.has_examples:
            return {}
        begun = perf_counter()
        figures: Figures = {}
        for candidate in self.candidates:
            figures |= candidate.test()
        self.progress.seconds_eval += perf_counter() - begun
        return figures

    def kept_weights(self) -> dict[str, np.ndarray]:
        """What best.npz holds: the chosen weights, and those chosen of their averages."""
        return {name: w for candidate in self.candidates for name, w in candidate.named().items()}

    def measure(
        self, epoch: int, rate: float | None, mean_norm: float | None, moved: float | None
    ) -> dict[str, Any]:
        """The present weights' row of metrics.csv.

        Raises:
            Divergence: the loss on the training data has exploded. One on the validation data may:
                then the model overfits.
        """
        program, progress = self.program, self.progress
        begun = perf_counter()
        figures: Figures = {}
        for candidate in self.candidates:
            figures |= candidate.measure(progress.step)
        weights = self.candidates[0].weights
        assert weights is not None
        penalty, sparsity = program.penalty(weights), program.sparsity(weights)
        progress.seconds_eval += perf_counter() - begun
        loss = figures["train_loss"]
        if loss is not None and not abs(loss) <= progress.limit:
            raise diagnose(program, loss, progress.step)
        return {
            "epoch": epoch,
            "step": progress.step,
            "lr": rate,
            **dict.fromkeys(EVALUATED),
            **figures,
            "penalty": penalty,
            "grad_norm": mean_norm,
            "weight_norm": length(weights[: self.trained]),
            "sparsity": sparsity,
            "update_norm": moved,
            "update_ratio": progress.last_step.get("update_ratio"),
            "seconds": progress.seconds_train,
        }

    def finish_row(self, row: dict[str, Any]) -> None:
        """Write an epoch's row, and keep the weights that are the best so far."""
        for candidate in self.candidates:
            candidate.offer(row)
        self.metrics.append([row])
        self.observer.epoch(row)

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
                rate=program.rate_at(progress.step),
                examples_per_second=speed,
                seconds_left=left / max(speed, 1e-9),
            )
        )


def length(vector: np.ndarray) -> float:
    """‖vector‖, in an order that no BLAS chooses."""
    return math.sqrt(norms(vector)[1])


def check_arrays(
    saved: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray], texts: Sequence[str]
) -> None:
    """Raise a ValueError unless these arrays and texts were saved, and nothing else."""
    kinds = {name: (array.dtype, array.shape) for name, array in expected.items()}
    if saved.keys() != {*kinds, *texts}:
        raise ValueError("it holds other arrays than this run has")
    for name, kind in kinds.items():
        if (saved[name].dtype, saved[name].shape) != kind:
            raise ValueError(f"{name} has another type or shape than in this run")
    for name in texts:
        if saved[name].dtype.kind != "U" or saved[name].shape:
            raise ValueError(f"{name} is not a text")
