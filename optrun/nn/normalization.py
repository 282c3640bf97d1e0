"""Normalization: what keeps the values between two layers at a scale of their own.

Three kinds stand between a linear layer and its activation:

    normalize(z, y, gain, shift, running, kept, h, training)     y ← γ·ẑ + β
    denormalize(z, d, gain, dgain, dshift, kept, h)              d = ∂L/∂y becomes ∂L/∂z, in place

z, y, d    (n, units), one row an example; z is kept for the way back
gain       γ (units,), 1 at the start
shift      β (units,), 0 at the start; size 0 if the kind has none
dgain      ∂L/∂γ, and dshift ∂L/∂β, set
running    (2·units,) means, 0 at the start, then variances, 1 at the start: updated in training,
           used in evaluation; size 0 if the kind keeps none
kept       room for 2·max(n, units) numbers that `denormalize` finds as `normalize` left them
h          the kind's own numbers, float64, as `hyper()` packs them

The fourth acts on the weights of every linear layer instead, by two kernels of its own:

    reparametrize(v, gain, w)              w ← γ·v/‖v‖ of every column, that is unit
    unreparametrize(v, gain, dw, dgain)    dw = ∂L/∂w becomes ∂L/∂v, in place; dgain is set

v, w, dw   (fan_in, units); no column of v may be 0
gain       γ (units,), ‖v‖ at the start, so that w is v there

Means, variances and norms of the way forward are summed in float64 and in a fixed order; a variance
takes a second pass, over the distances from the mean.
"""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from optrun.component import Component, Positive, table
from optrun.numerics.jit import Kernel, kernel
from optrun.numerics.sums import fold


class Normalization(Component):
    """What gives the units of hidden layers a scale that they learn by itself."""

    drops_bias: ClassVar[bool] = False
    """Whether the linear layer's bias would be without effect, and is left out."""
    shifts: ClassVar[bool] = False
    """Whether there is a shift β."""
    keeps_statistics: ClassVar[bool] = False
    """Whether evaluation uses statistics that training has gathered."""
    of_weights: ClassVar[bool] = False
    """Whether weights are normalized, of every linear layer, and not what a layer puts out."""

    normalize: ClassVar[Kernel]
    denormalize: ClassVar[Kernel]

    def hyper(self) -> list[float]:
        """The kind's own numbers, in the order their fields are declared."""
        return [float(getattr(self, name)) for name in type(self).model_fields if name != "name"]


class BatchNorm(Normalization):
    """Every unit by its mean and variance over the batch.

        ẑ = (z − μ)/√(σ² + ε),   y = γẑ + β
        ∂L/∂z = γ/√(σ² + ε)·(d − mean(d) − ẑ·mean(dẑ))

    Means are over the rows of the batch, σ² is theirs divided by n. Evaluation takes μ and σ² from
    what training has gathered: μ̄ ← (1−m)μ̄ + mμ, and σ̄² the same of the unbiased variance
    σ²n/(n−1). m is `momentum`. Ioffe & Szegedy 2015; PyTorch's BatchNorm1d, and like there a batch
    of 1 is refused.
    """

    name: Literal["batch"] = "batch"
    momentum: Annotated[float, Field(gt=0, le=1)] = 0.1
    """m, the share of a new batch in the running statistics."""
    eps: Positive = 1e-5
    """ε, keeps the division finite."""

    drops_bias = True
    shifts = True
    keeps_statistics = True

    @kernel
    def normalize(z, y, gain, shift, running, kept, h, training):
        units = gain.size
        mean, scale = kept[:units], kept[units : 2 * units]
        if training:
            average, variance = column_moments(z)
            follow(running[:units], average, h[0])
            follow(running[units:], variance * (z.shape[0] / (z.shape[0] - 1.0)), h[0])
        else:
            average, variance = running.astype(np.float64).reshape(2, units)
        for j in range(units):
            mean[j] = average[j]
            scale[j] = 1.0 / np.sqrt(variance[j] + h[1])
        for i in range(z.shape[0]):
            row, out = z[i], y[i]
            for j in range(units):
                out[j] = (row[j] - mean[j]) * scale[j] * gain[j] + shift[j]

    @kernel
    def denormalize(z, d, gain, dgain, dshift, kept, h):
        units, share = gain.size, z.dtype.type(1.0 / z.shape[0])
        mean, scale = kept[:units], kept[units : 2 * units]
        dgain[:] = 0
        dshift[:] = 0
        for i in range(z.shape[0]):
            row, slope = z[i], d[i]
            for j in range(units):
                dgain[j] += slope[j] * ((row[j] - mean[j]) * scale[j])
                dshift[j] += slope[j]
        for i in range(z.shape[0]):
            row, slope = z[i], d[i]
            for j in range(units):
                along = (row[j] - mean[j]) * scale[j] * (share * dgain[j])
                slope[j] = gain[j] * scale[j] * (slope[j] - share * dshift[j] - along)


