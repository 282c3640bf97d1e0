"""Rules that see a block as the matrix it is, not as a heap of numbers."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import Count, Decay, NonNegative, Positive
from optrun.numerics.flat import blend
from optrun.numerics.jit import kernel
from optrun.numerics.sums import fold, norms
from optrun.optim.adam import adam_step
from optrun.optim.optimizer import Rule


class Adafactor(Rule):
    """Adam without a mean, its mean squares kept for rows and columns only.

        ρ = min(lr, 1/√t),   α = ρ·max(ε₂, rms(w)),   β = 1 − t^c
        r ← βr + (1−β)·(mean of each row of g²),   k ← the same of each column
        V = r·kᵀ/max(mean(r), ε₁),   u = g/√max(V, ε₁²)
        w ← (1 − lr·λ)w − α·u/max(1, rms(u)/d)

    rms(x) is ‖x‖ over the root of the number of its entries, c is `beta2_decay`. A bias keeps all
    of V, the moving average of g². Shazeer & Stern 2018; PyTorch's form, where a constant lr is
    a bound on ρ and λ decays by lr.
    """

    name: Literal["adafactor"] = "adafactor"
    lr: Positive = 0.01
    beta2_decay: Annotated[float, Field(le=0)] = -0.8
    """c, the power of t that a new square's share falls by."""
    eps1: Positive | None = None
    """ε₁, keeps the division finite; the weights' rounding unit if null. Its square counts as the
    least normal number of the weights' type where it is less."""
    eps2: Positive = 1e-3
    """ε₂, the least size of weights that steps are in proportion to."""
    d: Annotated[float, Field(ge=1)] = 1.0
    """d, the greatest rms a step may have before it is scaled."""
    weight_decay: NonNegative = 0.0
    """λ, the share of lr by which weights shrink at each step."""

    slots = 1

    def hyper(self) -> list[float]:
        """[c, ε₁ or 0 for the rounding unit, ε₂, d, λ]."""
        return [self.beta2_decay, self.eps1 or 0.0, self.eps2, self.d, self.weight_decay]

    def state_shape(self, rows: int, columns: int, is_matrix: bool) -> tuple[int, int]:
        return 1, rows + columns if is_matrix else columns

    @kernel
    def update(w, g, s, h, lr, t, shape):
        fresh = float(t) ** h[0]
        eps = h[1] if h[1] > 0.0 else np.float64(np.finfo(w.dtype).eps)
        alpha = min(lr, 1.0 / np.sqrt(t)) * max(h[2], root_mean_square(w))
        u = np.empty_like(w)
        if shape[2]:
            matrix = shape[:2]
            factored_squares(g.reshape(matrix), s[0], fresh, eps, u.reshape(matrix))
        else:
            full_squares(g, s[0], fresh, u)
        least = w.dtype.type(max(eps * eps, np.float64(np.finfo(w.dtype).tiny)))
        for i in range(w.size):
            u[i] = g[i] / np.sqrt(max(u[i], least))
        kept = w.dtype.type(1.0 - lr * h[4])
        step = w.dtype.type(alpha / max(1.0, root_mean_square(u) / h[3]))
        for i in range(w.size):
            w[i] = kept * w[i] - step * u[i]


@kernel
def root_mean_square(v):
    """‖v‖/√n of a flat array."""
    return np.sqrt(norms(v)[1] / v.size)


@kernel
def full_squares(g, average, fresh, out):
    """out ← the moving average of g², in which the new one has the share `fresh`."""
    kept, fresh = g.dtype.type(1.0 - fresh), g.dtype.type(fresh)
    for i in range(g.size):
        average[i] = kept * average[i] + fresh * g[i] * g[i]
        out[i] = average[i]


@kernel
def factored_squares(g, averages, fresh, eps, out):
    """out ← r·kᵀ/mean(r), from the moving averages r and k of the mean squares of g.

    Args:
        averages: r, then k.
    """
    rows, columns = g.shape
    r, k = averages[:rows], averages[rows:]
    squares, column_sums, total = np.empty(columns), np.zeros(columns), 0.0
    for i in range(rows):
        row = g[i]
        for j in range(columns):
            squares[j] = np.float64(row[j]) * np.float64(row[j])
            column_sums[j] += squares[j]
        r[i] = (1.0 - fresh) * r[i] + fresh * fold(squares) / columns
        total += r[i]
    for j in range(columns):
        k[j] = (1.0 - fresh) * k[j] + fresh * column_sums[j] / rows
    mean = max(total / rows, eps)
    for i in range(rows):
        share, line = g.dtype.type(r[i] / mean), out[i]
        for j in range(columns):
            line[j] = share * k[j]


