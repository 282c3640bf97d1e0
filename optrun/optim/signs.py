"""Steps by the sign of the gradient alone, whatever its size."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import Decay, NonNegative, Positive
from optrun.numerics.jit import kernel
from optrun.optim.optimizer import Rule
from optrun.settings import value_text


class Rprop(Rule):
    """A step size of its own for every weight: grows while the gradient keeps its sign.

        g·p > 0:   Δ ← min(η⁺Δ, Δ_max)
        g·p < 0:   Δ ← max(η⁻Δ, Δ_min),   g ← 0
        w ← w − Δ·sign(g),   p ← g

    Δ starts at the first step's lr, which no later step looks at: a schedule changes nothing.
    For full batches, as noise flips signs. Riedmiller & Braun 1993, in the form of PyTorch, which
    waits a step where the sign has changed and does not go back.
    """

    name: Literal["rprop"] = "rprop"
    lr: Positive = 0.01
    eta_minus: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """η⁻, by which a step size shrinks."""
    eta_plus: Annotated[float, Field(gt=1)] = 1.2
    """η⁺, by which a step size grows."""
    step_min: Positive = 1e-6
    """Δ_min, the least step size."""
    step_max: Positive = 50.0
    """Δ_max, the greatest step size."""

    slots = 2
    ignores_schedule = "looks at the rate of the first step only"
    full_batches = True

    def problems(self) -> dict[str, str]:
        """That the bounds of the step sizes are crossed, or the first lies outside them."""
        least, most = self.step_min, self.step_max
        if least > most:
            return {"step_min": f"{value_text(least)} is above `step_max` {value_text(most)}"}
        if not least <= self.lr <= most:
            lr, between = value_text(self.lr), f"{value_text(least)} and {value_text(most)}"
            return {"lr": f"{lr}, the first step size, is not between {between}"}
        return {}

    @kernel
    def update(w, g, s, h, lr, t, shape):
        p, size = s[0], s[1]
        if t == 1:
            size[:] = lr
        shrink, grow = w.dtype.type(h[0]), w.dtype.type(h[1])
        least, most = w.dtype.type(h[2]), w.dtype.type(h[3])
        zero, one = w.dtype.type(0), w.dtype.type(1)
        for i in range(w.size):
            product = np.sign(g[i]) * np.sign(p[i])  # small numbers would multiply to 0
            factor = grow if product > zero else (shrink if product < zero else one)
            step = min(max(size[i] * factor, least), most)
            slope = zero if product < zero else g[i]
            w[i] -= step if slope > zero else (-step if slope < zero else zero)
            p[i] = slope
            size[i] = step


class Lion(Rule):
    """Steps of one size, in the direction of a mix of momentum and gradient.

        w ← w − lr·(sign(β₁m + (1−β₁)g) + λw),   m ← β₂m + (1−β₂)g

    λ is `weight_decay`. Steps are larger than Adam's of the same lr: the authors take a third to
    a tenth of it, and as many times its λ. Chen et al. 2023.
    """

    name: Literal["lion"] = "lion"
    lr: Positive = 0.0001
    beta1: Decay = 0.9
    """β₁, the share of the momentum in the direction of the step."""
    beta2: Decay = 0.99
    """β₂, the share of the momentum kept at each step."""
    weight_decay: NonNegative = 0.0
    """λ, the share of lr by which weights shrink at each step."""

    slots = 1

    @kernel
    def update(w, g, s, h, lr, t, shape):
        m = s[0]
        beta1, fresh1 = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
        beta2, fresh2 = w.dtype.type(h[1]), w.dtype.type(1.0 - h[1])
        kept, lr, zero = w.dtype.type(1.0 - lr * h[2]), w.dtype.type(lr), w.dtype.type(0)
        for i in range(w.size):
            mix = beta1 * m[i] + fresh1 * g[i]
            w[i] = kept * w[i] - (lr if mix > zero else (-lr if mix < zero else zero))
            m[i] = beta2 * m[i] + fresh2 * g[i]
