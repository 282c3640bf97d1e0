"""From config and data to a program: kernels, flat arrays and the rate of every step."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from optrun.data.augmentation.views import Views, draw_views, no_views
from optrun.data.prepare import Data
from optrun.data.splits import Split
from optrun.engine.arrays import Curves, Epoch, Examples, Numbers, Parameters, Record
from optrun.engine.batch import evaluate
from optrun.engine.gather import (
    gather_bytes,
    gather_reals,
    gather_viewed_bytes,
    gather_viewed_reals,
)
from optrun.engine.layout import (
    Layout,
    evaluation_shapes,
    lay_out,
    make_buffers,
    named_parts,
    training_shapes,
)
from optrun.engine.loop import train_steps
from optrun.engine.objective import BatchObjective, drive
from optrun.engine.roles import Roles, roles
from optrun.engine.start import draw_start
from optrun.nn.network import Buffers, Places
from optrun.nn.normalization import denormalize_nothing, normalize_nothing
from optrun.numerics.streams import Purpose, stream
from optrun.numerics.sums import norms
from optrun.optim.driver import Driver
from optrun.optim.schedule import Length
from optrun.optim.schedules import learning_rates

if TYPE_CHECKING:
    from optrun.config.schema import Config

EVALUATION_ROWS = 1000
LONGEST_CHUNK = 4096


@dataclass(frozen=True)
class Program:
    """Everything a run computes with. Only `parameters` and the rates change as it runs.

    Attributes:
        examples, test_examples: the rows of train and validation, and of test.
        parameters: weights, gradient and what goes with them.
        places: where layers and blocks lie in them.
        curves: what is known of every step beforehand.
        steps_per_epoch: optimizer steps in an epoch.
        rules: the dispatchers of the config's kernels, by their roles.
    """

    config: "Config"
    data: Data
    examples: Examples
    test_examples: Examples
    parameters: Parameters
    places: Places
    numbers: Numbers
    evaluation_numbers: Numbers
    work: Buffers
    evaluation_work: Buffers
    record: Record
    curves: Curves
    steps_per_epoch: int
    batch_size: int
    rules: Roles

    @cached_property
    def objective(self) -> BatchObjective | None:
        """What a driver asks; None for rules."""
        driver = self.config.optimizer
        return BatchObjective(self, driver) if isinstance(driver, Driver) else None

    @property
    def rates(self) -> np.ndarray:
        """Learning rate of every step of the run, float64 (steps,)."""
        return self.curves.rates

    def epoch(self, index: int) -> Epoch:
        """What the epoch of this index, counted from 0, trains on."""
        config, train = self.config, self.data.train
        order = stream(config.seed, Purpose.ORDER, index).permutation(train.indices)
        steps, shape = config.dataset.augmentation, self.data.image_shape
        return Epoch(
            order, draw_views(steps, shape, order.size, self.batch_size, config.seed, index)
        )

    @cached_property
    def crops(self) -> Views:
        """The crops that validation and test average over."""
        crops, shape = self.config.dataset.test_time, self.data.image_shape
        return crops.views(shape, EVALUATION_ROWS) if crops and shape else no_views()

    def run(self, step: int, count: int, epoch: Epoch, limit: float) -> int:
        """Run up to `count` steps from `step` on, all within the epoch given.

        Returns:
            Steps run, fewer than asked for only if a loss was not between −limit and `limit`.
            `record` holds what they report.
        """
        if self.objective is not None:
            return drive(self, self.objective, step, count, epoch, limit)
        return train_steps.compiled(
            *self.rules, self.examples, self.parameters, self.places, self.work, self.numbers,
            self.curves, self.record, epoch, self.batch_size, step % self.steps_per_epoch,
            step, count, self.config.seed, limit,
        )  # fmt: skip

    def evaluate(self, split: Split, weights: np.ndarray) -> tuple[float, float | None]:
        """(mean loss, accuracy) of weights on a split; no accuracy where there are no labels."""
        rules = self.rules
        examples = self.test_examples if split is self.data.test else self.examples
        total, hits = evaluate.compiled(
            rules.look, rules.normalize, rules.activate, rules.loss, examples, weights,
            self.places, self.evaluation_work, self.evaluation_numbers, split.indices,
            no_views() if split is self.data.train else self.crops,
        )  # fmt: skip
        return total / len(split), hits / len(split) if self.data.labelled else None

    def evaluation_weights(self) -> np.ndarray:
        """The weights that stand for the run now: not always those that gradients are taken at."""
        if self.parameters.slow.size:
            return self.parameters.slow
        weights, rule = self.parameters.weights, self.config.optimizer.rule
        if rule is None:
            return weights
        shown = weights.copy()
        for block in self.places.blocks:
            start, stop = block["start"], block["start"] + block["rows"] * block["columns"]
            state = self.parameters.state[block["state"] :][: block["slots"] * block["width"]]
            slots = state.reshape(block["slots"], block["width"])
            shown[start:stop] = rule.evaluated(weights[start:stop], slots)
        return shown

    def examples_in(self, steps: int) -> int:
        """Examples that the first `steps` steps of the run look at."""
        epochs, batches = divmod(steps, self.steps_per_epoch)
        per_epoch = min(len(self.data.train), self.steps_per_epoch * self.batch_size)
        return epochs * per_epoch + batches * self.batch_size

    def penalty(self, weights: np.ndarray) -> float:
        """What the penalties add to the loss."""
        l1, l2 = self.numbers.penalty
        total = 0.0
        for block in self.places.blocks:
            if block["penalized"] and (l1 or l2):
                w = weights[block["start"] :][: block["rows"] * block["columns"]]
                absolute, squares = norms(w)
                total += float(l1 * absolute + 0.5 * l2 * squares)
        return total

    def named_weights(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """A flat parameter array as `layers.0.weight` (fan_in, fan_out), `layers.0.bias`, …"""
        return named_parts(self.places, flat)


def compile_program(config: "Config", data: Data) -> Program:
    """Lay out the arrays of a run, draw its start and compile what is not cached yet."""
    dtype, regularization = np.dtype(config.dtype), config.regularization
    layout = lay_out(
        config.model, data.features, data.outputs, regularization.include_bias,
        config.optimizer.rule,
    )  # fmt: skip
    climbs, examples = config.optimizer.ascent() > 0, len(data.train)
    batch = config.training.examples_per_step(examples)
    steps_per_epoch = config.training.steps_per_epoch(examples)
    start = draw_start(config, layout.places, layout.total)
    numbers = make_numbers(config)
    program = Program(
        config=config,
        data=data,
        examples=as_examples(data.train, data),
        test_examples=as_examples(data.test, data),
        parameters=make_parameters(config, layout, start),
        places=layout.places,
        numbers=numbers,
        evaluation_numbers=numbers._replace(
            loss=np.array(config.objective.evaluation_hyper()),
            dropout=np.zeros_like(numbers.dropout),
        ),
        work=make_buffers(training_shapes(layout, batch, regularization, climbs), dtype),
        evaluation_work=make_buffers(evaluation_shapes(layout, EVALUATION_ROWS), dtype),
        record=Record(*(np.zeros(LONGEST_CHUNK) for _ in Record._fields)),
        curves=make_curves(config, batch, steps_per_epoch),
        steps_per_epoch=steps_per_epoch,
        batch_size=batch,
        rules=compile_rules(config, data),
    )
    compile_loops(program)
    return program


def make_parameters(config: "Config", layout: Layout, start: np.ndarray) -> Parameters:
    """The arrays of training at its start."""
    optimizer = config.optimizer
    looks_ahead, state = optimizer.lookahead()[0] > 0, np.zeros(layout.state, start.dtype)
    if isinstance(optimizer, Driver):
        state = np.zeros(optimizer.state_size(layout.parameters, layout.shapes()))
    return Parameters(
        weights=start,
        gradient=np.zeros(layout.parameters, start.dtype),
        state=state,
        slow=start.copy() if looks_ahead else start[:0].copy(),
        average=start.copy() if config.averaging else start[:0].copy(),
    )


def make_numbers(config: "Config") -> Numbers:
    """The numbers of training."""
    optimizer, rule = config.optimizer, config.optimizer.rule
    normalizer, regularization = config.model.normalizer(), config.regularization
    clipping = rule.clipping if rule else None
    hidden = len(config.model.widths(1, 1)) - 2
    return Numbers(
        hyper=np.array(rule.hyper() if rule else []),
        activation=np.array(config.model.nonlinearity().hyper()),
        normalization=np.array(normalizer.hyper() if normalizer else []),
        loss=np.array(config.objective.hyper()),
        dropout=np.array(regularization.rates(hidden), dtype=np.float64),
        penalty=np.array(regularization.penalties()),
        bounds=np.array(clipping.bounds() if clipping else [np.inf, -np.inf, np.inf]),
        noise=np.array(regularization.noise()),
        adversarial=np.array(regularization.adversary()),
        ascent=optimizer.ascent(),
        lookahead=np.array(optimizer.lookahead()),
        max_norm=regularization.max_norm or np.inf,
    )


def make_curves(config: "Config", batch: int, steps_per_epoch: int) -> Curves:
    """The rates, and what the weights of each step count for in their average."""
    total = config.training.epochs * steps_per_epoch
    lr = config.optimizer.rate * (batch / config.linear_scaling if config.linear_scaling else 1.0)
    rates = learning_rates(lr, config.scheduler, config.warmup, steps_per_epoch, total)
    averaging = config.averaging
    shares = averaging.shares(total, Length(steps_per_epoch, total)) if averaging else np.zeros(0)
    return Curves(rates, shares)


def as_examples(split: Split, data: Data) -> Examples:
    """A split's storage as the loop reads it."""
    none, dtype = np.zeros(0, np.int64), data.shift.dtype
    return Examples(
        storage=split.storage.view(np.uint8),
        labels=split.targets if data.labelled else none,
        values=np.zeros((0, 0), dtype) if data.labelled else split.targets,
        shift=data.shift,
        scale=data.scale,
    )


