"""Forward and backward through a stack of linear layers; no hidden layer is a linear model.

Weights, gradient and optimizer state are flat arrays; a layer is a view of them, found in the
`layers` table. The rows of a batch fill the leading rows of every buffer.
"""

from typing import Any, NamedTuple

import numpy as np

from optrun.numerics.jit import kernel
from optrun.numerics.philox import keep_mask
from optrun.numerics.streams import Purpose

DROPOUT = int(Purpose.DROPOUT)


class Layers(NamedTuple):
    """Where things are: one row a layer, one row a parameter block.

    Attributes:
        layers: int64 (L, 5): fan_in, fan_out, offset of W, offset of b, units before this layer.
        blocks: int64 (2L, 4): offset, rows, columns, 1 if penalties act on it.
    """

    layers: Any
    blocks: Any


class Buffers(NamedTuple):
    """Room for one batch. Flat ones hold (rows, fan_out) of every layer, one after the other.

    Attributes:
        x: the batch as the model sees it, (rows, features).
        z: layer outputs before the activation; the last layer's are the scores.
        a: after the activation.
        mask, dropped: dropout's factors, and the activations times them; empty without dropout.
        d: the gradient of the loss with respect to z.
    """

    x: Any
    z: Any
    a: Any
    mask: Any
    dropped: Any
    d: Any


@kernel
def unit_rows(buffer, table, layer, capacity, n):
    """The first n rows of a layer in a flat buffer with room for `capacity` rows."""
    start, width = capacity * table[layer, 4], table[layer, 1]
    return buffer[start : start + n * width].reshape(n, width)


@kernel
def weight_of(flat, table, layer):
    """W of a layer, (fan_in, fan_out), as a view."""
    rows, columns, start = table[layer, 0], table[layer, 1], table[layer, 2]
    return flat[start : start + rows * columns].reshape(rows, columns)


@kernel
def bias_of(flat, table, layer):
    """b of a layer, (fan_out,), as a view."""
    start = table[layer, 3]
    return flat[start : start + table[layer, 1]]


@kernel
def layer_output(work, table, rates, layer, n):
    """What a hidden layer hands on: its activations, after dropout if it has any."""
    rows = work.x.shape[0]
    if rates[layer] > 0.0:
        return unit_rows(work.dropped, table, layer, rows, n)
    return unit_rows(work.a, table, layer, rows, n)


@kernel
def forward(activate, activation, weights, table, work, n, rates, seed, step):
    """The scores of the first n rows of `work.x`, (n, classes).

    Args:
        activation: the activation's numbers.
        rates: dropout after each hidden layer, all 0 in evaluation.
        seed, step: what the dropout masks depend on.
    """
    rows, last = work.x.shape[0], table.shape[0] - 1
    h = work.x[:n]
    for layer in range(last + 1):
        z = unit_rows(work.z, table, layer, rows, n)
        np.dot(h, weight_of(weights, table, layer), z)
        add_rows(z, bias_of(weights, table, layer))
        if layer < last:
            a = unit_rows(work.a, table, layer, rows, n)
            activate(z.reshape(z.size), a.reshape(a.size), activation)
            if rates[layer] > 0.0:
                mask = unit_rows(work.mask, table, layer, rows, n).reshape(a.size)
                keep_mask(mask, rates[layer], seed, DROPOUT, step, layer)
                dropped = unit_rows(work.dropped, table, layer, rows, n)
                multiply(a.reshape(a.size), mask, dropped.reshape(a.size))
            h = layer_output(work, table, rates, layer, n)
    return unit_rows(work.z, table, last, rows, n)


@kernel
def backward(backpropagate, activation, weights, gradient, table, work, n, rates):
    """Fill `gradient` from ∂L/∂scores, which the loss has left in the last layer of `work.d`."""
    rows = work.x.shape[0]
    for layer in range(table.shape[0] - 1, -1, -1):
        d = unit_rows(work.d, table, layer, rows, n)
        h = work.x[:n] if layer == 0 else layer_output(work, table, rates, layer - 1, n)
        np.dot(h.T, d, weight_of(gradient, table, layer))
        sum_rows(d, bias_of(gradient, table, layer))
        if layer > 0:
            z = unit_rows(work.z, table, layer - 1, rows, n)
            a = unit_rows(work.a, table, layer - 1, rows, n)
            below = unit_rows(work.d, table, layer - 1, rows, n)
            np.dot(d, weight_of(weights, table, layer).T, below)
            flat = below.reshape(below.size)
            if rates[layer - 1] > 0.0:
                mask = unit_rows(work.mask, table, layer - 1, rows, n)
                multiply(flat, mask.reshape(flat.size), flat)
            backpropagate(z.reshape(flat.size), a.reshape(flat.size), flat, activation)


@kernel
def add_rows(z, b):
    """z_i ← z_i + b for every row."""
    for i in range(z.shape[0]):
        row = z[i]
        for j in range(row.size):
            row[j] += b[j]


@kernel
def sum_rows(d, total):
    """total ← Σ_i d_i."""
    total[:] = 0
    for i in range(d.shape[0]):
        row = d[i]
        for j in range(row.size):
            total[j] += row[j]


@kernel
def multiply(a, b, out):
    """out ← a·b, elementwise on flat arrays."""
    for i in range(a.size):
        out[i] = a[i] * b[i]
