"""From a dataset's section of the config to the arrays that training reads."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from optrun.data.dataset import Dataset, Raw
from optrun.data.label_noise import noised
from optrun.data.preprocessing import preprocess
from optrun.data.splits import Split, divide
from optrun.data.step import Stage
from optrun.errors import UserError


@dataclass(frozen=True)
class Data:
    """A dataset, split and ready.

    Attributes:
        train: the examples to train on.
        validation: the examples to choose by, or None.
        test: the examples to report on.
        shift: (features,), of the run's dtype.
        scale: (features,), of the run's dtype; the model sees (storage − shift)·scale,
        low: cut off below at this, (features,) of the run's dtype; empty if nothing is cut off,
        high: and above at this, likewise.
        outputs: scores that a model gives: one a class, or one a number to predict.
        labelled: whether targets are class labels.
        features: values an example, as the model sees it.
        image_shape: (channels, height, width) if the model sees images, else None.
        fingerprint: SHA-256 of everything loaded, before splitting and preprocessing: of the files
            where there are files, of the arrays otherwise.
    """

    train: Split
    validation: Split | None
    test: Split
    shift: NDArray[Any]
    scale: NDArray[Any]
    low: NDArray[Any]
    high: NDArray[Any]
    outputs: int
    labelled: bool
    features: int
    image_shape: tuple[int, int, int] | None
    fingerprint: str

    def __repr__(self) -> str:
        splits = f"train={self.train}, validation={self.validation}, test={self.test}"
        return f"Data({splits}, outputs={self.outputs})"


def prepare(
    dataset: Dataset, seed: int, dtype: DTypeLike, data_dir: str | Path | None = None
) -> Data:
    """Load a dataset, split it and fit its preprocessing on the training examples.

    Args:
        dataset: the config's section.
        seed: of the run; chooses the splits and draws synthetic data.
        dtype: float32 or float64, what the model computes in.
        data_dir: folder of stored datasets; default: `OPTRUN_DATA_DIR` or the user's cache.

    Raises:
        UserError: the section asks for what the dataset does not have.
        DataError: the dataset's files are absent, damaged or of something else.
    """
    raw = dataset.load(seed, Path(data_dir) if data_dir is not None else None)
    return arrange(dataset, raw, fingerprint(raw), seed, dtype)


def arrange(dataset: Dataset, raw: Raw, fingerprint: str, seed: int, dtype: DTypeLike) -> Data:
    """Split a loaded dataset and fit its preprocessing on the training examples.

    Args:
        dataset: the config's section.
        raw: its arrays, which are read but never written to.
        fingerprint: of the arrays.
        seed: of the run.
        dtype: float32 or float64, what the model computes in.

    Raises:
        UserError: the section asks for what the dataset does not have.
    """
    if problems := dataset.problems():
        raise UserError("\n".join(f"dataset.{field}: {text}" for field, text in problems.items()))
    rows = divide(dataset, raw.train_y, seed)
    pool, held_out, targets, test_targets = (
        _stored(array, dtype) for array in (raw.train_x, raw.test_x, raw.train_y, raw.test_y)
    )
    targets = noised(dataset, targets, rows.train, seed)
    stage = Stage.start(pool, held_out, rows.train, np.dtype(dtype))
    stage = preprocess(dataset.preprocessing, stage)
    last, outline = stage.map, dataset.outline
    clips = last.clips and (dataset.augmentation or dataset.test_time or reaches_bounds(stage))
    bounds = (last.low, last.high) if clips else (np.zeros(0), np.zeros(0))
    seen = [numbers.astype(dtype) for numbers in (last.shift, last.scale, *bounds)]
    shift, scale, low, high = seen
    return Data(
        train=Split(stage.pool, targets, rows.train, *seen),
        validation=Split(stage.pool, targets, rows.validation, *seen)
        if rows.validation.size
        else None,
        test=Split(stage.test, test_targets, np.arange(len(test_targets)), *seen),
        shift=shift,
        scale=scale,
        low=low,
        high=high,
        outputs=outline.outputs,
        labelled=outline.labelled,
        features=shift.size,
        image_shape=dataset.seen.image_shape,
        fingerprint=fingerprint,
    )


def reaches_bounds(stage: Stage) -> bool:
    """Whether a stored value may be cut off; of bytes, whether one could."""
    if stage.pool.dtype == np.uint8:
        low, high = np.zeros(stage.pool.shape[1]), np.full(stage.pool.shape[1], 255.0)
    else:
        parts = [part for part in (stage.pool, stage.test) if len(part)]
        low = np.min([part.min(axis=0) for part in parts], axis=0)
        high = np.max([part.max(axis=0) for part in parts], axis=0)
    free = replace(stage.map, low=np.full(low.shape, -np.inf), high=np.full(low.shape, np.inf))
    return bool((free(low) < stage.map.low).any() or (free(high) > stage.map.high).any())


def _stored(x: NDArray[Any], dtype: DTypeLike) -> NDArray[Any]:
    """Bytes and labels as they are, floats in the run's dtype; contiguous."""
    return np.ascontiguousarray(x, dtype=dtype if x.dtype.kind == "f" else None)


def fingerprint(raw: Raw) -> str:
    """SHA-256 of the files' digests, or of the four arrays with their shapes and types."""
    digest = hashlib.sha256("".join(f"{name}{of}" for name, of in raw.files.items()).encode())
    for array in () if raw.files else raw.arrays.values():
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
