"""What values are drawn from: `uniform(0, 0.5)`, `loguniform(1e-4, 1)`, `integer(1, 8)`, choices.

Drawn numbers have six digits, or more in a narrow range, so that they can be read and typed again.
They are never outside the range.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from optrun.settings import value_text
from optrun.sweeps.space.decimals import tidy

SPACINGS = 100  # of a range: a drawn number is as exact as one of so many listed ones


@dataclass(frozen=True)
class Distribution(ABC):
    """What a value is drawn from."""

    def draw(self, seed: int, key: str, draw: int) -> Any:
        """The value with this number; it depends on nothing but the three arguments."""
        return self.quantile(np.random.default_rng([seed, crc32(key.encode()), draw]).random())

    @abstractmethod
    def quantile(self, share: float) -> Any:
        """The value below which this share, from 0 up to 1, of the probability lies."""

    @abstractmethod
    def __str__(self) -> str:
        """As it is written in a sweep."""

    @abstractmethod
    def extremes(self) -> Sequence[Any]:
        """Values that are valid only if all are: both ends of a range, every choice."""


@dataclass(frozen=True)
class Uniform(Distribution):
    """Any number from `low` to `high`, all alike."""

    low: float
    high: float

    def quantile(self, share: float) -> float:
        return self.tidy(self.low + share * (self.high - self.low))

    def tidy(self, number: float) -> float:
        """The number as a short decimal within the range."""
        return within(self, tidy(number, (self.high - self.low) / SPACINGS))

    def __str__(self) -> str:
        return written("uniform", self.low, self.high)

    def extremes(self) -> Sequence[float]:
        return self.low, self.high


@dataclass(frozen=True)
class LogUniform(Distribution):
    """Any number from `low` to `high`, both above 0, all orders of magnitude alike."""

    low: float
    high: float

    def quantile(self, share: float) -> float:
        low, high = math.log(self.low), math.log(self.high)
        return self.tidy(math.exp(low + share * (high - low)))

    def tidy(self, number: float) -> float:
        """The number as a short decimal within the range."""
        decades = math.log(self.high) - math.log(self.low)
        return within(self, tidy(number, number * decades / SPACINGS))

    def __str__(self) -> str:
        return written("loguniform", self.low, self.high)

    def extremes(self) -> Sequence[float]:
        return self.low, self.high


@dataclass(frozen=True)
class Integer(Distribution):
    """Any whole number from `low` to `high`, both included, all alike."""

    low: int
    high: int

    def quantile(self, share: float) -> int:
        return min(self.low + int(share * (self.high - self.low + 1)), self.high)

    def __str__(self) -> str:
        return written("integer", self.low, self.high)

    def extremes(self) -> Sequence[int]:
        return self.low, self.high


@dataclass(frozen=True)
class Choice(Distribution):
    """One of some values, all alike."""

    values: tuple[Any, ...]

    def quantile(self, share: float) -> Any:
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def __str__(self) -> str:
        return f"one of {', '.join(map(value_text, self.values))}"

    def extremes(self) -> Sequence[Any]:
        return self.values


def within(ends: Uniform | LogUniform, number: float) -> float:
    """The number, or the end that it is beyond."""
    return float(min(max(number, ends.low), ends.high))


def written(name: str, *ends: float) -> str:
    """As a sweep has it: `uniform(0, 0.5)`."""
    return f"{name}({', '.join(map(value_text, ends))})"
