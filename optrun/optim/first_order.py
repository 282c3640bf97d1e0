"""First-order optimizers, simplest first.

Every rule is called once a parameter block (a weight matrix or a bias vector) and step:

    update(w, g, s, h, lr, t, shape)

    w      weights of the block, flat, changed in place
    g      gradient of the objective, flat; clipped already, penalties included
    s      state, (slots, w.size), zero before the first step
    h      hyperparameters, float64, as `hyper()` packs them
    lr     learning rate of this step, schedule and warmup included
    t      step, counted from 1
    shape  (rows, columns) of the block; a bias has one row

Scalars are worked out in float64 and rounded to the weights' type once, outside the loop. The
arithmetic is `torch.optim`'s where it has the rule; a docstring says where a rule differs.
"""

from typing import ClassVar, Literal

import numpy as np

from optrun.component import Component, Decay, NonNegative, Positive, table
from optrun.numerics.jit import Kernel, kernel
from optrun.optim.clipping import Clipping


class Optimizer(Component):
    """A rule that turns gradients into steps."""

    lr: Positive
    """Learning rate, before schedule and warmup."""

    clipping: Clipping | None = None
    """Bounds on the gradient before the rule sees it."""

    slots: ClassVar[int]
    update: ClassVar[Kernel]

    def rule(self) -> Kernel:
        """The kernel this configuration runs."""
        return self.update

    def hyper(self) -> list[float]:
        """The rule's own numbers, in the order their fields are declared."""
        shared = Optimizer.model_fields
        values = [getattr(self, name) for name in type(self).model_fields if name not in shared]
        return [float(value) for value in values if isinstance(value, int | float)]


class SGD(Optimizer):
    """Stochastic gradient descent.

        w ← w − lr·g

    With `batch_size: full` it is batch gradient descent, with 1 the original stochastic method
    (Robbins & Monro 1951).
    """

    name: Literal["sgd"] = "sgd"
    lr: Positive = 0.01

    slots = 0

    @kernel
    def update(w, g, s, h, lr, t, shape):
        lr = w.dtype.type(lr)
        for i in range(w.size):
            w[i] -= lr * g[i]


class Momentum(Optimizer):
    """Gradient descent with momentum, the heavy ball.

        accumulate:  v ← ρv + (1−d)g,     w ← w − lr·v     (v ← g at t = 1)
        velocity:    v ← ρv − lr(1−d)g,   w ← w + v

    ρ is `momentum`, d is `dampening`. The forms agree while lr is constant; when a schedule
    changes lr, `accumulate` rescales the whole velocity at once and `velocity` only what is added.
    `accumulate` is PyTorch's, whose first step is undampened. Polyak 1964.
    """

    name: Literal["momentum"] = "momentum"
    lr: Positive = 0.01
    momentum: Decay = 0.9
    """ρ, the share of the velocity kept at each step."""
    dampening: Decay = 0.0
    """d, the share of the gradient withheld from the velocity."""
    form: Literal["accumulate", "velocity"] = "accumulate"
    """Whether the velocity gathers gradients or steps."""

    slots = 1

    def rule(self) -> Kernel:
        """`update` or `velocity`, by `form`."""
        return self.velocity if self.form == "velocity" else self.update

    @kernel
    def update(w, g, s, h, lr, t, shape):
        v = s[0]
        lr, rho = w.dtype.type(lr), w.dtype.type(h[0])
        fresh = w.dtype.type(1.0 if t == 1 else 1.0 - h[1])
        for i in range(w.size):
            v[i] = rho * v[i] + fresh * g[i]
            w[i] -= lr * v[i]

    @kernel
    def velocity(w, g, s, h, lr, t, shape):
        v = s[0]
        rho, step = w.dtype.type(h[0]), w.dtype.type(lr * (1.0 - h[1]))
        for i in range(w.size):
            v[i] = rho * v[i] - step * g[i]
            w[i] += v[i]


class Nesterov(Optimizer):
    """Nesterov's accelerated gradient, in the form that takes the gradient at w.

        v ← ρv + g,   w ← w − lr(g + ρv)

    ρ is `momentum`. Nesterov 1983; Sutskever et al. 2013.
    """

    name: Literal["nesterov"] = "nesterov"
    lr: Positive = 0.01
    momentum: Decay = 0.9
    """ρ, the share of the velocity kept at each step."""

    slots = 1

    @kernel
    def update(w, g, s, h, lr, t, shape):
        v = s[0]
        lr, rho = w.dtype.type(lr), w.dtype.type(h[0])
        for i in range(w.size):
            v[i] = rho * v[i] + g[i]
            w[i] -= lr * (g[i] + rho * v[i])


class Adagrad(Optimizer):
    """Steps divided by the root of all squared gradients so far.

        c ← c + g²,   w ← w − lr·g/(√c + ε)

    The rate of a weight can only fall. Duchi, Hazan & Singer 2011.
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


class RMSprop(Optimizer):
    """Steps divided by the root of a moving average of squared gradients.

        s ← αs + (1−α)g²,   w ← w − lr·g/(√s + ε)

    Tieleman & Hinton 2012. ε stands outside the root, as in PyTorch.
    """

    name: Literal["rmsprop"] = "rmsprop"
    lr: Positive = 0.01
    alpha: Decay = 0.99
    """α, the share of the average kept at each step."""
    eps: Positive = 1e-8
    """ε, keeps the division finite."""

    slots = 1

    @kernel
    def update(w, g, s, h, lr, t, shape):
        s = s[0]
        lr, eps = w.dtype.type(lr), w.dtype.type(h[1])
        alpha, fresh = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
        for i in range(w.size):
            s[i] = alpha * s[i] + fresh * g[i] * g[i]
            w[i] -= lr * g[i] / (np.sqrt(s[i]) + eps)


@kernel
def adam_step(w, g, s, h, lr, t, kept):
    """Adam's step from kept·w, with h = [β₁, β₂, ε, …] and s = [m, v].

    The bias corrections are folded into two scalars: an element costs one root, one division.
    """
    m, v = s[0], s[1]
    root = np.sqrt(1.0 - h[1] ** t)
    step, eps = w.dtype.type(lr * root / (1.0 - h[0] ** t)), w.dtype.type(h[2] * root)
    beta1, fresh1 = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
    beta2, fresh2 = w.dtype.type(h[1]), w.dtype.type(1.0 - h[1])
    kept = w.dtype.type(kept)
    for i in range(w.size):
        m[i] = beta1 * m[i] + fresh1 * g[i]
        v[i] = beta2 * v[i] + fresh2 * g[i] * g[i]
        w[i] = kept * w[i] - step * m[i] / (np.sqrt(v[i]) + eps)


class Adam(Optimizer):
    """Momentum and RMSprop, both corrected for their start at zero.

        m ← β₁m + (1−β₁)g,   v ← β₂v + (1−β₂)g²
        m̂ = m/(1−β₁ᵗ),   v̂ = v/(1−β₂ᵗ),   w ← w − lr·m̂/(√v̂ + ε)

    Kingma & Ba 2015.
    """

    name: Literal["adam"] = "adam"
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
        adam_step(w, g, s, h, lr, t, 1.0)


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
        adam_step(w, g, s, h, lr, t, 1.0 - lr * h[3])


OPTIMIZERS: dict[str, type[Optimizer]] = table(
    [SGD, Momentum, Nesterov, Adagrad, RMSprop, Adam, AdamW]
)
