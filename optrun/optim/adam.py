"""Adam and its relatives: a mean of the gradients over a measure of their size. Simplest first."""

from typing import Literal

import numpy as np

from optrun.component import Decay, NonNegative, Positive
from optrun.numerics.jit import Kernel, kernel
from optrun.optim.optimizer import Rule


@kernel
def moment_step(w, g, s, h, kept, step, eps):
    """m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,  w ← kept·w − step·m/(√v + eps).

    h = [β₁, β₂, …], s = [m, v, …]. An element costs one root and one division, for the caller
    folds bias corrections into `step` and `eps`.
    """
    m, v = s[0], s[1]
    kept, step, eps = w.dtype.type(kept), w.dtype.type(step), w.dtype.type(eps)
    beta1, fresh1 = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
    beta2, fresh2 = w.dtype.type(h[1]), w.dtype.type(1.0 - h[1])
    for i in range(w.size):
        m[i] = beta1 * m[i] + fresh1 * g[i]
        v[i] = beta2 * v[i] + fresh2 * g[i] * g[i]
        w[i] = kept * w[i] - step * m[i] / (np.sqrt(v[i]) + eps)


@kernel
def adam_step(w, g, s, h, lr, t, kept):
    """Adam's step from kept·w, with h = [β₁, β₂, ε, …] and s = [m, v]."""
    root = np.sqrt(1.0 - h[1] ** t)
    moment_step(w, g, s, h, kept, lr * root / (1.0 - h[0] ** t), h[2] * root)


@kernel
def amsgrad_step(w, g, s, h, lr, t, kept):
    """AMSGrad's step from kept·w, with h = [β₁, β₂, ε, …] and s = [m, v, greatest v so far]."""
    m, v, greatest = s[0], s[1], s[2]
    root = np.sqrt(1.0 - h[1] ** t)
    step, eps = w.dtype.type(lr * root / (1.0 - h[0] ** t)), w.dtype.type(h[2] * root)
    beta1, fresh1 = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
    beta2, fresh2 = w.dtype.type(h[1]), w.dtype.type(1.0 - h[1])
    kept = w.dtype.type(kept)
    for i in range(w.size):
        m[i] = beta1 * m[i] + fresh1 * g[i]
        v[i] = beta2 * v[i] + fresh2 * g[i] * g[i]
        greatest[i] = max(greatest[i], v[i])
        w[i] = kept * w[i] - step * m[i] / (np.sqrt(greatest[i]) + eps)


class Adam(Rule):
    """Momentum and RMSprop, both corrected for their start at zero.

        m ← β₁m + (1−β₁)g,   v ← β₂v + (1−β₂)g²
        m̂ = m/(1−β₁ᵗ),   v̂ = v/(1−β₂ᵗ),   w ← w − lr·m̂/(√v̂ + ε)

        amsgrad:   the greatest v so far stands for v in v̂

    The first step is lr for every weight, whatever its gradient. ε is added to the corrected root,
    as in the paper and in PyTorch. Many texts write √(v̂ + δ): both divide alike where v̂ = 0 if
    ε = √δ. Kingma & Ba 2015; AMSGrad: Reddi, Kale & Kumar 2018, who leave out the bias corrections
    that PyTorch keeps.
    """

    name: Literal["adam"] = "adam"
    lr: Positive = 0.001
    beta1: Decay = 0.9
    """β₁, the share of the mean gradient kept at each step."""
    beta2: Decay = 0.999
    """β₂, the share of the mean squared gradient kept at each step."""
    eps: Positive = 1e-8
    """ε, keeps the division finite."""
    amsgrad: bool = False
    """Whether a weight's steps may only get smaller as its mean squared gradient changes."""

    slots = 2

    def variant(self) -> Kernel:
        """`update` or `update_amsgrad`."""
        return self.update_amsgrad if self.amsgrad else self.update

    def state_slots(self) -> int:
        """m and v, and the greatest v for AMSGrad."""
        return self.slots + self.amsgrad

    @kernel
    def update(w, g, s, h, lr, t, shape):
        adam_step(w, g, s, h, lr, t, 1.0)

    @kernel
    def update_amsgrad(w, g, s, h, lr, t, shape):
        amsgrad_step(w, g, s, h, lr, t, 1.0)


