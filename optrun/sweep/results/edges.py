"""Numbers chosen at the edge of what was tried, beyond which better ones may lie."""

import math
from collections.abc import Collection
from dataclasses import dataclass

from optrun.sweep.results.comparison import Group, is_number, numbers_of, numeric_keys

OUTER = 0.05  # the share at either end of a drawn range that counts as its edge


@dataclass(frozen=True)
class Edge:
    """A chosen number that lies at an end of the numbers tried.

    Attributes:
        key: of the setting.
        value: chosen.
        end: the number tried at that end.
        largest: whether that is the upper end.
    """

    key: str
    value: float
    end: float
    largest: bool


def edges(group: Group, drawn: Collection[str]) -> list[Edge]:
    """The numbers of the group's best setting that lie at an end of those tried in the group.

    A listed number does if it is the least or the largest, a drawn one already if it lies in the
    outer 5 % of the range. 0 as the least is no edge: it turns something off, and there is nothing
    below it.
    """
    best = group.best
    if best is None:
        return []
    tried = [s.values for s in group.settings if any(row.status != "waiting" for row in s.rows)]
    found = []
    for key in numeric_keys(tried):
        if not is_number(best.values.get(key)):
            continue
        value, numbers = best.values[key], numbers_of(key, tried)
        margin = OUTER if key in drawn else 0.0
        share = place(value, numbers[0], numbers[-1])
        if share >= 1 - margin:
            found.append(Edge(key, value, numbers[-1], True))
        elif share <= margin and value != 0:
            found.append(Edge(key, value, numbers[0], False))
    return found


def place(value: float, low: float, high: float) -> float:
    """How far from `low`, 0, to `high`, 1; in logarithms where that is more than a decade."""
    if spans_a_decade(low, high):
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def spans_a_decade(low: float, high: float) -> bool:
    """Whether the numbers are positive and the larger is more than ten times the smaller."""
    return low > 0 and high > 10 * low
