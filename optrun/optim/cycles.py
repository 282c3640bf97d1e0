"""Schedules with rises, restarts or phases.

Here α₀ is the optimizer's `lr`, the highest rate; t counts steps from 0 at the first step after
warmup, as in PyTorch's SequentialLR, and T is the number of those steps.
"""

from collections.abc import Callable, Iterator
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import Count, NonNegative, Positive
from optrun.durations import Duration, DurationField
from optrun.optim.schedule import Factor, Length, Place, Schedule

Ratio = Annotated[float, Field(ge=1)]
ANNEALING: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda p: p,
    "cosine": lambda p: (1 - np.cos(np.pi * p)) / 2,
    "sqrt": np.sqrt,
}
"""The share of the way from one rate to the next, at the share p of the time between them."""


class WarmRestarts(Schedule):
    """Cosines from the rate to a floor, one after the other, each begun afresh (SGDR).

        α_t = α_min + ½(α₀ − α_min)(1 + cos(πu/T_i)),   T_i = T₀·m^i

    u counts steps from 0 at the last restart, T₀ is `period`, m is `t_mult`, α_min is `min`.
    Loshchilov & Hutter 2017. PyTorch's CosineAnnealingWarmRestarts, where it is T_0, T_mult and
    eta_min.
    """

    name: Literal["warm_restarts"] = "warm_restarts"
    period: DurationField
    """T₀, the length of the first cosine."""
    t_mult: Count = 1
    """m, how many times as long as the one before each cosine is."""
    min: NonNegative = 0.0
    """α_min, the rate each fall ends at."""

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        starts, periods = [0], [max(length(self.period), 1)]
        while starts[-1] + periods[-1] < steps:
            starts.append(starts[-1] + periods[-1])
            periods.append(periods[-1] * self.t_mult)
        t = np.arange(steps)
        i = np.searchsorted(starts, t, side="right") - 1
        wave = (1 + np.cos(np.pi * (t - np.array(starts)[i]) / np.array(periods)[i])) / 2
        return self.min + (lr - self.min) * wave


class Cyclic(Schedule):
    """Straight climbs from a floor to the rate and back, again and again.

        α_t = α_min + (α₀ − α_min)·h_t·a_t

        h_t: 0 at the start of cycle c, 1 after `up`, 0 again after another `down`
        triangular:   a_t = 1
        triangular2:  a_t = 2^(−c),   c = 0, 1, …
        exp_range:    a_t = γ^t

    α_min is `min`, γ is `gamma`. Smith 2017. PyTorch's CyclicLR, where α_min is base_lr and α₀ is
    max_lr, without its cycling of the momentum.
    """

    name: Literal["cyclic"] = "cyclic"
    min: Positive
    """α_min, the rate each cycle begins and ends at."""
    up: DurationField
    """The time from the lowest rate to the highest."""
    down: DurationField | None = None
    """The time from the highest rate back to the lowest; as long as `up` unless given."""
    mode: Literal["triangular", "triangular2", "exp_range"] = "triangular"
    """Whether cycles keep their height, lose half of it each time, or a share at every step."""
    gamma: Factor | None = None
    """γ, what the height is multiplied by at every step; for `exp_range` alone."""

    def own_climb(self, length: Length) -> str:
        return "up"

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        up = length(self.up)
        down = up if self.down is None else length(self.down)
        cycle, u = np.divmod(np.arange(steps), up + down)
        height = np.where(u <= up, u / up, (up + down - u) / down)
        if self.mode == "triangular2":
            height *= 0.5**cycle
        elif self.mode == "exp_range" and self.gamma is not None:
            height *= self.gamma ** np.arange(steps)
        return self.min + (lr - self.min) * height

    def problems(self, length: Length) -> Iterator[tuple[Place, str, str]]:
        if self.mode == "exp_range" and self.gamma is None:
            yield ("mode",), "`exp_range` needs `gamma`", "add a `gamma` a little below 1"
        if self.mode != "exp_range" and self.gamma is not None:
            message = f"acts with `mode: exp_range` alone, and mode is `{self.mode}`"
            yield ("gamma",), message, "remove it, or take `mode: exp_range`"


