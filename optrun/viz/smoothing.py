"""Smoothing of curves."""

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

NEGLIGIBLE = 1e-4  # neighbours that count less than this are left out


def moving_average(values: "pd.Series", weight: float) -> "pd.Series":
    """A moving average centred on each value, with exponentially falling weights.

        y_t = Σ_k β^|k|·x_{t+k} / Σ_k β^|k|,   k = −h_t, …, h_t,   h_t = min(t, n−1−t)

    β is `weight`, in [0, 1); with 0 nothing changes. As many neighbours count on the left as on
    the right, so a straight line stays as it is: the average does not lag behind, as one over the
    past alone does by β/(1−β) values. The first and the last value have no such neighbours and
    stay as they are. Values that are not finite are left out, and stay NaN in the result.
    """
    import pandas as pd

    every = values.to_numpy(dtype="float64")
    finite = np.isfinite(every)
    known = every[finite]
    total, weights = known.copy(), np.ones(len(known))
    for k in range(1, reach(weight, len(known)) + 1):
        inner = slice(k, len(known) - k)
        share = weight**k
        total[inner] += share * (known[: -2 * k] + known[2 * k :])
        weights[inner] += 2 * share
    average = np.full(len(every), np.nan)
    average[finite] = total / weights
    return pd.Series(average, values.index)


def reach(weight: float, length: int) -> int:
    """How many neighbours on each side count at most."""
    if weight == 0:
        return 0
    return min((length - 1) // 2, math.ceil(math.log(NEGLIGIBLE) / math.log(weight)))
