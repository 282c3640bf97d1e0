"""Losses of a batch of scores against its targets.

    loss(scores, targets, d, h)      returns the mean over the batch, float64;
                                     d receives its gradient, ∂loss/∂scores
    curve(scores, targets, r, d, h)  d receives the mean's second derivative in the direction r,
                                     (∂²loss/∂scores²)·r
    factor(scores, k, d, h)          row i of d receives column k of S, where S·Sᵀ is the second
                                     derivative of row i's loss, not divided by n

scores   (n, outputs), kept
targets  (n, outputs), kept: numbers to predict, or for labels the shares of the classes, which are
         1 and 0, or anything between that adds up to 1 where examples have been mixed
r, d     (n, outputs)
h        the loss's own numbers, float64, as `hyper()` packs them

In the formulas, which are those of one row, s are its scores, K is their number, t its targets and
y the label that they stand for. A NaN passes through, so that divergence is seen.
"""

import math
from typing import ClassVar, Literal

import numpy as np

from optrun.component import Component, Decay, NonNegative, table
from optrun.numerics.jit import Kernel, kernel


class Loss(Component):
    """What training makes small, averaged over the batch."""

    soft: ClassVar[bool]
    """Whether targets may share an example between classes."""
    labels: ClassVar[bool]
    """Whether targets must be those of class labels."""
    curved: ClassVar[bool] = True
    """Whether there is a second derivative other than 0."""
    loss: ClassVar[Kernel]
    curve: ClassVar[Kernel]
    factor: ClassVar[Kernel]
    """Only of a loss that is the negative logarithm of a likelihood."""

    def hyper(self) -> list[float]:
        """The loss's own numbers in training, in the order their fields are declared."""
        return [float(getattr(self, name)) for name in type(self).model_fields if name != "name"]

    def evaluation_hyper(self) -> list[float]:
        """The same in evaluation."""
        return self.hyper()

    def factor_problems(self) -> dict[str, str]:
        """Why there is no `factor` of the second derivative, by the field to change."""
        return {}

    def chance(self, outputs: int, targets: np.ndarray) -> float | None:
        """The loss in evaluation of a model that has learned nothing; None where it has no name.

        Args:
            outputs: K, scores for each example.
            targets: class labels, (n,), or the numbers to predict, (n, K).
        """
        return None


class Softmax(Loss):
    """Cross-entropy of the softmax of the scores, by log-sum-exp.

        p_k = e^(s_k) / Σ_j e^(s_j),   q_k = (1−ε)t_k + ε/K,   H = −Σ_k p_k log p_k
        L = −Σ_k q_k log p_k − βH
        ∂L/∂s_k = p_k(1 + β(log p_k + H)) − q_k
        S_jk = √p_k([j = k] − p_j),   for β = 0, whatever the targets

    ε is `label_smoothing` (Szegedy et al. 2016; PyTorch's), β is `confidence_penalty` (Pereyra et
    al. 2017); evaluation takes both as 0. The greatest score is subtracted first, so scores of
    ±1000 are safe.
    """

    name: Literal["softmax"] = "softmax"
    label_smoothing: Decay = 0.0
    """ε, the share of every target that is spread over all classes."""
    confidence_penalty: NonNegative = 0.0
    """β, the worth of a nat of entropy in what is predicted."""

    soft = True
    labels = True

    def evaluation_hyper(self) -> list[float]:
        return [0.0, 0.0]

    def factor_problems(self) -> dict[str, str]:
        if self.confidence_penalty:
            return {"confidence_penalty": "makes the loss another than a likelihood's: write 0"}
        return {}

    @kernel
    def loss(scores, targets, d, h):
        n, outputs = scores.shape
        zero, share = scores.dtype.type(0), scores.dtype.type(1.0 / n)
        kept, spread = scores.dtype.type(1.0 - h[0]), scores.dtype.type(h[0] / outputs)
        total = 0.0
        for i in range(n):
            s, t, p = scores[i], targets[i], d[i]
            top, norm, aim = s[0], zero, zero
            for k in range(s.size):
                top = s[k] if s[k] > top else top
                aim += (kept * t[k] + spread) * s[k]
            for k in range(s.size):
                p[k] = np.exp(s[k] - top)
                norm += p[k]
            for k in range(s.size):
                p[k] = p[k] * (share / norm) - share * (kept * t[k] + spread)
            total += np.log(norm) + top - aim
        if h[1] > 0.0:
            total -= h[1] * reward_entropy(scores, d, h[1])
        return total / n

    @kernel
    def curve(scores, targets, r, d, h):
        zero, one = scores.dtype.type(0), scores.dtype.type(1)
        share, beta = scores.dtype.type(1.0 / scores.shape[0]), scores.dtype.type(h[1])
        log_norms = softmax(scores, d)
        for i in range(scores.shape[0]):
            s, v, p, log_norm = scores[i], r[i], d[i], log_norms[i]
            mean, entropy, change = zero, zero, zero
            for k in range(s.size):
                mean += p[k] * v[k]
                entropy += p[k] * (log_norm - s[k])
            for k in range(s.size):
                change += p[k] * (v[k] - mean) * (log_norm - s[k])
            for k in range(s.size):
                bend = one + beta * (entropy - (log_norm - s[k]) + one)
                p[k] *= share * ((v[k] - mean) * bend + beta * change)

    @kernel
    def factor(scores, k, d, h):
        softmax(scores, d)
        for i in range(scores.shape[0]):
            p = d[i]
            root = np.sqrt(p[k])
            for j in range(p.size):
                p[j] *= -root
            p[k] += root

    def chance(self, outputs: int, targets: np.ndarray) -> float:
        """log K, with all scores equal."""
        return math.log(outputs)


