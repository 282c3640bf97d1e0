"""Ways to use another optimizer's rule: with a gradient from elsewhere, or with slower weights."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import Count, OneOf, Positive
from optrun.numerics.flat import copy
from optrun.numerics.jit import kernel
from optrun.numerics.sums import norms
from optrun.optim.optimizer import Optimizer, Rule
from optrun.optim.rules import RULES


class Wrapper(Optimizer):
    """An optimizer that leaves the change of a block to another."""

    base: Annotated[Rule, OneOf(RULES)]
    """The optimizer whose rule changes the weights; lr and clipping are set there."""

    rate_key = "base.lr"

    @property
    def rate(self) -> float:
        return self.base.lr

    @property
    def rule(self) -> Rule:
        return self.base

    def problems(self) -> dict[str, str]:
        return {f"base.{key}": message for key, message in self.base.problems().items()}


class SAM(Wrapper):
    """Sharpness-aware minimization: steps by the gradient a little way uphill.

        e = ρ·g(w)/‖g(w)‖,   w ← w − (step of `base` for g(w + e))

    ρ is `rho`. Both gradients are of the same batch with the same dropout, and running statistics
    are those of the first. Costs two gradients a step. Foret et al. 2021.
    """

    name: Literal["sam"] = "sam"
    rho: Positive = 0.05
    """ρ, how far uphill, as a length."""

    def ascent(self) -> float:
        return self.rho


class Lookahead(Wrapper):
    """Slow weights that follow the fast ones now and then; what is evaluated are the slow ones.

        every k steps:   φ ← φ + α(w − φ),   w ← φ

    k is `every`, α is `share`. The state of `base` is kept across. Running statistics of
    normalization are slow and fast like the weights; those of φ are computed on the training
    examples wherever it is evaluated. Zhang et al. 2019.
    """

    name: Literal["lookahead"] = "lookahead"
    every: Count = 5
    """k, the steps of the fast weights between two of the slow ones."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """α, the share of the way to the fast weights that the slow ones go."""

    def lookahead(self) -> list[float]:
        return [self.every, self.share]

    def problems(self) -> dict[str, str]:
        found = super().problems()
        if self.base.remakes_weights:
            found["base.name"] = (
                f"`{self.base.name}` has slow weights of its own, and goes on from them"
            )
        return found


@kernel
def climb(parameters, spare, rho):
    """w ← w + ρ·g/‖g‖. Returns a copy of w, and of what stands behind it, from before."""
    w, g = parameters.weights, parameters.gradient
    kept = spare[spare.size - w.size :]
    copy(w, kept)
    norm = np.sqrt(norms(g)[1])
    scale = w.dtype.type(rho / norm if norm > 0.0 else 0.0)
    for i in range(g.size):
        w[i] += scale * g[i]
    return kept


@kernel
def look_ahead(w, slow, h, t):
    """Synchronise fast and slow weights if it is time."""
    if t % int(h[0]) == 0:
        share = w.dtype.type(h[1])
        for i in range(w.size):
            slow[i] += share * (w[i] - slow[i])
            w[i] = slow[i]
