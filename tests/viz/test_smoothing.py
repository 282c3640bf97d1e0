"""The moving average against its definition and closed forms."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike

from optrun.viz.smoothing import moving_average

WEIGHTS = pytest.mark.parametrize("weight", [0.0, 0.3, 0.9, 0.99])


def smoothed(values: ArrayLike, weight: float) -> np.ndarray:
    return moving_average(pd.Series(values), weight).to_numpy()


def by_definition(values: np.ndarray, weight: float) -> list[float]:
    """The weighted mean of each window, one after the other."""
    found = []
    for t in range(len(values)):
        half = min(t, len(values) - 1 - t)
        k = np.arange(-half, half + 1)
        found.append(np.average(values[t + k], weights=float(weight) ** abs(k)))
    return found


@WEIGHTS
def test_it_is_the_weighted_mean_of_as_many_neighbours_on_both_sides(weight: float):
    values = np.random.default_rng(0).standard_normal(101)
    expected = by_definition(values, weight)
    np.testing.assert_allclose(smoothed(values, weight), expected, rtol=0, atol=1e-3)
    np.testing.assert_allclose(smoothed(values[:9], weight), by_definition(values[:9], weight))


@WEIGHTS
@pytest.mark.parametrize("count", [1, 2, 10, 1000])
def test_constants_and_straight_lines_stay(weight: float, count: int):
    np.testing.assert_allclose(smoothed([3.0] * count, weight), 3.0, rtol=1e-12)
    line = 5.0 - 0.5 * np.arange(count)
    np.testing.assert_allclose(smoothed(line, weight), line, rtol=1e-9, atol=1e-9)


@WEIGHTS
def test_both_ends_stay(weight: float):
    values = np.random.default_rng(1).standard_normal(50)
    np.testing.assert_array_equal(smoothed(values, weight)[[0, -1]], values[[0, -1]])


def test_a_step_is_blurred_where_it_is_and_not_moved():
    steps = smoothed([1.0] * 100 + [0.0] * 100, 0.8)
    np.testing.assert_allclose(steps + steps[::-1], 1.0)
    assert steps[99] > 0.5 > steps[100]
    # the share of the weights β^|k| that reaches a step k values ahead: β^k / (1 + β)
    np.testing.assert_allclose(1 - steps[99 - np.arange(20)], 0.8 ** np.arange(1, 21) / 1.8,
                               atol=1e-3)  # fmt: skip


def test_noise_is_averaged_as_its_weights_say():
    noise = np.random.default_rng(2).standard_normal(100_000)
    weight = 0.9
    # Var = Σ w² / (Σ w)²
    expected = (1 + weight**2) / (1 - weight**2) * ((1 - weight) / (1 + weight)) ** 2
    inner = smoothed(noise, weight)[200:-200]
    assert inner.var() == pytest.approx(expected, rel=0.05)


def test_weight_zero_changes_nothing():
    np.testing.assert_array_equal(smoothed([1.0, 5.0, -2.0], 0.0), [1.0, 5.0, -2.0])


def test_values_that_are_not_finite_are_left_out():
    got = smoothed([1.0, np.nan, 3.0, np.inf, 5.0, 9.0], 0.5)
    dense = smoothed([1.0, 3.0, 5.0, 9.0], 0.5)
    np.testing.assert_allclose(got[[0, 2, 4, 5]], dense)
    assert np.isnan(got[[1, 3]]).all()


def test_the_index_stays():
    values = pd.Series([1.0, 2.0, 9.0], index=[4, 7, 9])
    assert list(moving_average(values, 0.5).index) == [4, 7, 9]
