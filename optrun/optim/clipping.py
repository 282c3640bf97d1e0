"""Gradient clipping, before the optimizer sees the gradient."""

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from optrun.component import Positive, Section
from optrun.numerics.jit import kernel


class Clipping(Section):
    """Bounds on the gradient of a step, by the norm of all of it or value by value.

        by_norm b:        g ← g·b/‖g‖ where ‖g‖ > b, over all parameters together
        by_value [a, b]:  g ← min(max(g, a), b)

    Given both, the norm is bounded first. Pascanu, Mikolov & Bengio 2013.
    """

    by_norm: Positive | None = None
    """b, the largest norm a gradient may have."""
    by_value: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    """[a, b], the least and the greatest value an entry may have."""

    @field_validator("by_value")
    @classmethod
    def _in_order(cls, bounds: list[float] | None) -> list[float] | None:
        if bounds and bounds[0] >= bounds[1]:
            raise ValueError("`by_value: [a, b]` needs a below b")
        return bounds

    @model_validator(mode="after")
    def _some_bound(self) -> "Clipping":
        if self.by_norm is None and self.by_value is None:
            raise ValueError("give `by_norm: b`, `by_value: [a, b]` or both")
        return self

    def bounds(self) -> list[float]:
        """[norm, least, greatest], infinite where there is no bound."""
        low, high = self.by_value or (float("-inf"), float("inf"))
        return [self.by_norm or float("inf"), low, high]


@kernel
def clip(g, norm, bounds):
    """Apply `bounds` = [norm, least, greatest] to the flat gradient g of the given norm."""
    most, low, high = bounds[0], g.dtype.type(bounds[1]), g.dtype.type(bounds[2])
    if norm > most:
        scale = g.dtype.type(most / norm)
        for i in range(g.size):
            g[i] *= scale
    if low > -float("inf") or high < float("inf"):
        for i in range(g.size):
            g[i] = min(max(g[i], low), high)
