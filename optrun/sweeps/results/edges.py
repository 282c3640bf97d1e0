"""Numbers chosen at the edge of what was tried, beyond which better ones may lie.

A listed number is at the edge if it is the least or the largest of those listed. A drawn number is
if it lies in the outer share q of the range, at either end:

    q = max(1/20, 1/(n + 1)),   n: how many numbers were drawn

1/(n + 1) is how far from the end the outermost of n draws lies on average, so that a search which
improves up to the end is found out by few draws as well as by many.

False alarms: where the metric does not depend on the key, each draw is equally likely to be the
best, and one within the outer q with probability 2q: 10 % from 19 draws on, 2/(n + 1) for fewer.
A list of m numbers gives a false alarm with probability 2/m, and so do m whole numbers that are
drawn from, if that is more: their ends always count. This holds for each key. `tpe` and `gp` draw
more where they found good values, for which the level holds only roughly.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optrun.sweeps.results.comparison import (
    Comparison,
    Group,
    Setting,
    is_number,
    numbers_of,
    numeric_keys,
    rank,
    spelled_out,
)
from optrun.sweeps.space.candidates import Point
from optrun.sweeps.space.distributions import Choice, Distribution, Integer, LogUniform, Uniform

OUTER = 1 / 20  # the least share at either end of a drawn range that counts as its edge


@dataclass(frozen=True)
class Edge:
    """A chosen number that lies at an end of the numbers to choose from.

    Attributes:
        key: of the setting.
        value: chosen.
        end: the number at that end.
        largest: whether that is the upper end.
        drawn: whether the numbers were drawn from a range, and not listed.
    """

    key: str
    value: float
    end: float
    largest: bool
    drawn: bool = False


@dataclass(frozen=True)
class Range:
    """The numbers from which one was chosen.

    Attributes:
        low: the least; high: the largest.
        draws: how many numbers were drawn from between them; 0 where they are listed.
        logarithmic: whether all orders of magnitude were alike.
    """

    low: float
    high: float
    draws: int = 0
    logarithmic: bool = False

    @property
    def outer(self) -> float:
        """The share at either end that counts as the edge."""
        return max(OUTER, 1 / (self.draws + 1)) if self.draws else 0.0

    def side(self, value: float) -> bool | None:
        """Whether the value lies at the upper end, True, at the lower, False, or at neither."""
        share = self.place(value)
        return True if share >= 1 - self.outer else False if share <= self.outer else None

    def place(self, value: float) -> float:
        """How far from `low`, 0, to `high`, 1; in logarithms where it was drawn in them."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def edges(comparison: Comparison, group: Group) -> list[Edge]:
    """The numbers of the group's best setting that lie at an end of those it was chosen from.

    Listed are all numbers that the sweep has for the group, whether tried or not. A number is not
    at an edge if another setting does as well with one that is not at that edge. 0 as the least is
    no edge: it turns something off, and there is nothing below it.
    """
    best = group.best
    if best is None:
        return []
    place = rank(best, comparison.metric)
    ties = [s for s in group.settings if rank(s, comparison.metric) == place]
    listed = listed_values(comparison, group, best)
    drawn = distributions_of(best, comparison.points)
    tried = [s.values for s in group.settings if any(row.status != "waiting" for row in s.rows)]
    found = []
    for key in numeric_keys(listed):
        if not is_number(best.values.get(key)):
            continue
        span = range_of(drawn.get(key), numbers_of(key, listed), len(numbers_of(key, tried)))
        sides = [span.side(s.values[key]) for s in ties if is_number(s.values.get(key))]
        largest = span.side(best.values[key])
        end = span.high if largest else span.low
        if largest is not None and {*sides} == {largest} and (largest or end != 0):
            found.append(Edge(key, best.values[key], end, largest, span.draws > 0))
    return found


def range_of(drawn: Distribution | None, listed: Sequence[float], draws: int) -> Range:
    """What a number was drawn from, or else the numbers listed for it, from the least up."""
    if isinstance(drawn, Uniform | LogUniform | Integer):
        return Range(drawn.low, drawn.high, draws, isinstance(drawn, LogUniform))
    if isinstance(drawn, Choice):
        listed = sorted({*listed, *filter(is_number, drawn.values)})
    return Range(listed[0], listed[-1])


def listed_values(comparison: Comparison, group: Group, best: Setting) -> list[Mapping[str, Any]]:
    """What the sweep has for the group: its settings, and its points, tried or not."""
    points = spelled_out([point.settings for point in comparison.points])
    key = comparison.key
    if key is not None:
        points = [values for values in points if values.get(key) == best.values[key]]
    return [*(setting.values for setting in group.settings), *points]


def distributions_of(setting: Setting, points: Sequence[Point]) -> Mapping[str, Distribution]:
    """What the open keys of the setting's point were drawn from."""
    for point in points:
        keys = {*point.settings, *point.distributions}
        same = {key: setting.settings.get(key) for key in point.settings}
        if keys == set(setting.settings) and as_text(same) == as_text(point.settings):
            return point.distributions
    return {}


def as_text(settings: Mapping[str, Any]) -> str:
    """Settings as a text in which lists and tuples are alike, as in results.csv."""
    return json.dumps(settings, sort_keys=True)


def spans_a_decade(low: float, high: float) -> bool:
    """Whether the numbers are positive and the larger is more than ten times the smaller."""
    return low > 0 and high > 10 * low
