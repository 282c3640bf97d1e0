"""Activations, applied elementwise to the values z of a hidden layer.

    forward(z, a, h)            writes a = φ(z)
    backward(z, a, d, h)        turns d = ∂L/∂a into ∂L/∂z = φ′(z)·d, in place
    curve(z, a, d, r, out, h)   adds φ″(z)·d·r to out: what the bend of φ contributes to the change
                                of ∂L/∂z while z changes at the rates r

All arrays are flat and of one type; h holds the activation's own numbers, float64, as `hyper()`
packs them. A NaN passes through, so that divergence is seen. At 0, where some have a kink,
φ′ is that of the left side and φ″ is 0.
"""

import math
from typing import ClassVar, Literal

import numpy as np

from optrun.component import Component, Decay, Positive, table
from optrun.numerics.jit import Kernel, kernel

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
"""λ and α of selu."""


class Activation(Component):
    """A function applied to every value of a hidden layer."""

    forward: ClassVar[Kernel]
    backward: ClassVar[Kernel]
    curve: ClassVar[Kernel]

    start: ClassVar[Literal["xavier_uniform", "he_uniform", "lecun_normal"]] = "xavier_uniform"
    """The default of `initialization`.

    Xavier's weights keep the variance of signal and gradient where φ′ is about 1, as in tanh's
    middle. Of a standard normal z, E[φ′(z)²] is 0.5 for relu, which He's weights make up for, and
    0.67, 0.46, 0.38 and 0.29 for elu, gelu, silu and softplus: nearer to relu's than to 1.
    """

    def hyper(self) -> list[float]:
        """The activation's own numbers, in the order their fields are declared."""
        return [float(getattr(self, name)) for name in type(self).model_fields if name != "name"]

    def gain(self) -> float | None:
        """How much wider the weights before it must spread to keep the signal's variance.

        Of the logistic function and tanh it is the inverse of their slope at 0 (in PyTorch 1 and
        5/3), of rectifiers PyTorch's. None where neither derivation gives a number.
        """
        return None

    def start_gain(self) -> float:
        """The gain of `start`, as the default of `initialization` has it."""
        return 1.0


class Identity(Activation):
    """No activation.

    φ(z) = z
    """

    name: Literal["identity"] = "identity"

    def gain(self) -> float:
        return 1.0

    @kernel
    def forward(z, a, h):
        a[:] = z

    @kernel
    def backward(z, a, d, h):
        pass

    @kernel
    def curve(z, a, d, r, out, h):
        pass


class ReLU(Activation):
    """Rectified linear unit.

    φ(z) = max(0, z),   φ′(0) = 0

    Starts from He's weights, which are made for it.
    """

    name: Literal["relu"] = "relu"

    start = "he_uniform"

    def gain(self) -> float:
        return math.sqrt(2.0)

    @kernel
    def forward(z, a, h):
        zero = z.dtype.type(0)
        for i in range(z.size):
            a[i] = zero if z[i] < zero else z[i]

    @kernel
    def backward(z, a, d, h):
        zero = z.dtype.type(0)
        for i in range(z.size):
            d[i] = zero if a[i] <= zero else d[i]

    @kernel
    def curve(z, a, d, r, out, h):
        pass


class LeakyReLU(Activation):
    """Rectified linear unit that lets a little of the negative side through.

    φ(z) = z where z > 0, else s·z,   φ′(0) = s

    s is `slope`, PyTorch's negative_slope. Maas, Hannun & Ng 2013. Starts from He's weights with
    the gain that he gives for a slope, 1/√(1 + s²).
    """

    name: Literal["leaky_relu"] = "leaky_relu"
    slope: Decay = 0.01
    """s, the slope on the negative side."""

    start = "he_uniform"

    def gain(self) -> float:
        return math.sqrt(2.0 / (1.0 + self.slope**2))

    def start_gain(self) -> float:
        return math.sqrt(1.0 / (1.0 + self.slope**2))

    @kernel
    def forward(z, a, h):
        slope, zero = z.dtype.type(h[0]), z.dtype.type(0)
        for i in range(z.size):
            a[i] = slope * z[i] if z[i] <= zero else z[i]

    @kernel
    def backward(z, a, d, h):
        slope, zero = z.dtype.type(h[0]), z.dtype.type(0)
        for i in range(z.size):
            d[i] = slope * d[i] if z[i] <= zero else d[i]

    @kernel
    def curve(z, a, d, r, out, h):
        pass


