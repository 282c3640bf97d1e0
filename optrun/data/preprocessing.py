"""Preprocessing: per-feature shifts and scales, fitted on the training examples.

Every step here maps x to (x − shift)·scale, so any list of them is one such map. It is applied
when a batch is gathered, and images stay bytes in memory.
"""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from optrun.component import Component, table

CHUNK = 1024
"""Rows read at a time, so that statistics need no float copy of the data."""


@dataclass(frozen=True)
class Affine:
    """x ↦ (x − shift)·scale for each feature; both (features,), float64, scale never 0."""

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]

    def then(self, after: "Affine") -> "Affine":
        """This map followed by another: ((x − s)·c − m)·k = (x − (s + m/c))·ck."""
        return Affine(self.shift + after.shift / self.scale, self.scale * after.scale)


class Statistics:
    """Mean and standard deviation of every feature over chosen rows, found when asked for."""

    def __init__(self, storage: NDArray[Any], rows: NDArray[np.int64]):
        self._storage = storage
        self._rows = rows

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """(features,)"""
        exact = np.int64 if self._storage.dtype == np.uint8 else np.float64
        total: NDArray[Any] = np.zeros(self._storage.shape[1], exact)
        for chunk in self._chunks():
            total += chunk.sum(axis=0, dtype=exact)
        return total / len(self._rows)

    @cached_property
    def std(self) -> NDArray[np.float64]:
        """(features,), population form √(Σ(x − mean)²/n); 0 where all values are equal."""
        total = np.zeros(self._storage.shape[1])
        varies = np.zeros(self._storage.shape[1], bool)
        first = self._storage[self._rows[0]]
        for chunk in self._chunks():
            varies |= (chunk != first).any(axis=0)
            deviation = chunk - self.mean
            total += np.einsum("ij,ij->j", deviation, deviation)
        return np.where(varies, np.sqrt(total / len(self._rows)), 0.0)

    def _chunks(self) -> Iterator[NDArray[Any]]:
        for start in range(0, len(self._rows), CHUNK):
            yield self._storage[self._rows[start : start + CHUNK]]


class MappedStatistics:
    """The statistics of the same rows after an affine map."""

    def __init__(self, raw: Statistics, affine: Affine):
        self._raw = raw
        self._affine = affine
        self.features = affine.scale.size

    @property
    def mean(self) -> NDArray[np.float64]:
        """(features,)"""
        return (self._raw.mean - self._affine.shift) * self._affine.scale

    @property
    def std(self) -> NDArray[np.float64]:
        """(features,)"""
        return self._raw.std * self._affine.scale


class Preprocessing(Component):
    """A step between the stored values and what the model sees."""

    @abstractmethod
    def fit(self, seen: MappedStatistics) -> Affine:
        """The step's map, given the statistics of what reaches it from the training examples."""


class Rescale(Preprocessing):
    """Bytes to numbers from 0 to 1.

    x ← x/255
    """

    name: Literal["rescale"] = "rescale"

    def fit(self, seen: MappedStatistics) -> Affine:
        return Affine(np.zeros(seen.features), np.full(seen.features, 1 / 255))


class Center(Preprocessing):
    """Subtract each feature's mean over the training examples (of images: the mean image).

    x ← x − mean
    """

    name: Literal["center"] = "center"

    def fit(self, seen: MappedStatistics) -> Affine:
        return Affine(seen.mean, np.ones(seen.features))


class Standardize(Preprocessing):
    """Give each feature mean 0 and standard deviation 1 over the training examples.

        x ← (x − mean)/std

    std is the population's, √(Σ(x − mean)²/n). A feature that never varies is only centered.
    """

    name: Literal["standardize"] = "standardize"

    def fit(self, seen: MappedStatistics) -> Affine:
        std = seen.std
        return Affine(seen.mean, 1 / np.where(std > 0, std, 1))


def compose(steps: list[Preprocessing], storage: NDArray[Any], rows: NDArray[np.int64]) -> Affine:
    """The one map that a list of steps amounts to, each fitted on what the ones before it leave.

    Args:
        steps: in the order they apply.
        storage: (N, features), bytes or floats.
        rows: (n,), the training examples.
    """
    features = storage.shape[1]
    raw = Statistics(storage, rows)
    whole = Affine(np.zeros(features), np.ones(features))
    for step in steps:
        whole = whole.then(step.fit(MappedStatistics(raw, whole)))
    return whole


PREPROCESSING: dict[str, type[Preprocessing]] = table([Rescale, Center, Standardize])