class AdamW(Adam):
    """Adam with weight decay that bypasses the moments.

        w ← w − lr·λ·w,   then Adam's step

    λ is `weight_decay`; it acts on every parameter, biases included, as in PyTorch.
    Loshchilov & Hutter 2019.
    """

    name: Literal["adamw"] = "adamw"  # type: ignore[assignment]
    weight_decay: NonNegative = 0.01
    """λ, the share of lr by which weights shrink at each step."""

    @kernel
    def update(w, g, s, h, lr, t, shape):
        adam_step(w, g, s, h, lr, t, 1.0 - lr * h[4])

    @kernel
    def update_amsgrad(w, g, s, h, lr, t, shape):
        amsgrad_step(w, g, s, h, lr, t, 1.0 - lr * h[4])


class Adamax(Rule):
    """Adam with the greatest of recent gradients in place of their mean square.

        m ← β₁m + (1−β₁)g,   u ← max(β₂u, |g| + ε),   w ← w − lr·m/((1−β₁ᵗ)u)

    Kingma & Ba 2015, without ε, which PyTorch adds.
    """

    name: Literal["adamax"] = "adamax"
    lr: Positive = 0.002
    beta1: Decay = 0.9
    """β₁, the share of the mean gradient kept at each step."""
    beta2: Decay = 0.999
    """β₂, the share of the greatest gradient kept at each step."""
    eps: Positive = 1e-8
    """ε, keeps the division finite."""

    slots = 2

    @kernel
    def update(w, g, s, h, lr, t, shape):
        m, u = s[0], s[1]
        step, eps = w.dtype.type(lr / (1.0 - h[0] ** t)), w.dtype.type(h[2])
        beta1, fresh1 = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
        beta2 = w.dtype.type(h[1])
        for i in range(w.size):
            m[i] = beta1 * m[i] + fresh1 * g[i]
            u[i] = max(beta2 * u[i], abs(g[i]) + eps)
            w[i] -= step * m[i] / u[i]


@kernel
def nadam_momentum(h, t):
    """NAdam's μ_t = β₁(1 − ½·0.96^(tψ)), with h = [β₁, β₂, ε, ψ]."""
    return h[0] * (1.0 - 0.5 * 0.96 ** (t * h[3]))


@kernel
def nadam_product(h, t):
    """μ₁·…·μ_t, worked out anew at each step: it is soon too small to be seen beside 1."""
    product, left, decay = 1.0, 1.0, 0.96 ** h[3]
    for _ in range(t):
        left *= decay
        product *= h[0] * (1.0 - 0.5 * left)
        if product < 1e-20:
            return 0.0
    return product


class NAdam(Rule):
    """Adam with Nesterov's look ahead in place of momentum.

        m ← β₁m + (1−β₁)g,   v ← β₂v + (1−β₂)g²,   v̂ = v/(1−β₂ᵗ)
        μ_t = β₁(1 − ½·0.96^(tψ)),   Π_t = μ₁·…·μ_t
        w ← w − lr·( (1−μ_t)/(1−Π_t)·g + μ_{t+1}/(1−Π_{t+1})·m )/(√v̂ + ε)

    ψ is `momentum_decay`. Dozat 2016.
    """

    name: Literal["nadam"] = "nadam"
    lr: Positive = 0.002
    beta1: Decay = 0.9
    """β₁, the share of the mean gradient kept at each step."""
    beta2: Decay = 0.999
    """β₂, the share of the mean squared gradient kept at each step."""
    eps: Positive = 1e-8
    """ε, keeps the division finite."""
    momentum_decay: NonNegative = 0.004
    """ψ, how fast the momentum climbs from β₁/2 to β₁."""

    slots = 2

    @kernel
    def update(w, g, s, h, lr, t, shape):
        m, v = s[0], s[1]
        product, ahead = nadam_product(h, t), nadam_momentum(h, t + 1)
        root = np.sqrt(1.0 - h[1] ** t)
        now = w.dtype.type(lr * root * (1.0 - nadam_momentum(h, t)) / (1.0 - product))
        step = w.dtype.type(lr * root * ahead / (1.0 - product * ahead))
        eps = w.dtype.type(h[2] * root)
        beta1, fresh1 = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
        beta2, fresh2 = w.dtype.type(h[1]), w.dtype.type(1.0 - h[1])
        for i in range(w.size):
            m[i] = beta1 * m[i] + fresh1 * g[i]
            v[i] = beta2 * v[i] + fresh2 * g[i] * g[i]
            w[i] -= (now * g[i] + step * m[i]) / (np.sqrt(v[i]) + eps)


