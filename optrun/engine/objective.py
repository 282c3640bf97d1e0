"""The objective of a step as drivers ask for it, and the steps that they take."""

import math

import numpy as np

from optrun.data.augmentation.views import no_views
from optrun.engine.arrays import Epoch
from optrun.engine.batch import gather_batch, objective_gradient
from optrun.engine.roles import curvature_roles, roles
from optrun.engine.start import draw_start
from optrun.engine.workspace import Workspace
from optrun.nn.curvature import Tangents, curvature_signals, hessian_product
from optrun.nn.network import forward, output_rows
from optrun.numerics.denormals import flush_denormals, restore_denormals
from optrun.numerics.jit import kernel
from optrun.numerics.streams import stream
from optrun.numerics.sums import norms, relative_change
from optrun.optim.averaging import average
from optrun.optim.driver import Driver, Factors

FACTOR_ROWS = 1024
"""Rows taken to float64 at a time, so that full batches need no copy of themselves."""


@kernel
def value_at(normalize, activate, loss, weights, places, work, numbers, n, t, seed):
    """The loss of the gathered batch in training mode."""
    setting = flush_denormals()
    layers, capacity = places.layers, work.targets.shape[0]
    scores = forward(
        normalize, activate, numbers, weights, layers, work, capacity, n, seed, t, True
    )
    d = output_rows(work.d, layers[layers.size - 1], capacity, n)
    value = loss(scores, work.targets[:n], d, numbers.loss)
    restore_denormals(setting)
    return value


@kernel
def gather_at(gather, examples, places, work, rows, first, views):
    """`gather_batch`, entered from outside."""
    gather_batch(gather, examples, places, work, rows, first, views)


@kernel
def gradient_at(
    normalize, denormalize, activate, backpropagate, loss,
    parameters, places, work, numbers, record, n, k, t, seed,
):  # fmt: skip
    """`objective_gradient`, entered from outside."""
    setting = flush_denormals()
    objective_gradient(
        normalize, denormalize, activate, backpropagate, loss,
        parameters, places, work, numbers, record, n, k, t, seed,
    )  # fmt: skip
    restore_denormals(setting)


@kernel
def product_at(
    backpropagate, curve_activation, curve_loss,
    weights, v, out, places, work, tangents, numbers, n,
):  # fmt: skip
    """`hessian_product`, entered from outside, with the penalties' part."""
    setting = flush_denormals()
    hessian_product(
        backpropagate, curve_activation, curve_loss, numbers, weights, v, out,
        places.layers, work, tangents, work.targets.shape[0], n,
    )  # fmt: skip
    for b in range(places.blocks.size):
        block = places.blocks[b]
        if block.penalized:
            l2 = out.dtype.type(numbers.penalty[1])
            for i in range(block.start, block.start + block.rows * block.columns):
                out[i] += l2 * v[i]
    restore_denormals(setting)


@kernel
def signals_at(backpropagate, factor, k, weights, places, work, tangents, numbers, n):
    """`curvature_signals`, entered from outside."""
    setting = flush_denormals()
    curvature_signals(
        backpropagate, factor, k, numbers, weights, places.layers, work, tangents,
        work.targets.shape[0], n,
    )  # fmt: skip
    restore_denormals(setting)


def compile_gradient(workspace: Workspace) -> None:
    """Compile `gather_at` and `gradient_at` for a workspace, or load them from the cache."""
    from numba import typeof, types

    rules, whole = roles(workspace.config.dtype), types.int64
    places, work = typeof(workspace.places), typeof(workspace.work)
    gather_at.specialize(
        rules.gather, typeof(workspace.examples), places, work, types.int64[::1], whole,
        typeof(no_views()),
    )  # fmt: skip
    gradient_at.specialize(
        *rules.of_gradient(),
        typeof(workspace.parameters), places, work, typeof(workspace.numbers),
        typeof(workspace.record), whole, whole, whole, whole,
    )  # fmt: skip


