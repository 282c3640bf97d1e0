"""Products in pieces, against NumPy's whole ones."""

import numpy as np
import pytest

from optrun.numerics.products import NARROW, multiply_columns, multiply_rows, rows_at_once

CASES = [
    (1, 784, 10),
    (127, 784, 10),
    (128, 784, 10),
    (1000, 784, 10),
    (300, 3072, 3),
    (64, 30, 40),
]


@pytest.mark.parametrize("small", [1e6, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("rows", "inputs", "columns"), CASES)
def test_pieces_make_the_whole(rows, inputs, columns, dtype, small):
    draw = np.random.default_rng(0)
    h, w, d = (
        draw.normal(size=shape).astype(dtype)
        for shape in [(rows, inputs), (inputs, columns), (rows, columns)]
    )
    scores, gradient = np.full((rows, columns), np.nan, dtype), np.full_like(w, np.nan)
    multiply_rows(h, w, scores, small)
    multiply_columns(h, d, gradient, small)
    close = {"rtol": 0, "atol": 2e3 * np.finfo(dtype).eps}
    np.testing.assert_allclose(scores, h.astype(float) @ w.astype(float), **close)
    np.testing.assert_allclose(gradient, h.T.astype(float) @ d.astype(float), **close)


@pytest.mark.parametrize(
    ("rows", "inputs", "columns", "small", "expected"),
    [
        (127, 784, 10, 1e6, 127),  # small as it is
        (128, 784, 10, 1e6, 64),
        (1000, 784, 10, 1e6, 125),
        (255, 784, 10, 1e6, 85),  # two pieces would be one row too large
        (1000, 784, 10, np.inf, 1000),  # nothing to be gained
        (1000, 784, NARROW + 1, 1e6, 1000),  # too many columns
        (1000, 10_000, 10, 1e6, 1000),  # a piece would be too few rows
    ],
)
def test_pieces_are_equal_and_small(rows, inputs, columns, small, expected):
    step = rows_at_once(rows, inputs * columns, columns, small)
    assert step == expected
    assert step * inputs * columns <= small or step == rows