class RAdam(Rule):
    """Adam that divides by √v only when v has seen enough gradients, and then step by step.

        m ← β₁m + (1−β₁)g,   v ← β₂v + (1−β₂)g²,   m̂ = m/(1−β₁ᵗ)
        ρ∞ = 2/(1−β₂) − 1,   ρ = ρ∞ − 2tβ₂ᵗ/(1−β₂ᵗ)
        ρ > 5:   w ← w − lr·r·m̂·√(1−β₂ᵗ)/(√v + ε),   r² = (ρ−4)(ρ−2)ρ∞/((ρ∞−4)(ρ∞−2)ρ)
        else:    w ← w − lr·m̂

    Liu et al. 2020, who divide where ρ > 4; PyTorch waits for 5.
    """

    name: Literal["radam"] = "radam"
    lr: Positive = 0.001
    beta1: Decay = 0.9
    """β₁, the share of the mean gradient kept at each step."""
    beta2: Decay = 0.999
    """β₂, the share of the mean squared gradient kept at each step."""
    eps: Positive = 1e-8
    """ε, keeps the division finite."""

    slots = 2

    @kernel
    def update(w, g, s, h, lr, t, shape):
        step, gone = lr / (1.0 - h[0] ** t), h[1] ** t
        limit = 2.0 / (1.0 - h[1]) - 1.0
        rho = limit - 2.0 * t * gone / (1.0 - gone)
        if rho > 5.0:
            r = (rho - 4.0) * (rho - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * rho)
            moment_step(w, g, s, h, 1.0, step * np.sqrt(r * (1.0 - gone)), h[2])
        else:
            unscaled_step(w, g, s, h, step)


@kernel
def unscaled_step(w, g, s, h, step):
    """The averages of `moment_step`, then w ← w − step·m."""
    m, v = s[0], s[1]
    step = w.dtype.type(step)
    beta1, fresh1 = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
    beta2, fresh2 = w.dtype.type(h[1]), w.dtype.type(1.0 - h[1])
    for i in range(w.size):
        m[i] = beta1 * m[i] + fresh1 * g[i]
        v[i] = beta2 * v[i] + fresh2 * g[i] * g[i]
        w[i] -= step * m[i]


class AdaBelief(Rule):
    """Adam that divides by how far gradients are from their mean, not by their size.

        m ← β₁m + (1−β₁)g,   v ← β₂v + (1−β₂)(g−m)² + ε
        m̂ = m/(1−β₁ᵗ),   v̂ = v/(1−β₂ᵗ),   w ← w − lr·m̂/(√v̂ + ε)

    Zhuang et al. 2020, whose s is v here; the default ε is that of their own implementation.
    """

    name: Literal["adabelief"] = "adabelief"
    lr: Positive = 0.001
    beta1: Decay = 0.9
    """β₁, the share of the mean gradient kept at each step."""
    beta2: Decay = 0.999
    """β₂, the share of the mean squared deviation kept at each step."""
    eps: Positive = 1e-16
    """ε, keeps the division finite."""

    slots = 2

    @kernel
    def update(w, g, s, h, lr, t, shape):
        m, v = s[0], s[1]
        root = np.sqrt(1.0 - h[1] ** t)
        step = w.dtype.type(lr * root / (1.0 - h[0] ** t))
        added, eps = w.dtype.type(h[2]), w.dtype.type(h[2] * root)
        beta1, fresh1 = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
        beta2, fresh2 = w.dtype.type(h[1]), w.dtype.type(1.0 - h[1])
        for i in range(w.size):
            m[i] = beta1 * m[i] + fresh1 * g[i]
            surprise = g[i] - m[i]
            v[i] = beta2 * v[i] + fresh2 * surprise * surprise + added
            w[i] -= step * m[i] / (np.sqrt(v[i]) + eps)
