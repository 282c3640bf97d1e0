"""From config and data to a program: kernels, flat arrays and the rate of every step."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

from optrun.data.prepare import Data
from optrun.data.splits import Split
from optrun.engine.gather import gather_bytes, gather_reals
from optrun.engine.loop import Examples, Numbers, Parameters, Record, evaluate, train_steps
from optrun.engine.roles import roles
from optrun.nn.activations import Identity
from optrun.nn.network import Buffers, Layers
from optrun.numerics.streams import Purpose, stream
from optrun.numerics.sums import norms
from optrun.optim.schedules import learning_rates

if TYPE_CHECKING:
    from optrun.config.schema import Config

EVALUATION_ROWS = 1000
LONGEST_CHUNK = 4096


@dataclass(frozen=True)
class Program:
    """Everything a run computes with. Only `parameters` changes as it runs.

    Attributes:
        examples, test_examples: the rows of train and validation, and of test.
        parameters: weights, gradient and optimizer state.
        places: where layers and blocks lie in them.
        rates: learning rate of every step of the run, float64 (steps,).
        steps_per_epoch: optimizer steps in an epoch.
    """

    config: "Config"
    data: Data
    examples: Examples
    test_examples: Examples
    parameters: Parameters
    places: Layers
    numbers: Numbers
    work: Buffers
    evaluation_work: Buffers
    record: Record
    rates: np.ndarray
    steps_per_epoch: int
    batch_size: int
    rules: tuple[Any, ...]

    def order(self, epoch: int) -> np.ndarray:
        """The order of the training rows in an epoch counted from 0, int64."""
        return stream(self.config.seed, Purpose.ORDER, epoch).permutation(self.data.train.indices)

    def run(self, step: int, count: int, order: np.ndarray, limit: float) -> int:
        """Run up to `count` steps from `step` on, all within the epoch whose order is given.

        Returns:
            Steps run, fewer than asked for only if a loss was not below `limit`.
            `record` holds what they report.
        """
        return train_steps.compiled(
            *self.rules, self.examples, self.parameters, self.places, self.work, self.numbers,
            self.record, order, self.batch_size, step % self.steps_per_epoch,
            self.rates[step : step + count], step, self.config.seed, limit,
        )  # fmt: skip

    def evaluate(self, split: Split) -> tuple[float, float]:
        """(mean loss, accuracy) of the present weights on a split, dropout off."""
        gather, activate, _, loss, _ = self.rules
        examples = self.test_examples if split is self.data.test else self.examples
        total, hits = evaluate.compiled(
            gather, activate, loss, examples, self.parameters.weights, self.places.layers,
            self.evaluation_work, self.numbers, split.indices,
        )  # fmt: skip
        return total / len(split), hits / len(split)

    def examples_in(self, steps: int) -> int:
        """Examples that the first `steps` steps of the run look at."""
        epochs, batches = divmod(steps, self.steps_per_epoch)
        return epochs * len(self.data.train) + batches * self.batch_size

    def penalty(self) -> float:
        """What the penalties add to the loss at the present weights."""
        l1, l2 = self.numbers.penalty
        total = 0.0
        for offset, rows, columns, penalized in self.places.blocks:
            if penalized and (l1 or l2):
                w = self.parameters.weights[offset : offset + rows * columns]
                absolute, squares = norms(w)
                total += float(l1 * absolute + 0.5 * l2 * squares)
        return total

    def named_weights(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """A flat parameter array as `layers.0.weight` (fan_in, fan_out), `layers.0.bias`, …"""
        named = {}
        for index, (fan_in, fan_out, weight, bias, _) in enumerate(self.places.layers):
            block = flat[weight : weight + fan_in * fan_out]
            named[f"layers.{index}.weight"] = block.reshape(fan_in, fan_out)
            named[f"layers.{index}.bias"] = flat[bias : bias + fan_out]
        return named


def compile_program(config: "Config", data: Data) -> Program:
    """Lay out the arrays of a run, draw its start and compile what is not cached yet."""
    widths = config.model.widths(data.features, data.outputs)
    places = lay_out(widths, config.regularization.include_bias)
    dropout = config.regularization.rates(len(widths) - 2)
    examples = len(data.train)
    batch = config.training.examples_per_step(examples)
    steps_per_epoch = config.training.steps_per_epoch(examples)
    total = config.training.epochs * steps_per_epoch
    optimizer, dtype = config.optimizer, np.dtype(config.dtype)
    count = int(places.blocks[:, 1] @ places.blocks[:, 2])
    clipping = optimizer.clipping
    program = Program(
        config=config,
        data=data,
        examples=as_examples(data.train, data),
        test_examples=as_examples(data.test, data),
        parameters=Parameters(
            weights=draw_start(config, places, count, dtype),
            gradient=np.zeros(count, dtype),
            state=np.zeros(optimizer.state_slots() * count, dtype),
        ),
        places=places,
        numbers=Numbers(
            hyper=np.array(optimizer.hyper()),
            activation=np.array(config.model.nonlinearity().hyper()),
            penalty=np.array([config.regularization.l1, config.regularization.l2]),
            bounds=np.array(clipping.bounds() if clipping else [np.inf, -np.inf, np.inf]),
            dropout=np.array(dropout, dtype=np.float64),
        ),
        work=make_buffers(widths, batch, any(dropout), dtype),
        evaluation_work=make_buffers(widths, EVALUATION_ROWS, False, dtype),
        record=Record(*(np.zeros(LONGEST_CHUNK) for _ in Record._fields)),
        rates=learning_rates(optimizer.lr, config.scheduler, config.warmup, steps_per_epoch, total),
        steps_per_epoch=steps_per_epoch,
        batch_size=batch,
        rules=compile_rules(config, data),
    )
    compile_loops(program)
    return program


def lay_out(widths: list[int], include_bias: bool) -> Layers:
    """The tables of places: each layer's matrix, then its bias, in the layers' order."""
    layers, blocks, offset, units = [], [], 0, 0
    for fan_in, fan_out in pairwise(widths):
        bias = offset + fan_in * fan_out
        layers.append((fan_in, fan_out, offset, bias, units))
        blocks.append((offset, fan_in, fan_out, 1))
        blocks.append((bias, 1, fan_out, int(include_bias)))
        offset, units = bias + fan_out, units + fan_out
    return Layers(np.array(layers, dtype=np.int64), np.array(blocks, dtype=np.int64))


def draw_start(config: "Config", places: Layers, count: int, dtype: np.dtype) -> np.ndarray:
    """Initial weights; a layer's draw depends on the seed and its index, not on other layers.

    They are drawn in float64 and rounded, so a float32 run starts where a float64 run does; with
    one thread, for the bits of a decomposition depend on how many there are.
    """
    initializer, last = config.initialization, len(places.layers) - 1
    flat = np.zeros(count, dtype)
    for index, (fan_in, fan_out, weight, bias, _) in enumerate(places.layers):
        random = stream(config.seed, Purpose.START, index)
        follower = Identity() if index == last else config.model.nonlinearity()
        with threadpool_limits(limits=1, user_api="blas"):
            draw = initializer.draw(random, int(fan_in), int(fan_out))
        flat[weight:bias] = initializer.factor(follower) * draw.reshape(-1)
        flat[bias : bias + fan_out] = initializer.bias
    return flat


def make_buffers(widths: list[int], rows: int, dropout: bool, dtype: np.dtype) -> Buffers:
    """Room for batches of up to `rows`."""
    units = sum(widths[1:])
    masked = units if dropout else 0
    return Buffers(
        x=np.zeros((rows, widths[0]), dtype),
        z=np.zeros(rows * units, dtype),
        a=np.zeros(rows * units, dtype),
        mask=np.zeros(rows * masked, dtype),
        dropped=np.zeros(rows * masked, dtype),
        d=np.zeros(rows * units, dtype),
    )


def as_examples(split: Split, data: Data) -> Examples:
    """A split's storage as the loop reads it."""
    return Examples(split.storage.view(np.uint8), split.targets, data.shift, data.scale)


