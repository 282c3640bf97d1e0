"""Initializers: where training starts.

Each draws one weight matrix of shape (fan_in, fan_out) in float64. Biases start at `bias`.
Normal and uniform variants of a rule have the same variance.
"""

import math
from abc import abstractmethod
from typing import ClassVar, Literal

import numpy as np

from optrun.component import Component, Decay, NonNegative, Positive, table
from optrun.nn.activations import Activation


class Initializer(Component):
    """A distribution of initial weights."""

    bias: float | Literal["like_weights"] = 0.0
    """Where biases start; with `like_weights` they are drawn as the weights of their layer are."""

    @abstractmethod
    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        """One weight matrix (fan_in, fan_out), float64, before any gain."""

    def factor(self, follower: Activation) -> float:
        """What a draw is multiplied by in a layer that this activation follows."""
        return 1.0

    def constant(self) -> float | None:
        """The number that all weights are, None where they are drawn."""
        return None

    def may_cut_off(self) -> bool:
        """Whether all weights of a unit may be 0."""
        return self.constant() == 0


class Zeros(Initializer):
    """All weights zero: fine for a linear model, but hidden units would all stay the same."""

    name: Literal["zeros"] = "zeros"

    def constant(self) -> float:
        return 0.0

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return np.zeros((fan_in, fan_out))


class ConstantWeights(Initializer):
    """All weights the same number: hidden units start, and stay, all alike."""

    name: Literal["constant"] = "constant"
    value: float
    """Every weight."""

    def constant(self) -> float:
        return self.value

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return np.full((fan_in, fan_out), self.value)


class Normal(Initializer):
    """Gaussian weights of a chosen spread.

    W ~ N(0, std²)
    """

    name: Literal["normal"] = "normal"
    std: NonNegative = 0.01
    """Standard deviation."""

    def constant(self) -> float | None:
        return None if self.std else 0.0

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return random.normal(0, self.std, (fan_in, fan_out))


class TruncatedNormal(Initializer):
    """Gaussian weights without the tails.

    W ~ N(0, std²), given that |W| ≤ cut·std

    As in PyTorch's trunc_normal_, std is that of the whole Gaussian: cut at 2, the weights have
    0.88 of it. PyTorch gives the bounds as numbers, −2 and 2 whatever std is; here they are counted
    in std.
    """

    name: Literal["truncated_normal"] = "truncated_normal"
    std: NonNegative = 0.01
    """Standard deviation before the tails are cut off."""
    cut: Positive = 2.0
    """Where they are cut, in standard deviations."""

    def constant(self) -> float | None:
        return None if self.std else 0.0

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        from scipy.special import ndtr, ndtri

        shares = random.uniform(ndtr(-self.cut), ndtr(self.cut), (fan_in, fan_out))
        return self.std * np.clip(ndtri(shares), -self.cut, self.cut)


class Uniform(Initializer):
    """Uniform weights in a chosen range.

    W ~ U(−r, r)
    """

    name: Literal["uniform"] = "uniform"
    r: NonNegative
    """The greatest absolute value."""

    def constant(self) -> float | None:
        return None if self.r else 0.0

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return random.uniform(-self.r, self.r, (fan_in, fan_out))


class Gained(Initializer):
    """An initializer whose weights are multiplied by a gain."""

    own_gain: ClassVar[float] = 1.0
    """The gain that a draw has already."""

    gain: Positive | Literal["auto"] = 1.0
    """What all weights are multiplied by. `auto` takes it from the activation after the layer:
    sigmoid 4, tanh, selu and none 1, relu √2, leaky_relu √(2/(1 + slope²)); each divided by √2 for
    he_normal and he_uniform, which have relu's gain already."""

    def factor(self, follower: Activation) -> float:
        """The gain before this activation.

        Raises:
            ValueError: it is `auto`, and none is known for the activation.
        """
        if self.gain != "auto":
            return self.gain
        if (wanted := follower.gain()) is None:
            raise ValueError(f"no gain is known for {follower.name}")
        return wanted / self.own_gain


class XavierNormal(Gained):
    """Gaussian weights that keep a linear unit's variance in both directions.

    W ~ N(0, gain²·2/(fan_in + fan_out))

    Glorot & Bengio 2010. `gain: auto` is 4 before sigmoid and 1 before tanh, the inverse of their
    slopes at 0; PyTorch's calculate_gain says 1 and 5/3.
    """

    name: Literal["xavier_normal"] = "xavier_normal"

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return random.normal(0, np.sqrt(2 / (fan_in + fan_out)), (fan_in, fan_out))


