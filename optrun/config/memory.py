"""How much memory a run needs, part by part, with the field of the config that decides each."""

import os
from contextlib import suppress
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import NamedTuple

from optrun.config.problems import KeyPath
from optrun.config.training import Training
from optrun.data.augmentation.views import draw_views
from optrun.data.dataset import Dataset, Outline
from optrun.engine.layout import Layout, evaluation_shapes, lay_out, training_shapes
from optrun.engine.program import EVALUATION_ROWS
from optrun.nn.models import Model
from optrun.nn.regularization import Regularization
from optrun.optim.averaging import Averaging
from optrun.optim.driver import Driver
from optrun.optim.optimizer import Optimizer

MOST_STEPS = 100_000_000
"""Steps of the longest run; a check of its own refuses more."""
MOST_PARAMETERS = 2**48
"""Of models whose places can be worked out; no machine holds more."""
GIGABYTE = 1e9
UNKNOWN_MACHINE = 64 * GIGABYTE
CONTAINER_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
WIDTH = {"float32": 4, "float64": 8}
"""Bytes of a number of each `dtype`."""
DRAWN = 8
"""Bytes of a number as it is drawn; also of a class label, a row number and a learning rate."""


class Part(NamedTuple):
    """Something that takes memory.

    Attributes:
        path: of the field that decides how much.
        what: in words.
        loading: bytes while data are loaded and preprocessed.
        training: bytes while the model is trained.
    """

    path: KeyPath
    what: str
    loading: int = 0
    training: int = 0


class Need(NamedTuple):
    """What a run needs when it needs most.

    Attributes:
        total: bytes.
        parts: (field, words, bytes) of all parts that take memory then, the largest first.
    """

    total: int
    parts: list[tuple[KeyPath, str, int]]


def physical_memory() -> float:
    """Bytes of memory of this machine, or of the container, whichever has less.

    A generous guess where the system does not tell.
    """
    try:
        most = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):  # not everywhere is POSIX
        most = UNKNOWN_MACHINE
    for limit in CONTAINER_LIMITS:
        with suppress(OSError, ValueError):  # absent, or "max"
            most = min(most, float(int(limit.read_text(encoding="ascii"))))
    return most


def parameters_at_least(model: Model, dataset: Dataset) -> int:
    """Weights and biases of a model on a dataset, for sizes of any number of digits."""
    widths = model.widths(dataset.seen.features, dataset.outline.outputs)
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths))


def at_its_peak(parts: list[Part]) -> Need:
    """The sum of all parts while data are loaded, or in training, whichever is more."""
    moments = (
        [(part.path, part.what, part.loading) for part in parts],
        [(part.path, part.what, part.training) for part in parts],
    )
    needs = (
        Need(sum(size for *_, size in moment), sorted(moment, key=lambda part: -part[2]))
        for moment in moments
    )
    return max(needs, key=lambda need: need.total)


def memory_parts(
    dataset: Dataset,
    model: Model,
    optimizer: Optimizer,
    regularization: Regularization,
    training: Training,
    averaging: Averaging | None,
    dtype: str,
) -> list[Part]:
    """What a run holds in memory, beside Python and its libraries.

    Arrays that live for the whole of a moment are counted, and of short-lived ones those that
    may be large. Checkpoints are written from the arrays themselves and take none.
    """
    width, outline = WIDTH[dtype], dataset.outline
    widths = model.widths(dataset.seen.features, outline.outputs)
    hidden = max(widths[1:-1], default=0)
    shape = {"features": outline.features, "classes": outline.outputs}
    layers = ("model", "hidden") if hidden else _largest_field(dataset, shape)
    parts = _of_data(dataset, width)
    least = parameters_at_least(model, dataset)
    if least > MOST_PARAMETERS:
        return [*parts, Part(layers, "the weights", training=2 * least * width)]
    layout = lay_out(
        model, dataset.seen.features, outline.outputs, regularization.include_bias, optimizer.rule
    )
    examples = max(dataset.sizes().train, 1)
    batch = training.examples_per_step(examples)
    # in training, chosen, and as the epoch began; slow ones; averages of the former two
    copies = 3 + (optimizer.lookahead()[0] > 0) + 2 * (averaging is not None)
    kept = layout.parameters + copies * layout.total + layout.state
    seen = training_shapes(layout, batch, regularization, optimizer.ascent() > 0)
    evaluated = _numbers(evaluation_shapes(layout, EVALUATION_ROWS))
    steps = min(training.epochs * training.steps_per_epoch(examples), MOST_STEPS)
    curves = 2 + (averaging is not None)  # the rates, as planned and as they are; the shares
    of_batch = ("training", "batch_size") if batch > max(widths) else layers
    return [
        *parts,
        Part(layers, "weights, gradient and optimizer state", training=kept * width),
        Part(of_batch, "a training batch in all layers", training=_numbers(seen) * width),
        Part(layers, "a batch in evaluation", training=evaluated * width),
        Part(("training", "epochs"), "the learning rates", training=curves * steps * DRAWN),
        *_of_driver(optimizer, layout, seen, width),
        *_of_augmentation(dataset, examples, batch),
    ]


