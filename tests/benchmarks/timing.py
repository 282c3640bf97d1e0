"""Timing on a machine that others use too: take turns, and compare pair by pair."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

Name = TypeVar("Name")


def take_turns(
    contenders: Mapping[Name, Callable[[], float]], rounds: int
) -> dict[Name, list[float]]:
    """Run every contender once a round, so that what else the machine does slows all alike.

    Args:
        contenders: each does its work and returns the seconds it took.
        rounds: how often.

    Returns:
        The seconds of every round, by contender.
    """
    seconds: dict[Name, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            seconds[name].append(run())
    return seconds


def ratio(numerator: Sequence[float], denominator: Sequence[float]) -> float:
    """The median of the ratios of two contenders within a round."""
    return median(over / under for over, under in zip(numerator, denominator, strict=True))


def duel(one: str, ones: Sequence[float], other: str, others: Sequence[float]) -> dict[str, float]:
    """Fastest and median time of two contenders, and how many times faster the first one is."""
    return {
        f"{one}_min_s": min(ones),
        f"{one}_median_s": median(ones),
        f"{other}_min_s": min(others),
        f"{other}_median_s": median(others),
        "speedup": ratio(others, ones),
    }
