"""Rules whose average of the weights takes the place of a falling learning rate.

Three points: the fast one z steps, x is the average that is evaluated, and gradients are taken
between the two, at y, which is where the weights w stand in training. Running statistics of
normalization are computed for x on the training examples wherever it is evaluated.

    y = x + (1−β)(z − x)
    z ← z − lr·(step at y)
    x ← (1−c)x + cz,   c = η_t/(η_1 + … + η_t),   η_t = t^r·(greatest lr so far)^p

Defazio et al. 2024. Best without a schedule, but with a warmup.
"""

from typing import Literal

import numpy as np

from optrun.component import Decay, NonNegative, Positive
from optrun.numerics.jit import kernel
from optrun.optim.optimizer import Rule


class ScheduleFree(Rule):
    """A rule that keeps z and x for every weight, and three numbers behind them.

    They are η_1 + … + η_t, the greatest lr, and what the sum lost when it was rounded to the
    weights' type: over many steps that adds up.
    """

    remakes_weights = True

    def state_shape(self, rows: int, columns: int, is_matrix: bool) -> tuple[int, int]:
        return self.slots, rows * columns + 3

    def evaluated(self, w: np.ndarray, s: np.ndarray) -> np.ndarray:
        """x, once there has been a step."""
        return s[1, :-3] if s[0, -3] > 0 else w


class ScheduleFreeSGD(ScheduleFree):
    """Gradient descent that needs no schedule.

        z ← z − lr·g

    with the gradient g at y, as the head of this module says. β is `beta`, r is `r`, p is
    `weight_lr_power`.
    """

    name: Literal["schedule_free_sgd"] = "schedule_free_sgd"
    lr: Positive = 1.0
    beta: Decay = 0.9
    """β, where between z (0) and x (1) the gradient is taken."""
    r: NonNegative = 0.0
    """r, the power of t in a step's weight."""
    weight_lr_power: NonNegative = 2.0
    """p, the power of the learning rate in a step's weight."""

    slots = 2

    @kernel
    def update(w, g, s, h, lr, t, shape):
        average_steps(w, g, s, lr, t, h[0], h[1], h[2])


class ScheduleFreeAdamW(ScheduleFree):
    """AdamW, without its first moment, that needs no schedule.

        v ← β₂v + (1−β₂)g²,   v̂ = v/(1 − β₂ᵗ)
        z ← z − lr·(g/(√v̂ + ε) + λy)

    with the gradient g at y, as the head of this module says. β is `beta1`, β₂ is `beta2`, λ is
    `weight_decay`, r is `r`, p is `weight_lr_power`.
    """

    name: Literal["schedule_free_adamw"] = "schedule_free_adamw"
    lr: Positive = 0.0025
    beta1: Decay = 0.9
    """β, where between z (0) and x (1) the gradient is taken."""
    beta2: Decay = 0.999
    """β₂, the share of the mean squared gradient kept at each step."""
    eps: Positive = 1e-8
    """ε, keeps the division finite."""
    weight_decay: NonNegative = 0.0
    """λ, the share of the weights added to the step."""
    r: NonNegative = 0.0
    """r, the power of t in a step's weight."""
    weight_lr_power: NonNegative = 2.0
    """p, the power of the learning rate in a step's weight."""

    slots = 3

    @kernel
    def update(w, g, s, h, lr, t, shape):
        v, step = s[2], np.empty_like(w)
        root = np.sqrt(1.0 - h[1] ** t)
        scale, eps, decay = w.dtype.type(root), w.dtype.type(h[2] * root), w.dtype.type(h[3])
        beta2, fresh = w.dtype.type(h[1]), w.dtype.type(1.0 - h[1])
        for i in range(w.size):
            v[i] = beta2 * v[i] + fresh * g[i] * g[i]
            step[i] = scale * g[i] / (np.sqrt(v[i]) + eps) + decay * w[i]
        average_steps(w, step, s, lr, t, h[0], h[4], h[5])


@kernel
def average_steps(w, step, s, lr, t, beta, r, power):
    """Move z along the step, x towards z, and w between the two."""
    n = w.size
    z, x, kept = s[0], s[1], s[0, n:]
    if t == 1:
        z[:n] = w
        x[:n] = w
    kept[1] = max(np.float64(kept[1]), lr)
    weight = float(t) ** r * np.float64(kept[1]) ** power
    total = np.float64(kept[0]) + kept[2] + weight
    kept[0] = total
    kept[2] = total - kept[0]
    share = w.dtype.type(weight / total)
    lr, to_z = w.dtype.type(lr), w.dtype.type(1.0 - beta)
    for i in range(n):
        z[i] -= lr * step[i]
        x[i] += share * (z[i] - x[i])
        w[i] = x[i] + to_z * (z[i] - x[i])
