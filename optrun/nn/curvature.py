"""Second derivatives of the loss through a stack of linear layers without normalization.

They follow a forward and a backward pass over the same batch, whose buffers they read. R{·} is the
derivative in the direction V of the weights (Pearlmutter 1994):

    R{z_l} = R{h_l}W_l + h_l·V_l + v_l,   R{h_{l+1}} = φ′(z_l)·R{z_l}
    R{∂L/∂h_l} = R{∂L/∂z_l}·W_lᵀ + ∂L/∂z_l·V_lᵀ
    R{∂L/∂z_l} = φ′(z_l)·R{∂L/∂h_{l+1}} + φ″(z_l)·∂L/∂h_{l+1}·R{z_l}
    H·V = R{∂L/∂W_l} = h_lᵀ·R{∂L/∂z_l} + R{h_l}ᵀ·∂L/∂z_l
"""

from typing import Any, NamedTuple

import numpy as np

from optrun.nn.network import (
    add_rows,
    back_to_inputs,
    before_activation,
    input_rows,
    layer_input,
    matrix_of,
    output_rows,
    sum_rows,
    vector_of,
)
from optrun.numerics.flat import multiply
from optrun.numerics.jit import kernel


class Tangents(NamedTuple):
    """Room for the derivatives in a direction, laid out as the buffers they belong to.

    Attributes:
        h, z, d: those of inputs, of outputs, and of the gradient with respect to outputs.
        e: gradients with respect to inputs; as long as `h`.
    """

    h: Any
    z: Any
    d: Any
    e: Any


@kernel
def hessian_product(
    backpropagate, curve_activation, curve_loss,
    numbers, weights, v, out, layers, work, tangents, capacity, n,
):  # fmt: skip
    """out ← H·v for the loss of the batch; all three (P,) flat."""
    last = layers.size - 1
    scores_tangent(backpropagate, numbers, weights, v, layers, work, tangents, capacity, n)
    top = layers[last]
    curve_loss(
        output_rows(work.z, top, capacity, n), work.targets[:n],
        output_rows(tangents.z, top, capacity, n), output_rows(tangents.d, top, capacity, n),
        numbers.loss,
    )  # fmt: skip
    for index in range(last, -1, -1):
        layer, rate = layers[index], numbers.dropout[index]
        d, rd = output_rows(work.d, layer, capacity, n), output_rows(tangents.d, layer, capacity, n)
        if layer.fan_in > 0:
            product = matrix_of(out, layer)
            np.dot(layer_input(work, layer, rate, capacity, n).T, rd, product)
            if index > 0:
                add(np.dot(input_rows(tangents.h, layer, capacity, n).T, d), product)
        if layer.bias >= 0:
            sum_rows(rd, vector_of(out, layer.bias, layer.fan_out))
        if index > 0:
            signal_tangent(
                backpropagate, curve_activation, numbers, weights, v, layers, work, tangents,
                index, capacity, n,
            )  # fmt: skip


@kernel
def scores_tangent(backpropagate, numbers, weights, v, layers, work, tangents, capacity, n):
    """R{z} and R{h} of every layer, from the first on."""
    for index in range(layers.size):
        layer, rate = layers[index], numbers.dropout[index]
        rz = output_rows(tangents.z, layer, capacity, n)
        if layer.fan_in > 0:
            np.dot(layer_input(work, layer, rate, capacity, n), matrix_of(v, layer), rz)
            if index > 0:
                rh = input_rows(tangents.h, layer, capacity, n)
                add(np.dot(rh, matrix_of(weights, layer)), rz)
        else:
            rz[:] = 0
        add_rows(rz, vector_of(v, layer.bias, layer.fan_out))
        if index < layers.size - 1:
            above = layers[index + 1]
            rh = input_rows(tangents.h, above, capacity, n)
            rh[:] = rz
            flat = rh.reshape(rh.size)
            before = before_activation(work, layer, capacity, n).reshape(flat.size)
            after = input_rows(work.h, above, capacity, n).reshape(flat.size)
            backpropagate(before, after, flat, numbers.activation)
            if numbers.dropout[index + 1] > 0.0:
                mask = input_rows(work.mask, above, capacity, n).reshape(flat.size)
                multiply(flat, mask, flat)


@kernel
def signal_tangent(
    backpropagate, curve_activation, numbers, weights, v, layers, work, tangents,
    index, capacity, n,
):  # fmt: skip
    """R{∂L/∂z} of the layer below, from the layer `index`."""
    layer, below, rate = layers[index], layers[index - 1], numbers.dropout[index]
    d, rd = output_rows(work.d, layer, capacity, n), output_rows(tangents.d, layer, capacity, n)
    e = input_rows(tangents.e, layer, capacity, n)
    re = output_rows(tangents.d, below, capacity, n)
    back_to_inputs(d, e, weights, work, layer, rate, capacity, n)
    np.dot(rd, matrix_of(weights, layer).T, re)
    add(np.dot(d, matrix_of(v, layer).T), re)
    flat = re.reshape(re.size)
    if rate > 0.0:
        multiply(flat, input_rows(work.mask, layer, capacity, n).reshape(flat.size), flat)
    before = before_activation(work, below, capacity, n).reshape(flat.size)
    after = input_rows(work.h, layer, capacity, n).reshape(flat.size)
    rz = output_rows(tangents.z, below, capacity, n).reshape(flat.size)
    backpropagate(before, after, flat, numbers.activation)
    curve_activation(before, after, e.reshape(e.size), rz, flat, numbers.activation)


@kernel
def curvature_signals(
    backpropagate, factor, k, numbers, weights, layers, work, tangents, capacity, n
):
    """Fill `tangents.d` with column k of a factor of the loss's second derivative, sent back.

    The scores' share of it is the k-th column of the loss's `factor`; that of every layer below is
    what backpropagation makes of it.
    """
    last = layers.size - 1
    scores = output_rows(work.z, layers[last], capacity, n)
    factor(scores, k, output_rows(tangents.d, layers[last], capacity, n), numbers.loss)
    for index in range(last, 0, -1):
        layer, below = layers[index], layers[index - 1]
        d = output_rows(tangents.d, layer, capacity, n)
        e = output_rows(tangents.d, below, capacity, n)
        back_to_inputs(d, e, weights, work, layer, numbers.dropout[index], capacity, n)
        flat = e.reshape(e.size)
        before = before_activation(work, below, capacity, n).reshape(flat.size)
        after = input_rows(work.h, layer, capacity, n).reshape(flat.size)
        backpropagate(before, after, flat, numbers.activation)


@kernel
def add(a, out):
    """out ← out + a, matrices."""
    for i in range(a.shape[0]):
        x, y = a[i], out[i]
        for j in range(x.size):
            y[j] += x[j]
