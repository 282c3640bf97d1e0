"""Data, batches and steps: enough of them, not too many, and room for all."""

from collections.abc import Iterator

from optrun.config.checks.contradiction import Contradiction, gigabytes, key_path, steps_of
from optrun.config.memory import MOST_STEPS, at_its_peak, memory_parts, physical_memory
from optrun.config.problems import count
from optrun.config.training import Training
from optrun.data.dataset import Dataset
from optrun.nn.models import Model
from optrun.nn.regularization import Regularization
from optrun.optim.averaging import Averaging
from optrun.optim.optimizer import Optimizer

SMALLEST_SHARE = 0.05
"""Of the memory a run needs: smaller parts are not listed."""


def dataset_is_large_enough(dataset: Dataset) -> Iterator[Contradiction]:
    for key, message in dataset.problems().items():
        yield ("dataset", *key_path(key)), message, ""


def batch_fits_into_data(dataset: Dataset, training: Training) -> Iterator[Contradiction]:
    size, examples = training.batch_size, dataset.sizes().train
    if examples < 1:  # which is told already
        examples = dataset.outline.train_size
    if isinstance(size, int) and examples < size:
        given = count(examples, "example")
        message = f"{size} is more than the {given} that `dataset` gives for training"
        yield ("training", "batch_size"), message, "write `full` to take all of them at each step"


def run_can_be_counted(dataset: Dataset, training: Training) -> Iterator[Contradiction]:
    per_epoch, total = steps_of(dataset, training)
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
    averaging: Averaging | None,
    dtype: str,
) -> Iterator[Contradiction]:
    parts = memory_parts(dataset, model, optimizer, regularization, training, averaging, dtype)
    need, there = at_its_peak(parts), physical_memory()
    if need.total > there:
        largest = [part for part in need.parts if part[2] >= SMALLEST_SHARE * need.total]
        listed = ", ".join(f"{gigabytes(size)} for {what}" for _, what, size in largest)
        path = largest[0][0]
        message = f"the run needs at least {gigabytes(need.total)} of memory: {listed}"
        remedy = "write a smaller number"
        if path == ("optimizer", "name"):
            remedy = "take a smaller model, or `adam`"
        yield path, message, f"this machine has {gigabytes(there)}: {remedy}"
