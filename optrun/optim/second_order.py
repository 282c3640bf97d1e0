"""Steps by second derivatives, got from products of the Hessian with vectors."""

import warnings
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import Decay, NonNegative, Positive
from optrun.errors import UserError
from optrun.optim.driver import Driver, Objective, Shapes
from optrun.settings import value_text


class Newton(Driver):
    """Newton's method with the full Hessian.

        (H + λI)Δ = g,   w ← w − lr·Δ

    H is assembled from as many products as there are weights, in float64, and the system is
    solved as a symmetric one whatever the signs of its eigenvalues: where the curvature along a
    direction is below −λ, the step goes up along it, to a saddle or a maximum, as the textbook
    method does. λ above every negative curvature makes it descend. With λ = 0 and lr = 1 it
    reaches the minimum of a quadratic in one step. Where no weight depends on the data (a dead
    unit) or all scores may shift (softmax without a penalty on biases) H is singular and needs a
    positive λ. For small models: H takes 8·P² bytes.
    """

    name: Literal["newton"] = "newton"
    lr: Positive = 1.0
    """Share of the full step that is taken, before schedule and warmup."""
    damping: NonNegative = 1e-4
    """λ, what is added to every eigenvalue of the Hessian."""

    uses_products = True

    def workspace(self, parameters: int, shapes: Shapes) -> int:
        """Bytes of the Hessian, which is factorized in place, and of a check that it is finite."""
        return 9 * parameters**2

    def step(
        self,
        objective: Objective,
        state: np.ndarray,
        lr: float,
        t: int,
        random: np.random.Generator,
    ) -> float:
        """Solve for the step and take it."""
        value, g = objective.gradient()
        g = g.astype(np.float64)
        matrix = hessian(objective)
        matrix[np.diag_indices_from(matrix)] += self.damping
        try:
            change = solve(matrix, g)
        except np.linalg.LinAlgError as error:
            message = f"newton: the Hessian at step {t} has no inverse: `damping`"
            larger = max(1e-4, 10 * self.damping)
            raise UserError(
                f"{message} {value_text(self.damping)} is too small, write {larger:g} or more"
            ) from error
        weights = objective.weights
        weights -= lr * change
        return value


def hessian(objective: Objective) -> np.ndarray:
    """The Hessian at the objective's weights, (P, P) float64, from P products."""
    weights = objective.weights
    matrix, unit = np.empty((weights.size, weights.size)), np.zeros_like(weights)
    for i in range(weights.size):
        unit[i] = 1
        matrix[i] = objective.product(unit)
        unit[i] = 0
    return matrix


def solve(matrix: np.ndarray, g: np.ndarray) -> np.ndarray:
    """matrix⁻¹·g for a symmetric matrix, which is used up.

    Raises:
        FloatingPointError: the matrix is not finite.
        LinAlgError: it is singular to the precision of float64.
    """
    from scipy import linalg

    if not np.isfinite(matrix).all():
        raise FloatingPointError("the Hessian is not finite")
    with warnings.catch_warnings():
        warnings.simplefilter("error", linalg.LinAlgWarning)
        try:
            # transposed it lies as LAPACK wants it, and is not copied
            return linalg.solve(matrix.T, g, assume_a="sym", overwrite_a=True, check_finite=False)
        except linalg.LinAlgWarning as warning:
            raise np.linalg.LinAlgError(str(warning)) from warning


class AdaHessian(Driver):
    """Adam with an estimate of the Hessian's diagonal in place of the gradient's size.

        D = z⊙Hz,   z = ±1 at random for every weight
        m ← β₁m + (1−β₁)g,   v ← β₂v + (1−β₂)D²
        m̂ = m/(1−β₁ᵗ),   v̂ = v/(1−β₂ᵗ),   w ← w − lr·m̂/(v̂^(k/2) + ε)

    D is right on average (Hutchinson); a step costs one product with the Hessian. k is
    `hessian_power`. Yao et al. 2021, who average D over the kernel of a convolution; linear layers
    have none, and each weight keeps its own. Their decoupled decay is left to
    `regularization.l2`, which takes part in g and H.
    """

    name: Literal["adahessian"] = "adahessian"
    lr: Positive = 0.15
    """Learning rate, before schedule and warmup."""
    beta1: Decay = 0.9
    """β₁, the share of the mean gradient kept at each step."""
    beta2: Decay = 0.999
    """β₂, the share of the mean squared curvature kept at each step."""
    eps: Positive = 1e-4
    """ε, keeps the division finite."""
    hessian_power: Annotated[float, Field(ge=0, le=1)] = 1.0
    """k, how far the step follows the curvature; 0 gives momentum."""

    uses_products = True
    draws = True

    def memory(self, parameters: int, shapes: Shapes) -> dict[str, tuple[int, ...]]:
        """m and v."""
        return {"mean": (parameters,), "square": (parameters,)}

    def workspace(self, parameters: int, shapes: Shapes) -> int:
        """Bytes of D, m̂, v̂ and what they are worked out from."""
        return 6 * 8 * parameters

    def step(
        self,
        objective: Objective,
        state: np.ndarray,
        lr: float,
        t: int,
        random: np.random.Generator,
    ) -> float:
        """Probe the curvature once, average, and step."""
        value, g = objective.gradient()
        weights, memory = objective.weights, self.recall(objective, state)
        m, v = memory["mean"], memory["square"]
        m += (1.0 - self.beta1) * (g - m)
        v += (1.0 - self.beta2) * (hutchinson(objective, random) ** 2 - v)
        mean, square = m / (1.0 - self.beta1**t), v / (1.0 - self.beta2**t)
        weights -= lr * mean / (square ** (0.5 * self.hessian_power) + self.eps)
        return value


def hutchinson(objective: Objective, random: np.random.Generator) -> np.ndarray:
    """z⊙Hz for one z of random signs, (P,) float64; its mean is the Hessian's diagonal."""
    weights = objective.weights
    z = (2 * random.integers(0, 2, weights.size) - 1).astype(weights.dtype)
    return z.astype(np.float64) * objective.product(z)
