"""Choosing an epoch, and stopping early."""

from collections.abc import Iterator

from optrun.config.checks.contradiction import Contradiction
from optrun.config.training import Training
from optrun.data.dataset import Dataset
from optrun.optim.plateau import Plateau
from optrun.optim.schedule import Schedule


def validation_is_there(dataset: Dataset, training: Training) -> Iterator[Contradiction]:
    if dataset.sizes().validation:
        return
    hint = "set examples aside with `dataset.validation: 0.1`"
    if training.best_by in {"val_loss", "val_accuracy"}:
        message = f"`{training.best_by}` needs validation data, and `dataset.validation` is 0"
        yield ("training", "best_by"), message, hint
    if training.early_stopping:
        message = "needs validation data, and `dataset.validation` is 0"
        yield ("training", "early_stopping"), message, hint


def accuracy_is_there(dataset: Dataset, training: Training) -> Iterator[Contradiction]:
    if training.best_by == "val_accuracy" and not dataset.outline.labelled:
        message = "`val_accuracy` needs class labels, and this dataset gives numbers to predict"
        yield ("training", "best_by"), message, "take `val_loss`"


def plateau_can_be_watched(dataset: Dataset, scheduler: Schedule) -> Iterator[Contradiction]:
    if not isinstance(scheduler, Plateau):
        return
    path, watch = ("scheduler", "watch"), scheduler.watch
    if watch.startswith("val") and not dataset.sizes().validation:
        message = f"`{watch}` needs validation data, and `dataset.validation` is 0"
        yield path, message, "set examples aside with `dataset.validation: 0.1`, or watch training"
    elif watch.endswith("accuracy") and not dataset.outline.labelled:
        message = f"`{watch}` needs class labels, and this dataset gives numbers to predict"
        yield path, message, "watch a loss"


def stopping_has_a_measure(training: Training) -> Iterator[Contradiction]:
    if training.early_stopping and training.best_by == "last":
        message = "has nothing to watch, for `training.best_by` is `last`"
        yield ("training", "early_stopping"), message, "watch `val_loss` or `val_accuracy`"
