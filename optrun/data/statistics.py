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
class FeatureMap:
    """x ↦ min(max((x − shift)·scale, low), high) for each feature.

    Attributes:
        shift: (features,), float64, as all four.
        scale: above 0.
        low: −∞ where nothing is cut off.
        high: ∞ where nothing is cut off.
    """

    shift: NDArray[np.float64]
    scale: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def affine(
        cls,
        shift: NDArray[np.float64],
        scale: NDArray[np.float64],
        bounds: tuple[float, float] = (-np.inf, np.inf),
    ) -> "FeatureMap":
        """(x − shift)·scale, cut off at the bounds."""
        low, high = (np.full(scale.shape, bound) for bound in bounds)
        return cls(shift, scale, low, high)

    @classmethod
    def identity(cls, features: int) -> "FeatureMap":
        """The map that changes nothing."""
        return cls.affine(np.zeros(features), np.ones(features))

    @property
    def clips(self) -> bool:
        """Whether anything is cut off."""
        return bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())

    def then(self, after: "FeatureMap") -> "FeatureMap":
        """This map followed by another: ((x − s)·c − m)·k = (x − (s + m/c))·ck.

        Both are monotone, so the bounds of the first map go through the second.
        """
        shift, scale = self.shift + after.shift / self.scale, self.scale * after.scale
        return FeatureMap(shift, scale, after(self.low), after(self.high))

    def __call__(self, x: NDArray[Any]) -> NDArray[np.float64]:
        """(n, features) mapped, in float64."""
        mapped = (x - self.shift) * self.scale
        return np.clip(mapped, self.low, self.high) if self.clips else mapped


class Statistics:
    """Statistics of every feature over chosen rows, found when asked for.

    Args:
        storage: (N, features).
        rows: those that count.
        change: of the values before they count; default: none.
    """

    def __init__(
        self, storage: NDArray[Any], rows: NDArray[np.int64], change: FeatureMap | None = None
    ):
        self._storage = storage
        self.rows = rows
        self._change = change

    def after(self, change: FeatureMap) -> "Statistics":
        """Those of the stored values after a map."""
        return Statistics(self._storage, self.rows, change)

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        """(features,)"""
        are_bytes = self._storage.dtype == np.uint8 and self._change is None
        exact = np.int64 if are_bytes else np.float64
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
            chunk = self._storage[self.rows[start : start + CHUNK]]
            yield chunk if self._change is None else self._change(chunk)


class MappedStatistics:
    """The statistics of the same rows after a map."""

    def __init__(self, raw: Statistics, change: FeatureMap):
        self.features = change.scale.size
        if change.clips:  # mean and deviation are not those before, mapped
            raw, change = raw.after(change), FeatureMap.identity(self.features)
        self._raw = raw
        self._map = change

    @property
    def mean(self) -> NDArray[np.float64]:
        """(features,)"""
        return self._map(self._raw.mean)

    @property
    def std(self) -> NDArray[np.float64]:
        """(features,)"""
        return self._raw.std * self._map.scale

    @property
    def min(self) -> NDArray[np.float64]:
        """(features,)"""
        return self._map(self._raw.min)

    @property
    def max(self) -> NDArray[np.float64]:
        """(features,)"""
        return self._map(self._raw.max)

    def covariance(self) -> NDArray[np.float64]:
        """(features, features), population form Σ(x − mean)(x − mean)ᵀ/n."""
        total, rows = np.zeros((self.features, self.features)), 0
        for chunk in self._raw.chunks():
            deviation = (chunk - self._raw.mean) * self._map.scale
            total += deviation.T @ deviation
            rows += len(chunk)
        return total / rows
