"""Search without a gradient: try other weights, keep the best. Simplest first.

What is best is told by the loss and penalties on the training data. A step is one try; the start
is the first. On mini-batches the best so far is evaluated again at each step, so that both are
compared on the same examples; on full batches, with nothing drawn, its value is remembered.
"""

from abc import abstractmethod
from typing import Literal

import numpy as np

from optrun.component import Positive
from optrun.numerics.streams import Purpose
from optrun.optim.driver import Driver, Objective, Shapes


class Search(Driver):
    """A driver that moves to a candidate if it is better."""

    purpose = Purpose.SEARCH
    draws = True

    @abstractmethod
    def candidate(self, objective: Objective, lr: float, random: np.random.Generator) -> np.ndarray:
        """The weights to try, (P,)."""

    def memory(self, parameters: int, shapes: Shapes) -> dict[str, tuple[int, ...]]:
        """`value`: the objective at the best weights."""
        return {"value": ()}

    def step(
        self,
        objective: Objective,
        state: np.ndarray,
        lr: float,
        t: int,
        random: np.random.Generator,
    ) -> float:
        """Evaluate a candidate; keep the weights if it is not better."""
        value = self.recall(objective, state)["value"]
        if t == 1 or not objective.fixed:
            value[...] = objective.value()
        best, before = objective.weights.copy(), float(value)
        objective.weights[:] = self.candidate(objective, lr, random)
        tried = objective.value()
        if tried < before:
            value[...] = tried
        else:
            objective.weights[:] = best
        return before


class RandomSearch(Search):
    """Draws all weights afresh and keeps the best.

        w′ as the run's `initialization` draws them,   w ← w′ if f(w′) < f(w)

    f is the objective on the step's batch. A learning rate has no meaning here.
    """

    name: Literal["random_search"] = "random_search"

    ignores_schedule = "has no learning rate"
    draws_starts = True

    def candidate(self, objective: Objective, lr: float, random: np.random.Generator) -> np.ndarray:
        """Weights drawn like a start."""
        return objective.draw(random)


class RandomLocalSearch(Search):
    """Steps in a random direction from the best weights so far, kept if they get better.

        w′ = w + lr·z,   z ~ N(0, 1) for every weight,   w ← w′ if f(w′) < f(w)

    f is the objective on the step's batch.
    """

    name: Literal["random_local_search"] = "random_local_search"
    lr: Positive = 0.0001
    """Standard deviation of a step, before schedule and warmup."""

    def candidate(self, objective: Objective, lr: float, random: np.random.Generator) -> np.ndarray:
        """The present weights and a random step."""
        return objective.weights + lr * random.standard_normal(objective.weights.size)