@kernel
def softmax(scores, p):
    """p ← the softmax of every row of the scores; returns the rows' log Σ_k e^(s_k)."""
    log_norms = np.empty(scores.shape[0], scores.dtype)
    for i in range(scores.shape[0]):
        s, e = scores[i], p[i]
        top, norm = s[0], s.dtype.type(0)
        for k in range(s.size):
            top = s[k] if s[k] > top else top
        for k in range(s.size):
            e[k] = np.exp(s[k] - top)
            norm += e[k]
        for k in range(s.size):
            e[k] /= norm
        log_norms[i] = np.log(norm) + top
    return log_norms


@kernel
def reward_entropy(scores, d, beta):
    """Add the gradient of −β·(mean entropy of the softmax) to d; returns the rows' sum of it."""
    zero, share, total = scores.dtype.type(0), scores.dtype.type(beta / scores.shape[0]), 0.0
    p = np.empty_like(scores)
    log_norms = softmax(scores, p)
    for i in range(scores.shape[0]):
        s, q, ds, log_norm, entropy = scores[i], p[i], d[i], log_norms[i], zero
        for k in range(s.size):
            entropy += q[k] * (log_norm - s[k])
        for k in range(s.size):
            ds[k] += share * q[k] * (entropy - (log_norm - s[k]))
        total += entropy
    return total


class Hinge(Loss):
    """Multiclass support-vector loss (Weston–Watkins) with margin 1.

        L = Σ_{k≠y} max(0, s_k − s_y + 1)
        ∂L/∂s_k = [s_k − s_y + 1 > 0],   ∂L/∂s_y = −Σ_{k≠y} of those

    Its second derivative is 0. Weston & Watkins 1999; K times PyTorch's MultiMarginLoss.
    """

    name: Literal["hinge"] = "hinge"

    soft = False
    labels = True
    curved = False

    def factor_problems(self) -> dict[str, str]:
        return {"name": "`hinge` is no likelihood's: take `softmax` or `mse`"}

    @kernel
    def loss(scores, targets, d, h):
        n, total = scores.shape[0], 0.0
        share, zero = scores.dtype.type(1.0 / n), scores.dtype.type(0)
        y = labels_of(targets)
        for i in range(n):
            s, ds, own = scores[i], d[i], y[i]
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

    @kernel
    def curve(scores, targets, r, d, h):
        d[:] = 0

    def chance(self, outputs: int, targets: np.ndarray) -> float:
        """K − 1, with all scores equal."""
        return outputs - 1.0


