"""When a run has diverged, and what probably made it."""

import math
from dataclasses import replace

import numpy as np

from optrun.engine.program import Program
from optrun.settings import value_text

EXPLOSION = 1e4
LARGE_INPUT = 10.0


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
    """The divergence at `step`, with its likely cause in words."""
    what = f"the loss exploded to {loss:.3g}" if math.isfinite(loss) else f"the loss became {loss}"
    return Divergence(step, f"{what}; likely cause: {likely_cause(program, step)}")


def likely_cause(program: Program, step: int) -> str:
    """What most probably made training diverge, and the remedy."""
    config, rates = program.config, program.rates
    largest = largest_input(program)
    if not math.isfinite(largest):
        return "the data holds values that are not finite numbers"
    if largest > LARGE_INPUT:
        return (
            f"inputs as large as {largest:.3g}; add `rescale` or `standardize` to "
            "dataset.preprocessing"
        )
    if step == 0:
        start = config.initialization
        weights = f"the weights of `{start.name}`" if start else "the parameters"
        return f"the start: {weights} are too large; choose another"
    rate = rates[min(step, rates.size) - 1]
    l1, l2 = config.regularization.penalties()
    l1 = 0.0 if config.regularization.proximal_key() else l1  # a threshold stops at 0
    if max(l1, l2) >= 1 and rate * max(l1, l2) >= 1:
        penalties = f"l1={value_text(l1)} and l2={value_text(l2)}"
        return (
            f"penalties of {penalties} overshoot at a learning rate of {rate:.3g}; "
            "lower regularization"
        )
    optimizer = config.optimizer
    base = optimizer.rule or optimizer
    if "lr" not in type(base).model_fields:
        return "the objective itself; look at data and regularization"
    key = "optimizer.lr" if base is optimizer else "optimizer.base.lr"
    lower = min(optimizer.rate / 10, type(base).model_fields["lr"].default)
    name = optimizer.name
    return f"a learning rate of {rate:.3g} is too high for {name} here; try {key}={lower:.1g}"


def largest_input(program: Program) -> float:
    """The largest absolute value among the features of the first training examples."""
    train = program.data.train
    return float(np.abs(replace(train, indices=train.indices[:256]).x).max(initial=0.0))