@kernel
def column_moments(z):
    """The mean and the biased variance of every column, float64."""
    n, units = z.shape
    mean, variance = np.zeros(units), np.zeros(units)
    for i in range(n):
        row = z[i]
        for j in range(units):
            mean[j] += row[j]
    mean /= n
    for i in range(n):
        row = z[i]
        for j in range(units):
            variance[j] += (row[j] - mean[j]) * (row[j] - mean[j])
    variance /= n
    return mean, variance


@kernel
def follow(running, new, momentum):
    """running ← (1−m)·running + m·new."""
    for j in range(running.size):
        running[j] = (1.0 - momentum) * running[j] + momentum * new[j]


class LayerNorm(Normalization):
    """Every example by the mean and variance over its units.

        ẑ = (z − μ)/√(σ² + ε),   y = γẑ + β
        ∂L/∂z = (γd − mean(γd) − ẑ·mean(γdẑ))/√(σ² + ε)

    Means are over the units of a row, σ² is theirs divided by their number. Training and evaluation
    do the same. Ba, Kiros & Hinton 2016; PyTorch's LayerNorm.
    """

    name: Literal["layer"] = "layer"
    eps: Positive = 1e-5
    """ε, keeps the division finite."""

    shifts = True

    @kernel
    def normalize(z, y, gain, shift, running, kept, h, training):
        n, units = z.shape
        means, scales, work = kept[:n], kept[n : 2 * n], np.empty(units)
        for i in range(n):
            row, out = z[i], y[i]
            work[:] = row
            average = fold(work) / units
            for j in range(units):
                work[j] = (row[j] - average) * (row[j] - average)
            means[i] = average
            scales[i] = 1.0 / np.sqrt(fold(work) / units + h[0])
            mean, scale = means[i], scales[i]
            for j in range(units):
                out[j] = (row[j] - mean) * scale * gain[j] + shift[j]

    @kernel
    def denormalize(z, d, gain, dgain, dshift, kept, h):
        n, units = z.shape
        means, scales, first, second = kept[:n], kept[n : 2 * n], np.empty(units), np.empty(units)
        dgain[:] = 0
        dshift[:] = 0
        for i in range(n):
            row, slope, mean, scale = z[i], d[i], means[i], scales[i]
            for j in range(units):
                unit = (row[j] - mean) * scale
                dgain[j] += slope[j] * unit
                dshift[j] += slope[j]
                slope[j] *= gain[j]
                first[j] = slope[j]
                second[j] = slope[j] * unit
            level, along = z.dtype.type(fold(first) / units), z.dtype.type(fold(second) / units)
            for j in range(units):
                slope[j] = scale * (slope[j] - level - (row[j] - mean) * scale * along)


