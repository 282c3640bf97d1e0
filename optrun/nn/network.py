"""Forward and backward through a stack of linear layers; no hidden layer is a linear model.

    z_l = h_l·W_l + b_l,   h_{l+1} = φ(norm(z_l)),   the last z are the scores

Weights, gradient and optimizer state are flat arrays; a layer is a view of them, found in the
`layers` table. The rows of a batch fill the leading rows of every buffer.
"""

from typing import Any, NamedTuple

import numpy as np

from optrun.nn.dropout import keep_mask
from optrun.nn.normalization import reparametrize, unreparametrize
from optrun.numerics.flat import multiply
from optrun.numerics.jit import kernel
from optrun.numerics.products import multiply_columns, multiply_rows
from optrun.numerics.streams import Purpose

DROPOUT = int(Purpose.DROPOUT)

LAYER = np.dtype(
    [
        (name, np.int64)
        for name in (
            *("fan_in", "fan_out"),
            *("weight", "bias", "gain", "shift", "running"),
            *("inputs", "outputs", "normalized", "reparametrized"),
        )
    ]
)
"""A layer: its sizes; where its parts begin in the flat weights, −1 without one; how many inputs
and outputs the layers before it have; whether normalization follows it, and whether its matrix is
reparametrized. `running` is two rows: mean and variance."""

BLOCK = np.dtype(
    [
        (name, np.int64)
        for name in (
            *("start", "rows", "columns", "is_matrix", "penalized"),
            *("state", "slots", "width"),
        )
    ]
)
"""A parameter block: where it begins, its shape (a vector has one row), whether it is a weight
matrix and whether penalties act on it; where its state begins, and that state's shape."""


class Places(NamedTuple):
    """Where things are.

    Attributes:
        layers: (L,) of LAYER.
        blocks: (B,) of BLOCK.
    """

    layers: Any
    blocks: Any


class Buffers(NamedTuple):
    """Room for one batch. Flat ones hold the rows of every layer, one layer after the other.

    Attributes:
        h: inputs of the layers; those of the first are the batch as the model sees it.
        mask, dropped: dropout's factors, and the inputs times them; empty without dropout.
        z: outputs of the layers; those of the last are the scores.
        y: outputs after normalization; empty without.
        kept: what normalization's backward needs, a row a layer.
        d: the gradient of the loss with respect to z.
        dx: the same with respect to the batch; empty unless it is wanted.
        weights: what matrices are after reparametrization; empty without.
        targets: (rows, outputs), one-hot or numbers.
        spare: room for the weights before a step, and for a second gradient if it is wanted;
            empty in evaluation.
    """

    h: Any
    mask: Any
    dropped: Any
    z: Any
    y: Any
    kept: Any
    d: Any
    dx: Any
    weights: Any
    targets: Any
    spare: Any


@kernel
def input_rows(buffer, layer, capacity, n):
    """The first n rows of a layer's inputs in a flat buffer with room for `capacity` rows."""
    start = capacity * layer.inputs
    return buffer[start : start + n * layer.fan_in].reshape(n, layer.fan_in)


@kernel
def output_rows(buffer, layer, capacity, n):
    """The first n rows of a layer's outputs in a flat buffer with room for `capacity` rows."""
    start = capacity * layer.outputs
    return buffer[start : start + n * layer.fan_out].reshape(n, layer.fan_out)


@kernel
def matrix_of(flat, layer):
    """W of a layer, (fan_in, fan_out), as a view."""
    rows, columns, start = layer.fan_in, layer.fan_out, layer.weight
    return flat[start : start + rows * columns].reshape(rows, columns)


@kernel
def vector_of(flat, start, size):
    """`size` numbers from `start` on, as a view; none if there is no start."""
    return flat[start : start + size] if start >= 0 else flat[:0]


@kernel
def effective_matrix(weights, work, layer):
    """The matrix that a layer multiplies by: W, or what reparametrization has made of it."""
    return matrix_of(work.weights if layer.reparametrized else weights, layer)


@kernel
def layer_input(work, layer, rate, capacity, n):
    """What a layer multiplies by its matrix: its inputs, after dropout if there is any."""
    return input_rows(work.dropped if rate > 0.0 else work.h, layer, capacity, n)


@kernel
def before_activation(work, layer, capacity, n):
    """What a layer's activation acts on."""
    return output_rows(work.y if layer.normalized else work.z, layer, capacity, n)


@kernel
def forward(normalize, activate, numbers, weights, layers, work, capacity, n, seed, t, training):
    """The scores of the first n rows of the batch, (n, outputs).

    Args:
        numbers: those of activation and normalization, and dropout before each layer.
        seed, t: what the dropout masks depend on.
        training: whether normalization takes the batch's statistics and keeps them in mind.
    """
    last = layers.size - 1
    for index in range(layers.size):
        layer = layers[index]
        drop_inputs(work, layer, numbers.dropout[index], capacity, n, seed, t, index)
        h = layer_input(work, layer, numbers.dropout[index], capacity, n)
        z = output_rows(work.z, layer, capacity, n)
        linear(h, weights, work, layer, z, numbers.small)
        if index < last:
            if layer.normalized:
                gain = vector_of(weights, layer.gain, layer.fan_out)
                shift = vector_of(weights, layer.shift, layer.fan_out)
                running = vector_of(weights, layer.running, 2 * layer.fan_out)
                y = output_rows(work.y, layer, capacity, n)
                normalize(
                    z, y, gain, shift, running, work.kept[index], numbers.normalization, training
                )
            before = before_activation(work, layer, capacity, n)
            after = input_rows(work.h, layers[index + 1], capacity, n)
            activate(before.reshape(z.size), after.reshape(z.size), numbers.activation)
    return output_rows(work.z, layers[last], capacity, n)


