"""The schedule that is not known beforehand: it answers to how training goes."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import Decay, NonNegative, Size
from optrun.optim.schedule import Length, Schedule

Cut = Annotated[float, Field(gt=0, lt=1)]
Watched = Literal[
    "val_loss", "val_accuracy", "train_loss", "train_accuracy",
    "average_val_loss", "average_val_accuracy", "average_train_loss", "average_train_accuracy",
]  # fmt: skip


class Plateau(Schedule):
    """A cut by a constant factor whenever a metric has stalled.

        α ← max(α·γ, α_min)   after more than `patience` epochs in a row without improvement

    Losses improve by falling below best − threshold·|best|, accuracies by rising above
    best + threshold·|best|. After a cut, `cooldown` epochs pass uncounted. γ is `factor`, α_min is
    `min`. A warmup's rates are cut too. PyTorch's ReduceLROnPlateau with its relative threshold,
    told the metric after every epoch, and with an eps of 0; where a loss is negative, PyTorch takes
    a small rise for an improvement.
    """

    name: Literal["plateau"] = "plateau"
    watch: Watched = "val_loss"
    """The column of metrics.csv that is watched. Epochs without a value, as averaged weights have
    before `averaging` begins, are not counted."""
    factor: Cut = 0.1
    """γ, what each cut multiplies the rate by."""
    patience: Size = 10
    """Epochs without improvement that are let pass."""
    threshold: Decay = 1e-4
    """The least share of the best value that counts as an improvement."""
    cooldown: Size = 0
    """Epochs after a cut in which nothing is counted."""
    min: NonNegative = 0.0
    """α_min, the lowest rate."""

    def watched(self) -> str:
        return self.watch

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        return np.full(steps, lr)

    def cuts(self, values: Sequence[float | None]) -> list[int]:
        """The epochs, counted from 1, after which the rate is cut.

        Args:
            values: the watched metric after each epoch so far; None where it has no value.
        """
        sign = -1.0 if self.watch.endswith("loss") else 1.0
        best, waited, cooling, epochs = None, 0, 0, []
        for epoch, value in enumerate(values, start=1):
            if value is None:
                continue
            if best is None or sign * (value - best) > self.threshold * abs(best):
                best, waited = value, 0
            else:
                waited += 1
            if cooling:
                cooling, waited = cooling - 1, 0
            if waited > self.patience:
                epochs.append(epoch)
                cooling, waited = self.cooldown, 0
        return epochs

    def cut_rates(
        self, planned: np.ndarray, values: Sequence[float | None], steps_per_epoch: int
    ) -> np.ndarray:
        """The rates of the whole run after the epochs that gave these values.

        Args:
            planned: rates without any cut, float64 (steps,).
        """
        rates = planned.copy()
        for epoch in self.cuts(values):
            rest = rates[epoch * steps_per_epoch :]
            rest[:] = np.maximum(rest * self.factor, np.minimum(rest, self.min))
        return rates
