"""Which epoch's weights are kept, and when to stop waiting for better ones."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from optrun.config.training import EarlyStopping
from optrun.metrics import AVERAGE, higher_is_better

Row = Mapping[str, Any]


def rank(row: Row, best_by: str, whose: str = "") -> list[float] | None:
    """The rank of an epoch among those of its run; the least is the best.

    The metric of `best_by` decides. Ties go to the lower validation loss, then to the later epoch,
    and never to epoch 0.

    Args:
        row: of metrics.csv.
        best_by: `training.best_by`.
        whose: the weights whose epoch is chosen, one of `optrun.metrics.WHOSE`.

    Returns:
        None where these weights have no figures or figures that are not finite.
    """
    epoch, loss = row["epoch"], row[f"{whose}val_loss"]
    if best_by == "last":
        return [-epoch] if is_finite(row[f"{whose}train_loss"]) else None
    value = row[whose + best_by.removeprefix(AVERAGE)]
    if not is_finite(value) or not is_finite(loss):
        return None
    return [-value if higher_is_better(best_by) else value, epoch == 0, loss, -epoch]


def is_finite(figure: float | None) -> bool:
    """Whether a figure was measured and is a finite number."""
    return figure is not None and math.isfinite(figure)


def improves(rank: list[float], mark: list[float], stopping: EarlyStopping | None) -> bool:
    """Whether an epoch is better than the one at `mark` by more than being later.

    With a `min_delta`, by more than that in the metric itself.
    """
    if stopping is not None and stopping.min_delta:
        return mark[0] - rank[0] > stopping.min_delta
    return rank[:-1] < mark[:-1]


@dataclass
class Selection:
    """The best epoch so far, and how long an improvement has been waited for.

    Attributes:
        best: the rank of the best epoch; None before any has a rank.
        mark: the rank that early stopping wants to be improved on.
        waited: epochs since.
    """

    best: list[float] | None = None
    mark: list[float] | None = None
    waited: int = 0

    def offer(self, rank: list[float] | None, stopping: EarlyStopping | None) -> bool:
        """Take note of an epoch by its rank; true if it is the best so far.

        An epoch without a rank, whose figures are not finite, is no improvement.
        """
        if rank is None:
            self.waited += self.mark is not None
            return False
        if self.mark is None or improves(rank, self.mark, stopping):
            self.mark, self.waited = rank, 0
        else:
            self.waited += 1
        is_best = self.best is None or rank < self.best
        if is_best:
            self.best = rank
        return is_best

    def exhausted(self, stopping: EarlyStopping | None) -> bool:
        """Whether early stopping has waited long enough."""
        return stopping is not None and self.waited >= stopping.patience