@kernel
def labels_of(targets):
    """The class of the greatest target of every row, (n,)."""
    y = np.empty(targets.shape[0], np.int64)
    for i in range(y.size):
        t, own = targets[i], 0
        for k in range(1, t.size):
            own = k if t[k] > t[own] else own
        y[i] = own
    return y


class SquaredHinge(Loss):
    """Multiclass support-vector loss of squared margins.

        m_k = max(0, s_k − s_y + 1),   L = Σ_{k≠y} m_k²
        ∂L/∂s_k = 2m_k,   ∂L/∂s_y = −Σ_{k≠y} of those

    K times PyTorch's MultiMarginLoss with p = 2.
    """

    name: Literal["squared_hinge"] = "squared_hinge"

    soft = False
    labels = True

    def factor_problems(self) -> dict[str, str]:
        return {"name": "`squared_hinge` is no likelihood's: take `softmax` or `mse`"}

    @kernel
    def loss(scores, targets, d, h):
        n, total = scores.shape[0], 0.0
        twice, zero = scores.dtype.type(2.0 / n), scores.dtype.type(0)
        y = labels_of(targets)
        for i in range(n):
            s, ds, own = scores[i], d[i], y[i]
            floor = s[own] - s.dtype.type(1)
            ds[own] = zero
            for k in range(s.size):
                if k != own:
                    margin = zero if s[k] - floor <= zero else s[k] - floor
                    ds[k] = twice * margin
                    ds[own] -= ds[k]
                    total += margin * margin
        return total / n

    @kernel
    def curve(scores, targets, r, d, h):
        n = scores.shape[0]
        twice, zero = scores.dtype.type(2.0 / n), scores.dtype.type(0)
        y = labels_of(targets)
        for i in range(n):
            s, v, ds, own = scores[i], r[i], d[i], y[i]
            floor = s[own] - s.dtype.type(1)
            ds[own] = zero
            for k in range(s.size):
                if k != own:
                    ds[k] = zero if s[k] - floor <= zero else twice * (v[k] - v[own])
                    ds[own] -= ds[k]

    def chance(self, outputs: int, targets: np.ndarray) -> float:
        """K − 1, with all scores equal."""
        return outputs - 1.0


class MSE(Loss):
    """Mean squared error over all outputs.

        L = (1/K) Σ_k (s_k − t_k)²,   ∂L/∂s_k = (2/K)(s_k − t_k)
        S_jk = √(2/K)·[j = k]

    Of class labels the targets are 1 for the label and 0 elsewhere. PyTorch's MSELoss.
    """

    name: Literal["mse"] = "mse"

    soft = True
    labels = False

    @kernel
    def loss(scores, targets, d, h):
        n, outputs = scores.shape
        twice, total = scores.dtype.type(2.0 / (n * outputs)), 0.0
        for i in range(n):
            s, t, ds = scores[i], targets[i], d[i]
            for k in range(outputs):
                error = s[k] - t[k]
                ds[k] = twice * error
                total += np.float64(error) * error
        return total / (n * outputs)

    @kernel
    def curve(scores, targets, r, d, h):
        twice = scores.dtype.type(2.0 / scores.size)
        for i in range(scores.shape[0]):
            v, ds = r[i], d[i]
            for k in range(v.size):
                ds[k] = twice * v[k]

    @kernel
    def factor(scores, k, d, h):
        d[:] = 0
        d[:, k] = np.sqrt(2.0 / scores.shape[1])

    def chance(self, outputs: int, targets: np.ndarray) -> float:
        """The variance of the targets, with scores that are their mean."""
        if targets.ndim > 1:
            return float(np.var(targets, axis=0, dtype=np.float64).mean())
        shares = np.bincount(targets, minlength=outputs) / targets.size
        return float((shares * (1 - shares)).mean())


LOSSES: dict[str, type[Loss]] = table([Softmax, Hinge, SquaredHinge, MSE])
