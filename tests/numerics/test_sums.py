"""Sums in a fixed order against exact ones."""

import math

import numpy as np
import pytest

from optrun.numerics.sums import LANES, fold, norms

SIZES = [1, 2, 3, 7, 64, 100, LANES - 1, LANES, LANES + 1, 5 * LANES + 3]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_norms(size, dtype):
    v = np.random.default_rng(size).standard_normal(size).astype(dtype)
    numbers = v.astype(np.float64)
    expected = math.fsum(abs(numbers)), math.fsum(numbers * numbers)
    np.testing.assert_allclose(norms(v), expected, rtol=1e-14)


@pytest.mark.parametrize("size", SIZES)
def test_fold(size):
    v = np.random.default_rng(size).random(size)
    expected = math.fsum(v)
    assert fold(v) == pytest.approx(expected, rel=1e-14)
