"""results.csv: what came of each run of a sweep, without times, so that it repeats exactly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MEASURES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy")


@dataclass(frozen=True)
class ResultRow:
    """One run of a sweep.

    Attributes:
        settings: the value of each key that varies, the seed apart; a key that the run's branch
            of the space does not have is absent.
        seed: of the run.
        status: finished, diverged, failed, stopped (paused by the strategy, or on request) or
            waiting (not begun).
        epochs: done.
        best_epoch: the one chosen by `training.best_by`.
        best: MEASURES of that epoch, None where not measured.
        final: MEASURES of the last epoch.
        id: of the run.
        directory: of the run, below the folder of all runs.
        reason: why it diverged, failed or stopped.
    """

    settings: Mapping[str, Any]
    seed: int
    status: str
    epochs: int | None
    best_epoch: int | None
    best: Mapping[str, float | None]
    final: Mapping[str, float | None]
    id: str
    directory: str
    reason: str | None
