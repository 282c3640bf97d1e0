"""Curvature learnt from the gradients along the way."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from optrun.component import Count, NonNegative, Positive
from optrun.optim.driver import Driver, Objective, Shapes
from optrun.optim.line_search import Point, strong_wolfe

CURVATURE = 1e-10
"""A pair is remembered if y·s is more than this."""


class LBFGS(Driver):
    """Quasi-Newton steps from the last few changes of the gradient, with a line search.

        w ← w + αd,   d = −B⁻¹g
        s = αd, y = g(w + s) − g(w) of the last `history_size` steps with y·s > 1e-10

    B⁻¹ starts as (y·s/y·y)·I of the newest pair and takes up one pair after the other, by the
    two-loop recursion (Nocedal 1980). α fulfils the strong Wolfe conditions; lr is tried first
    (at the first step lr·min(1, 1/‖g‖₁)). Steps end, and the weights stay, where
    max|g| ≤ `tolerance_grad` or −g·d < `tolerance_change`. For full batches: pairs of different
    batches measure noise.

    PyTorch's with `line_search_fn="strong_wolfe"` and `max_iter=1`, a step being one iteration;
    there `max_eval` is then 1 unless given, which leaves nothing to search with.
    """

    name: Literal["lbfgs"] = "lbfgs"
    lr: Positive = 1.0
    """The length that the line search tries first, before schedule and warmup."""
    history_size: Count = 100
    """How many pairs are remembered. Each takes two numbers a weight."""
    max_eval: Annotated[Count, Field(ge=2)] = 25
    """Evaluations that the line search of a step takes, at most."""
    tolerance_grad: NonNegative = 1e-7
    """No step is taken where no entry of the gradient is larger than this."""
    tolerance_change: NonNegative = 1e-9
    """No step is taken where the first-order fall is less than this; the line search stops where
    no weight would change by more."""

    full_batches = True

    def memory(self, parameters: int, shapes: Shapes) -> dict[str, tuple[int, ...]]:
        """The step before, its gradient, and a ring of pairs with the number ever stored."""
        return {
            "steps": (),
            "gradient": (parameters,),
            "change": (parameters,),
            "pairs": (),
            "scale": (),
            "s": (self.history_size, parameters),
            "y": (self.history_size, parameters),
            "rho": (self.history_size,),
        }

    def step(
        self,
        objective: Objective,
        state: np.ndarray,
        lr: float,
        t: int,
        random: np.random.Generator,
    ) -> float:
        """Remember the last step, choose a direction, search along it."""
        value, g = objective.gradient()
        if np.abs(g).max() <= self.tolerance_grad:
            return value
        memory, g = self.recall(objective, state), g.astype(np.float64)
        if memory["steps"] == 0:
            direction, lr = -g, lr * min(1.0, 1.0 / float(np.abs(g).sum()))
        else:
            self.remember(memory, g)
            direction = self.direction(memory, g)
        slope, length = float(g @ direction), 0.0
        if not np.isfinite(slope):
            raise FloatingPointError("the gradient is not finite")
        if slope <= -self.tolerance_change:
            length = self.search(objective, direction, Point(0.0, float(value), slope), lr)
        memory["steps"] += 1
        memory["gradient"][:] = g
        np.multiply(direction, length, out=memory["change"])
        return value

    def remember(self, memory: dict[str, np.ndarray], g: np.ndarray) -> None:
        """Store the last step and the change of the gradient, if there was curvature in it."""
        s, y = memory["change"], g - memory["gradient"]
        curvature = y @ s
        if curvature > CURVATURE:
            place = int(memory["pairs"]) % self.history_size
            memory["s"][place], memory["y"][place] = s, y
            memory["rho"][place] = 1.0 / curvature
            memory["scale"][...] = curvature / (y @ y)
            memory["pairs"] += 1

    def direction(self, memory: dict[str, np.ndarray], g: np.ndarray) -> np.ndarray:
        """−B⁻¹g by the two-loop recursion."""
        stored, s, y, rho = int(memory["pairs"]), memory["s"], memory["y"], memory["rho"]
        newest_first = [
            (stored - 1 - k) % self.history_size for k in range(min(stored, self.history_size))
        ]
        d, shares = -g, {}
        for i in newest_first:
            shares[i] = rho[i] * (s[i] @ d)
            d -= shares[i] * y[i]
        d *= memory["scale"] if stored else 1.0
        for i in reversed(newest_first):
            d += (shares[i] - rho[i] * (y[i] @ d)) * s[i]
        return d

    def search(
        self, objective: Objective, direction: np.ndarray, start: Point, first: float
    ) -> float:
        """Go along the direction as far as the line search finds good; return that length."""
        weights = objective.weights.astype(np.float64)

        def ray(length: float) -> Point:
            objective.weights[:] = weights + length * direction
            value, g = objective.gradient()
            return Point(length, float(value), float(g @ direction))

        resolution = self.tolerance_change / float(np.abs(direction).max())
        length = strong_wolfe(ray, start, first, self.max_eval - 1, resolution)
        objective.weights[:] = weights + length * direction
        return length
