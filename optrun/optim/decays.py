"""Schedules that fall, or stay, from the first step to the last; simplest first.

Here α₀ is the optimizer's `lr`, t counts steps from 0 at the first step after warmup, as in
PyTorch's SequentialLR, and T is the number of those steps. So a linear warmup has the rate α₀ at
its last step, and the schedule has it at the next. `inverse_sqrt` alone counts from the last step
of the warmup.
"""

import math
from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import NonNegative, Positive
from optrun.durations import DurationField
from optrun.optim.schedule import ONE_STEP, WHOLE, Factor, Length, Place, Schedule, progress


class Constant(Schedule):
    """The same rate throughout.

    α_t = α₀
    """

    name: Literal["constant"] = "constant"

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        return np.full(steps, lr)


class Decaying(Schedule):
    """A share of the rate that time alone decides, and that no floor holds up."""

    @abstractmethod
    def shares(self, t: np.ndarray, length: Length) -> np.ndarray:
        """α_t/α₀ at the steps t, counted from 0; float64."""

    @abstractmethod
    def gentler(self, share: float, length: Length) -> str:
        """The field that makes the last step's share this one, as it is written."""

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        return lr * self.shares(np.arange(steps), length)


class Step(Decaying):
    """A cut by a constant factor at regular intervals.

    α_t = α₀·γ^⌊t/s⌋

    γ is `gamma`, s is `every`.
    """

    name: Literal["step"] = "step"
    every: DurationField
    """s, the time from one cut to the next."""
    gamma: Factor = 0.1
    """γ, what the rate is multiplied by at a cut."""

    def shares(self, t: np.ndarray, length: Length) -> np.ndarray:
        return self.gamma ** (t // length(self.every))

    def gentler(self, share: float, length: Length) -> str:
        return f"gamma: {share ** (1 / max((length.total - 1) // length(self.every), 1)):.4g}"


class Piecewise(Schedule):
    """Constant between milestones, with a chosen share of the rate after each.

        α_t = α₀ before T₁,   β_k·α₀ from T_k on

    T_k are `milestones`, β_k are `factors`, each of α₀ and not of the rate before it: PyTorch's
    MultiStepLR with gamma 0.1 has the factors 0.1, 0.01, ….
    """

    name: Literal["piecewise"] = "piecewise"
    milestones: Annotated[list[DurationField], Field(min_length=1)]
    """T_k, when the rate changes, one after the other."""
    factors: Annotated[list[Positive], Field(min_length=1)]
    """β_k, what α₀ is multiplied by from each milestone on."""

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        starts = [length(milestone) for milestone in self.milestones]
        passed = np.searchsorted(starts, np.arange(steps), side="right")
        return lr * np.array([1.0, *self.factors])[passed]

    def problems(self, length: Length) -> Iterator[tuple[Place, str, str]]:
        given, wanted = len(self.factors), len(self.milestones)
        if given != wanted:
            message = f"gives {given}, but `milestones` gives {wanted}"
            yield ("factors",), message, "write one factor for each milestone"
        for i in range(1, wanted):
            before, now = self.milestones[i - 1], self.milestones[i]
            if length(now) <= length(before):
                message = (
                    f"`{now}` (step {length(now)}) does not come after `{before}` "
                    f"(step {length(before)})"
                )
                yield ("milestones", i), message, "write milestones in the order of time"


class Exponential(Decaying):
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

    paces = frozenset({"every"})

    def shares(self, t: np.ndarray, length: Length) -> np.ndarray:
        return self.gamma ** (t / length(self.every))

    def gentler(self, share: float, length: Length) -> str:
        return f"gamma: {share ** (length(self.every) / length.total):.6g}"


class NaturalExponential(Decaying):
    """A smooth geometric decay, written with e.

    α_t = α₀·e^(−βt/s)

    β is `beta`, s is `every`, the unit that β counts time in.
    """

    name: Literal["natural_exponential"] = "natural_exponential"
    beta: NonNegative
    """β, the speed of the decay, per `every`."""
    every: DurationField = ONE_STEP
    """s, the time over which the rate falls by e^(−β)."""

    paces = frozenset({"every"})

    def shares(self, t: np.ndarray, length: Length) -> np.ndarray:
        return np.exp(-self.beta * t / length(self.every))

    def gentler(self, share: float, length: Length) -> str:
        return f"beta: {-math.log(share) * length(self.every) / length.total:.4g}"


class InverseTime(Decaying):
    """Decay with the inverse of time.

    α_t = α₀/(1 + βt/s)

    β is `beta`, s is `every`, the unit that β counts time in.
    """

    name: Literal["inverse_time"] = "inverse_time"
    beta: NonNegative
    """β, the speed of the decay, per `every`."""
    every: DurationField = ONE_STEP
    """s, the time over which the divisor grows by β."""

    paces = frozenset({"every"})

    def shares(self, t: np.ndarray, length: Length) -> np.ndarray:
        return 1 / (1 + self.beta * t / length(self.every))

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        return lr / (1 + self.beta * np.arange(steps) / length(self.every))

    def gentler(self, share: float, length: Length) -> str:
        return f"beta: {(1 / share - 1) * length(self.every) / length.total:.4g}"


class InverseSqrt(Schedule):
    """Decay with the root of time.

    α_t = α₀·√(k/(t + k))

    k is `offset`, and t is 0 at the last step of the warmup, or at the first step of a run without
    one. By default α_t = α₀/√(t + 1). With `offset: 1 epochs` the rate falls with the root of the
    epoch. With an offset of k steps behind a linear warmup of as many, α_t = α₀·√(k/step) with
    steps counted from 1, the Transformer's schedule (Vaswani et al. 2017).
    """

    name: Literal["inverse_sqrt"] = "inverse_sqrt"
    offset: DurationField = ONE_STEP
    """k, the time counted as gone by at the beginning."""

    paces = frozenset({"offset"})
    begins_in_warmup = True

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        return lr / np.sqrt(1 + np.arange(steps) / length(self.offset))


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


class Polynomial(Schedule):
    """A fall to a floor along a power of the time left.

    α_t = α_min + (α₀ − α_min)·(1 − t/T)^p,   α_min from t = T on

    p is `power`, α_min is `min`, T is `over`. PyTorch's PolynomialLR has no floor.
    """

    name: Literal["polynomial"] = "polynomial"
    power: Positive
    """p: 1 is a straight line, more falls fast at first, less falls fast at last."""
    over: DurationField = WHOLE
    """T, the length of the fall."""
    min: NonNegative = 0.0
    """α_min, the rate the fall ends at."""

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        left = 1 - progress(steps, length(self.over))
        return self.min + (lr - self.min) * left**self.power


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
