"""The training loop: one compiled function for every config of a float type.

It runs a chunk of steps and returns, so that progress, Ctrl-C, checkpoints and evaluation live in
plain Python between chunks. What a step does depends on its number and the arrays alone, so it
does not matter where a chunk begins.
"""

from typing import Any, NamedTuple

import numpy as np

from optrun.nn.network import backward, forward, unit_rows
from optrun.nn.regularization import penalize
from optrun.numerics.denormals import flush_denormals, restore_denormals
from optrun.numerics.jit import kernel
from optrun.numerics.sums import norms
from optrun.optim.clipping import clip


class Examples(NamedTuple):
    """A dataset as the loop reads it.

    Attributes:
        storage: rows as bytes, uint8 (N, features × bytes a value).
        labels: int64 (N,).
        shift, scale: the preprocessing, (features,): x = (value − shift)·scale.
    """

    storage: Any
    labels: Any
    shift: Any
    scale: Any


class Parameters(NamedTuple):
    """What training changes, as flat arrays of one float type.

    Attributes:
        weights: (P,).
        gradient: (P,), of the objective at the last step.
        state: (slots × P,); a block's slots lie together at slots × its offset.
    """

    weights: Any
    gradient: Any
    state: Any


class Numbers(NamedTuple):
    """The numbers of a config, as arrays, so that none of them is compiled in.

    Attributes:
        hyper: the optimizer's hyperparameters, float64.
        activation: the activation's numbers, float64.
        penalty: [l1, l2], float64.
        bounds: [norm, least, greatest] of clipping, float64.
        dropout: rate after each hidden layer, float64 (L − 1,).
    """

    hyper: Any
    activation: Any
    penalty: Any
    bounds: Any
    dropout: Any


class Record(NamedTuple):
    """What the steps of a chunk report, float64, one entry a step.

    Attributes:
        loss: of the batch, without penalties.
        penalty: what the penalties add to it.
        norm: of the gradient of both, before clipping.
    """

    loss: Any
    penalty: Any
    norm: Any


@kernel
def train_steps(
    gather, activate, backpropagate, loss, update,
    examples, parameters, places, work, numbers, record,
    order, batch_size, first, rates, step, seed, limit,
):  # fmt: skip
    """Run one step for every entry of `rates`; stop early at a loss that is not below `limit`.

    Args:
        order: this epoch's order of the training rows, int64.
        batch_size: examples a step; the epoch's last batch may be smaller.
        first: index of the first batch within the epoch.
        rates: learning rate of each step to run, float64.
        step: steps done before.
        seed: of the dropout masks.

    Returns:
        Steps run. A step whose loss breaks the limit counts, but does not change the weights.
    """
    setting = flush_denormals()
    done = 0
    for k in range(rates.size):
        start = (first + k) * batch_size
        rows = order[start : min(start + batch_size, order.size)]
        batch_gradient(
            gather, activate, backpropagate, loss, examples, parameters, places, work, numbers,
            record, rows, k, step + k + 1, seed,
        )  # fmt: skip
        done += 1
        if not record.loss[k] <= limit:
            break
        clip(parameters.gradient, record.norm[k], numbers.bounds)
        update_blocks(update, parameters, places.blocks, numbers.hyper, rates[k], step + k + 1)
    restore_denormals(setting)
    return done


@kernel
def batch_gradient(
    gather, activate, backpropagate, loss, examples, parameters, places, work, numbers,
    record, rows, k, t, seed,
):  # fmt: skip
    """Leave the objective's gradient on `rows` in `parameters.gradient`; report to record[k]."""
    weights, gradient = parameters.weights, parameters.gradient
    table, n = places.layers, rows.size
    gather(examples.storage, rows, work.x[:n], examples.shift, examples.scale)
    scores = forward(
        activate, numbers.activation, weights, table, work, n, numbers.dropout, seed, t
    )
    d = unit_rows(work.d, table, table.shape[0] - 1, work.x.shape[0], n)
    record.loss[k] = loss(scores, examples.labels[rows], d)
    backward(backpropagate, numbers.activation, weights, gradient, table, work, n, numbers.dropout)
    record.penalty[k] = add_penalties(weights, gradient, places.blocks, numbers.penalty)
    record.norm[k] = np.sqrt(norms(gradient)[1])


@kernel
def add_penalties(weights, gradient, blocks, penalty):
    """Add the penalties' gradient block by block; return their value."""
    total = 0.0
    if penalty[0] > 0.0 or penalty[1] > 0.0:
        for b in range(blocks.shape[0]):
            if blocks[b, 3]:
                start, stop = blocks[b, 0], blocks[b, 0] + blocks[b, 1] * blocks[b, 2]
                w, g = weights[start:stop], gradient[start:stop]
                total += penalize(w, g, penalty[0], penalty[1])
    return total


@kernel
def update_blocks(update, parameters, blocks, hyper, lr, t):
    """Let the rule change every parameter block."""
    slots = parameters.state.size // parameters.weights.size
    for b in range(blocks.shape[0]):
        start, rows, columns = blocks[b, 0], blocks[b, 1], blocks[b, 2]
        stop = start + rows * columns
        state = parameters.state[slots * start : slots * stop].reshape(slots, stop - start)
        w, g = parameters.weights[start:stop], parameters.gradient[start:stop]
        update(w, g, state, hyper, lr, t, (rows, columns))


@kernel
def evaluate(gather, activate, loss, examples, weights, table, work, numbers, rows):
    """Loss and hits over `rows` with dropout off.

    Returns:
        (sum of losses, number of rows whose greatest score is their label's).
    """
    setting = flush_denormals()
    capacity, last = work.x.shape[0], table.shape[0] - 1
    off = np.zeros(last)
    total, hits = 0.0, 0
    for start in range(0, rows.size, capacity):
        batch = rows[start : min(start + capacity, rows.size)]
        n = batch.size
        gather(examples.storage, batch, work.x[:n], examples.shift, examples.scale)
        scores = forward(activate, numbers.activation, weights, table, work, n, off, 0, 0)
        labels = examples.labels[batch]
        total += n * loss(scores, labels, unit_rows(work.d, table, last, capacity, n))
        for i in range(n):
            hits += np.argmax(scores[i]) == labels[i]
    restore_denormals(setting)
    return total, hits
