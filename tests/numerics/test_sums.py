"""Sums in a fixed order against exact ones, around the number of lanes."""

import math

import numpy as np
import pytest

from optrun.numerics.sums import LANES, fold, norms, relative_change

SIZES = [0, 1, 2, 3, 7, 64, 100, LANES - 1, LANES, LANES + 1, 2 * LANES, 5 * LANES + 77]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_norms(size, dtype):
    v = np.random.default_rng(size).standard_normal(size).astype(dtype)
    numbers = v.astype(np.float64)
    expected = math.fsum(abs(numbers)), math.fsum(numbers * numbers)
    np.testing.assert_allclose(norms(v), expected, rtol=1e-14)


@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_relative_change(size, dtype):
    u, v = np.random.default_rng(size).standard_normal((2, size)).astype(dtype)
    before, after = u.astype(np.float64), v.astype(np.float64)
    expected = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert relative_change(u, np.append(v, v)) == pytest.approx(expected, rel=1e-13)


def test_large_float32_values_do_not_overflow():
    assert norms(np.full(3, 1e30, np.float32))[1] == pytest.approx(3e60, rel=1e-6)


def test_nan_is_not_hidden():
    assert np.isnan(norms(np.array([1.0, np.nan]))[1])


@pytest.mark.parametrize("size", SIZES[1:])
def test_fold(size):
    v = np.random.default_rng(size).random(size)
    expected = math.fsum(v)
    assert fold(v) == pytest.approx(expected, rel=1e-14)
