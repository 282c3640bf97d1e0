"""Contradictions between fields that are each right in themselves.

A check is a function whose parameters are named after the sections it needs; it runs as far as
the fields that it reads are sound, even if others are not. To add one, write it and name it in
`CHECKS`.
"""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from optrun.config.document import Document
from optrun.config.memory import GIGABYTE, MOST_STEPS, memory_needed, physical_memory
from optrun.config.problems import KeyPath, Problem, count
from optrun.config.training import Training
from optrun.data.dataset import Dataset
from optrun.durations import Duration
from optrun.nn.initializers import Initializer
from optrun.nn.models import Model
from optrun.nn.regularization import Regularization
from optrun.optim.optimizer import Optimizer
from optrun.optim.schedule import Length, Schedule
from optrun.optim.warmup import Warmup

Contradiction = tuple[KeyPath, str, str]
"""The key to change, what is wrong with it, and what to do."""


def contradictions(sections: dict[str, Any], complete: bool, document: Document) -> list[Problem]:
    """Every contradiction between the sections given, at its place in the document.

    Args:
        sections: those that can be checked. Unless `complete`, they may lack attributes, and a
            check that asks for one ends there.
        complete: whether every section has all its attributes.
        document: knows the places.
    """
    problems = []
    for check in CHECKS:
        needed = list(inspect.signature(check).parameters)
        if not all(name in sections for name in needed):
            continue
        try:
            for path, message, hint in check(*(sections[name] for name in needed)):
                problems.append(Problem(path, message, hint, document.value_place(path)))
        except AttributeError:
            if complete:
                raise
    return problems


def dataset_is_large_enough(dataset: Dataset) -> Iterator[Contradiction]:
    for key, message in dataset.problems().items():
        parts = (int(part) if part.isdecimal() else part for part in key.split("."))
        yield ("dataset", *parts), message, ""


def batch_fits_into_data(dataset: Dataset, training: Training) -> Iterator[Contradiction]:
    size, examples = training.batch_size, dataset.sizes().train
    if examples < 1:  # which is told already
        examples = dataset.outline.train_size
    if size != "full" and examples < size:
        given = count(examples, "example")
        message = f"{size} is more than the {given} that `dataset` gives for training"
        yield ("training", "batch_size"), message, "write `full` to take all of them at each step"


def run_can_be_counted(dataset: Dataset, training: Training) -> Iterator[Contradiction]:
    per_epoch, total = _steps(dataset, training)
    if total > MOST_STEPS:
        message = f"{training.epochs} epochs of {count(per_epoch, 'step')} are {total:.2g} steps"
        hint = f"a run has at most {MOST_STEPS:,}, for the rate of each is worked out beforehand"
        yield ("training", "epochs"), message, hint


def run_fits_into_memory(
    dataset: Dataset,
    model: Model,
    optimizer: Optimizer,
    regularization: Regularization,
    training: Training,
    dtype: str,
) -> Iterator[Contradiction]:
    parts = memory_needed(dataset, model, optimizer, regularization, training, dtype)
    needed, there = sum(size for _, size in parts), physical_memory()
    if needed > there:
        path, _ = max(parts, key=lambda part: part[1])
        message = f"the run needs at least {_gigabytes(needed)} of memory, mostly because of this"
        yield path, message, f"this machine has {_gigabytes(there)}: write a smaller number"


def warmup_fits_into_run(
    dataset: Dataset, training: Training, warmup: Warmup | None
) -> Iterator[Contradiction]:
    per_epoch, total = _steps(dataset, training)
    if warmup and total and warmup.duration.steps(per_epoch, total) > total:
        yield ("warmup", "duration"), *_too_long(warmup.duration, per_epoch, total)


def schedule_fits_into_run(
    dataset: Dataset, training: Training, warmup: Warmup | None, scheduler: Schedule
) -> Iterator[Contradiction]:
    per_epoch, total = _steps(dataset, training)
    left = total - (warmup.duration.steps(per_epoch, total) if warmup else 0)
    if not total or left < 0:
        return
    length = Length(per_epoch, left)
    misfits = list(_misfits(scheduler, length))
    for place, message, hint in misfits or scheduler.problems(length):
        yield ("scheduler", *place), message, hint


