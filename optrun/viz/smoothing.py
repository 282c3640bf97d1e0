"""Smoothing of curves."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def moving_average(values: "pd.Series", weight: float) -> "pd.Series":
    """The exponential moving average without the pull of its start at zero.

        m_t = β·m_{t−1} + (1−β)·x_t,   m_0 = 0,   smoothed x_t = m_t / (1 − βᵗ)

    β is `weight`, in [0, 1); with 0 nothing changes. Values that are not finite are left out, and
    stay NaN in the result.
    """
    finite = values.where(np.isfinite(values))
    # pandas' adjusted weights (1−α)ⁱ / Σ(1−α)ⁱ are this average with α = 1−β.
    average = finite.ewm(alpha=1 - weight, adjust=True, ignore_na=True).mean()
    return average.where(finite.notna())
