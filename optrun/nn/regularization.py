"""What keeps a model from fitting noise: penalties, dropout, bounds, and noise of our own."""

from typing import Annotated

import numpy as np
from pydantic import Field

from optrun.component import Decay, NonNegative, Positive, Section
from optrun.numerics.jit import kernel
from optrun.numerics.philox import add_normal
from optrun.numerics.streams import Purpose
from optrun.numerics.sums import norms

GRADIENT_NOISE = int(Purpose.GRADIENT_NOISE)
Share = Annotated[float, Field(ge=0, le=1)]


class L1(Section):
    """The penalty on absolute values, strength·‖W‖₁, and how a step follows it.

        subgradient:  g ← g + strength·sign(w),   sign(0) = 0
        proximal:     w ← sign(w)·max(|w| − η·strength, 0)   after the step

    A subgradient moves weights to and fro about 0 and leaves none exactly there; the proximal step
    sets them to 0. η is the learning rate of the step, schedule and warmup included. Where the rule
    sums gradients with momentum ρ, it is divided by 1 − ρ (and multiplied by 1 − d with dampening
    d), as a constant gradient moves weights by that much. With `sgd` this is the proximal gradient
    method, and with momentum too the weights come to rest where loss and penalty together are least
    (Parikh & Boyd 2014). A rule that scales gradients weight by weight or layer by layer does not
    scale the threshold, as AdamW does not scale its decay. Biases take part with `include_bias`
    only. The penalty counts in the objective in both forms. Gradient clipping, noise and norms do
    not see the proximal form. An average of the weights over the steps is 0 only where all of them
    were.
    """

    strength: NonNegative
    """Strength of the penalty."""
    proximal: bool = False
    """Whether weights become exactly 0, by soft-thresholding after every step."""


class Elastic(Section):
    """Both penalties, as the elastic net writes them.

    penalty = strength·(ρ·‖W‖₁ + (1−ρ)/2·‖W‖²),   ρ = l1_ratio

    Zou & Hastie 2005; scikit-learn's `alpha` and `l1_ratio`. `proximal` is for the part of l1, as
    in `l1`; the part of l2 stays in the gradient.
    """

    strength: NonNegative
    """Strength of the two together."""
    l1_ratio: Share = 0.5
    """ρ, the share of it that is l1's."""
    proximal: bool = False
    """Whether weights become exactly 0, by soft-thresholding after every step."""


class GradientNoise(Section):
    """Gaussian noise added to the gradient, less and less of it.

    g ← g + N(0, σ_t²),   σ_t² = η/(1 + t)^γ

    Neelakantan et al. 2015, who took η from 0.01, 0.3 and 1.
    """

    eta: Positive = 0.01
    """η, the variance before it falls."""
    gamma: NonNegative = 0.55
    """γ, the power by which it falls."""


class Adversarial(Section):
    """Training on examples made harder by the fast gradient sign method.

        x′ = x + ε·sign(∂L/∂x),   loss = (1−α)·L(x) + α·L(x′)

    ε is in units of what the model sees, after preprocessing; α is `share`. The gradient ignores
    that x′ depends on the weights. Costs two gradients a step. Goodfellow et al. 2015.
    """

    epsilon: Positive
    """ε, how far each input is moved."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """α, the share of the loss that is the moved examples'."""