class RMSNorm(Normalization):
    """Every example by the root of the mean square over its units.

        ẑ = z/√(mean(z²) + ε),   y = γẑ
        ∂L/∂z = (γd − ẑ·mean(γdẑ))/√(mean(z²) + ε)

    Means are over the units of a row. Zhang & Sennrich 2019; PyTorch's RMSNorm, whose ε is the
    rounding unit of the type if none is given.
    """

    name: Literal["rms"] = "rms"
    eps: Positive = 1e-5
    """ε, keeps the division finite."""

    @kernel
    def normalize(z, y, gain, shift, running, kept, h, training):
        n, units = z.shape
        work = np.empty(units)
        for i in range(n):
            row, out = z[i], y[i]
            for j in range(units):
                work[j] = np.float64(row[j]) * row[j]
            kept[i] = 1.0 / np.sqrt(fold(work) / units + h[0])
            scale = kept[i]
            for j in range(units):
                out[j] = row[j] * scale * gain[j]

    @kernel
    def denormalize(z, d, gain, dgain, dshift, kept, h):
        n, units = z.shape
        work = np.empty(units)
        dgain[:] = 0
        for i in range(n):
            row, slope, scale = z[i], d[i], kept[i]
            for j in range(units):
                unit = row[j] * scale
                dgain[j] += slope[j] * unit
                slope[j] *= gain[j]
                work[j] = slope[j] * unit
            along = z.dtype.type(fold(work) / units)
            for j in range(units):
                slope[j] = scale * (slope[j] - row[j] * scale * along)


class WeightNorm(Normalization):
    """The length of every unit's incoming weights apart from their direction.

        w = γ·v/‖v‖
        ∂L/∂γ = ⟨∂L/∂w, v⟩/‖v‖,   ∂L/∂v = γ/‖v‖·(∂L/∂w − ∂L/∂γ·v/‖v‖)

    v and γ are learned in the place of w. Salimans & Kingma 2016, without their start from the
    data; PyTorch's weight_norm, a norm for every unit.
    """

    name: Literal["weight"] = "weight"

    of_weights = True


@kernel
def reparametrize(v, gain, w):
    """w ← γ·v/‖v‖, column by column."""
    norms = np.zeros(gain.size)
    for i in range(v.shape[0]):
        row = v[i]
        for j in range(row.size):
            norms[j] += np.float64(row[j]) * row[j]
    scale = np.empty_like(gain)
    for j in range(gain.size):
        scale[j] = gain[j] / np.sqrt(norms[j])
    for i in range(v.shape[0]):
        row, out = v[i], w[i]
        for j in range(row.size):
            out[j] = scale[j] * row[j]


@kernel
def unreparametrize(v, gain, dw, dgain):
    """dw = ∂L/∂w becomes ∂L/∂v, in place; dgain ← ∂L/∂γ."""
    squares, products = np.zeros(gain.size), np.zeros(gain.size)
    for i in range(v.shape[0]):
        row, slope = v[i], dw[i]
        for j in range(row.size):
            squares[j] += np.float64(row[j]) * row[j]
            products[j] += np.float64(row[j]) * slope[j]
    scale, along = np.empty_like(gain), np.empty_like(gain)
    for j in range(gain.size):
        norm = np.sqrt(squares[j])
        dgain[j] = products[j] / norm
        scale[j] = gain[j] / norm
        along[j] = scale[j] * products[j] / squares[j]
    for i in range(v.shape[0]):
        row, slope = v[i], dw[i]
        for j in range(row.size):
            slope[j] = scale[j] * slope[j] - along[j] * row[j]


@kernel
def normalize_nothing(z, y, gain, shift, running, kept, h, training):
    """In the place of `normalize` where a model has none of the first three kinds."""


@kernel
def denormalize_nothing(z, d, gain, dgain, dshift, kept, h):
    """In the place of `denormalize` likewise."""


NORMALIZATIONS: dict[str, type[Normalization]] = table([BatchNorm, LayerNorm, RMSNorm, WeightNorm])
