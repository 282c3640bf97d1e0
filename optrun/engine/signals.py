"""How large the signal is in every layer, and the gradient that comes back, at a run's start."""

from typing import NamedTuple

import numpy as np

from optrun.engine.objective import compile_gradient, gather_at, gradient_at
from optrun.engine.program import Program
from optrun.numerics.blas import one_thread


class Signal(NamedTuple):
    """A layer in figures, over all its units and all examples of a batch.

    Attributes:
        mean, std: of its outputs, after the activation; of the scores for the last layer.
        backward_std: of ∂L/∂z, z being its outputs before normalization and activation, and L an
            example's loss, so that the size of the batch does not matter.
        gradient_std: of the gradient of its weights, penalties included; of its biases if it has no
            others.
    """

    mean: float
    std: float
    backward_std: float
    gradient_std: float


def measure_signals(program: Program) -> list[Signal]:
    """The signals of all layers in a run's first step, dropout and batch statistics included."""
    compile_gradient(program)
    epoch = program.epoch(0)
    rows = epoch.order[: program.batch_size]
    gather_at.compiled(
        program.rules.gather, program.examples, program.places, program.work, rows, 0, epoch.views
    )
    with one_thread():
        gradient_at.compiled(
            *program.rules.of_gradient(), program.parameters, program.places, program.work,
            program.numbers, program.record, rows.size, 0, 1, program.config.seed,
        )  # fmt: skip
    gradients = program.named_weights(program.parameters.gradient)
    return [
        measure(
            outputs_of(program, index, rows.size),
            part_of(program, program.work.d, "outputs", index, rows.size) * rows.size,
            next(g for name, g in gradients.items() if name.startswith(f"layers.{index}.")),
        )
        for index in range(program.places.layers.size)
    ]


def measure(outputs: np.ndarray, backward: np.ndarray, gradient: np.ndarray) -> Signal:
    """Mean and standard deviations, summed up in float64."""
    exact = np.float64
    return Signal(
        float(outputs.mean(dtype=exact)),
        *(float(values.std(dtype=exact)) for values in (outputs, backward, gradient)),
    )


def outputs_of(program: Program, index: int, n: int) -> np.ndarray:
    """What a layer hands on: the inputs of the next one before dropout, or the scores."""
    if index + 1 < program.places.layers.size:
        return part_of(program, program.work.h, "inputs", index + 1, n)
    return part_of(program, program.work.z, "outputs", index, n)


def part_of(program: Program, buffer: np.ndarray, side: str, index: int, n: int) -> np.ndarray:
    """The first n rows of a layer's inputs or outputs in a flat buffer, one after the other."""
    layer, capacity = program.places.layers[index], program.work.targets.shape[0]
    width = layer["fan_in" if side == "inputs" else "fan_out"]
    return buffer[capacity * layer[side] :][: n * width]