class ELU(Activation):
    """Exponential linear unit: relu's positive side, a smooth floor at −α on the other.

    φ(z) = z where z > 0, else α(e^z − 1),   φ′ = αe^z there and at 0

    φ″ = αe^z where z < 0, else 0

    α is `alpha`. Clevert, Unterthiner & Hochreiter 2016, who start from He's weights.
    """

    name: Literal["elu"] = "elu"
    alpha: Positive = 1.0
    """α, how far below 0 the floor lies."""

    start = "he_uniform"

    @kernel
    def forward(z, a, h):
        alpha, zero = z.dtype.type(h[0]), z.dtype.type(0)
        for i in range(z.size):
            a[i] = alpha * np.expm1(z[i]) if z[i] <= zero else z[i]

    @kernel
    def backward(z, a, d, h):
        alpha, zero = z.dtype.type(h[0]), z.dtype.type(0)
        for i in range(z.size):
            d[i] = alpha * np.exp(z[i]) * d[i] if z[i] <= zero else d[i]

    @kernel
    def curve(z, a, d, r, out, h):
        alpha, zero = z.dtype.type(h[0]), z.dtype.type(0)
        for i in range(z.size):
            out[i] += alpha * np.exp(z[i]) * d[i] * r[i] if z[i] < zero else zero


class Softplus(Activation):
    """A smooth relu.

    φ(z) = log(1 + e^(βz))/β, and z itself where βz > threshold,   φ′ = 1/(1 + e^(−βz))

    φ″ = βφ′(1 − φ′), and 0 beyond the threshold

    β is `beta`; both numbers as in PyTorch. Dugas et al. 2001. Starts from He's weights, as relu.
    """

    name: Literal["softplus"] = "softplus"
    beta: Positive = 1.0
    """β, how sharply it turns at 0."""
    threshold: Positive = 20.0
    """The βz beyond which it counts as a straight line."""

    start = "he_uniform"

    @kernel
    def forward(z, a, h):
        beta, threshold, zero = z.dtype.type(h[0]), z.dtype.type(h[1]), z.dtype.type(0)
        for i in range(z.size):
            above = z[i] if z[i] > zero else zero
            bend = np.log1p(np.exp(-abs(beta * z[i]))) / beta
            a[i] = z[i] if beta * z[i] > threshold else above + bend

    @kernel
    def backward(z, a, d, h):
        beta, threshold, one = z.dtype.type(h[0]), z.dtype.type(h[1]), z.dtype.type(1)
        for i in range(z.size):
            slope = one / (one + np.exp(-beta * z[i]))
            d[i] *= one if beta * z[i] > threshold else slope

    @kernel
    def curve(z, a, d, r, out, h):
        beta, threshold, one = z.dtype.type(h[0]), z.dtype.type(h[1]), z.dtype.type(1)
        zero = z.dtype.type(0)
        for i in range(z.size):
            e = np.exp(-abs(beta * z[i]))
            bend = beta * e / ((one + e) * (one + e))
            out[i] += zero if beta * z[i] > threshold else bend * d[i] * r[i]


class SELU(Activation):
    """Scaled exponential linear unit, which keeps units near mean 0 and variance 1.

    φ(z) = λz where z > 0, else λα(e^z − 1),   φ′ = λαe^z there and at 0

    φ″ = λαe^z where z < 0, else 0

    λ ≈ 1.0507, α ≈ 1.6733: of weights with mean 0 and variance 1/fan_in and standardized inputs,
    every layer makes units of about mean 0 and variance 1. So it starts from `lecun_normal`, as
    Klambauer et al. 2017 do.
    """

    name: Literal["selu"] = "selu"

    start = "lecun_normal"

    def gain(self) -> float:
        return 1.0

    @kernel
    def forward(z, a, h):
        scale, alpha, zero = z.dtype.type(SELU_SCALE), z.dtype.type(SELU_ALPHA), z.dtype.type(0)
        for i in range(z.size):
            a[i] = scale * (alpha * np.expm1(z[i]) if z[i] <= zero else z[i])

    @kernel
    def backward(z, a, d, h):
        scale, alpha, zero = z.dtype.type(SELU_SCALE), z.dtype.type(SELU_ALPHA), z.dtype.type(0)
        for i in range(z.size):
            d[i] *= scale * alpha * np.exp(z[i]) if z[i] <= zero else scale

    @kernel
    def curve(z, a, d, r, out, h):
        steepest, zero = z.dtype.type(SELU_SCALE * SELU_ALPHA), z.dtype.type(0)
        for i in range(z.size):
            out[i] += steepest * np.exp(z[i]) * d[i] * r[i] if z[i] < zero else zero


