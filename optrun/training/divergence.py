"""When a run has diverged, what probably made it, and what might help.

A cause is a function that looks for its evidence and, where it finds it, says what it is and which
remedies the config lacks. The first in `CAUSES` that finds any is told.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optrun.config.schema import Config
from optrun.data.objective import Objective
from optrun.data.preprocessing import Rescale, Standardize
from optrun.data.whitening import Whitening
from optrun.engine.program import Program
from optrun.optim.descent import Momentum, Nesterov
from optrun.optim.optimizer import Optimizer
from optrun.optim.schedule import Length
from optrun.settings import value_text

EXPLOSION = 1e4
LARGE_INPUT = 10.0
EARLY = 0.05
"""Of the run: where warmup acts."""
DEEP = 4
"""Hidden layers from which on normalization is suggested."""
HEAVY = 0.95
"""Momentum above it multiplies the rate by more than 20."""
USUAL = 10
"""Times the default of a rate; one that is higher is suspected first."""


class Divergence(Exception):
    """Training cannot go on: the loss is not finite, or has exploded."""

    def __init__(self, step: int, reason: str):
        super().__init__(reason)
        self.step = step
        self.reason = reason


def loss_limit(initial_loss: float) -> float:
    """The batch loss that counts as exploded: 10⁴ times the loss before training, at least 10⁴."""
    return EXPLOSION * max(1.0, initial_loss)


def diagnose(program: Program, loss: float, step: int) -> Divergence:
    """The divergence at `step`, with its likely cause and what might help."""
    cause = likely_cause(Evidence(program, loss, step))
    remedies = f"; {' or '.join(cause.remedies)}" if cause.remedies else ""
    return Divergence(step, f"{what_happened(loss)}; {cause.sentence}{remedies}")


def what_happened(loss: float) -> str:
    """What the loss did, in words."""
    if not math.isfinite(loss):
        return f"the loss became {loss}"
    return f"the loss {'exploded' if loss > 0 else 'fell'} to {loss:.3g}"


@dataclass(frozen=True)
class Evidence:
    """What is known of a run that has diverged.

    Attributes:
        program: of the run.
        loss: the last one.
        step: steps done.
    """

    program: Program
    loss: float
    step: int

    @property
    def config(self) -> Config:
        return self.program.config

    @property
    def rate(self) -> float:
        """Learning rate of the last step, NaN where there is none."""
        rates = self.program.rates
        return float(rates[min(max(self.step, 1), rates.size) - 1]) if rates.size else math.nan

    @property
    def stepper(self) -> Optimizer:
        """The optimizer that has the rate; for one that wraps another, that one."""
        return self.config.optimizer.rule or self.config.optimizer

    @property
    def stepper_key(self) -> str:
        """Where it stands in the config."""
        return "optimizer" if self.stepper is self.config.optimizer else "optimizer.base"

    @property
    def is_early(self) -> bool:
        return self.step <= max(EARLY * self.program.rates.size, 1)

    @property
    def climbs(self) -> bool:
        """Whether the rate climbs at first, by warmup or by its schedule."""
        program = self.program
        length = Length(program.steps_per_epoch, program.rates.size)
        return bool(self.config.warmup or self.config.scheduler.own_climb(length))

    @property
    def is_usual(self) -> bool:
        """Whether the rate is near the optimizer's default, so that it is not the first suspect."""
        return not self.rate > USUAL * default_rate(self.stepper)

    @property
    def hidden(self) -> int:
        """Hidden layers of the model."""
        return max(len(self.config.model.widths(1, 1)) - 2, 0)

    @cached_property
    def largest_input(self) -> float:
        """The largest absolute value among the features of the first training examples."""
        train = self.program.data.train
        return float(np.abs(replace(train, indices=train.indices[:256]).x).max(initial=0.0))


@dataclass(frozen=True)
class Cause:
    """Why a run may have diverged, and overrides or settings that may help."""

    sentence: str
    remedies: tuple[str, ...] = ()


def likely_cause(evidence: Evidence) -> Cause:
    """The first cause that there is evidence of."""
    found = (cause(evidence) for cause in CAUSES)
    return next((cause for cause in found if cause), OBJECTIVE)


def broken_data(evidence: Evidence) -> Cause | None:
    if math.isfinite(evidence.largest_input):
        return None
    return Cause("likely cause: the data holds values that are not finite numbers")


def no_lower_bound(evidence: Evidence) -> Cause | None:
    """The loss went down and down, or the last step overflowed on the way."""
    dataset = evidence.config.dataset
    if not isinstance(dataset, Objective) or dataset.bounded or evidence.loss > 0:
        return None
    before = evidence.program.record.loss
    falls = evidence.loss < 0 or float(np.nanmin(before[np.isfinite(before)], initial=0.0)) < 0
    kind = getattr(dataset, "kind", dataset.name)
    sentence = f"`{kind}` has no lower bound, so the loss falls for ever; this is what it shows"
    return Cause(sentence) if falls else None