class BatchObjective:
    """Loss and penalties on the batch of a step: what `optrun.optim.driver.Objective` asks for.

    Running statistics are those of the first evaluation of a step, however many there are.
    """

    def __init__(self, workspace: Workspace, driver: Driver):
        self.workspace = workspace
        self.driver = driver
        self.trained = workspace.parameters.gradient.size
        self.weights = workspace.parameters.weights[: self.trained]
        self.layers = np.column_stack(
            [workspace.places.layers[name] for name in ("fan_in", "fan_out", "weight", "bias")]
        )
        config, data = workspace.config, workspace.data
        drawn = any(config.regularization.rates(len(self.layers) - 1))
        drawn = drawn or bool(config.dataset.augmentation)
        self.fixed = workspace.batch_size == len(data.train) and not drawn
        work, dtype = workspace.work, workspace.parameters.weights.dtype
        second = driver.uses_products or driver.uses_factors
        self.tangents = Tangents(
            *(np.zeros(b.size if second else 0, dtype) for b in (work.h, work.z, work.d, work.h))
        )
        self.direction = np.zeros(self.trained, dtype)
        self.compile()

    def compile(self) -> None:
        """Compile what the driver asks for, or load it from the cache."""
        from numba import typeof, types

        workspace, rules = self.workspace, roles(self.workspace.config.dtype)
        curvature = curvature_roles(workspace.config.dtype)
        weights, places = typeof(workspace.parameters.weights), typeof(workspace.places)
        work, numbers = typeof(workspace.work), typeof(workspace.numbers)
        tangents, whole = typeof(self.tangents), types.int64
        value_at.specialize(
            rules.normalize, rules.activate, rules.loss, weights, places, work, numbers,
            whole, whole, whole,
        )  # fmt: skip
        compile_gradient(workspace)
        activation, objective = workspace.config.model.nonlinearity(), workspace.config.objective
        if self.driver.uses_products:
            self.curve_activation = activation.curve.specialize(
                *curvature.curve_activation.signature.args
            )
            self.curve_loss = objective.curve.specialize(*curvature.curve_loss.signature.args)
            product_at.specialize(
                rules.backpropagate, curvature.curve_activation, curvature.curve_loss,
                weights, weights, weights, places, work, tangents, numbers, whole,
            )  # fmt: skip
        if self.driver.uses_factors:
            self.factor = objective.factor.specialize(*curvature.factor.signature.args)
            signals_at.specialize(
                rules.backpropagate, curvature.factor, whole, weights, places, work, tangents,
                numbers, whole,
            )  # fmt: skip

    def begin(self, epoch: Epoch, start: int, t: int) -> None:
        """Turn to the batch of step t, counted from 1, which begins at this place of the order."""
        workspace = self.workspace
        rows = epoch.order[start : start + workspace.batch_size]
        self.t, self.n, self.first = t, rows.size, True
        self.norm = np.nan
        gather_at.compiled(
            workspace.rules.gather, workspace.examples, workspace.places, workspace.work, rows,
            start, epoch.views,
        )  # fmt: skip

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """Weights as the run's initialization draws them, (P,)."""
        workspace = self.workspace
        total = workspace.parameters.weights.size
        start = draw_start(workspace.config, workspace.places, total, random)
        return start[: self.trained]

    def value(self) -> float:
        """Loss and penalties at `weights`."""
        workspace, rules = self.workspace, self.workspace.rules
        statistics = self.statistics()
        loss = value_at.compiled(
            rules.normalize, rules.activate, rules.loss, workspace.parameters.weights,
            workspace.places, workspace.work, workspace.numbers, self.n, self.t,
            workspace.config.seed,
        )  # fmt: skip
        self.keep(statistics)
        return float(loss + workspace.penalty(workspace.parameters.weights))

    def gradient(self) -> tuple[float, np.ndarray]:
        """The value and the gradient at `weights`, (P,), which lasts until the next question."""
        workspace, record = self.workspace, self.workspace.record
        statistics, row = self.statistics(), record.loss.size - 1
        gradient_at.compiled(
            *workspace.rules.of_gradient(), workspace.parameters, workspace.places, workspace.work,
            workspace.numbers, record, self.n, row, self.t, workspace.config.seed,
        )  # fmt: skip
        if self.first:
            self.norm = float(np.sqrt(norms(workspace.parameters.gradient)[1]))
        self.keep(statistics)
        return float(record.loss[row] + record.penalty[row]), workspace.parameters.gradient

    def statistics(self) -> np.ndarray:
        """The running statistics before an evaluation."""
        return self.workspace.parameters.weights[self.trained :].copy()

    def keep(self, statistics: np.ndarray) -> None:
        """Let the first evaluation of a step count, and take back the others."""
        if not self.first:
            self.workspace.parameters.weights[self.trained :] = statistics
        self.first = False

    def product(self, v: np.ndarray) -> np.ndarray:
        """H·v with the exact Hessian at `weights`, (P,), which lasts until the next question.

        The gradient must have been asked for at the same weights.
        """
        workspace = self.workspace
        product_at.compiled(
            workspace.rules.backpropagate, self.curve_activation, self.curve_loss,
            self.weights, np.ascontiguousarray(v, self.weights.dtype), self.direction,
            workspace.places, workspace.work, self.tangents, workspace.numbers, self.n,
        )  # fmt: skip
        return self.direction

    def factors(self) -> list[Factors]:
        """The curvature of every linear layer where the gradient was asked for last."""
        workspace, capacity = self.workspace, self.workspace.work.targets.shape[0]
        inputs, outputs = [], []
        for fan_in, fan_out, _, _ in self.layers:
            inputs.append(np.zeros((fan_in + 1, fan_in + 1)))
            outputs.append(np.zeros((fan_out, fan_out)))
        starts = workspace.places.layers["inputs"], workspace.places.layers["outputs"]
        work, rates = workspace.work, workspace.numbers.dropout
        for a, layer, start, rate in zip(inputs, self.layers, starts[0], rates, strict=True):
            h = (work.dropped if rate > 0 else work.h)[capacity * start :]
            h = h[: self.n * layer[0]].reshape(self.n, layer[0])
            for first in range(0, self.n, FACTOR_ROWS):
                rows = h[first : first + FACTOR_ROWS]
                seen = np.ones((len(rows), layer[0] + 1))
                seen[:, :-1] = rows
                a += seen.T @ seen / self.n
        for k in range(self.layers[-1][1]):
            signals_at.compiled(
                workspace.rules.backpropagate, self.factor, k, self.weights, workspace.places,
                workspace.work, self.tangents, workspace.numbers, self.n,
            )  # fmt: skip
            for g, layer, start in zip(outputs, self.layers, starts[1], strict=True):
                d = self.tangents.d[capacity * start :][: self.n * layer[1]].astype(np.float64)
                d = d.reshape(self.n, -1)
                g += d.T @ d / self.n
        return [Factors(a, g) for a, g in zip(inputs, outputs, strict=True)]


def drive(
    workspace: Workspace,
    objective: BatchObjective,
    step: int,
    count: int,
    epoch: Epoch,
    limit: float,
) -> int:
    """Let a driver take up to `count` steps; `Program.run` says more."""
    parameters, record, driver = workspace.parameters, workspace.record, objective.driver
    first = step % workspace.steps_per_epoch
    for k in range(count):
        t, start = step + k + 1, (first + k) * workspace.batch_size
        objective.begin(epoch, start, t)
        random = stream(workspace.config.seed, driver.purpose, t)
        penalty, before = workspace.penalty(parameters.weights), parameters.weights.copy()
        try:
            value = driver.step(objective, parameters.state, workspace.rates[t - 1], t, random)
        except FloatingPointError:  # the curvature is not finite
            value = math.nan
        record.loss[k], record.penalty[k] = value - penalty, penalty
        record.norm[k], record.ratio[k] = objective.norm, math.nan
        if not -limit <= record.loss[k] <= limit:
            parameters.weights[:] = before
            return k + 1
        record.ratio[k] = relative_change(before[: objective.trained], objective.weights)
        if parameters.average.size:
            average(parameters.average, parameters.weights, workspace.curves.shares[t - 1])
    return count
