"""The moving average against its definition and closed forms."""

import numpy as np
import pytest
from numpy.typing import ArrayLike

from optrun.viz.smoothing import moving_average


def smoothed(values: ArrayLike, weight: float) -> np.ndarray:
    import pandas as pd

    return moving_average(pd.Series(values), weight).to_numpy()


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.9, 0.99])
def test_it_is_the_recurrence_divided_by_its_bias(weight: float):
    values = np.random.default_rng(0).standard_normal(200)
    m, expected = 0.0, []
    for t, value in enumerate(values, start=1):
        m = weight * m + (1 - weight) * value
        expected.append(m / (1 - weight**t))
    np.testing.assert_allclose(smoothed(values, weight), expected, rtol=1e-9)


def test_constants_stay_and_a_step_decays_geometrically():
    np.testing.assert_allclose(smoothed([3.0] * 5, 0.9), 3.0)
    steps = smoothed([1.0, 0, 0, 0], 0.5)
    t = np.arange(1, 5)
    np.testing.assert_allclose(steps, 0.5**t / (1 - 0.5**t))


def test_weight_zero_changes_nothing():
    np.testing.assert_array_equal(smoothed([1.0, 5.0, -2.0], 0.0), [1.0, 5.0, -2.0])


def test_values_that_are_not_finite_are_left_out():
    got = smoothed([1.0, np.nan, 3.0, np.inf, 5.0], 0.5)
    dense = smoothed([1.0, 3.0, 5.0], 0.5)
    np.testing.assert_allclose(got[[0, 2, 4]], dense)
    assert np.isnan(got[[1, 3]]).all()
