"""Losses of a batch of scores against class labels.

loss(scores, y, d)

scores  (n, classes), kept
y       (n,) labels, int64
d       (n, classes), receives ∂loss/∂scores
returns the mean over the batch, float64
"""

from typing import ClassVar, Literal

import numpy as np

from optrun.component import Component, table
from optrun.numerics.jit import Kernel, kernel


class Loss(Component):
    """What training makes small, averaged over the batch."""

    loss: ClassVar[Kernel]

    def hyper(self) -> list[float]:
        return []

    def evaluation_hyper(self) -> list[float]:
        return []


class Softmax(Loss):
    """Cross-entropy of the softmax of the scores, by log-sum-exp.

        L = −s_y + log Σ_k e^(s_k),   ∂L/∂s_k = p_k − [k = y]

    The greatest score is subtracted first, so scores of ±1000 are safe.
    """

    name: Literal["softmax"] = "softmax"

    @kernel
    def loss(scores, targets, d, h):
        n, total = scores.shape[0], 0.0
        share = scores.dtype.type(1.0 / n)
        for i in range(n):
            s, p = scores[i], d[i]
            top = s[0]
            for k in range(1, s.size):
                top = s[k] if s[k] > top else top
            norm = s.dtype.type(0)
            for k in range(s.size):
                p[k] = np.exp(s[k] - top)
                norm += p[k]
            for k in range(s.size):
                p[k] *= share / norm
            q = targets[i]
            for k in range(s.size):
                p[k] -= share * q[k]
                total += q[k] * (np.log(norm) + top - s[k])
        return total / n


class Hinge(Loss):
    """Multiclass support-vector loss (Weston–Watkins) with margin 1.

        L = Σ_{k≠y} max(0, s_k − s_y + 1)
        ∂L/∂s_k = [s_k − s_y + 1 > 0],   ∂L/∂s_y = −Σ_{k≠y} of those

    Weston & Watkins 1999.
    """

    name: Literal["hinge"] = "hinge"

    @kernel
    def loss(scores, targets, d, h):
        n, total = scores.shape[0], 0.0
        share, zero = scores.dtype.type(1.0 / n), scores.dtype.type(0)
        for i in range(n):
            s, ds, own = scores[i], d[i], np.argmax(targets[i])
            floor = s[own] - s.dtype.type(1)
            ds[own] = zero
            for k in range(s.size):
                if k != own:
                    # written so that a NaN margin counts, and is seen
                    inside = s[k] - floor <= zero
                    ds[k] = zero if inside else share
                    ds[own] -= ds[k]
                    total += zero if inside else s[k] - floor
        return total / n


LOSSES: dict[str, type[Loss]] = table([Softmax, Hinge])


class MSE(Loss):
    """x"""

    name: Literal["mse"] = "mse"
    loss = Hinge.loss