def _of_data(dataset: Dataset, width: int) -> list[Part]:
    """Examples and targets, as they are drawn and kept, and what preprocessing makes of them."""
    outline = dataset.outline
    stored = outline.train_size + outline.test_size
    drawn_x, drawn_y = _stored(outline, DRAWN)
    kept_x, kept_y = _stored(outline, width)
    cast = kept_x * (not outline.image_shape) + kept_y * (not outline.labelled)
    rows, order = stored * DRAWN, 2 * max(dataset.sizes().train, 0) * DRAWN
    summed = 0  # numbers are drawn as a sum of two arrays: of centers and noise
    if not outline.image_shape:
        summed = DRAWN * outline.features * max(outline.train_size, outline.test_size)
    loading = drawn_x + drawn_y + max(summed, cast * (width != DRAWN)) + rows

    seen, floats, most_floats, fitting = dataset.stored, 0, 0, 0
    for step in dataset.preprocessing:
        fitting = max(fitting, DRAWN * step.room(seen))
        seen = step.leaves(seen)
        if not step.keeps_storage:
            before, floats = floats, stored * seen.features * width
            most_floats = max(most_floats, before + floats)
    training = kept_x * (not floats) + kept_y + rows + order

    samples = {"samples": outline.train_size, "test_samples": outline.test_size}
    shape = {"features": outline.features, "classes": outline.outputs}
    examples = _largest_field(dataset, samples | shape)
    spectrum = _largest_field(dataset, {"spectrum": outline.outputs})
    objective = DRAWN * dataset.room()
    made = most_floats + fitting
    return [
        Part(examples, "the examples", loading, training),
        Part(spectrum, "the objective's matrices", objective, objective),
        Part(("dataset", "preprocessing"), "what preprocessing makes of them", made, floats),
    ]


def _stored(outline: Outline, width: int) -> tuple[int, int]:
    """Bytes of all examples and of all targets, where a number takes `width`."""
    stored = outline.train_size + outline.test_size
    values = outline.features * (1 if outline.image_shape else width)
    targets = DRAWN if outline.labelled else outline.outputs * width
    return stored * values, stored * targets


def _of_driver(
    optimizer: Optimizer, layout: Layout, seen: dict[str, tuple[int, ...]], width: int
) -> list[Part]:
    """What a driver keeps, and works with in a step."""
    if not isinstance(optimizer, Driver):
        return []
    shapes = layout.shapes()
    size = 8 * optimizer.state_size(layout.parameters, shapes)
    size += optimizer.workspace(layout.parameters, shapes)
    size += (layout.total + layout.parameters) * width  # weights as the step began; a direction
    if optimizer.uses_products or optimizer.uses_factors:
        size += _numbers({name: seen[name] for name in ("h", "z", "d")} | {"": seen["h"]}) * width
    path = ("optimizer", "name")
    what = f"what `{optimizer.name}` keeps of {layout.parameters:,} parameters"
    return [Part(path, what, training=size)]


def _of_augmentation(dataset: Dataset, examples: int, batch: int) -> list[Part]:
    """What is drawn for every example of an epoch."""
    if not dataset.augmentation or dataset.problems():
        return []
    one = draw_views(dataset.augmentation, dataset.seen.image_shape, 1, batch, seed=0, epoch=0)
    drawn = one._replace(shape=None)  # which all examples share
    size = sum(getattr(array, "nbytes", 0) for array in drawn) * examples
    return [Part(("dataset", "augmentation"), "the random changes of an epoch", training=size)]


def _numbers(shapes: dict[str, tuple[int, ...]]) -> int:
    return sum(prod(shape) for shape in shapes.values())


def _largest_field(dataset: Dataset, sizes: dict[str, int]) -> KeyPath:
    """The dataset's field with the largest of these sizes, or the section if it has none."""
    own = {key: size for key, size in sizes.items() if key in type(dataset).model_fields}
    return ("dataset", max(own, key=own.__getitem__)) if own else ("dataset",)