class Muon(Rule):
    """Momentum made orthogonal: a step of about the same length in every direction.

        b ← μb + (1−μ)g,   o = orthogonal((1−μ)g + μb)   (nesterov; else of b)
        w ← (1 − lr·λ)w − lr·c·o

        c = √max(1, fan_out/fan_in)           adjust_lr: original, Jordan et al. 2024
        c = 0.2·√max(fan_out, fan_in)         adjust_lr: match_rms_adamw, Liu et al. 2025

    μ is `momentum`, λ is `weight_decay`. `orthogonal` moves the singular values near 1 by
    `ns_steps` of Newton and Schulz's iteration, in the weights' type, where PyTorch takes bfloat16.
    Matrices of all layers take part; vectors, such as biases, take AdamW's step of the rate
    lr·`bias_lr` and the same λ.
    """

    name: Literal["muon"] = "muon"
    lr: Positive = 0.001
    momentum: Decay = 0.95
    """μ, the share of the momentum kept at each step."""
    nesterov: bool = True
    """Whether to look ahead, mixing the gradient in once more."""
    weight_decay: NonNegative = 0.1
    """λ, the share of lr by which weights shrink at each step."""
    ns_steps: Annotated[Count, Field(lt=100)] = 5
    """Steps of the iteration that makes the momentum orthogonal."""
    adjust_lr: Literal["original", "match_rms_adamw"] = "original"
    """How the rate depends on the shape of the matrix."""
    bias_lr: Positive = 1.0
    """What lr is multiplied by for biases."""
    beta1: Decay = 0.9
    """β₁ of AdamW for biases."""
    beta2: Decay = 0.999
    """β₂ of AdamW for biases."""
    eps: Positive = 1e-8
    """ε of AdamW for biases."""

    def hyper(self) -> list[float]:
        """[μ, nesterov, λ, ns_steps, bias_lr, β₁, β₂, ε, 1 for match_rms_adamw]."""
        return [*super().hyper(), float(self.adjust_lr == "match_rms_adamw")]

    def state_shape(self, rows: int, columns: int, is_matrix: bool) -> tuple[int, int]:
        return 1 if is_matrix else 2, rows * columns

    @kernel
    def update(w, g, s, h, lr, t, shape):
        if not shape[2]:
            lr *= h[4]
            adam_step(w, g, s, h[5:], lr, t, 1.0 - lr * h[2])
        else:
            muon_step(w, g, s[0], h, lr, shape)


@kernel
def muon_step(w, g, b, h, lr, shape):
    """Muon's step for a matrix, with h as `Muon.hyper` gives it and b the momentum."""
    o = np.empty_like(w)
    mu, fresh = w.dtype.type(h[0]), w.dtype.type(1.0 - h[0])
    for i in range(w.size):
        b[i] = mu * b[i] + fresh * g[i]
        o[i] = fresh * g[i] + mu * b[i] if h[1] > 0.0 else b[i]
    orthogonalize(o.reshape(shape[:2]), int(h[3]))
    fan_in, fan_out = shape[:2]
    square = 0.04 * max(fan_out, fan_in) if h[8] > 0.0 else max(1.0, fan_out / fan_in)
    kept, step = w.dtype.type(1.0 - lr * h[2]), w.dtype.type(lr * np.sqrt(square))
    for i in range(w.size):
        w[i] = kept * w[i] - step * o[i]


@kernel
def orthogonalize(x, steps):
    """Move the singular values of the matrix x near 1, in place.

        x ← x/max(‖x‖, 1e-7),   then `steps` times:   A = xxᵀ,   x ← ax + (bA + cA²)x

    with Muon's a, b, c, which trade exact ones for few steps. A tall matrix takes A = xᵀx from
    the right, the smaller one.
    """
    a, b, c = x.dtype.type(3.4445), x.dtype.type(-4.7750), x.dtype.type(2.0315)
    flat, tall = x.reshape(x.size), x.shape[0] > x.shape[1]
    flat /= x.dtype.type(max(np.sqrt(norms(flat)[1]), 1e-7))
    side = min(x.shape)
    gram = np.empty((side, side), x.dtype)
    change, mixed = np.empty_like(gram), np.empty_like(x)
    for _ in range(steps):
        if tall:
            np.dot(x.T, x, gram)
        else:
            np.dot(x, x.T, gram)
        np.dot(gram, gram, change)
        blend(change.reshape(change.size), c, gram.reshape(gram.size), b)
        if tall:
            np.dot(x, change, mixed)
        else:
            np.dot(change, x, mixed)
        blend(flat, a, mixed.reshape(x.size), x.dtype.type(1))
