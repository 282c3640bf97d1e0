"""Learning-rate schedules, simplest first.

A schedule gives the rate of every step before training begins. Here α₀ is the optimizer's `lr`,
t counts steps from 0 at the first step after warmup, and T is the number of those steps.
"""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import Component, NonNegative, table
from optrun.durations import Duration, DurationField
from optrun.optim.warmup import Warmup

WHOLE = Duration(1.0, "fraction")
ONE_STEP = Duration(1.0, "steps")
Factor = Annotated[float, Field(gt=0, le=1)]


class Schedule(Component):
    """The rate as a function of time."""

    @abstractmethod
    def rates(self, lr: float, steps: int, length: "Length") -> np.ndarray:
        """The rate at each of `steps` steps that set out from `lr`, float64 (steps,)."""


class Length:
    """Turns durations into steps for one run: its steps per epoch and those after warmup."""

    def __init__(self, steps_per_epoch: int, total: int):
        self.steps_per_epoch = steps_per_epoch
        self.total = total

    def __call__(self, duration: Duration) -> int:
        return duration.steps(self.steps_per_epoch, self.total)


class Constant(Schedule):
    """The same rate throughout.

    α_t = α₀
    """

    name: Literal["constant"] = "constant"

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        return np.full(steps, lr)


class Step(Schedule):
    """A cut by a constant factor at regular intervals.

    α_t = α₀·γ^⌊t/s⌋

    γ is `gamma`, s is `every`.
    """

    name: Literal["step"] = "step"
    every: DurationField
    """s, the time from one cut to the next."""
    gamma: Factor = 0.1
    """γ, what the rate is multiplied by at a cut."""

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        return lr * self.gamma ** (np.arange(steps) // length(self.every))


class Exponential(Schedule):
    """A smooth geometric decay.

    α_t = α₀·β^(t/s)

    β is `gamma`, s is `every`: the rate is multiplied by β over each s. With `every: 1 epochs`
    it meets PyTorch's ExponentialLR, stepped once an epoch, at the epochs' beginnings.
    """

    name: Literal["exponential"] = "exponential"
    gamma: Factor
    """β, what the rate is multiplied by over `every`."""
    every: DurationField = ONE_STEP
    """s, the time over which the rate falls by β."""

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        return lr * self.gamma ** (np.arange(steps) / length(self.every))


class InverseSqrt(Schedule):
    """Decay with the root of the step.

    α_t = α₀/√(t + 1)
    """

    name: Literal["inverse_sqrt"] = "inverse_sqrt"

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        return lr / np.sqrt(np.arange(1, steps + 1))


class Linear(Schedule):
    """A straight fall to a floor.

    α_t = α_min + (α₀ − α_min)·(1 − t/T),   α_min from t = T on

    α_min is `min`, T is `over`.
    """

    name: Literal["linear"] = "linear"
    over: DurationField = WHOLE
    """T, the length of the fall."""
    min: NonNegative = 0.0
    """α_min, the rate the fall ends at."""

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        return self.min + (lr - self.min) * (1 - progress(steps, length(self.over)))


class Cosine(Schedule):
    """Half a cosine from the rate to a floor.

    α_t = α_min + ½(α₀ − α_min)(1 + cos(πt/T)),   α_min from t = T on

    α_min is `min`, T is `over`. Loshchilov & Hutter 2017, without restarts.
    """

    name: Literal["cosine"] = "cosine"
    over: DurationField = WHOLE
    """T, the length of the fall."""
    min: NonNegative = 0.0
    """α_min, the rate the fall ends at."""

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        wave = (1 + np.cos(np.pi * progress(steps, length(self.over)))) / 2
        return self.min + (lr - self.min) * wave


def progress(steps: int, over: int) -> np.ndarray:
    """t/T at each step, no more than 1."""
    return np.minimum(np.arange(steps) / max(over, 1), 1.0)


def learning_rates(
    lr: float, schedule: Schedule, warmup: Warmup | None, steps_per_epoch: int, total: int
) -> np.ndarray:
    """The rate of every step of a run: warmup, then the schedule over what is left.

    Args:
        lr: the optimizer's rate α₀.
        schedule: how the rate falls after the warmup; its shares of the run are shares of the
            steps after warmup.
        warmup: the climb in front of it, or None. Its shares are shares of the whole run.
        steps_per_epoch: optimizer steps in an epoch.
        total: optimizer steps in the run.

    Returns:
        float64 (total,).
    """
    climb = min(warmup.duration.steps(steps_per_epoch, total), total) if warmup else 0
    rest = schedule.rates(lr, total - climb, Length(steps_per_epoch, total - climb))
    if not warmup or not climb:
        return rest
    return np.concatenate([lr * warmup.factors(climb), rest])


SCHEDULES: dict[str, type[Schedule]] = table(
    [Constant, Step, Exponential, InverseSqrt, Linear, Cosine]
)
