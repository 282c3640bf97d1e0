"""Statistics of the training examples, feature by feature, without a float copy of the data."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHUNK = 256
"""Rows read at a time."""


@dataclass(frozen=True)
class Affine:
    """x ↦ (x − shift)·scale for each feature; both (features,), float64, scale above 0."""

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def identity(cls, features: int) -> "Affine":
        """The map that changes nothing."""
        return cls(np.zeros(features), np.ones(features))

    def then(self, after: "Affine") -> "Affine":
        """This map followed by another: ((x − s)·c − m)·k = (x − (s + m/c))·ck."""
        return Affine(self.shift + after.shift / self.scale, self.scale * after.scale)

    def __call__(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """(n, features) mapped, in float64."""
        return (x - self.shift) * self.scale


class Statistics:
    """Statistics of every feature over chosen rows, found when asked for."""

    def __init__(self, storage: NDArray[Any], rows: NDArray[np.int64]):
        self._storage = storage
        self.rows = rows

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """(features,)"""
        exact = np.int64 if self._storage.dtype == np.uint8 else np.float64
        total: NDArray[Any] = np.zeros(self._storage.shape[1], exact)
        for chunk in self.chunks():
            total += chunk.sum(axis=0, dtype=exact)
        return total / len(self.rows)

    @cached_property
    def std(self) -> NDArray[np.float64]:
        """(features,), population form √(Σ(x − mean)²/n); 0 where all values are equal."""
        total = np.zeros(self._storage.shape[1])
        for chunk in self.chunks():
            deviation = chunk - self.mean
            total += np.einsum("ij,ij->j", deviation, deviation)
        return np.where(self.max > self.min, np.sqrt(total / len(self.rows)), 0.0)

    @cached_property
    def min(self) -> NDArray[Any]:
        """(features,), of the type that is stored."""
        return np.min([chunk.min(axis=0) for chunk in self.chunks()], axis=0)

    @cached_property
    def max(self) -> NDArray[Any]:
        """(features,), of the type that is stored."""
        return np.max([chunk.max(axis=0) for chunk in self.chunks()], axis=0)

    def chunks(self) -> Iterator[NDArray[Any]]:
        """The chosen rows, some at a time."""
        for start in range(0, len(self.rows), CHUNK):
            yield self._storage[self.rows[start : start + CHUNK]]


class MappedStatistics:
    """The statistics of the same rows after an affine map."""

    def __init__(self, raw: Statistics, affine: Affine):
        self._raw = raw
        self._affine = affine
        self.features = affine.scale.size

    @property
    def mean(self) -> NDArray[np.float64]:
        """(features,)"""
        return self._affine(self._raw.mean)

    @property
    def std(self) -> NDArray[np.float64]:
        """(features,)"""
        return self._raw.std * self._affine.scale

    @property
    def min(self) -> NDArray[np.float64]:
        """(features,)"""
        return self._affine(self._raw.min)

    @property
    def max(self) -> NDArray[np.float64]:
        """(features,)"""
        return self._affine(self._raw.max)

    def covariance(self) -> NDArray[np.float64]:
        """(features, features), population form Σ(x − mean)(x − mean)ᵀ/n."""
        total, rows = np.zeros((self.features, self.features)), 0
        for chunk in self._raw.chunks():
            deviation = (chunk - self._raw.mean) * self._affine.scale
            total += deviation.T @ deviation
            rows += len(chunk)
        return total / rows
