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
from optrun.numerics.exponential import exponential
from optrun.numerics.jit import Kernel, inlined, kernel

HUGE = 1e200
"""A product that takes no more factors, so as not to overflow."""


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
    """Cross-entropy of the softmax of the scores.

        u_k = s_k − max s,   Z = Σ_j e^(u_j),   p_k = e^(u_k)/Z,   log p_k = u_k − log Z
        q_k = (1−ε)t_k + ε/K,   H = −Σ_k p_k log p_k = log Z − Σ_k p_k u_k
        L = −Σ_k q_k log p_k − βH = log Z − Σ_k q_k u_k − βH
        ∂L/∂s_k = p_k(1 + β(log p_k + H)) − q_k
        S_jk = √p_k([j = k] − p_j),   for β = 0, whatever the targets

    ε is `label_smoothing` (Szegedy et al. 2016; PyTorch's), β is `confidence_penalty` (Pereyra et
    al. 2017); evaluation takes both as 0. A row is computed in float64. Z − 1 is summed without the
    largest score's 1, log Z is log1p(Z − 1), and for the largest score p_k − q_k is
    (1 − q_k) − (Z − 1)/Z: so no loss is too small and no score too large for its digits.
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
        kept, spread, beta, share = 1.0 - h[0], h[0] / outputs, h[1], 1.0 / n
        rows, total, product = rows_at_once(outputs), 0.0, 0.0
        us, es = np.empty((rows, outputs)), np.empty((rows, outputs))
        for first in range(0, n, rows):
            stop = min(first + rows, n)
            exponentials(scores[first:stop], us, es)
            for i in range(first, stop):
                t, ds, u, e = targets[i], d[i], us[i - first], es[i - first]
                rest, aim, mean = sum_of_rest(u, e), 0.0, 0.0
                scale = 1.0 / (1.0 + rest)
                for k in range(outputs):
                    aim += (kept * t[k] + spread) * u[k]
                    mean += scale * e[k] * u[k]
                total += beta * mean - aim
                product += rest + product * rest  # Π Z − 1 over rows, for one logarithm of many
                if product > HUGE:
                    total += (1.0 - beta) * np.log1p(product)
                    product = 0.0
                for k in range(outputs):
                    p, q = scale * e[k], kept * t[k] + spread
                    gap = p - q if u[k] < 0.0 else 1.0 - q - scale * rest
                    ds[k] = share * (gap + beta * p * (u[k] - mean))
        return (total + (1.0 - beta) * np.log1p(product)) / n

    @kernel
    def curve(scores, targets, r, d, h):
        n, outputs = scores.shape
        beta, rows, v, p = h[1], rows_at_once(outputs), np.empty(outputs), np.empty(outputs)
        us, es = np.empty((rows, outputs)), np.empty((rows, outputs))
        for i in range(n):
            row = i % rows
            if row == 0:
                exponentials(scores[i : i + rows], us, es)
            ds, u, e, top = d[i], us[row], es[row], np.argmax(scores[i])
            mean, turn, change, scale = 0.0, 0.0, 0.0, 1.0 / (1.0 + sum_of_rest(u, e))
            for k in range(outputs):
                p[k], v[k] = scale * e[k], np.float64(r[i, k]) - r[i, top]
                mean += p[k] * u[k]
                turn += p[k] * v[k]
            for k in range(outputs):
                change += p[k] * (v[k] - turn) * u[k]
            for k in range(outputs):
                bend = 1.0 + beta * (u[k] - mean + 1.0)
                ds[k] = p[k] * ((v[k] - turn) * bend - beta * change) / n

    @kernel
    def factor(scores, k, d, h):
        n, outputs = scores.shape
        u, e = np.empty((1, outputs)), np.empty((1, outputs))
        for i in range(n):
            exponentials(scores[i : i + 1], u, e)
            rest, column = sum_of_rest(u[0], e[0]), d[i]
            scale = 1.0 / (1.0 + rest)
            p = scale * e[0, k]
            for j in range(outputs):
                column[j] = -np.sqrt(p) * scale * e[0, j]
            column[k] = np.sqrt(p) * (1.0 - p if u[0, k] < 0.0 else scale * rest)

    def chance(self, outputs: int, targets: np.ndarray) -> float:
        """log K, with all scores equal."""
        return math.log(outputs)


@kernel
def rows_at_once(outputs):
    """Rows whose exponentials are computed together: many short ones, one long one."""
    return max(1, 1024 // outputs)


@kernel
def exponentials(scores, u, e):
    """u ← s − max s and e ← e^u for every row, float64."""
    n, outputs = scores.shape
    for i in range(n):
        s, below, top = scores[i], u[i], scores[i, 0]
        for k in range(1, outputs):
            top = s[k] if s[k] > top else top
        for k in range(outputs):
            below[k] = np.float64(s[k]) - top
    exponential(u[:n].reshape(n * outputs), e[:n].reshape(n * outputs))


@inlined
def sum_of_rest(u, e):
    """Z − 1 of a row: Σ e without the 1 of the largest score, which would cost its digits."""
    rest, largest = 0.0, -1.0
    for k in range(u.size):
        rest += e[k] if u[k] < 0.0 else 0.0
        largest += 0.0 if u[k] < 0.0 else 1.0
    return rest + largest


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
        share, y = 1.0 / n, labels_of(targets)
        for i in range(n):
            s, ds, own, outside = scores[i], d[i], y[i], 0.0
            for k in range(s.size):
                if k != own:
                    margin = np.float64(s[k]) - s[own] + 1.0
                    counts = not margin <= 0.0  # true of a NaN, so that it is seen
                    ds[k] = share if counts else 0.0
                    outside += share if counts else 0.0
                    total += margin if counts else 0.0
            ds[own] = -outside
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
        twice, y = 2.0 / n, labels_of(targets)
        for i in range(n):
            s, ds, own, outside = scores[i], d[i], y[i], 0.0
            for k in range(s.size):
                if k != own:
                    margin = np.float64(s[k]) - s[own] + 1.0
                    margin = 0.0 if margin <= 0.0 else margin  # a NaN stays one
                    ds[k] = twice * margin
                    outside += margin
                    total += margin * margin
            ds[own] = -twice * outside
        return total / n

    @kernel
    def curve(scores, targets, r, d, h):
        n = scores.shape[0]
        twice, y = 2.0 / n, labels_of(targets)
        for i in range(n):
            s, v, ds, own, outside = scores[i], r[i], d[i], y[i], 0.0
            for k in range(s.size):
                if k != own:
                    margin, turn = np.float64(s[k]) - s[own] + 1.0, np.float64(v[k]) - v[own]
                    turn = 0.0 if margin <= 0.0 else turn
                    ds[k] = twice * turn
                    outside += turn
            ds[own] = -twice * outside

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
        twice, total = 2.0 / (n * outputs), 0.0
        for i in range(n):
            s, t, ds = scores[i], targets[i], d[i]
            for k in range(outputs):
                error = np.float64(s[k]) - t[k]
                ds[k] = twice * error
                total += error * error
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
