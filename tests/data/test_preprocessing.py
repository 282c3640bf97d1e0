"""Preprocessing against float64 NumPy on the materialised data."""

import numpy as np
import pytest

from optrun.data.preprocessing import CHUNK, PREPROCESSING, compose


def naive(steps, x):
    """Each step on the whole data in turn, fitted on all of its rows."""
    for step in steps:
        if step == "rescale":
            x = x / 255
        else:
            x = x - x.mean(axis=0)
            if step == "standardize":
                std = x.std(axis=0)
                x = x / np.where(std > 0, std, 1)
    return x


def example(dtype, rows=2 * CHUNK + 37, features=11):
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (rows, features), dtype=np.uint8).astype(dtype)
    x[:, 3] = 7
    return x


STEPS = [
    [],
    *([name] for name in PREPROCESSING),
    ["rescale", "center"],
    ["rescale", "standardize"],
    ["center", "rescale"],
    ["standardize", "standardize"],
    ["center", "standardize", "rescale"],
]


@pytest.mark.parametrize("steps", STEPS, ids="+".join)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_a_list_of_steps_is_one_shift_and_scale(steps, dtype):
    x = example(dtype)
    affine = compose([PREPROCESSING[name]() for name in steps], x, np.arange(len(x)))
    expected = naive(steps, x.astype(np.float64))
    np.testing.assert_allclose((x - affine.shift) * affine.scale, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["center", "standardize"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_only_the_given_rows_are_looked_at(name, dtype):
    x = example(dtype)
    rows = np.arange(0, len(x), 3)
    there = compose([PREPROCESSING[name]()], x, rows)
    x[1::3] = 0
    again = compose([PREPROCESSING[name]()], x, rows)
    np.testing.assert_array_equal(there.shift, again.shift)
    np.testing.assert_array_equal(there.scale, again.scale)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-9, 123456.789])
def test_a_constant_feature_is_only_centered(value):
    x = np.full((1000, 1), value)
    affine = compose([PREPROCESSING["standardize"]()], x, np.arange(1000))
    assert affine.scale == 1
    np.testing.assert_allclose(affine.shift, value, rtol=1e-12)


def test_the_mean_of_bytes_is_exact():
    x = np.full((70_000, 1), 255, np.uint8)
    x[0] = 254
    affine = compose([PREPROCESSING["center"]()], x, np.arange(len(x)))
    assert affine.shift == (70_000 * 255 - 1) / 70_000
