"""The exponential of many numbers, against decimals of 40 digits and at its ends."""

from decimal import Context, Decimal

import numpy as np

from optrun.numerics.exponential import LEAST, exponential

EXACT = Context(prec=40)


def raised(x: np.ndarray) -> np.ndarray:
    out = np.full_like(x, np.nan)
    exponential(x, out)
    return out


def test_it_is_right_to_three_units_in_the_last_place():
    random = np.random.default_rng(7)
    x = -np.concatenate([random.uniform(0, 2, 500), random.uniform(0, 708, 500)])
    x = np.concatenate([x, -(10.0 ** np.arange(-20, 0)), -np.log(2) * np.arange(1, 20) / 2])
    expected = np.array([float(EXACT.exp(Decimal(float(value)))) for value in x])
    assert (np.abs(raised(x) - expected) <= 3 * np.spacing(expected)).all()


def test_its_ends():
    x = np.array([0.0, -0.0, LEAST, -750.0, -1e300, np.nan])
    np.testing.assert_array_equal(raised(x), [1.0, 1.0, 0.0, 0.0, 0.0, np.nan])
    assert raised(np.array([np.nextafter(LEAST, 0.0)])) > 1e-308
    assert raised(np.zeros(0)).size == 0
