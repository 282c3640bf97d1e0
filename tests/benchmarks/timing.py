"""Timing on a machine that others use too: take turns, and compare pair by pair."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median


def take_turns(
    contenders: Mapping[str, Callable[[], float]], rounds: int
) -> dict[str, list[float]]:
    """Run every contender once a round, so that what else the machine does slows all alike.

    Args:
        contenders: each does its work and returns the seconds it took.
        rounds: how often.

    Returns:
        The seconds of every round, by contender.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            seconds[name].append(run())
    return seconds


def ratio(numerator: Sequence[float], denominator: Sequence[float]) -> float:
    """The median of the ratios of two contenders within a round."""
    return median(over / under for over, under in zip(numerator, denominator, strict=True))