def optimizer_agrees_with_itself(optimizer: Optimizer) -> Iterator[Contradiction]:
    for key, message in optimizer.problems().items():
        yield ("optimizer", key), message, ""


def rule_follows_schedule(
    optimizer: Optimizer, scheduler: Schedule, warmup: Warmup | None
) -> Iterator[Contradiction]:
    if optimizer.follows_schedule:
        return
    message = (
        f"changes nothing for `{optimizer.name}`, which looks at the rate of the first step only"
    )
    if scheduler.name != "constant":
        yield ("scheduler",), message, "write `scheduler: constant`"
    if warmup:
        yield ("warmup",), message, "write `warmup: null`"


def schedule_falls(optimizer: Optimizer, scheduler: Schedule) -> Iterator[Contradiction]:
    floor = getattr(scheduler, "min", 0.0)
    if floor > optimizer.rate:
        message = f"{floor:g} is above `optimizer.lr` {optimizer.rate:g}, from where the rate falls"
        yield ("scheduler", "min"), message, ""


def gain_is_known(model: Model, initialization: Initializer) -> Iterator[Contradiction]:
    activation = model.nonlinearity()
    if getattr(initialization, "gain", None) == "auto" and activation.gain() is None:
        message = f"`auto` knows no gain for the activation `{activation.name}`"
        yield ("initialization", "gain"), message, "write a number, such as 1.0"


def dropout_matches_layers(model: Model, regularization: Regularization) -> Iterator[Contradiction]:
    rates, hidden = regularization.dropout, len(model.widths(1, 1)) - 2
    path = ("regularization", "dropout")
    if rates and not hidden:
        message = f"acts after hidden layers, and model `{model.name}` has none"
        yield path, message, "remove it, or take `model.name: mlp`"
    elif isinstance(rates, list) and len(rates) != hidden:
        given, layers = count(len(rates), "rate"), count(hidden, "layer")
        message = f"gives {given}, but `model.hidden` gives {layers}"
        yield path, message, "write one rate for each hidden layer, or one number for all"


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


def stopping_has_a_measure(training: Training) -> Iterator[Contradiction]:
    if training.early_stopping and training.best_by == "last":
        message = "has nothing to watch, for `training.best_by` is `last`"
        yield ("training", "early_stopping"), message, "watch `val_loss` or `val_accuracy`"


CHECKS: tuple[Callable[..., Iterator[Contradiction]], ...] = (
    dataset_is_large_enough,
    batch_fits_into_data,
    run_can_be_counted,
    run_fits_into_memory,
    warmup_fits_into_run,
    schedule_fits_into_run,
    optimizer_agrees_with_itself,
    rule_follows_schedule,
    schedule_falls,
    gain_is_known,
    dropout_matches_layers,
    validation_is_there,
    stopping_has_a_measure,
)


def _steps(dataset: Dataset, training: Training) -> tuple[int, int]:
    """Steps in an epoch and in the run."""
    per_epoch = training.steps_per_epoch(max(dataset.sizes().train, 0))
    return per_epoch, training.epochs * per_epoch


def _misfits(scheduler: Schedule, length: Length) -> Iterator[Contradiction]:
    """The durations of a schedule that its steps have no room for."""
    left = length.total
    for place, duration in scheduler.durations():
        if left == 0:
            message = "there are 0 steps for it: `warmup.duration` takes the whole run"
            yield place, message, "shorten the warmup"
        elif length(duration) == 0 and place[0] not in scheduler.optional:
            available = count(left, "step")
            message = f"`{duration}` comes to 0 steps, with {available} for the whole schedule"
            yield place, message, "write at least `1 steps`"
        elif length(duration) > left and place[0] not in scheduler.paces:
            yield place, *_too_long(duration, length.steps_per_epoch, left)


def _gigabytes(size: float) -> str:
    """ "1.5 GB", "6,400 GB"."""
    return f"{size / GIGABYTE:,.{0 if size >= 10 * GIGABYTE else 1}f} GB"


def _too_long(duration: Duration, per_epoch: int, available: int) -> tuple[str, str]:
    steps, epochs = count(available, "step"), count(float(f"{available / per_epoch:.3g}"), "epoch")
    message = (
        f"`{duration}` is longer than the {steps} ({epochs}) that `training.epochs` leaves for it"
    )
    return message, 'shorten it, or give it as a share of the run such as "10%"'
