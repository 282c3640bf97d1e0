"""Steps along the gradient, or along an average of the gradients so far. Simplest first."""

from typing import Literal

from optrun.component import Decay, NonNegative, Positive
from optrun.numerics.jit import Kernel, kernel
from optrun.optim.optimizer import Rule


class SGD(Rule):
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


class Momentum(Rule):
    """Gradient descent with momentum, the heavy ball.

        accumulate:  v ← ρv + (1−d)g,     w ← w − lr·v     (v ← g at t = 1)
        velocity:    v ← ρv − lr(1−d)g,   w ← w + v        (v ← −lr·g at t = 1)

    ρ is `momentum`, d is `dampening`, which leaves out the first step, as in PyTorch. The forms
    agree while lr is constant; when a schedule changes lr, `accumulate` rescales the whole velocity
    at once and `velocity` only what is added. `accumulate` is PyTorch's. Polyak 1964.
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

    @property
    def gain(self) -> float:
        return (1.0 - self.dampening) / (1.0 - self.momentum)

    def variant(self) -> Kernel:
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
        rho, step = w.dtype.type(h[0]), w.dtype.type(lr if t == 1 else lr * (1.0 - h[1]))
        for i in range(w.size):
            v[i] = rho * v[i] - step * g[i]
            w[i] += v[i]


class Nesterov(Rule):
    """Nesterov's accelerated gradient, in the form that takes the gradient at w.

        v ← ρv + g,   w ← w − lr(g + ρv)

    ρ is `momentum`. Nesterov 1983; Sutskever et al. 2013.
    """

    name: Literal["nesterov"] = "nesterov"
    lr: Positive = 0.01
    momentum: Decay = 0.9
    """ρ, the share of the velocity kept at each step."""

    slots = 1

    @property
    def gain(self) -> float:
        return 1.0 / (1.0 - self.momentum)

    @kernel
    def update(w, g, s, h, lr, t, shape):
        v = s[0]
        lr, rho = w.dtype.type(lr), w.dtype.type(h[0])
        for i in range(w.size):
            v[i] = rho * v[i] + g[i]
            w[i] -= lr * (g[i] + rho * v[i])


class ASGD(Rule):
    """Gradient descent with a falling rate, which also keeps the average of its weights.

        η = lr/(1 + λ·lr·(t−1))^α,   w ← (1−λη)w − ηg
        a ← a + μ(w − a),   μ = 1/max(1, t − 1 − t₀)

    λ is `lambd`, α is `alpha`, t₀ is `t0`. The average a is kept in the state and follows w until
    t₀; what is evaluated is w, as in PyTorch. Where a schedule changes lr, PyTorch uses the rate
    of the step before. Polyak & Juditsky 1992.
    """

    name: Literal["asgd"] = "asgd"
    lr: Positive = 0.01
    lambd: NonNegative = 1e-4
    """λ, how fast the rate falls and the weights shrink."""
    alpha: NonNegative = 0.75
    """α, the power by which the rate falls."""
    t0: NonNegative = 1e6
    """t₀, the step after which weights are averaged."""

    slots = 1

    @kernel
    def update(w, g, s, h, lr, t, shape):
        a = s[0]
        eta = lr / (1.0 + h[0] * lr * (t - 1)) ** h[1]
        kept, eta = w.dtype.type(1.0 - h[0] * eta), w.dtype.type(eta)
        mu = w.dtype.type(1.0 / max(1.0, t - 1 - h[2]))
        for i in range(w.size):
            w[i] = kept * w[i] - eta * g[i]
            a[i] += mu * (w[i] - a[i])
