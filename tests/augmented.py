"""Whole epochs of examples as augmentation shows them, for tests of its steps and kernels."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from optrun.data.augmentation.step import Augmentation, Shape
from optrun.data.augmentation.views import Views, draw_views
from optrun.engine.views import mix, view_bytes, view_reals


def apply(
    views: Views,
    x: np.ndarray,
    targets: np.ndarray | None = None,
    batch_size: int = 8,
    dtype: str = "float64",
    shift: Any = 0.0,
    scale: Any = 1.0,
    first: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of x, (n, features), at positions from `first` on, and their targets."""
    view = view_bytes if x.dtype == np.uint8 else view_reals
    storage = np.ascontiguousarray(x, None if x.dtype == np.uint8 else dtype).view(np.uint8)
    features, n = x.shape[1], len(x)
    seen = np.full((n, features), np.nan, dtype)
    mixed = np.zeros((n, 1), dtype) if targets is None else targets.astype(dtype)
    shift, scale = (np.full(features, value, dtype) for value in (shift, scale))
    for start in range(0, n, batch_size):
        rows = np.arange(start, min(start + batch_size, n))
        batch = slice(start, start + rows.size)
        view(storage, rows, first + start, views, seen[batch], shift, scale)
        mix(views, first + start, seen[batch], mixed[batch])
    return seen, mixed


def augment(
    steps: Sequence[Augmentation],
    x: np.ndarray,
    shape: Shape | None,
    targets: np.ndarray | None = None,
    seed: int = 0,
    epoch: int = 0,
    batch_size: int = 8,
    **how: Any,
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of x, in this order, as an epoch shows them, and their targets."""
    views = draw_views(steps, shape, len(x), batch_size, seed, epoch)
    return apply(views, x, targets, batch_size, **how)
