"""What a preprocessing step is: where it may stand, and what it does to the examples.

There are two kinds. A shift and scale of every feature, and the bounds at which it is cut off, are
only noted, and carried out when a batch is gathered, so images stay bytes in memory. Anything else
is carried out once, beforehand, and leaves floats of the run's type.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from optrun.component import Component, Positive
from optrun.data.statistics import CHUNK, FeatureMap, MappedStatistics, Statistics

Clip = Positive | None
"""A bound on the size of values, or none."""


@dataclass(frozen=True)
class Form:
    """What an example is, before, between or after the steps.

    Attributes:
        features: values an example; where a share of the variance decides, the fewest there can be.
        image_shape: (channels, height, width) of images, else None.
        is_bytes: whether the values are bytes as they were stored.
    """

    features: int
    image_shape: tuple[int, int, int] | None
    is_bytes: bool


@dataclass(frozen=True)
class Stage:
    """The examples between two steps: what is stored, and the map that is yet to be carried out.

    Attributes:
        pool: (N, features) of training and validation, bytes or floats of the run's type.
        test: (M, features), likewise.
        training: statistics of the stored values of the training examples.
        map: the map.
        dtype: the run's float type.
    """

    pool: NDArray[Any]
    test: NDArray[Any]
    training: Statistics
    map: FeatureMap
    dtype: np.dtype

    @classmethod
    def start(
        cls, pool: NDArray[Any], test: NDArray[Any], rows: NDArray[np.int64], dtype: np.dtype
    ) -> "Stage":
        """The examples as they are stored; `rows` are those of the pool to train on."""
        return cls(pool, test, Statistics(pool, rows), FeatureMap.identity(pool.shape[1]), dtype)

    @property
    def seen(self) -> MappedStatistics:
        """Statistics of the training examples after the map."""
        return MappedStatistics(self.training, self.map)

    def then(self, change: FeatureMap) -> "Stage":
        """A further map is noted."""
        return replace(self, map=self.map.then(change))

    def carried_out(self, change: Callable[[NDArray[np.float64]], NDArray[Any]]) -> "Stage":
        """The map and then `change` are carried out on every example.

        Args:
            change: from some examples (n, features), float64, to what becomes of them, (n, …).
        """
        pool, test = (self._changed(x, change) for x in (self.pool, self.test))
        return Stage.start(pool, test, self.training.rows, self.dtype)

    def _changed(
        self, x: NDArray[Any], change: Callable[[NDArray[np.float64]], NDArray[Any]]
    ) -> NDArray[Any]:
        first = change(self.map(x[:CHUNK]))
        changed = np.empty((len(x), first.shape[1]), self.dtype)
        changed[:CHUNK] = first
        for start in range(CHUNK, len(x), CHUNK):
            changed[start : start + CHUNK] = change(self.map(x[start : start + CHUNK]))
        return changed


class Preprocessing(Component):
    """A step between the stored values and what the model sees.

    Attributes:
        keeps_storage: whether it only notes a map, which leaves the stored values alone.
    """

    keeps_storage: ClassVar[bool]

    def problem(self, seen: Form, stored: Form, examples: int) -> str | None:
        """Why the step cannot stand in its place, or None.

        Args:
            seen: what an example is when it reaches the step.
            stored: what it was before the first step.
            examples: to train on.
        """
        return None

    def leaves(self, seen: Form) -> Form:
        """What an example is after the step."""
        return replace(seen, is_bytes=False)

    def room(self, seen: Form) -> int:
        """Numbers that fitting the step must hold at once, beside the examples."""
        return 0

    @abstractmethod
    def apply(self, stage: Stage) -> Stage:
        """The examples after the step, which is fitted on the training examples of `stage`."""


class ShiftAndScale(Preprocessing):
    """A step that maps each feature to (x − shift)·scale, which may be cut off at bounds."""

    keeps_storage: ClassVar[bool] = True

    @abstractmethod
    def fit(self, seen: MappedStatistics) -> FeatureMap:
        """The step's map, given the statistics of what reaches it from the training examples."""

    def apply(self, stage: Stage) -> Stage:
        return stage.then(self.fit(stage.seen))
