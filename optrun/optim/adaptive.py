"""Steps scaled weight by weight, by the size of each weight's gradients. Simplest first."""

from typing import Literal

import numpy as np

from optrun.component import Decay, Positive
from optrun.numerics.jit import Kernel, kernel
from optrun.optim.optimizer import Rule


class Adagrad(Rule):
    """Steps divided by the root of all squared gradients so far.

        c ← c + g²,   w ← w − lr·g/(√c + ε)

    The rate of a weight can only fall; the first step is lr, whatever the gradient. ε is added to
    the root, as in PyTorch. Many texts write √(c + δ): both divide alike where c = 0 if ε = √δ.
    Duchi, Hazan & Singer 2011.
    """

    name: Literal["adagrad"] = "adagrad"
    lr: Positive = 0.01
    eps: Positive = 1e-10
    """ε, keeps the division finite."""

    slots = 1

    @kernel
    def update(w, g, s, h, lr, t, shape):
        c = s[0]
        lr, eps = w.dtype.type(lr), w.dtype.type(h[0])
        for i in range(w.size):
            c[i] += g[i] * g[i]
            w[i] -= lr * g[i] / (np.sqrt(c[i]) + eps)


class RMSprop(Rule):
    """Steps divided by the root of a moving average of squared gradients.

        s ← αs + (1−α)g²,   w ← w − lr·g/(√s + ε)

        centered:      m ← αm + (1−α)g,   and s − m² stands for s under the root
        momentum ρ:    v ← ρv + g/(√s + ε),   w ← w − lr·v

    s starts at 0 and is not corrected for it, as v is in Adam. So the first step is lr/√(1−α) for
    every weight, whatever its gradient: 10·lr with α = 0.99. Texts that start with s = g² have a
    first step of lr. ε is added to the root, as in PyTorch. Many texts write √(s + δ): both divide
    alike where s = 0 if ε = √δ. Rounding can put s − m² below 0: it counts as 0, where PyTorch
    gives NaN. Tieleman & Hinton 2012; centred by Graves 2013.
    """

    name: Literal["rmsprop"] = "rmsprop"
    lr: Positive = 0.01
    alpha: Decay = 0.99
    """α, the share of the average kept at each step."""
    eps: Positive = 1e-8
    """ε, keeps the division finite."""
    momentum: Decay = 0.0
    """ρ, the share of the velocity kept at each step."""
    centered: bool = False
    """Whether to divide by the gradient's deviation from its mean, not by its size."""

    slots = 1

    @property
    def gain(self) -> float:
        return 1.0 / (1.0 - self.momentum)

    def variant(self) -> Kernel:
        """`update`, or `extended` with momentum or centred."""
        return self.extended if self.momentum or self.centered else self.update

    def state_slots(self) -> int:
        """One for s, one each for m and v where there are such."""
        return self.slots + self.centered + (self.momentum > 0)

    @kernel
    def update(w, g, s, h, lr, t, shape):
        s = s[0]
        lr, eps = w.dtype.type(lr), w.dtype.type(h[1])
        alpha, fresh = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
        for i in range(w.size):
            s[i] = alpha * s[i] + fresh * g[i] * g[i]
            w[i] -= lr * g[i] / (np.sqrt(s[i]) + eps)

    @kernel
    def extended(w, g, s, h, lr, t, shape):
        momentum, centered = h[2] > 0.0, h[3] > 0.0
        m, v, s = s[int(centered)], s[-1], s[0]
        lr, eps, rho = w.dtype.type(lr), w.dtype.type(h[1]), w.dtype.type(h[2])
        alpha, fresh = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
        for i in range(w.size):
            s[i] = alpha * s[i] + fresh * g[i] * g[i]
            square = s[i]
            if centered:
                m[i] = alpha * m[i] + fresh * g[i]
                square = max(square - m[i] * m[i], w.dtype.type(0))
            step = g[i] / (np.sqrt(square) + eps)
            if momentum:
                v[i] = rho * v[i] + step
                step = v[i]
            w[i] -= lr * step


class Adadelta(Rule):
    """RMSprop whose numerator has the size of the steps so far, so that units agree.

        s ← ρs + (1−ρ)g²,   Δ = g·√(u+ε)/√(s+ε),   u ← ρu + (1−ρ)Δ²,   w ← w − lr·Δ

    ρ is `rho`. Zeiler 2012, where lr is 1. ε stands inside the roots, as in PyTorch.
    """

    name: Literal["adadelta"] = "adadelta"
    lr: Positive = 1.0
    rho: Decay = 0.9
    """ρ, the share of both averages kept at each step."""
    eps: Positive = 1e-6
    """ε, sets the size of the first steps and keeps the division finite."""

    slots = 2

    @kernel
    def update(w, g, s, h, lr, t, shape):
        u, s = s[1], s[0]
        lr, eps = w.dtype.type(lr), w.dtype.type(h[1])
        rho, fresh = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
        for i in range(w.size):
            s[i] = rho * s[i] + fresh * g[i] * g[i]
            step = g[i] * (np.sqrt(u[i] + eps) / np.sqrt(s[i] + eps))
            u[i] = rho * u[i] + fresh * step * step
            w[i] -= lr * step