@kernel
def drop_inputs(work, layer, rate, capacity, n, seed, t, index):
    """Draw a layer's dropout mask and apply it, if it has a rate."""
    if rate > 0.0:
        size = n * layer.fan_in
        mask = input_rows(work.mask, layer, capacity, n).reshape(size)
        keep_mask(mask, rate, seed, DROPOUT, t, index)
        h = input_rows(work.h, layer, capacity, n).reshape(size)
        multiply(h, mask, input_rows(work.dropped, layer, capacity, n).reshape(size))


@kernel
def linear(h, weights, work, layer, z, small):
    """z ← hW + b. A layer without inputs is its bias."""
    if layer.fan_in == 0:
        z[:] = 0
    else:
        if layer.reparametrized:
            gain = vector_of(weights, layer.gain, layer.fan_out)
            reparametrize(matrix_of(weights, layer), gain, matrix_of(work.weights, layer))
        multiply_rows(h, effective_matrix(weights, work, layer), z, small)
    add_rows(z, vector_of(weights, layer.bias, layer.fan_out))


@kernel
def backward(denormalize, backpropagate, numbers, weights, gradient, layers, work, capacity, n):
    """Fill `gradient` from ∂L/∂scores, which the loss has left in the last layer of `work.d`."""
    for index in range(layers.size - 1, -1, -1):
        layer = layers[index]
        rate = numbers.dropout[index]
        d = output_rows(work.d, layer, capacity, n)
        h = layer_input(work, layer, rate, capacity, n)
        layer_gradient(h, d, weights, gradient, layer, numbers.small)
        if index > 0:
            below = layers[index - 1]
            e = output_rows(work.d, below, capacity, n)
            back_to_inputs(d, e, weights, work, layer, rate, capacity, n)
            through_activation(
                denormalize, backpropagate, numbers, weights, gradient, work, below,
                layer, work.kept[index - 1], e, capacity, n,
            )  # fmt: skip
        elif work.dx.size > 0:
            dx = work.dx[: n * layer.fan_in].reshape(n, layer.fan_in)
            back_to_inputs(d, dx, weights, work, layer, rate, capacity, n)


@kernel
def layer_gradient(h, d, weights, gradient, layer, small):
    """∂L/∂W and ∂L/∂b of a layer; of v and its gain where W is reparametrized."""
    if layer.fan_in > 0:
        dw = matrix_of(gradient, layer)
        multiply_columns(h, d, dw, small)
        if layer.reparametrized:
            unreparametrize(
                matrix_of(weights, layer), vector_of(weights, layer.gain, layer.fan_out),
                dw, vector_of(gradient, layer.gain, layer.fan_out),
            )  # fmt: skip
    if layer.bias >= 0:
        sum_rows(d, vector_of(gradient, layer.bias, layer.fan_out))


@kernel
def back_to_inputs(d, e, weights, work, layer, rate, capacity, n):
    """e ← ∂L/∂(a layer's inputs), given d = ∂L/∂(its outputs)."""
    np.dot(d, effective_matrix(weights, work, layer).T, e)
    if rate > 0.0:
        flat = e.reshape(e.size)
        multiply(flat, input_rows(work.mask, layer, capacity, n).reshape(flat.size), flat)


@kernel
def through_activation(
    denormalize, backpropagate, numbers, weights, gradient, work, below, above, kept, e, capacity, n
):  # fmt: skip
    """Turn e from ∂L/∂(inputs of `above`) into ∂L/∂z of the layer below it."""
    before = before_activation(work, below, capacity, n)
    after = input_rows(work.h, above, capacity, n)
    backpropagate(
        before.reshape(e.size), after.reshape(e.size), e.reshape(e.size), numbers.activation
    )
    if below.normalized:
        denormalize(
            output_rows(work.z, below, capacity, n), e,
            vector_of(weights, below.gain, below.fan_out),
            vector_of(gradient, below.gain, below.fan_out),
            vector_of(gradient, below.shift, below.fan_out),
            kept, numbers.normalization,
        )  # fmt: skip


@kernel
def add_rows(z, b):
    """z_i ← z_i + b for every row."""
    for i in range(z.shape[0]):
        row = z[i]
        for j in range(b.size):
            row[j] += b[j]


@kernel
def sum_rows(d, total):
    """total ← Σ_i d_i."""
    total[:] = 0
    for i in range(d.shape[0]):
        row = d[i]
        for j in range(row.size):
            total[j] += row[j]
