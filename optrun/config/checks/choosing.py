"""Choosing an epoch, and what answers to how training goes."""

from collections.abc import Iterator

from optrun.config.checks.contradiction import Contradiction
from optrun.config.choices import choose_best_by
from optrun.config.training import Training
from optrun.data.dataset import Dataset
from optrun.metrics import AVERAGE, is_accuracy
from optrun.optim.averaging import Averaging
from optrun.optim.plateau import Plateau
from optrun.optim.schedule import Schedule


def validation_is_there(dataset: Dataset, training: Training) -> Iterator[Contradiction]:
    if dataset.sizes().validation:
        return
    if training.best_by and training.best_by != "last":
        message = f"`{training.best_by}` {_nothing_set_aside(dataset)}"
        yield ("training", "best_by"), message, _either(dataset, "take `last`")
    if training.early_stopping:
        message = _nothing_set_aside(dataset)
        yield ("training", "early_stopping"), message, _either(dataset, "remove it")


def accuracy_is_there(dataset: Dataset, training: Training) -> Iterator[Contradiction]:
    best_by = training.best_by or ""
    if is_accuracy(best_by) and not dataset.outline.labelled:
        message = f"`{best_by}` needs class labels, and `dataset` gives numbers to predict"
        yield ("training", "best_by"), message, f"take `{best_by.replace('accuracy', 'loss')}`"


def average_is_there(
    averaging: Averaging | None, training: Training, scheduler: Schedule
) -> Iterator[Contradiction]:
    """An average can only be watched if there is one."""
    watched = {
        ("training", "best_by"): training.best_by or "",
        ("scheduler", "watch"): scheduler.watched() or "",
    }
    for path, name in watched.items():
        if name.startswith(AVERAGE) and averaging is None:
            message = f"`{name}` needs averaged weights, and `averaging` is off"
            hint = f"write `averaging: ema`, or take `{name.removeprefix(AVERAGE)}`"
            yield path, message, hint


def stopping_has_a_measure(training: Training) -> Iterator[Contradiction]:
    if training.early_stopping and training.best_by == "last":
        message = "has nothing to watch, for `training.best_by` is `last`"
        yield ("training", "early_stopping"), message, "watch `val_loss` or `val_accuracy`"


def schedule_has_a_measure(dataset: Dataset, scheduler: Schedule) -> Iterator[Contradiction]:
    path, watched = ("scheduler", "watch"), scheduler.watched() or ""
    if watched.removeprefix(AVERAGE).startswith("val") and not dataset.sizes().validation:
        message = f"`{watched}` {_nothing_set_aside(dataset)}"
        yield path, message, _either(dataset, "watch `train_loss`")
    elif is_accuracy(watched) and not dataset.outline.labelled:
        message = f"`{watched}` needs class labels, and `dataset` gives numbers to predict"
        yield path, message, "watch a loss"


def rate_is_cut_before_stopping(
    dataset: Dataset, scheduler: Schedule, training: Training
) -> Iterator[Contradiction]:
    """Both wait for the same measure, so the less patient one is all that acts."""
    stopping = training.early_stopping
    best_by = training.best_by or choose_best_by(dataset)
    if not stopping or not isinstance(scheduler, Plateau) or not dataset.sizes().validation:
        return
    if scheduler.watch == best_by and scheduler.patience >= stopping.patience:
        message = (
            f"with {scheduler.patience} the rate is never cut: `training.early_stopping.patience` "
            f"{stopping.patience} ends the run before"
        )
        yield ("scheduler", "patience"), message, "write a smaller number, or stop later"


def _nothing_set_aside(dataset: Dataset) -> str:
    if _is_divisible(dataset):
        return "needs validation data, and `dataset.validation` is 0"
    return "needs validation data, and `dataset` has one example only"


def _either(dataset: Dataset, otherwise: str) -> str:
    """Set examples aside if there are any, or do something else."""
    if _is_divisible(dataset):
        return f"set examples aside with `dataset.validation: 0.1`, or {otherwise}"
    return otherwise


def _is_divisible(dataset: Dataset) -> bool:
    return dataset.outline.train_size > 1