class OneCycle(Schedule):
    """One climb to the rate and one long fall far below where it began.

        α₀/d at t = 0,   α₀ at t = U − 1,   α₀/(d·f) at t = T − 1

    with half a cosine, or a straight line, in between. U is `up`, d is `div_factor`, f is
    `final_div_factor`. With `three_phase` the rate is back at α₀/d at t = 2U − 2 and then falls to
    its end. Smith & Topin 2018. PyTorch's OneCycleLR, where α₀ is max_lr and U is pct_start of T;
    here U is rounded to whole steps, and the momentum is not cycled.
    """

    name: Literal["one_cycle"] = "one_cycle"
    up: DurationField = Duration(0.3, "fraction")
    """U, the length of the climb."""
    anneal: Literal["cosine", "linear"] = "cosine"
    """The shape of climb and fall."""
    div_factor: Ratio = 25.0
    """d, how many times lower than α₀ the first rate is."""
    final_div_factor: Ratio = 1e4
    """f, how many times lower than the first rate the last one is."""
    three_phase: bool = False
    """Whether the fall stops over at the first rate."""

    def own_climb(self, length: Length) -> str:
        return "up"

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        first, up = lr / self.div_factor, length(self.up)
        knots, values = [0, up - 1], [first, lr]
        if self.three_phase:
            knots, values = [*knots, 2 * up - 2], [*values, first]
        knots, values = [*knots, length.total - 1], [*values, first / self.final_div_factor]
        return through(knots, values, steps, self.anneal)

    def problems(self, length: Length) -> Iterator[tuple[Place, str, str]]:
        up, total = length(self.up), length.total
        if up < 2:
            message = f"`{self.up}` comes to {up} of {total} steps, too short for a climb"
            yield ("up",), message, "write at least `2 steps`"
        elif up >= total:
            message = f"`{self.up}` takes all of the {total} steps, and leaves none for the fall"
            yield ("up",), message, "shorten it"
        if self.three_phase and 2 * up - 1 > total:
            message = f"`{self.up}` up and as much down do not fit into {total} steps"
            yield ("up",), message, "shorten it, or remove `three_phase`"


class WarmupStableDecay(Schedule):
    """A climb, a long level stretch, and a fall at the end.

        α_t = α₀·(t + 1)/W                                 the first W steps
        α_t = α₀                                           until T − D
        α_t = α_min + (α₀ − α_min)·(1 − s(p)),   p = (t − T + D)/D   the last D steps

        linear: s(p) = p,   cosine: s(p) = ½(1 − cos πp),   sqrt: s(p) = √p

    W is `warmup`, D is `decay`, s is `shape`, α_min is `min`. Hu et al. 2024; Hägele et al. 2024,
    who found `sqrt` best.
    """

    name: Literal["warmup_stable_decay"] = "warmup_stable_decay"
    warmup: DurationField = Duration(0.05, "fraction")
    """W, the length of the climb."""
    decay: DurationField = Duration(0.2, "fraction")
    """D, the length of the fall."""
    shape: Literal["linear", "cosine", "sqrt"] = "linear"
    """How the rate falls."""
    min: NonNegative = 0.0
    """α_min, the rate the fall ends at."""

    optional = frozenset({"warmup"})

    def own_climb(self, length: Length) -> str:
        return "warmup" if length(self.warmup) else ""

    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        climb, fall = min(length(self.warmup), steps), length(self.decay)
        knots, values = [0, length.total - fall, length.total], [lr, lr, self.min]
        rates = through(knots, values, steps, self.shape)
        rates[:climb] = lr * (np.arange(1, climb + 1) / max(climb, 1))
        return rates

    def problems(self, length: Length) -> Iterator[tuple[Place, str, str]]:
        climb, fall = length(self.warmup), length(self.decay)
        if climb + fall > length.total:
            message = (
                f"its {fall} steps and the {climb} of `warmup` are more than the {length.total} "
                "there are"
            )
            yield ("decay",), message, "shorten one of the two"


def through(knots: list[int], values: list[float], steps: int, shape: str) -> np.ndarray:
    """The rates that are `values` at the steps `knots` and go from one to the next in `shape`.

    Args:
        knots: ascending, the first 0; neighbours may coincide, and then the later value counts.
        shape: a key of `ANNEALING`.
    """
    t, marks, rates = np.arange(steps), np.array(knots), np.array(values)
    i = np.clip(np.searchsorted(marks, t, side="right") - 1, 0, len(knots) - 2)
    share = (t - marks[i]) / np.maximum(marks[i + 1] - marks[i], 1)
    return rates[i] + (rates[i + 1] - rates[i]) * ANNEALING[shape](np.clip(share, 0.0, 1.0))
