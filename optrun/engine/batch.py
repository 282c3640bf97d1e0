"""The objective of a batch and its gradient."""

import numpy as np

from optrun.nn.network import backward, forward, input_rows, output_rows
from optrun.nn.regularization import penalize
from optrun.numerics.denormals import flush_denormals, restore_denormals
from optrun.numerics.flat import blend, copy
from optrun.numerics.jit import kernel
from optrun.numerics.sums import norms


@kernel
def gather_batch(gather, examples, places, work, rows, first, views):
    """Fill the buffers with the batch of these rows, the first at position `first` of the views."""
    x = input_rows(work.h, places.layers[0], work.targets.shape[0], rows.size)
    gather(examples, rows, first, views, x, work.targets[: rows.size])


@kernel
def objective_gradient(
    normalize, denormalize, activate, backpropagate, loss,
    parameters, places, work, numbers, record, n, k, t, seed,
):  # fmt: skip
    """Leave the gradient on the n rows gathered in `parameters.gradient`; report to record[k]."""
    gradient, epsilon = parameters.gradient, numbers.adversarial[0]
    record.loss[k] = loss_gradient(
        normalize, denormalize, activate, backpropagate, loss,
        parameters, places, work, numbers, n, t, seed,
    )  # fmt: skip
    if epsilon > 0.0:
        share, clean = numbers.adversarial[1], work.spare[: gradient.size]
        copy(gradient, clean)
        perturb(work, places.layers[0], epsilon, n)
        harder = loss_gradient(
            normalize, denormalize, activate, backpropagate, loss,
            parameters, places, work, numbers, n, t, seed,
        )  # fmt: skip
        record.loss[k] = (1.0 - share) * record.loss[k] + share * harder
        blend(gradient, gradient.dtype.type(share), clean, gradient.dtype.type(1.0 - share))
    record.penalty[k] = add_penalties(
        parameters.weights, gradient, places.blocks, numbers.penalty, numbers.threshold
    )


@kernel
def loss_gradient(
    normalize, denormalize, activate, backpropagate, loss,
    parameters, places, work, numbers, n, t, seed,
):  # fmt: skip
    """Leave the loss's gradient on the batch in `parameters.gradient`; return the loss."""
    weights, layers, capacity = parameters.weights, places.layers, work.targets.shape[0]
    scores = forward(
        normalize, activate, numbers, weights, layers, work, capacity, n, seed, t, True
    )
    d = output_rows(work.d, layers[layers.size - 1], capacity, n)
    value = loss(scores, work.targets[:n], d, numbers.loss)
    backward(
        denormalize, backpropagate, numbers, weights, parameters.gradient, layers, work, capacity, n
    )
    return value


@kernel
def perturb(work, first, epsilon, n):
    """x ← x + ε·sign(∂L/∂x), the fast gradient sign method."""
    size = n * first.fan_in
    x, dx, step = work.h[:size], work.dx[:size], work.h.dtype.type(epsilon)
    for i in range(size):
        x[i] += step * np.sign(dx[i])


@kernel
def add_penalties(weights, gradient, blocks, penalty, threshold):
    """Add the penalties' gradient block by block; return their value.

    With a threshold, l1 has no part in the gradient.
    """
    total, l1 = 0.0, 0.0 if threshold > 0.0 else penalty[0]
    if penalty[0] > 0.0 or penalty[1] > 0.0:
        for b in range(blocks.size):
            block = blocks[b]
            if block.penalized:
                stop = block.start + block.rows * block.columns
                w, g = weights[block.start : stop], gradient[block.start : stop]
                total += penalize(w, g, l1, penalty[1])
                if threshold > 0.0:
                    total += penalty[0] * norms(w)[0]
    return total


@kernel
def evaluate(
    look, normalize, activate, loss, examples, weights, places, work, numbers, rows, views
):
    """Loss and hits over `rows` in evaluation mode.

    Args:
        views: crops, whose scores are averaged, one after the other for a full batch.

    Returns:
        (sum of losses, number of rows whose greatest score is their greatest target's).
    """
    setting = flush_denormals()
    layers, capacity = places.layers, work.targets.shape[0]
    total, hits = 0.0, 0
    for start in range(0, rows.size, capacity):
        batch = rows[start : min(start + capacity, rows.size)]
        n = batch.size
        scores = crops_score(
            look, normalize, activate, examples, weights, places, work, numbers, batch, views
        )
        d = output_rows(work.d, layers[layers.size - 1], capacity, n)
        total += n * loss(scores, work.targets[:n], d, numbers.loss)
        for i in range(n):
            hits += np.argmax(scores[i]) == np.argmax(work.targets[i])
    restore_denormals(setting)
    return total, hits


@kernel
def gather_statistics(
    look, normalize, activate, examples, weights, places, work, numbers, rows, batches, views
):
    """Make the running statistics of `weights` the means over so many batches of the rows.

    The batches are as large as in training, in the order of the rows, without dropout.

    Args:
        numbers: those of evaluation; the first of `normalization`, the share of a new batch in the
            statistics, is overwritten.
    """
    setting = flush_denormals()
    capacity = work.targets.shape[0]
    for batch in range(batches):
        chosen = rows[batch * capacity : min((batch + 1) * capacity, rows.size)]
        gather_batch(look, examples, places, work, chosen, 0, views)
        numbers.normalization[0] = 1.0 / (batch + 1.0)
        forward(
            normalize, activate, numbers, weights, places.layers, work, capacity, chosen.size,
            0, 0, True,
        )  # fmt: skip
    restore_denormals(setting)


@kernel
def crops_score(look, normalize, activate, examples, weights, places, work, numbers, batch, views):
    """The scores of a batch in evaluation mode, the mean over all crops."""
    capacity, n = work.targets.shape[0], batch.size
    crops = max(1, views.maps.shape[0] // capacity)
    total = np.zeros((n if crops > 1 else 0) * work.targets.shape[1], work.targets.dtype)
    for crop in range(crops):
        gather_batch(look, examples, places, work, batch, crop * capacity, views)
        scores = forward(
            normalize, activate, numbers, weights, places.layers, work, capacity, n, 0, 0, False
        )
        if crops > 1:
            blend(total, total.dtype.type(1), scores.reshape(scores.size), total.dtype.type(1))
    if crops > 1:
        flat = scores.reshape(scores.size)
        for i in range(flat.size):
            flat[i] = total[i] / flat.dtype.type(crops)
    return scores
