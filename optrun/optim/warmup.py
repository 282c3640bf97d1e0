"""Warmup: how the rate climbs before the schedule begins."""

from abc import abstractmethod
from typing import Literal

import numpy as np

from optrun.component import Component, Decay, table
from optrun.durations import DurationField


class Warmup(Component):
    """A climb to the full rate over the first W steps."""

    duration: DurationField
    """W, the length of the climb."""

    @abstractmethod
    def factors(self, steps: int) -> np.ndarray:
        """What the rate is multiplied by at each of the first `steps` steps, ending at 1."""


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


WARMUPS: dict[str, type[Warmup]] = table([LinearWarmup])
