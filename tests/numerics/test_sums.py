"""Fixed-order sums against NumPy, around the number of lanes."""

import numpy as np
import pytest

from optrun.numerics.sums import LANES, norms


@pytest.mark.parametrize("size", [0, 1, LANES - 1, LANES, LANES + 1, 2 * LANES, 5 * LANES + 77])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_norms(size, dtype):
    v = np.sin(np.arange(size)).astype(dtype)
    absolute, squares = norms(v)
    exact = v.astype(np.float64)
    assert absolute == pytest.approx(np.abs(exact).sum(), rel=1e-13)
    assert squares == pytest.approx((exact**2).sum(), rel=1e-13)


def test_large_float32_values_do_not_overflow():
    assert norms(np.full(3, 1e30, np.float32))[1] == pytest.approx(3e60, rel=1e-6)


def test_nan_is_not_hidden():
    assert np.isnan(norms(np.array([1.0, np.nan]))[1])