def compile_rules(config: "Config", data: Data) -> tuple[Any, ...]:
    """The dispatchers of this config's rules, compiled for their roles."""
    activation = config.model.nonlinearity()
    is_bytes = data.train.storage.dtype == np.uint8
    kernels = (
        gather_bytes if is_bytes else gather_reals,
        activation.forward,
        activation.backward,
        config.loss.loss,
        config.optimizer.rule(),
    )
    pairs = zip(kernels, roles(config.dtype), strict=True)
    return tuple(kernel.specialize(*role.signature.args) for kernel, role in pairs)


def compile_loops(program: Program) -> None:
    """Compile training and evaluation for the float type, or load them from the cache."""
    from numba import typeof, types

    gather, activate, backpropagate, loss, update = roles(program.config.dtype)
    examples, weights = typeof(program.examples), typeof(program.parameters.weights)
    places, work, numbers = typeof(program.places), typeof(program.work), typeof(program.numbers)
    integer, real = types.int64, types.float64
    train_steps.specialize(
        gather, activate, backpropagate, loss, update,
        examples, typeof(program.parameters), places, work, numbers,
        typeof(program.record), integer[::1], integer, integer, real[::1], integer, integer, real,
    )  # fmt: skip
    evaluate.specialize(
        gather, activate, loss, examples, weights, typeof(program.places.layers), work, numbers,
        integer[::1],
    )  # fmt: skip
