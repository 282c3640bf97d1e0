"""Which rows of the stored arrays belong to training, validation and test."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optrun.data.dataset import Dataset, PerClass
from optrun.errors import UserError
from optrun.numerics.streams import Purpose, stream


@dataclass(frozen=True)
class Split:
    """Some rows of a stored array, with the map to what the model sees.

    Attributes:
        storage: (N, features), C-contiguous; bytes for images unless a preprocessing step was
            carried out on them, else of the run's dtype. Training and validation share one.
        targets: of every stored row its class, (N,) int64, or the numbers to predict,
            (N, outputs) of the run's dtype, C-contiguous. Shared like the storage.
        indices: (n,) the rows that belong, ascending, int64.
        shift: (features,), of the run's dtype.
        scale: (features,), of the run's dtype; the model sees (storage − shift)·scale,
        low: cut off below at this, (features,) of the run's dtype; empty if nothing is cut off,
        high: and above at this, likewise.
    """

    storage: NDArray[Any]
    targets: NDArray[Any]
    indices: NDArray[np.int64]
    shift: NDArray[Any]
    scale: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]

    def __len__(self) -> int:
        return self.indices.size

    def __repr__(self) -> str:
        return f"Split({len(self)} × {self.storage.shape[1]})"

    @property
    def x(self) -> NDArray[Any]:
        """(n, features) as the model sees them, of the run's dtype; gathered at every call."""
        seen = self.storage[self.indices].astype(self.shift.dtype, copy=False)
        seen -= self.shift
        seen *= self.scale
        return np.clip(seen, self.low, self.high) if self.low.size else seen

    @property
    def y(self) -> NDArray[Any]:
        """(n,) class labels, or (n, outputs) numbers to predict."""
        return self.targets[self.indices]


@dataclass(frozen=True)
class Rows:
    """Row numbers of the training pool, each ascending, int64."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]


def divide(dataset: Dataset, targets: NDArray[Any], seed: int) -> Rows:
    """Carve validation out of the training pool, then the subset out of what is left.

    In this order, so that validation is the same whatever `subset` says.

    Args:
        dataset: gives `validation` and `subset`.
        targets: those of the pool; class labels make the parts stratified.
        seed: of the run.

    Raises:
        UserError: a class has fewer examples left than `per_class` asks for.
    """
    count = len(targets)
    labels = targets if dataset.outline.labelled else np.zeros(count, np.int64)
    validation = choose(
        labels,
        proportional(labels, dataset.validation_count(count)),
        stream(seed, Purpose.SPLIT),
    )
    train = np.setdiff1d(np.arange(count), validation, assume_unique=True)
    if dataset.subset is not None:
        left = labels[train]
        if isinstance(dataset.subset, PerClass):
            quotas = _same_for_all(left, dataset.outline.outputs, dataset.subset.per_class)
        else:
            quotas = proportional(left, dataset.subset)
        train = train[choose(left, quotas, stream(seed, Purpose.SUBSET))]
    return Rows(train, validation)


def proportional(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """How many of `count` examples each class gets: its share, by the largest remainder.

    Each class is within one of count·(examples of the class)/n, and the sum is `count`.

    Args:
        labels: (n,), int64.
        count: at most n.
    """
    present = np.bincount(labels)
    quotas, remainders = np.divmod(present * count, labels.size)
    largest = np.argsort(-remainders, kind="stable")[: count - quotas.sum()]
    quotas[largest] += 1
    return quotas


def _same_for_all(labels: NDArray[np.int64], classes: int, each: int) -> NDArray[np.int64]:
    present = np.bincount(labels, minlength=classes)
    if present.min() < each:
        raise UserError(
            f"dataset.subset: `per_class: {each}` asks for more than there is: class "
            f"{present.argmin()} has {present.min()} training examples left after validation; "
            f"write at most {present.min()}"
        )
    return np.full(classes, each)


def choose(
    labels: NDArray[np.int64], quotas: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Row numbers, ascending, of `quotas[c]` examples of every class c, drawn at random."""
    order = generator.permutation(labels.size)
    drawn = labels[order]
    chosen = [order[drawn == label][:quota] for label, quota in enumerate(quotas)]
    return np.sort(np.concatenate(chosen))
