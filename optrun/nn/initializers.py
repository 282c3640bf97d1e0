"""Initializers: where training starts.

Each draws one weight matrix of shape (fan_in, fan_out) in float64. Biases start at `bias`.
Normal and uniform variants of a rule have the same variance.
"""

from abc import abstractmethod
from typing import Literal

import numpy as np

from optrun.component import Component, NonNegative, table


class Initializer(Component):
    """A distribution of initial weights."""

    bias: float = 0.0
    """Where biases start."""

    @abstractmethod
    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        """One weight matrix (fan_in, fan_out), float64."""


class Zeros(Initializer):
    """All weights zero: fine for a linear model, but hidden units would all stay the same."""

    name: Literal["zeros"] = "zeros"

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return np.zeros((fan_in, fan_out))


class Normal(Initializer):
    """Gaussian weights of a chosen spread.

    W ~ N(0, std²)
    """

    name: Literal["normal"] = "normal"
    std: NonNegative = 0.01
    """Standard deviation."""

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return self.std * random.standard_normal((fan_in, fan_out))


class XavierNormal(Initializer):
    """Gaussian weights that keep a linear unit's variance in both directions.

    W ~ N(0, 2/(fan_in + fan_out))

    Glorot & Bengio 2010.
    """

    name: Literal["xavier_normal"] = "xavier_normal"

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return np.sqrt(2 / (fan_in + fan_out)) * random.standard_normal((fan_in, fan_out))


class XavierUniform(Initializer):
    """Uniform weights that keep a linear unit's variance in both directions.

    W ~ U(−r, r),   r = √(6/(fan_in + fan_out))

    Glorot & Bengio 2010.
    """

    name: Literal["xavier_uniform"] = "xavier_uniform"

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        r = np.sqrt(6 / (fan_in + fan_out))
        return random.uniform(-r, r, (fan_in, fan_out))


class HeNormal(Initializer):
    """Gaussian weights that keep a relu unit's variance going forward.

    W ~ N(0, 2/fan_in)

    He et al. 2015.
    """

    name: Literal["he_normal"] = "he_normal"

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return np.sqrt(2 / fan_in) * random.standard_normal((fan_in, fan_out))


class HeUniform(Initializer):
    """Uniform weights that keep a relu unit's variance going forward.

    W ~ U(−r, r),   r = √(6/fan_in)

    He et al. 2015.
    """

    name: Literal["he_uniform"] = "he_uniform"

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        r = np.sqrt(6 / fan_in)
        return random.uniform(-r, r, (fan_in, fan_out))


INITIALIZERS: dict[str, type[Initializer]] = table(
    [Zeros, Normal, XavierNormal, XavierUniform, HeNormal, HeUniform]
)
