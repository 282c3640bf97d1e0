"""Averages of the weights over the steps, evaluated and chosen by themselves.

After every step t

    a ← a + c_t·(w − a)

with the shares c_t of the whole run in one array. There is an average from the first step on whose
share is not 0; that share is 1. Running statistics of normalization are averaged too, and computed
on the training examples wherever the average is evaluated.
"""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import Component, table
from optrun.durations import Duration, DurationField
from optrun.numerics.flat import copy
from optrun.numerics.jit import kernel
from optrun.optim.schedule import ONE_STEP, Length


class Averaging(Component):
    """What the weights of each step count for."""

    @abstractmethod
    def shares(self, steps: int, length: Length) -> np.ndarray:
        """c_t for t = 1, …, steps, float64 (steps,)."""

    def problems(self, length: Length) -> dict[str, str]:
        """What is wrong with it in a run of this length, by the field to change."""
        return {}


class EMA(Averaging):
    """Exponential moving average.

        a ← βa + (1−β)w,   a = w at the first step

    β is `decay`. Polyak & Juditsky 1992 for the plain mean; PyTorch's get_ema_multi_avg_fn.
    """

    name: Literal["ema"] = "ema"
    decay: Annotated[float, Field(gt=0, lt=1)] = 0.999
    """β, the share of the average kept at each step."""

    def shares(self, steps: int, length: Length) -> np.ndarray:
        shares = np.full(steps, 1.0 - self.decay)
        shares[:1] = 1.0
        return shares


class SWA(Averaging):
    """Stochastic weight averaging: the plain mean of some of the last weights.

        a ← a + (w − a)/(m + 1)   at every `every` from `start` on, m averaged before

    Before that, there is no average. Izmailov et al. 2018; PyTorch's get_swa_multi_avg_fn.
    """

    name: Literal["swa"] = "swa"
    start: DurationField = Duration(0.75, "fraction")
    """How much of the run passes before weights are averaged."""
    every: DurationField = ONE_STEP
    """How long it takes from one to the next."""

    def problems(self, length: Length) -> dict[str, str]:
        start, every = length(self.start), max(length(self.every), 1)
        if start >= length.total:
            return {"start": f"`{self.start}` leaves none of the {length.total} steps to average"}
        if start + every > length.total:
            left = length.total - start
            return {"every": f"`{self.every}` is longer than the {left} steps after `start`"}
        return {}

    def shares(self, steps: int, length: Length) -> np.ndarray:
        start, every = length(self.start), max(length(self.every), 1)
        shares = np.zeros(steps)
        taken = shares[start + every - 1 :: every]
        taken[:] = 1.0 / np.arange(1, taken.size + 1)
        return shares


AVERAGES: dict[str, type[Averaging]] = table([EMA, SWA])


@kernel
def average(a, w, share):
    """a ← a + share·(w − a)."""
    if share >= 1.0:
        copy(w, a)
    elif share > 0.0:
        c = a.dtype.type(share)
        for i in range(a.size):
            a[i] += c * (w[i] - a[i])
