"""Warmup: how the rate climbs before the schedule begins."""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import Component, Decay, table
from optrun.durations import DurationField

Share = Annotated[float, Field(gt=0, lt=1)]


class Warmup(Component):
    """A lower rate over the first W steps."""

    duration: DurationField
    """W, the length of the warmup."""

    @abstractmethod
    def factors(self, steps: int) -> np.ndarray:
        """What the rate is multiplied by at each of the first `steps` steps, never 0."""


class ConstantWarmup(Warmup):
    """A share of the rate, then all of it at once.

        α_t = f·α₀,   t = 1…W

    f is `factor`. He et al. 2016 begin so, with a tenth. PyTorch's ConstantLR.
    """

    name: Literal["constant"] = "constant"
    factor: Share = 0.1
    """f, the share of the rate during the warmup."""

    def factors(self, steps: int) -> np.ndarray:
        return np.full(steps, self.factor)


class LinearWarmup(Warmup):
    """A straight climb from a share of the rate to all of it.

        α_t = α₀·(s + (1−s)·t/W),   t = 1…W

    s is `start`. With s = 0 the first step has rate α₀/W, never 0. Goyal et al. 2017.
    """

    name: Literal["linear"] = "linear"
    start: Decay = 0.0
    """s, the share of the rate the climb sets out from."""

    def factors(self, steps: int) -> np.ndarray:
        t = np.arange(1, steps + 1)
        return self.start + (1 - self.start) * t / steps


class ExponentialWarmup(Warmup):
    """A climb that multiplies the rate by the same factor at every step.

        α_t = α₀·s^(1 − t/W),   t = 1…W

    s is `start`; the step before the first would have had rate s·α₀.
    """

    name: Literal["exponential"] = "exponential"
    start: Share = 0.01
    """s, the share of the rate the climb sets out from."""

    def factors(self, steps: int) -> np.ndarray:
        t = np.arange(1, steps + 1)
        return self.start ** (1 - t / max(steps, 1))


WARMUPS: dict[str, type[Warmup]] = table([ConstantWarmup, LinearWarmup, ExponentialWarmup])
