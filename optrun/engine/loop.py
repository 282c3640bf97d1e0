"""The training loop: one compiled function for every config of a float type.

It runs a chunk of steps and returns, so that progress, Ctrl-C, checkpoints and evaluation live in
plain Python between chunks. What a step does depends on its number and the arrays alone, so it
does not matter where a chunk begins.
"""

import numpy as np

from optrun.engine.batch import gather_batch, objective_gradient
from optrun.nn.regularization import add_noise, shorten, soft_threshold
from optrun.numerics.denormals import flush_denormals, restore_denormals
from optrun.numerics.flat import copy
from optrun.numerics.jit import kernel
from optrun.numerics.sums import norms, relative_change
from optrun.optim.averaging import average
from optrun.optim.clipping import clip
from optrun.optim.wrappers import climb, look_ahead


@kernel
def train_steps(
    gather, normalize, denormalize, activate, backpropagate, loss, update,
    examples, parameters, places, work, numbers, curves, record, epoch,
    batch_size, first, step, count, seed, limit, log_every,
):  # fmt: skip
    """Run `count` steps; stop early at a loss that is not between −limit and `limit`.

    Args:
        first: index of the first batch within the epoch.
        step: steps done before.
        seed: of all that is drawn.
        log_every: steps between two that are logged.

    Returns:
        Steps run. A step whose loss breaks the limit counts, but does not change the weights.
    """
    setting = flush_denormals()
    done, order = 0, epoch.order
    for k in range(count):
        t, start = step + k + 1, (first + k) * batch_size
        rows = order[start : min(start + batch_size, order.size)]
        gather_batch(gather, examples, places, work, rows, start, epoch.views)
        objective_gradient(
            normalize, denormalize, activate, backpropagate, loss,
            parameters, places, work, numbers, record, rows.size, k, t, seed,
        )  # fmt: skip
        done += 1
        if not -limit <= record.loss[k] <= limit:
            record.norm[k], record.ratio[k] = np.nan, np.nan
            break
        if numbers.ascent > 0.0:
            kept = climb(parameters, work.spare, numbers.ascent)
            if numbers.adversarial[0] > 0.0:  # which has moved the batch
                gather_batch(gather, examples, places, work, rows, start, epoch.views)
            first_loss, first_penalty = record.loss[k], record.penalty[k]
            objective_gradient(
                normalize, denormalize, activate, backpropagate, loss,
                parameters, places, work, numbers, record, rows.size, k, t, seed,
            )  # fmt: skip
            record.loss[k], record.penalty[k] = first_loss, first_penalty
            copy(kept, parameters.weights)
        measured = t == 1 or t % log_every == 0 or k == count - 1
        before = work.spare[: parameters.gradient.size if measured else 0]
        copy(parameters.weights, before)
        change_weights(update, parameters, places, numbers, curves, record, k, t, seed)
        if measured:
            record.ratio[k] = relative_change(before, parameters.weights)
    restore_denormals(setting)
    return done


@kernel
def change_weights(update, parameters, places, numbers, curves, record, k, t, seed):
    """What a step makes of its gradient."""
    add_noise(parameters.gradient, numbers.noise, seed, t)
    record.norm[k] = np.sqrt(norms(parameters.gradient)[1])
    clip(parameters.gradient, record.norm[k], numbers.bounds)
    update_blocks(update, parameters, places.blocks, numbers.hyper, curves.rates[t - 1], t)
    if numbers.threshold > 0.0:
        threshold_blocks(parameters.weights, places.blocks, curves.rates[t - 1] * numbers.threshold)
    if numbers.max_norm < np.inf:
        shorten_units(parameters.weights, places.blocks, numbers.max_norm)
    if parameters.slow.size > 0:
        look_ahead(parameters.weights, parameters.slow, numbers.lookahead, t)
    if parameters.average.size > 0:
        average(parameters.average, parameters.weights, curves.shares[t - 1])


@kernel
def update_blocks(update, parameters, blocks, hyper, lr, t):
    """Let the rule change every parameter block."""
    for b in range(blocks.size):
        block = blocks[b]
        stop = block.start + block.rows * block.columns
        w, g = parameters.weights[block.start : stop], parameters.gradient[block.start : stop]
        state = parameters.state[block.state : block.state + block.slots * block.width]
        shape = (block.rows, block.columns, block.is_matrix)
        update(w, g, state.reshape(block.slots, block.width), hyper, lr, t, shape)


@kernel
def threshold_blocks(weights, blocks, by):
    """Take `by` from the absolute value of every penalized weight, down to 0."""
    for b in range(blocks.size):
        block = blocks[b]
        if block.penalized:
            soft_threshold(weights[block.start : block.start + block.rows * block.columns], by)


@kernel
def shorten_units(weights, blocks, longest):
    """Keep the incoming weights of every unit no longer than `longest`."""
    for b in range(blocks.size):
        block = blocks[b]
        if block.is_matrix:
            stop = block.start + block.rows * block.columns
            shorten(weights[block.start : stop].reshape(block.rows, block.columns), longest)