class Regularization(Section):
    """What keeps the model from fitting noise.

        objective = loss + (l2/2)·‖W‖² + l1·‖W‖₁

    Penalties act on weights, not on biases, gains and shifts, unless `include_bias`. The gradient
    of `l2` is l2·W (PyTorch's `weight_decay`; half of CS231n's λ‖W‖²), of `l1` it is l1·sign(W)
    with sign(0) = 0; `l1: {strength: …, proximal: true}` sets weights exactly to 0. Dropout sets a
    share of a layer's inputs to zero and divides the rest by what is left of 1 (inverted), in
    training only. `max_norm: c` scales the incoming weights of a unit of any layer back to the
    length c where a step has made them longer. Srivastava et al. 2014.
    """

    l1: NonNegative | L1 = 0.0
    """Strength of the penalty on absolute values, or the strength and `proximal`."""
    l2: NonNegative = 0.0
    """Strength of the penalty on squares."""
    elastic: Elastic | None = None
    """Both penalties by one strength, in place of `l1` and `l2`."""
    include_bias: bool = False
    """Whether penalties act on biases, gains and shifts too."""
    dropout: Decay | Annotated[list[Decay], Field(min_length=1)] = 0.0
    """Share of activations dropped after hidden layers; one for all or one for each."""
    input_dropout: Decay = 0.0
    """Share of the features dropped."""
    max_norm: Positive | None = None
    """c, the longest that the incoming weights of a unit may be."""
    gradient_noise: GradientNoise | None = None
    """Noise on the gradient; off unless given."""
    adversarial: Adversarial | None = None
    """Adversarial examples; off unless given."""

    def rates(self, hidden: int) -> list[float]:
        """Dropout before each layer of a model with so many hidden ones."""
        after = self.dropout if isinstance(self.dropout, list) else [self.dropout] * hidden
        return [self.input_dropout, *after]

    def penalties(self) -> list[float]:
        """[l1, l2] as they count in the objective."""
        if self.elastic is None:
            return [self.l1.strength if isinstance(self.l1, L1) else self.l1, self.l2]
        strength, ratio = self.elastic.strength, self.elastic.l1_ratio
        return [strength * ratio, strength * (1 - ratio)]

    def has(self, key: str) -> bool:
        """Whether what is configured under a key does anything."""
        given = getattr(self, key)
        return bool(given.strength if isinstance(given, L1 | Elastic) else given)

    def proximal_key(self) -> str | None:
        """The field by which steps soft-threshold, None if they do not."""
        for key in ("elastic", "l1"):
            if getattr(getattr(self, key), "proximal", False):
                return key
        return None

    def threshold(self) -> float:
        """What weights are thresholded by for every unit of the learning rate; 0 for not at all."""
        return self.penalties()[0] if self.proximal_key() else 0.0

    def noise(self) -> list[float]:
        """[η, γ] of the noise on gradients; η is 0 without any."""
        noise = self.gradient_noise
        return [noise.eta, noise.gamma] if noise else [0.0, 0.0]

    def adversary(self) -> list[float]:
        """[ε, α] of adversarial examples; ε is 0 without any."""
        adversarial = self.adversarial
        return [adversarial.epsilon, adversarial.share] if adversarial else [0.0, 0.0]


@kernel
def penalize(w, g, l1, l2):
    """Add the penalties' gradient at w to g; return their value, float64."""
    a, b, zero = w.dtype.type(l1), w.dtype.type(l2), w.dtype.type(0)
    for i in range(w.size):
        sign = a if w[i] > zero else (-a if w[i] < zero else zero)
        g[i] += sign + b * w[i]
    absolute, squares = norms(w)
    return l1 * absolute + 0.5 * l2 * squares


@kernel
def soft_threshold(w, by):
    """w ← sign(w)·max(|w| − by, 0); NaN stays NaN."""
    by, zero = w.dtype.type(by), w.dtype.type(0)
    for i in range(w.size):
        w[i] = zero if abs(w[i]) <= by else w[i] - (by if w[i] > zero else -by)


@kernel
def add_noise(g, h, seed, t):
    """g ← g + N(0, η/(1 + t)^γ) with h = [η, γ]."""
    if h[0] > 0.0:
        add_normal(g, np.sqrt(h[0] / (1.0 + t) ** h[1]), seed, GRADIENT_NOISE, t)


@kernel
def shorten(w, longest):
    """Scale every column of w (fan_in, fan_out) that is longer than `longest` back to it."""
    squares = np.zeros(w.shape[1])
    for i in range(w.shape[0]):
        row = w[i]
        for j in range(row.size):
            squares[j] += np.float64(row[j]) * np.float64(row[j])
    scale = np.empty(w.shape[1], w.dtype)
    for j in range(scale.size):
        scale[j] = min(1.0, longest / np.sqrt(squares[j])) if squares[j] > 0.0 else 1.0
    for i in range(w.shape[0]):
        row = w[i]
        for j in range(row.size):
            row[j] *= scale[j]
