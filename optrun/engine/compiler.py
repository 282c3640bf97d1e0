"""From config and data to a program: kernels, flat arrays and the rate of every step."""

from typing import TYPE_CHECKING

import numpy as np

from optrun.data.augmentation.views import no_views
from optrun.data.prepare import Data
from optrun.data.splits import Split
from optrun.engine.arrays import Curves, Epoch, Examples, Numbers, Parameters, Record
from optrun.engine.batch import evaluate, gather_statistics
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
    training_shapes,
)
from optrun.engine.loop import train_steps
from optrun.engine.program import EVALUATION_ROWS, LONGEST_CHUNK, Program
from optrun.engine.roles import Roles, roles
from optrun.engine.start import draw_start
from optrun.nn.normalization import denormalize_nothing, normalize_nothing
from optrun.numerics.blas import small_product
from optrun.optim.driver import Driver
from optrun.optim.schedule import Length
from optrun.optim.schedules import learning_rates

if TYPE_CHECKING:
    from optrun.config.schema import Config


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
        threshold=regularization.threshold() * (rule.gain if rule else 1.0),
        bounds=np.array(clipping.bounds() if clipping else [np.inf, -np.inf, np.inf]),
        noise=np.array(regularization.noise()),
        adversarial=np.array(regularization.adversary()),
        ascent=optimizer.ascent(),
        lookahead=np.array(optimizer.lookahead()),
        max_norm=regularization.max_norm or np.inf,
        small=small_product(),
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
        low=data.low,
        high=data.high,
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
            *rules.of_steps(), examples, typeof(program.parameters), places, work, numbers,
            typeof(program.curves), typeof(program.record),
            typeof(Epoch(program.data.train.indices, no_views())),
            integer, integer, integer, integer, integer, real, integer,
        )  # fmt: skip
    evaluate.specialize(
        rules.look, rules.normalize, rules.activate, rules.loss, examples, weights, places,
        work, numbers, rows, typeof(no_views()),
    )  # fmt: skip
    if program.has_statistics and program.shows_other_weights:
        gather_statistics.specialize(
            rules.look, rules.normalize, rules.activate, examples, weights, places, work, numbers,
            rows, integer, typeof(no_views()),
        )  # fmt: skip
