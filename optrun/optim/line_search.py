"""How far to go along a direction: the strong Wolfe conditions.

With φ(α) = f(w + αd), a length α is far enough down and flat enough where

    φ(α) ≤ φ(0) + c₁αφ′(0)   and   |φ′(α)| ≤ −c₂φ′(0)

Nocedal & Wright 2006, algorithms 3.5 and 3.6, with lengths chosen by cubic interpolation and
guarded as `torch.optim.LBFGS` does it.
"""

from collections.abc import Callable
from math import inf, sqrt
from typing import NamedTuple

SUFFICIENT = 1e-4
"""c₁, the share of the first slope by which the value has to fall."""
FLAT = 0.9
"""c₂, the share of the first slope that may be left."""


class Point(NamedTuple):
    """φ at one length: its value and its slope."""

    length: float
    value: float
    slope: float


Ray = Callable[[float], Point]
"""Evaluates φ."""


def strong_wolfe(ray: Ray, start: Point, length: float, tries: int, resolution: float) -> float:
    """A length that fulfils both conditions, or the best one found.

    Args:
        ray: evaluates φ; a value that is not finite counts as too far.
        start: φ(0), with a negative slope.
        length: the first to try.
        tries: evaluations after the first, at most.
        resolution: a bracket no wider than this is not searched further.

    Returns:
        The length; 0 if no value below φ(0) was found.
    """
    previous, trial = start, ray(length)
    for used in range(tries):
        if not falls_enough(trial, start) or (used > 1 and trial.value >= previous.value):
            return zoom(ray, start, previous, trial, tries - used, resolution)
        if flattens_enough(trial, start):
            return trial.length
        if trial.slope >= 0:
            return zoom(ray, start, previous, trial, tries - used, resolution)
        ahead = trial.length + 0.01 * (trial.length - previous.length), 10 * trial.length
        previous, trial = trial, ray(cubic_minimum(previous, trial, *ahead))
    return trial.length if trial.value < start.value else 0.0


def zoom(
    ray: Ray, start: Point, first: Point, second: Point, tries: int, resolution: float
) -> float:
    """Narrow the bracket between two points until a length fulfils both conditions.

    `low` is the end with the lower value, `high` the one that a good length lies towards.
    """
    low, high = in_order(first, second)
    near = False
    for _ in range(tries):
        if abs(high.length - low.length) <= resolution:
            break
        length, near = inside(low, high, near)
        trial = ray(length)
        if not falls_enough(trial, start) or trial.value >= low.value:
            low, high = in_order(low, trial)
        elif flattens_enough(trial, start):
            return trial.length
        else:
            high = low if trial.slope * (high.length - low.length) >= 0 else high
            low = trial
    return low.length


def falls_enough(point: Point, start: Point) -> bool:
    """Whether the first condition holds; not for NaN."""
    return point.value <= start.value + SUFFICIENT * point.length * start.slope


def flattens_enough(point: Point, start: Point) -> bool:
    """Whether the second condition holds."""
    return abs(point.slope) <= -FLAT * start.slope


def in_order(first: Point, second: Point) -> tuple[Point, Point]:
    """The two by their value; the first is lower than NaN."""
    return (second, first) if second.value < first.value else (first, second)


def inside(low: Point, high: Point, near: bool) -> tuple[float, bool]:
    """A length within the bracket, kept off its ends.

    Args:
        near: whether the length before was near an end, which is allowed once.

    Returns:
        The length, and whether it is near an end.
    """
    least, most = sorted((low.length, high.length))
    length, margin = cubic_minimum(low, high, least, most), 0.1 * (most - least)
    if min(most - length, length - least) >= margin:
        return length, False
    if not near and least < length < most:
        return length, True
    return (most - margin if most - length < length - least else least + margin), False


def cubic_minimum(a: Point, b: Point, least: float, most: float) -> float:
    """Where the cubic through values and slopes of two points is lowest, within the bounds.

    The middle of the bounds if it has no minimum or a value is not finite, the upper bound if it
    is a straight line.
    """
    left, right = sorted((a, b))
    bend = a.slope + b.slope - 3 * (a.value - b.value) / (a.length - b.length)
    square = bend * bend - a.slope * b.slope
    if not 0 <= square < inf:
        return (least + most) / 2
    root = sqrt(square)
    turn = right.slope - left.slope + 2 * root
    if turn == 0:
        return most
    share = (right.slope + root - bend) / turn
    return min(max(right.length - (right.length - left.length) * share, least), most)
