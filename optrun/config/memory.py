"""How much memory a run needs at least, by the field of the config that decides it."""

import os
from itertools import pairwise
from math import prod

from optrun.config.problems import KeyPath
from optrun.config.training import Training
from optrun.data.dataset import Dataset
from optrun.engine.layout import evaluation_shapes, lay_out, training_shapes
from optrun.engine.program import EVALUATION_ROWS
from optrun.nn.models import Model
from optrun.nn.regularization import Regularization
from optrun.optim.averaging import Averaging
from optrun.optim.optimizer import Optimizer

MOST_STEPS = 100_000_000
"""Steps of the longest run; a check of its own refuses more."""
MOST_PARAMETERS = 2**48
"""Of models whose places can be worked out; no machine holds more."""
GIGABYTE = 1e9
UNKNOWN_MACHINE = 64 * GIGABYTE
WIDTH = {"float32": 4, "float64": 8}
"""Bytes of a number of each `dtype`."""
DRAWN = 8
"""Bytes of a number as it is drawn; also of a class label, a row number and a learning rate."""


def physical_memory() -> float:
    """Bytes of memory of this machine; a generous guess where the system does not tell."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # not everywhere is POSIX
        return UNKNOWN_MACHINE


def parameters_at_least(model: Model, dataset: Dataset) -> int:
    """Weights and biases of a model on a dataset, for sizes of any number of digits."""
    widths = model.widths(dataset.seen.features, dataset.outline.outputs)
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths))


def memory_needed(
    dataset: Dataset,
    model: Model,
    optimizer: Optimizer,
    regularization: Regularization,
    training: Training,
    averaging: Averaging | None,
    dtype: str,
) -> list[tuple[KeyPath, int]]:
    """Bytes that the parts of a run need, each with the field that decides them most.

    Counted are examples and targets, as drawn and as kept; what preprocessing makes of them where
    it is more than a shift and scale; weights in all copies, gradient and optimizer state; the
    activations of a batch and of an evaluation; the rate of every step. Drivers are counted by a
    check of their own.
    """
    width, outline = WIDTH[dtype], dataset.outline
    widths = model.widths(dataset.seen.features, outline.outputs)
    hidden = max(widths[1:-1], default=0)
    examples = max(dataset.sizes().train, 1)
    batch = training.examples_per_step(examples)

    number = DRAWN + width % DRAWN  # float64 is kept as it is drawn
    target = DRAWN if outline.labelled else outline.outputs * number
    value = 1 if outline.image_shape else number
    stored = outline.train_size + outline.test_size
    samples = {"samples": outline.train_size, "test_samples": outline.test_size}
    shape = {"features": outline.features, "classes": outline.outputs}
    data = _largest_field(dataset, samples | shape)

    layers = ("model", "hidden") if hidden else _largest_field(dataset, shape)
    least = parameters_at_least(model, dataset)
    if least > MOST_PARAMETERS:
        return [(layers, 2 * least * width)]
    layout = lay_out(
        model, dataset.seen.features, outline.outputs, regularization.include_bias, optimizer.rule
    )
    # in training, chosen, and as the epoch began; slow ones; averages of the former two
    copies = 3 + (optimizer.lookahead()[0] > 0) + 2 * (averaging is not None)
    kept = layout.parameters + copies * layout.total + layout.state
    seen = _numbers(training_shapes(layout, batch, regularization, optimizer.ascent() > 0))
    evaluated = _numbers(evaluation_shapes(layout, EVALUATION_ROWS))
    steps = min(training.epochs * training.steps_per_epoch(examples), MOST_STEPS)
    return [
        (data, stored * (outline.features * value + target)),
        (_largest_field(dataset, {"spectrum": outline.outputs}), DRAWN * dataset.room()),
        (("dataset", "preprocessing"), _preprocessed(dataset, stored, width)),
        (layers, kept * width),
        (("training", "batch_size") if batch > max(widths) else layers, seen * width),
        (layers, evaluated * width),
        (("training", "epochs"), steps * DRAWN),
    ]


def _preprocessed(dataset: Dataset, stored: int, width: int) -> int:
    """Bytes of the floats that steps leave in place of what is stored, and of fitting them."""
    seen, room, floats = dataset.stored, 0, 0
    for step in dataset.preprocessing:
        room = max(room, DRAWN * step.room(seen))
        seen = step.leaves(seen)
        if not step.keeps_storage:
            floats = stored * seen.features * width
    return floats + room


def _numbers(shapes: dict[str, tuple[int, ...]]) -> int:
    return sum(prod(shape) for shape in shapes.values())


def _largest_field(dataset: Dataset, sizes: dict[str, int]) -> KeyPath:
    """The dataset's field with the largest of these sizes, or the section if it has none."""
    own = {key: size for key, size in sizes.items() if key in type(dataset).model_fields}
    return ("dataset", max(own, key=own.__getitem__)) if own else ("dataset",)
