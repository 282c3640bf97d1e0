"""Penalties on the weights, and dropout."""

from typing import Annotated

from pydantic import Field

from optrun.component import Decay, NonNegative, Section
from optrun.numerics.jit import kernel
from optrun.numerics.sums import norms


class Regularization(Section):
    """What keeps the model from fitting noise.

        objective = loss + (l2/2)·‖W‖² + l1·‖W‖₁

    Penalties act on weights, not on biases, unless `include_bias`. The gradient of `l2` is l2·W
    (PyTorch's `weight_decay`; half of CS231n's λ‖W‖²), of `l1` it is l1·sign(W) with sign(0) = 0.
    Dropout sets a share of each hidden layer's activations to zero and divides the rest by what is
    left of 1 (inverted), in training only. Srivastava et al. 2014.
    """

    l1: NonNegative = 0.0
    """Strength of the penalty on absolute values."""
    l2: NonNegative = 0.0
    """Strength of the penalty on squares."""
    include_bias: bool = False
    """Whether penalties act on biases too."""
    dropout: Decay | Annotated[list[Decay], Field(min_length=1)] = 0.0
    """Share of activations dropped after hidden layers; one for all or one for each."""

    def rates(self, hidden: int) -> list[float]:
        """Dropout after each of `hidden` layers."""
        return self.dropout if isinstance(self.dropout, list) else [self.dropout] * hidden


@kernel
def penalize(w, g, l1, l2):
    """Add the penalties' gradient at w to g; return their value, float64."""
    a, b, zero = w.dtype.type(l1), w.dtype.type(l2), w.dtype.type(0)
    for i in range(w.size):
        sign = a if w[i] > zero else (-a if w[i] < zero else zero)
        g[i] += sign + b * w[i]
    absolute, squares = norms(w)
    return l1 * absolute + 0.5 * l2 * squares