class SiLU(Activation):
    """The value times its logistic function, also called swish.

    φ(z) = z·σ(z),   φ′ = σ(1 + z(1 − σ)),   σ(z) = 1/(1 + e^(−z))

    φ″ = σ(1 − σ)(2 + z(1 − 2σ))

    Elfwing, Uchibe & Doya 2018. Starts from He's weights, as relu.
    """

    name: Literal["silu"] = "silu"

    start = "he_uniform"

    @kernel
    def forward(z, a, h):
        one = z.dtype.type(1)
        for i in range(z.size):
            a[i] = z[i] / (one + np.exp(-z[i]))

    @kernel
    def backward(z, a, d, h):
        one = z.dtype.type(1)
        for i in range(z.size):
            s = one / (one + np.exp(-z[i]))
            d[i] *= s * (one + z[i] * (one - s))

    @kernel
    def curve(z, a, d, r, out, h):
        one, two = z.dtype.type(1), z.dtype.type(2)
        for i in range(z.size):
            e = np.exp(-abs(z[i]))
            slope, s = e / ((one + e) * (one + e)), one / (one + np.exp(-z[i]))
            out[i] += slope * (two + z[i] * (one - two * s)) * d[i] * r[i]


class GELU(Activation):
    """The value times the chance that a standard normal number lies below it.

    φ(z) = z·Φ(z),   Φ(z) = ½ erfc(−z/√2),   φ′ = Φ + z·e^(−z²/2)/√(2π)

    φ″ = (2 − z²)e^(−z²/2)/√(2π)

    The exact form, PyTorch's default. Hendrycks & Gimpel 2016. Starts from He's weights, as relu.
    """

    name: Literal["gelu"] = "gelu"

    start = "he_uniform"

    @kernel
    def forward(z, a, h):
        half, root = z.dtype.type(0.5), z.dtype.type(np.sqrt(0.5))
        for i in range(z.size):
            a[i] = z[i] * half * math.erfc(-root * z[i])

    @kernel
    def backward(z, a, d, h):
        half, root = z.dtype.type(0.5), z.dtype.type(np.sqrt(0.5))
        height = z.dtype.type(1.0 / np.sqrt(2.0 * np.pi))
        for i in range(z.size):
            below = half * math.erfc(-root * z[i])
            d[i] *= below + z[i] * height * np.exp(-half * z[i] * z[i])

    @kernel
    def curve(z, a, d, r, out, h):
        half, two = z.dtype.type(0.5), z.dtype.type(2)
        height = z.dtype.type(1.0 / np.sqrt(2.0 * np.pi))
        for i in range(z.size):
            square = z[i] * z[i]
            out[i] += (two - square) * height * np.exp(-half * square) * d[i] * r[i]


class Tanh(Activation):
    """Hyperbolic tangent.

    φ(z) = tanh z,   φ′ = 1 − a²,   φ″ = −2aφ′
    """

    name: Literal["tanh"] = "tanh"

    def gain(self) -> float:
        return 1.0

    @kernel
    def forward(z, a, h):
        for i in range(z.size):
            a[i] = np.tanh(z[i])

    @kernel
    def backward(z, a, d, h):
        one = z.dtype.type(1)
        for i in range(z.size):
            d[i] *= one - a[i] * a[i]

    @kernel
    def curve(z, a, d, r, out, h):
        one, two = z.dtype.type(1), z.dtype.type(2)
        for i in range(z.size):
            out[i] -= two * a[i] * (one - a[i] * a[i]) * d[i] * r[i]


class Sigmoid(Activation):
    """Logistic function.

    φ(z) = 1/(1 + e^(−z)),   φ′ = a(1 − a),   φ″ = φ′(1 − 2a)
    """

    name: Literal["sigmoid"] = "sigmoid"

    def gain(self) -> float:
        return 4.0

    @kernel
    def forward(z, a, h):
        one = z.dtype.type(1)
        for i in range(z.size):
            a[i] = one / (one + np.exp(-z[i]))

    @kernel
    def backward(z, a, d, h):
        one = z.dtype.type(1)
        for i in range(z.size):
            d[i] *= a[i] * (one - a[i])

    @kernel
    def curve(z, a, d, r, out, h):
        one, two = z.dtype.type(1), z.dtype.type(2)
        for i in range(z.size):
            out[i] += a[i] * (one - a[i]) * (one - two * a[i]) * d[i] * r[i]


ACTIVATIONS: dict[str, type[Activation]] = table(
    [Identity, ReLU, LeakyReLU, ELU, SELU, Softplus, SiLU, GELU, Tanh, Sigmoid]
)
