"""Activations, applied elementwise to the values z of a hidden layer.

    forward(z, a, h)      writes a = φ(z)
    backward(z, a, d, h)  turns d = ∂L/∂a into ∂L/∂z, in place

z, a and d are flat and of one type; h holds the activation's own numbers, float64, as `hyper()`
packs them. A NaN passes through, so that divergence is seen.
"""

from typing import ClassVar, Literal

import numpy as np

from optrun.component import Component, table
from optrun.numerics.jit import Kernel, kernel


class Activation(Component):
    """A function applied to every value of a hidden layer."""

    forward: ClassVar[Kernel]
    backward: ClassVar[Kernel]

    def hyper(self) -> list[float]:
        """The activation's own numbers, in the order their fields are declared."""
        return [float(getattr(self, name)) for name in type(self).model_fields if name != "name"]


class Identity(Activation):
    """No activation.

    φ(z) = z
    """

    name: Literal["identity"] = "identity"

    @kernel
    def forward(z, a, h):
        a[:] = z

    @kernel
    def backward(z, a, d, h):
        pass


class ReLU(Activation):
    """Rectified linear unit.

    φ(z) = max(0, z),   φ′(0) = 0
    """

    name: Literal["relu"] = "relu"

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


class Tanh(Activation):
    """Hyperbolic tangent.

    φ(z) = tanh z,   φ′ = 1 − a²
    """

    name: Literal["tanh"] = "tanh"

    @kernel
    def forward(z, a, h):
        for i in range(z.size):
            a[i] = np.tanh(z[i])

    @kernel
    def backward(z, a, d, h):
        one = z.dtype.type(1)
        for i in range(z.size):
            d[i] *= one - a[i] * a[i]


class Sigmoid(Activation):
    """Logistic function.

    φ(z) = 1/(1 + e^(−z)),   φ′ = a(1 − a)
    """

    name: Literal["sigmoid"] = "sigmoid"

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


ACTIVATIONS: dict[str, type[Activation]] = table([Identity, ReLU, Tanh, Sigmoid])