def compile_rules(config: "Config", data: Data) -> Roles:
    """The dispatchers of this config's rules, compiled for their roles."""
    activation, normalizer = config.model.nonlinearity(), config.model.normalizer()
    if normalizer is None or normalizer.of_weights:
        normalize, denormalize = normalize_nothing, denormalize_nothing
    else:
        normalize, denormalize = normalizer.normalize, normalizer.denormalize
    rule, is_bytes = config.optimizer.rule, data.train.storage.dtype == np.uint8
    viewed = gather_viewed_bytes if is_bytes else gather_viewed_reals
    plain = gather_bytes if is_bytes else gather_reals
    kernels = Roles(
        gather=viewed if config.dataset.augmentation else plain,
        look=viewed if config.dataset.test_time else plain,
        normalize=normalize,
        denormalize=denormalize,
        activate=activation.forward,
        backpropagate=activation.backward,
        loss=config.objective.loss,
        update=rule.variant() if rule else None,
    )
    pairs = zip(kernels, roles(config.dtype), strict=True)
    return Roles(
        *(kernel.specialize(*role.signature.args) if kernel else None for kernel, role in pairs)
    )


def compile_loops(program: Program) -> None:
    """Compile training and evaluation for the float type, or load them from the cache.

    Drivers take their steps in Python, and compile what they ask for themselves.
    """
    from numba import typeof, types

    rules = roles(program.config.dtype)
    examples, weights = typeof(program.examples), typeof(program.parameters.weights)
    places, work, numbers = typeof(program.places), typeof(program.work), typeof(program.numbers)
    integer, real, rows = types.int64, types.float64, types.int64[::1]
    if program.objective is None:
        train_steps.specialize(
            *rules, examples, typeof(program.parameters), places, work, numbers,
            typeof(program.curves), typeof(program.record),
            typeof(Epoch(program.data.train.indices, no_views())),
            integer, integer, integer, integer, integer, real,
        )  # fmt: skip
    evaluate.specialize(
        rules.look, rules.normalize, rules.activate, rules.loss, examples, weights, places,
        work, numbers, rows, typeof(no_views()),
    )  # fmt: skip