class XavierUniform(Gained):
    """Uniform weights that keep a linear unit's variance in both directions.

    W ~ U(−r, r),   r = gain·√(6/(fan_in + fan_out))

    Glorot & Bengio 2010. `gain: auto` is 4 before sigmoid and 1 before tanh, the inverse of their
    slopes at 0; PyTorch's calculate_gain says 1 and 5/3.
    """

    name: Literal["xavier_uniform"] = "xavier_uniform"

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        r = np.sqrt(6 / (fan_in + fan_out))
        return random.uniform(-r, r, (fan_in, fan_out))


class HeNormal(Gained):
    """Gaussian weights that keep a relu unit's variance going forward.

    W ~ N(0, gain²·2/fan_in)

    He et al. 2015. For leaky_relu they write 2/((1 + slope²)·fan_in), a gain of 1/√(1 + slope²).
    PyTorch's kaiming_normal_.
    """

    name: Literal["he_normal"] = "he_normal"

    own_gain = math.sqrt(2.0)

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return random.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out))


class HeUniform(Gained):
    """Uniform weights that keep a relu unit's variance going forward.

    W ~ U(−r, r),   r = gain·√(6/fan_in)

    He et al. 2015. For leaky_relu they write 2/((1 + slope²)·fan_in), a gain of 1/√(1 + slope²).
    PyTorch's kaiming_uniform_.
    """

    name: Literal["he_uniform"] = "he_uniform"

    own_gain = math.sqrt(2.0)

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        r = np.sqrt(6 / fan_in)
        return random.uniform(-r, r, (fan_in, fan_out))


class LeCunNormal(Gained):
    """Gaussian weights that keep a linear unit's variance going forward.

    W ~ N(0, gain²/fan_in)

    LeCun et al. 1998.
    """

    name: Literal["lecun_normal"] = "lecun_normal"

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        return random.normal(0, np.sqrt(1 / fan_in), (fan_in, fan_out))


class LeCunUniform(Gained):
    """Uniform weights that keep a linear unit's variance going forward.

    W ~ U(−r, r),   r = gain·√(3/fan_in)

    LeCun et al. 1998. With a gain of 1/√3, r = 1/√fan_in: PyTorch's start of a linear layer, whose
    biases have the same distribution: `bias: like_weights`.
    """

    name: Literal["lecun_uniform"] = "lecun_uniform"

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        r = np.sqrt(3 / fan_in)
        return random.uniform(-r, r, (fan_in, fan_out))


class Sparse(Initializer):
    """Gaussian weights, most of them cut: each input reaches a few units only.

    ⌈sparsity·fan_out⌉ of the weights of every input are 0, the others ~ N(0, std²)

    Martens 2010, in the form of PyTorch's sparse_.
    """

    name: Literal["sparse"] = "sparse"
    sparsity: Decay
    """The share of each input's weights that are 0, rounded up to whole weights."""
    std: NonNegative = 0.01
    """Standard deviation of the others."""

    def constant(self) -> float | None:
        return None if self.std else 0.0

    def may_cut_off(self) -> bool:
        return True

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        weights = self.std * random.standard_normal((fan_in, fan_out))
        shuffled = random.random((fan_in, fan_out)).argsort(axis=1)
        cut = shuffled[:, : math.ceil(self.sparsity * fan_out)]
        np.put_along_axis(weights, cut, 0.0, axis=1)
        return weights


class Orthogonal(Gained):
    """Orthogonal weights: signals are turned, not stretched.

        WᵀW = gain²·I if fan_in ≥ fan_out, else WWᵀ = gain²·I

    Drawn evenly from all such matrices (Haar): the Q of a Gaussian matrix's QR decomposition, with
    the signs that make R's diagonal positive, as in PyTorch. Saxe, McClelland & Ganguli 2014.
    """

    name: Literal["orthogonal"] = "orthogonal"

    def draw(self, random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray:
        longer, shorter = max(fan_in, fan_out), min(fan_in, fan_out)
        q, r = np.linalg.qr(random.standard_normal((longer, shorter)))
        q *= np.sign(np.diag(r))
        return q if fan_in >= fan_out else q.T


INITIALIZERS: dict[str, type[Initializer]] = table(
    [
        Zeros,
        ConstantWeights,
        Normal,
        TruncatedNormal,
        Uniform,
        XavierNormal,
        XavierUniform,
        HeNormal,
        HeUniform,
        LeCunNormal,
        LeCunUniform,
        Sparse,
        Orthogonal,
    ]
)