def large_inputs(evidence: Evidence) -> Cause | None:
    """Inputs that nothing scales, or that steps without a bound blow up."""
    largest, dataset = evidence.largest_input, evidence.config.dataset
    if largest <= LARGE_INPUT:
        return None
    sentence = f"likely cause: inputs as large as {largest:.3g}"
    for position, step in enumerate(dataset.preprocessing):
        if isinstance(step, Standardize | Whitening) and step.clip is None and evidence.is_usual:
            what = f"{sentence}, which `{step.name}` makes of rare values"
            return Cause(what, (f"try dataset.preprocessing.{position}.clip=10",))
    if any(step.name in SCALING for step in dataset.preprocessing):
        return None
    if dataset.stored.is_bytes and not any(isinstance(s, Rescale) for s in dataset.preprocessing):
        return Cause(sentence, ("add `rescale` or `standardize` to dataset.preprocessing",))
    return Cause(sentence, ("add `standardize` to dataset.preprocessing",))


def start_too_large(evidence: Evidence) -> Cause | None:
    if evidence.step > 0:
        return None
    start = evidence.config.initialization
    if start is None:
        return Cause("likely cause: the loss is too large at the start", ("set `dataset.start`",))
    sentence = f"likely cause: the start: the weights of `{start.name}` are too large"
    return Cause(sentence, ("choose another",))


def overshooting_penalty(evidence: Evidence) -> Cause | None:
    l1, l2 = evidence.config.regularization.penalties()
    l1 = 0.0 if evidence.config.regularization.proximal_key() else l1  # a threshold stops at 0
    if not max(l1, l2) >= 1 or not evidence.rate * max(l1, l2) >= 1:
        return None
    sentence = (
        f"likely cause: penalties of l1={value_text(l1)} and l2={value_text(l2)} overshoot at a "
        f"learning rate of {evidence.rate:.3g}"
    )
    return Cause(sentence, ("lower regularization",))


def undamped_curvature(evidence: Evidence) -> Cause | None:
    """Second-order steps, which are as long as the curvature is small."""
    damping = getattr(evidence.config.optimizer, "damping", None)
    if damping is None or not evidence.is_usual:
        return None
    sentence = f"likely cause: steps of `{evidence.config.optimizer.name}` where curvature is small"
    return Cause(sentence, (f"try optimizer.damping={max(10 * damping, 0.1):.1g}",))


def scaled_rate(evidence: Evidence) -> Cause | None:
    """A rate that linear scaling has made larger than the default ever is."""
    config, base = evidence.config, evidence.config.linear_scaling
    factor = evidence.program.batch_size / base if base else 1.0
    if factor < 2 or config.optimizer.rate > USUAL * default_rate(evidence.stepper):
        return None
    sentence = (
        f"likely cause: a learning rate of {evidence.rate:.3g}, which `linear_scaling` made of "
        f"{config.optimizer.rate:.3g}"
    )
    return Cause(sentence, ("remove `linear_scaling`", *further_remedies(evidence)))


def heavy_momentum(evidence: Evidence) -> Cause | None:
    momentum = getattr(evidence.stepper, "momentum", 0.0)
    is_damped = getattr(evidence.stepper, "dampening", 0.0) > 0
    if not isinstance(evidence.stepper, Momentum | Nesterov) or not evidence.is_usual:
        return None
    if momentum <= HEAVY or is_damped:
        return None
    sentence = (
        f"likely cause: a momentum of {momentum:g} multiplies the learning rate of "
        f"{evidence.rate:.3g} by {1 / (1 - momentum):.0f}"
    )
    return Cause(sentence, (f"try {evidence.stepper_key}.momentum=0.9", lower_rate(evidence)))


def rate_too_high(evidence: Evidence) -> Cause | None:
    if "lr" not in type(evidence.stepper).model_fields:
        return None
    sentence = (
        f"likely cause: a learning rate of {evidence.rate:.3g} is too high for "
        f"{evidence.config.optimizer.name} here"
    )
    remedies = (f"try {lower_rate(evidence)}", *further_remedies(evidence))
    return Cause(sentence, remedies)


def lower_rate(evidence: Evidence) -> str:
    """The override that lowers the rate to what the optimizer is used to, or by a factor of 10."""
    lower = min(evidence.config.optimizer.rate / 10, default_rate(evidence.stepper))
    return f"{evidence.stepper_key}.lr={lower:.1g}"


def default_rate(stepper: Optimizer) -> float:
    field = type(stepper).model_fields.get("lr")
    return float(field.default) if field else math.nan


def further_remedies(evidence: Evidence) -> Iterator[str]:
    """What else keeps steps of a usual rate from exploding, as far as the config lacks it."""
    config, stepper = evidence.config, evidence.stepper
    if config.dataset.own_objective or not evidence.is_usual:
        return
    if evidence.is_early and not evidence.climbs and not stepper.ignores_schedule:
        yield "`warmup={name: linear, duration: 10%}`"
    if getattr(stepper, "clipping", False) is None and not evidence.is_early:
        yield f"`{evidence.stepper_key}.clipping.by_norm=1`"
    if evidence.hidden >= DEEP and config.model.normalizer() is None:
        yield "`model.normalization=layer`"


OBJECTIVE = Cause("likely cause: the objective itself; look at data and regularization")
SCALING = {"standardize", "min_max", "contrast_normalize", "pca_whiten", "zca_whiten"}
"""Preprocessing after which large inputs are rare ones."""

CAUSES: tuple[Callable[[Evidence], Cause | None], ...] = (
    broken_data,
    no_lower_bound,
    large_inputs,
    start_too_large,
    overshooting_penalty,
    undamped_curvature,
    scaled_rate,
    heavy_momentum,
    rate_too_high,
)
