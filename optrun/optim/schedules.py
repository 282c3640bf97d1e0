"""The learning rate of every step of a run, known before training begins."""

import numpy as np

from optrun.component import table
from optrun.optim.cycles import Cyclic, OneCycle, WarmRestarts, WarmupStableDecay
from optrun.optim.decays import (
    Constant,
    Cosine,
    Exponential,
    InverseSqrt,
    InverseTime,
    Linear,
    NaturalExponential,
    Piecewise,
    Polynomial,
    Step,
)
from optrun.optim.plateau import Plateau
from optrun.optim.schedule import Length, Schedule
from optrun.optim.warmup import Warmup


def learning_rates(
    lr: float, schedule: Schedule, warmup: Warmup | None, steps_per_epoch: int, total: int
) -> np.ndarray:
    """The rate of every step of a run: warmup, then the schedule over what is left.

    Args:
        lr: the optimizer's rate α₀.
        schedule: how the rate changes after the warmup; its shares of the run are shares of the
            steps after warmup.
        warmup: the climb in front of it, or None. Its shares are shares of the whole run.
        steps_per_epoch: optimizer steps in an epoch.
        total: optimizer steps in the run.

    Returns:
        float64 (total,).
    """
    climb = min(warmup.duration.steps(steps_per_epoch, total), total) if warmup else 0
    shared = 1 if climb and schedule.begins_in_warmup else 0
    steps, length = total - climb + shared, Length(steps_per_epoch, total - climb)
    rest = schedule.rates(lr, steps, length)[shared:]
    if not warmup or not climb:
        return rest
    return np.concatenate([lr * warmup.factors(climb), rest])


SCHEDULES: dict[str, type[Schedule]] = table(
    [
        Constant,
        Step,
        Piecewise,
        Exponential,
        NaturalExponential,
        InverseTime,
        InverseSqrt,
        Linear,
        Polynomial,
        Cosine,
        WarmRestarts,
        Cyclic,
        OneCycle,
        WarmupStableDecay,
        Plateau,
    ]
)
