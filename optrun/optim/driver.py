"""Methods that ask the objective themselves, instead of being handed one gradient a step.

A driver steps in plain NumPy over the compiled objective. It decides at which weights the
objective is evaluated and what is asked there: its value, its gradient, products with its Hessian
or Kronecker factors of its curvature. Numbers that a driver keeps are float64; weights stay in
the run's type.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from math import prod
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from optrun.numerics.streams import Purpose
from optrun.optim.optimizer import Optimizer

Shapes = Sequence[tuple[int, int]]
"""(fan_in, fan_out) of every linear layer, in their order."""


class Factors(NamedTuple):
    """The curvature of one linear layer, z = [a, 1]·[W; b], as a Kronecker product A ⊗ G.

    Penalties take no part. Both are means over the step's batch.

    Attributes:
        inputs: A = mean of [a, 1]ᵀ[a, 1], (fan_in + 1, fan_in + 1).
        outputs: G = mean of the expectation of ∂L/∂zᵀ·∂L/∂z, with L the loss of one row and its
            target drawn from the model, (fan_out, fan_out).
    """

    inputs: np.ndarray
    outputs: np.ndarray


class Objective(Protocol):
    """Loss and penalties on the batch of one step, as functions of all weights.

    Within a step it is one function: rows, masks and views are drawn once.

    Attributes:
        weights: (P,), in the run's type; drivers change it in place.
        layers: int64 (L, 4 or more): fan_in, fan_out, offset of W, offset of b in the weights.
        fixed: whether all steps of the run have the same objective: every batch is full and
            nothing is drawn.
    """

    weights: np.ndarray
    layers: np.ndarray
    fixed: bool

    def draw(self, random: np.random.Generator) -> np.ndarray:
        """Weights as the run's initialization draws them, (P,)."""

    def value(self) -> float:
        """Loss and penalties at `weights`."""

    def gradient(self) -> tuple[float, np.ndarray]:
        """The value and the gradient at `weights`, (P,), which lasts until the next question."""

    def product(self, v: np.ndarray) -> np.ndarray:
        """H·v with the exact Hessian at `weights`, (P,), which lasts until the next question.

        Args:
            v: (P,), in the run's type.
        """

    def factors(self) -> list[Factors]:
        """The curvature of every linear layer at `weights`."""


class Driver(Optimizer):
    """A method that chooses where to evaluate the objective.

    Attributes:
        uses_products: whether it asks for products with the Hessian.
        uses_factors: whether it asks for Kronecker factors, which need a loss that is a negative
            log-likelihood and layers that are linear.
        draws_starts: whether it asks for weights as the run's initialization draws them.
        purpose: the random stream that `step` is given.
    """

    uses_products: ClassVar[bool] = False
    uses_factors: ClassVar[bool] = False
    draws_starts: ClassVar[bool] = False
    purpose: ClassVar[Purpose] = Purpose.PROBE

    @property
    def rate(self) -> float:
        return float(getattr(self, "lr", math.nan))

    def memory(self, parameters: int, shapes: Shapes) -> dict[str, tuple[int, ...]]:
        """The shapes of what is kept between steps, by name."""
        return {}

    def state_size(self, parameters: int, shapes: Shapes) -> int:
        """How many numbers are kept between steps."""
        return sum(prod(shape) for shape in self.memory(parameters, shapes).values())

    def workspace(self, parameters: int, shapes: Shapes) -> int:
        """Bytes that a step takes beside the state, where they are more than a few weights'."""
        return 0

    def recall(self, objective: Objective, state: np.ndarray) -> dict[str, np.ndarray]:
        """Views of the flat `state`, in the shapes and by the names of `memory`."""
        shapes = [(int(row[0]), int(row[1])) for row in objective.layers]
        views, start = {}, 0
        for name, shape in self.memory(objective.weights.size, shapes).items():
            stop = start + prod(shape)
            views[name] = state[start:stop].reshape(shape)
            start = stop
        return views

    @abstractmethod
    def step(
        self,
        objective: Objective,
        state: np.ndarray,
        lr: float,
        t: int,
        random: np.random.Generator,
    ) -> float:
        """Change `objective.weights` and `state` in place.

        Args:
            objective: that of this step.
            state: `state_size` numbers, float64, zero before the first step.
            lr: learning rate of this step, schedule and warmup included.
            t: step, counted from 1.
            random: keyed on the run's seed, `purpose` and t.

        Returns:
            The objective at the weights that the step began with.

        Raises:
            FloatingPointError: the curvature is not finite, so the run has diverged.
            UserError: the step does not exist, and another config would have one.
        """
