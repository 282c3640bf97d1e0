"""Steps whose length is set layer by layer, in proportion to the layer's weights.

They were made for large batches, where one rate for all layers is too much for some and too
little for others. Biases, whose size says little about a step's, go without unless asked for.
"""

from typing import Literal

import numpy as np

from optrun.component import Decay, NonNegative, Positive
from optrun.numerics.jit import kernel
from optrun.numerics.sums import norms
from optrun.optim.optimizer import Rule


class LARS(Rule):
    """Momentum whose rate is set by the ratio of a layer's weights to its gradient.

        r = η‖w‖/(‖g‖ + λ‖w‖),   v ← ρv + lr·r·(g + λw),   w ← w − v

    η is `trust`, λ is `weight_decay`, ρ is `momentum`. r is 1 where ‖w‖ = 0, and where g = 0 and
    λ = 0, which leaves nothing to scale. You, Gitman & Ginsburg 2017, who scale biases too:
    `include_bias: true`. Else r = 1 and λ = 0 for them.
    """

    name: Literal["lars"] = "lars"
    lr: Positive = 0.1
    momentum: Decay = 0.9
    """ρ, the share of the velocity kept at each step."""
    trust: Positive = 0.001
    """η, the length of a layer's step at lr 1, as a share of its weights'."""
    weight_decay: NonNegative = 0.0
    """λ, the share of the weights added to the gradient."""
    include_bias: bool = False
    """Whether biases are scaled and decay too."""

    slots = 1

    @property
    def gain(self) -> float:
        return 1.0 / (1.0 - self.momentum)

    @kernel
    def update(w, g, s, h, lr, t, shape):
        v, decay = s[0], h[2]
        if shape[2] or h[3] > 0.0:
            size, slope = np.sqrt(norms(w)[1]), np.sqrt(norms(g)[1])
            if size > 0.0 and slope + decay * size > 0.0:
                lr *= h[1] * size / (slope + decay * size)
        else:
            decay = 0.0
        rho, fresh, decay = w.dtype.type(h[0]), w.dtype.type(lr), w.dtype.type(decay)
        for i in range(w.size):
            v[i] = rho * v[i] + fresh * (g[i] + decay * w[i])
            w[i] -= v[i]


class LAMB(Rule):
    """AdamW whose steps have the length of a layer's weights.

        m̂, v̂ as in Adam,   u = m̂/(√v̂ + ε) + λw,   w ← w − lr·(‖w‖/‖u‖)·u

    λ is `weight_decay`. The ratio is 1 where either norm is 0. You et al. 2020, who scale biases
    too: `include_bias: true`. Else the ratio is 1 and λ = 0 for them.
    """

    name: Literal["lamb"] = "lamb"
    lr: Positive = 0.001
    beta1: Decay = 0.9
    """β₁, the share of the mean gradient kept at each step."""
    beta2: Decay = 0.999
    """β₂, the share of the mean squared gradient kept at each step."""
    eps: Positive = 1e-6
    """ε, keeps the division finite."""
    weight_decay: NonNegative = 0.01
    """λ, the share of the weights added to Adam's step."""
    include_bias: bool = False
    """Whether biases are scaled and decay too."""

    slots = 2

    @kernel
    def update(w, g, s, h, lr, t, shape):
        scaled = shape[2] or h[4] > 0.0
        u = np.empty_like(w)
        lamb_direction(w, g, s, h, t, h[3] if scaled else 0.0, u)
        if scaled:
            size, length = np.sqrt(norms(w)[1]), np.sqrt(norms(u)[1])
            if size > 0.0 and length > 0.0:
                lr *= size / length
        lr = w.dtype.type(lr)
        for i in range(w.size):
            w[i] -= lr * u[i]


@kernel
def lamb_direction(w, g, s, h, t, decay, u):
    """u ← m̂/(√v̂ + ε) + decay·w, with h = [β₁, β₂, ε, …] and s = [m, v]."""
    m, v = s[0], s[1]
    root = np.sqrt(1.0 - h[1] ** t)
    step, eps = w.dtype.type(root / (1.0 - h[0] ** t)), w.dtype.type(h[2] * root)
    beta1, fresh1 = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
    beta2, fresh2 = w.dtype.type(h[1]), w.dtype.type(1.0 - h[1])
    decay = w.dtype.type(decay)
    for i in range(w.size):
        m[i] = beta1 * m[i] + fresh1 * g[i]
        v[i] = beta2 * v[i] + fresh2 * g[i] * g[i]
        u[i] = step * m[i] / (np.sqrt(v[i]) + eps) + decay * w[i]
