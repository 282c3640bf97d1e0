"""Natural gradient with the curvature of each layer as a Kronecker product."""

from typing import Literal

import numpy as np

from optrun.component import Count, Decay, Positive
from optrun.errors import UserError
from optrun.optim.driver import Driver, Factors, Objective, Shapes


class KFAC(Driver):
    """Natural gradient descent, layer by layer, with Kronecker-factored curvature.

        A = E[aᵀa],   G = E[∂L/∂zᵀ·∂L/∂z],   V = [∂f/∂W; ∂f/∂b]
        Δ = (A + π√λ·I)⁻¹·V·(G + √λ/π·I)⁻¹
        [W; b] ← [W; b] − ν·lr·Δ,   ν = min(1, √(κ/(lr²·Σ Δ·V)))

    a is a layer's input with a 1 appended (fan_in + 1), z = a·[W; b], L the loss of one example
    with its target drawn from the model, worked out as an expectation. A and G are moving
    averages, in which the k-th batch has the share 1 − min(1 − 1/k, `decay`). λ is `damping`, and
    π² = (trace(A)/(fan_in + 1))/(trace(G)/fan_out) divides it between the two; π is 1 where
    G = 0. ν, from the sum over all layers, bounds how far a step may change the model's
    predictions; κ is `kl_clip`. Penalties are in f and its gradient, not in A and G. Parameters
    outside linear layers follow their gradient. Martens & Grosse 2015, the block-diagonal form
    with factored Tikhonov damping (their section 6.3), without momentum; where they adapt λ and
    rescale steps, λ is given here and ν is that of Ba, Grosse & Martens 2017.
    """

    name: Literal["kfac"] = "kfac"
    lr: Positive = 0.1
    """Learning rate, before schedule and warmup."""
    damping: Positive = 0.01
    """λ, what is added to every eigenvalue of the curvature, about."""
    kl_clip: Positive | None = 0.01
    """κ, the most that a step may change the predictions, about twice their KL divergence; no
    bound if null."""
    decay: Decay = 0.95
    """The share of the factors kept when a batch's are averaged in."""
    refresh: Count = 10
    """Steps from one look at the factors, and their inversion, to the next."""

    uses_factors = True

    def memory(self, parameters: int, shapes: Shapes) -> dict[str, tuple[int, ...]]:
        """A and G of every layer, averaged, and the damped inverses of both."""
        kept: dict[str, tuple[int, ...]] = {}
        for layer, (fan_in, fan_out) in enumerate(shapes):
            for kind in ("average", "inverse"):
                kept[f"{kind} A {layer}"] = (fan_in + 1, fan_in + 1)
                kept[f"{kind} G {layer}"] = (fan_out, fan_out)
        return kept

    def workspace(self, parameters: int, shapes: Shapes) -> int:
        """Bytes of the factors of one batch, and of what inverting the largest takes."""
        factors = [side**2 for fan_in, fan_out in shapes for side in (fan_in + 1, fan_out)]
        return 8 * (sum(factors) + 3 * max(factors))

    def step(
        self,
        objective: Objective,
        state: np.ndarray,
        lr: float,
        t: int,
        random: np.random.Generator,
    ) -> float:
        """Refresh the factors if it is time, precondition the gradient and step."""
        value, g = objective.gradient()
        weights, g = objective.weights, g.astype(np.float64)
        memory = self.recall(objective, state)
        if (t - 1) % self.refresh == 0:
            self.look(memory, objective.factors(), 1 + (t - 1) // self.refresh)
        change = precondition(memory, objective.layers, g)
        length = lr * lr * float(change @ g)
        if self.kl_clip and length > self.kl_clip:
            lr *= np.sqrt(self.kl_clip / length)
        weights -= lr * change
        return value

    def look(self, memory: dict[str, np.ndarray], factors: list[Factors], k: int) -> None:
        """Average the k-th factors in and invert the averages, damped."""
        kept = min(1.0 - 1.0 / k, self.decay)
        for layer, (inputs, outputs) in enumerate(factors):
            a, g = memory[f"average A {layer}"], memory[f"average G {layer}"]
            a += (1.0 - kept) * (inputs - a)
            g += (1.0 - kept) * (outputs - g)
            size, slope = np.trace(a) / len(a), np.trace(g) / len(g)
            pi, root = np.sqrt(size / slope) if slope > 0 else 1.0, np.sqrt(self.damping)
            memory[f"inverse A {layer}"][:] = inverse(a, pi * root)
            memory[f"inverse G {layer}"][:] = inverse(g, root / pi)


def precondition(memory: dict[str, np.ndarray], layers: np.ndarray, g: np.ndarray) -> np.ndarray:
    """Δ for the gradient g of all parameters, both flat."""
    change = g.copy()
    for layer, (fan_in, fan_out, weight, bias, *_) in enumerate(layers):
        w, b = slice(weight, weight + fan_in * fan_out), slice(bias, bias + fan_out)
        block = np.vstack((g[w].reshape(fan_in, fan_out), g[b]))
        block = memory[f"inverse A {layer}"] @ block @ memory[f"inverse G {layer}"]
        change[w], change[b] = block[:-1].ravel(), block[-1]
    return change


def inverse(matrix: np.ndarray, damping: float) -> np.ndarray:
    """(matrix + damping·I)⁻¹ of a symmetric matrix without negative eigenvalues.

    Raises:
        FloatingPointError: the matrix is not finite.
        UserError: rounding has given it an eigenvalue below −damping.
    """
    from scipy import linalg

    if not np.isfinite(matrix).all():
        raise FloatingPointError("the Kronecker factors are not finite")
    unit = np.eye(len(matrix))
    try:
        factor = linalg.cho_factor(matrix + damping * unit, overwrite_a=True, check_finite=False)
    except np.linalg.LinAlgError as error:
        message = "kfac: the Kronecker factors have no inverse: `damping` is too small"
        raise UserError(f"{message}, write ten times as much") from error
    return linalg.cho_solve(factor, unit, overwrite_b=True, check_finite=False)
