"""Preprocessing against float64 NumPy on the whole data at once."""

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from optrun.data.preprocessing import (
    PREPROCESSING,
    Center,
    MinMax,
    SampleMean,
    Standardize,
    preprocess,
)
from optrun.data.statistics import CHUNK
from optrun.data.step import Form, Stage
from optrun.data.whitening import PcaWhiten, ZcaWhiten

AFFINE = [name for name, step in PREPROCESSING.items() if step.keeps_storage]


def standardized(x):
    return (x - x.mean(axis=0)) / np.where(np.ptp(x, axis=0) > 0, x.std(axis=0), 1)


def min_max(x):
    span = np.ptp(x, axis=0)
    return (x - x.min(axis=0)) / np.where(span > 0, span, 1)


def contrast_normalized(x):
    deviation = x - x.mean(axis=1, keepdims=True)
    return deviation / np.maximum(1e-8, np.sqrt((deviation**2).mean(axis=1, keepdims=True)))


def pca(x, eps=1e-5):
    """By the singular values of the data rather than the eigenvalues of the covariance."""
    _, sizes, directions = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    flip = np.sign([row[np.abs(row).argmax()] for row in directions])
    axes = directions.T * flip
    return axes, 1 / np.sqrt(sizes**2 / len(x) + eps)


def pca_whitened(x):
    axes, factors = pca(x)
    return (x - x.mean(axis=0)) @ axes * factors


def zca_whitened(x):
    axes, factors = pca(x)
    return (x - x.mean(axis=0)) @ axes * factors @ axes.T


NAIVE = {
    "rescale": lambda x: x / 255,
    "min_max": min_max,
    "center": lambda x: x - x.mean(axis=0),
    "standardize": standardized,
    "sample_mean": lambda x: x - x.mean(axis=1, keepdims=True),
    "contrast_normalize": contrast_normalized,
    "pca_whiten": pca_whitened,
    "zca_whiten": zca_whitened,
}
"""What each step, with its defaults, makes of data of which every row is a training example."""


def example(dtype, rows=2 * CHUNK + 37, features=11):
    """Correlated features, one of them constant."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, 40, (rows, features), dtype=np.uint8)
    x += np.arange(0, 5 * features, 5, dtype=np.uint8)
    x += (x[:, :1] > 20) * np.uint8(90)
    x[:, 3] = 7
    return x.astype(dtype)


def build(*steps):
    """The steps, each a name or a component."""
    return [PREPROCESSING[step]() if isinstance(step, str) else step for step in steps]


def processed(steps, x, test=None, rows=None, dtype=np.float64):
    """The pool and the test examples after the steps, and the stage they came from."""
    rows = np.arange(len(x)) if rows is None else rows
    stage = Stage.start(x, x if test is None else test, rows, np.dtype(dtype))
    stage = preprocess(build(*steps), stage)
    return stage.map(stage.pool), stage.map(stage.test), stage


STEPS = [
    [],
    *([name] for name in PREPROCESSING),
    ["rescale", "center"],
    ["rescale", "standardize"],
    ["center", "rescale"],
    ["standardize", "standardize"],
    ["standardize", "min_max"],
    ["center", "standardize", "rescale"],
    ["rescale", "contrast_normalize", "zca_whiten"],
    ["rescale", "contrast_normalize", "standardize"],
    ["standardize", "sample_mean", "min_max"],
    ["min_max", "pca_whiten", "contrast_normalize"],
]


@pytest.mark.parametrize("steps", STEPS, ids="+".join)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_each_step_acts_in_turn_on_what_the_ones_before_it_leave(steps, dtype):
    x = example(dtype)
    expected = x.astype(np.float64)
    for step in steps:
        expected = NAIVE[step](expected)
    pool, test, _ = processed(steps, x, x[:50])
    # rounding errors along the constant feature are enlarged by 1/√ε
    np.testing.assert_allclose(pool, expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(test, expected[:50], rtol=0, atol=1e-9)


CLIPPED = {
    "standardize": (Standardize(clip=0.8), lambda x: np.clip(standardized(x), -0.8, 0.8)),
    "min_max": (MinMax(), lambda x: np.clip(min_max(x), 0, 1)),
    "pca_whiten": (PcaWhiten(clip=0.8), lambda x: np.clip(pca_whitened(x), -0.8, 0.8)),
    "zca_whiten": (ZcaWhiten(clip=0.8), lambda x: np.clip(zca_whitened(x), -0.8, 0.8)),
    "center": (Center(), lambda x: x - x.mean(axis=0)),
    "sample_mean": (SampleMean(), lambda x: x - x.mean(axis=1, keepdims=True)),
}


@pytest.mark.parametrize("first", CLIPPED)
@pytest.mark.parametrize("then", CLIPPED)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_what_is_cut_off_is_what_the_next_step_is_fitted_on(first, then, dtype):
    x = np.delete(example(dtype), 3, axis=1)  # components without variance have no sign
    expected, steps = x.astype(np.float64), []
    for name in ("standardize", first, then):
        step, naive = CLIPPED[name]
        steps.append(step)
        expected = naive(expected)
    np.testing.assert_allclose(processed(steps, x)[0], expected, rtol=0, atol=1e-8)


def rarely_lit(dtype=np.uint8):
    """Like an image set: pixels that no, or only one, training example has lit, and a common one.

    The second half of the rows, with all pixels lit, is not trained on.
    """
    x = np.random.default_rng(0).integers(0, 256, (8000, 3), dtype=np.uint8)
    x[:4000, :2], x[4000:] = 0, 255
    x[17, 1] = 1
    return x.astype(dtype), np.arange(4000)


KEEP_UNITS = ("center", "sample_mean")
SCALED = [
    *([name] for name in PREPROCESSING if name not in KEEP_UNITS),
    *(["rescale", name] for name in PREPROCESSING if name != "rescale"),
]


@pytest.mark.parametrize("steps", SCALED, ids="+".join)
def test_no_input_is_huge_by_default(steps):
    x, rows = rarely_lit()
    pool, test, _ = processed(steps, x, x, rows)
    assert np.abs(pool).max() <= 10
    assert np.abs(test).max() <= 10


@pytest.mark.parametrize(
    ("step", "greatest"),
    [
        (MinMax(clip=False), [255, 255, 1]),
        (MinMax(), [1, 1, 1]),
        (Standardize(clip=None), [255, 255 * np.sqrt(4000), np.sqrt(3)]),
        (Standardize(clip=3.0), [3, 3, np.sqrt(3)]),
    ],
)
def test_the_bound_can_be_chosen_and_a_constant_is_divided_by_one(step, greatest):
    x, rows = rarely_lit()
    seen = processed([step], x, x, rows)[0]
    np.testing.assert_allclose(np.abs(seen).max(axis=0), greatest, rtol=0.03)


@pytest.mark.parametrize("spread", [0, 1e-320, 1e-310, 1e-40, 1e-30, 1.0])
def test_a_feature_of_hardly_any_spread_stays_finite(spread):
    x = np.zeros((100, 1))
    x[::2] = spread
    for step in ("min_max", "standardize"):
        change = processed([step], x)[2].map
        seen = (x.astype(np.float32) - np.float32(change.shift)) * np.float32(change.scale)
        assert np.isfinite(seen).all()


@pytest.mark.parametrize("name", PREPROCESSING)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_storage_stays_or_is_of_the_dtype_of_the_run(name, dtype):
    x = example(np.uint8)
    _, _, stage = processed([name], x, dtype=dtype)
    if name in AFFINE:
        assert stage.pool is x
    else:
        for stored in stage.pool, stage.test:
            assert stored.dtype == dtype
            assert stored.flags.c_contiguous
        expected = processed([name], x)[0]
        np.testing.assert_allclose(stage.pool, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", PREPROCESSING)
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_only_the_training_examples_are_looked_at(name, dtype):
    x = example(dtype)
    rows = np.arange(0, len(x), 3)
    there = processed([name], x, rows=rows)[0]
    x[1::3] = 0
    again = processed([name], x, rows=rows)[0]
    np.testing.assert_array_equal(there[rows], again[rows])


@pytest.mark.parametrize("whiten", ["pca_whiten", "zca_whiten"])
@pytest.mark.parametrize("before", [[], ["standardize"]], ids=["raw", "standardized"])
def test_whitened_data_have_identity_covariance(whiten, before):
    x = np.delete(example(np.float64), 3, axis=1)
    steps = [*before, PREPROCESSING[whiten](eps=1e-13)]
    white = processed(steps, x)[0]
    np.testing.assert_allclose(white.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(10), atol=1e-10)


def test_eps_shrinks_what_varies_little():
    x = np.random.default_rng(0).normal(size=(5000, 2)) * [3, 0.1]
    for whiten in ("pca_whiten", "zca_whiten"):
        white = processed([PREPROCESSING[whiten](eps=0.01)], x)[0]
        expected = x.var(axis=0) / (x.var(axis=0) + 0.01)
        np.testing.assert_allclose(white.var(axis=0), expected, rtol=0.02)


def test_pca_keeps_the_components_of_greatest_variance():
    x = example(np.float64)
    whole = processed(["pca_whiten"], x)[0]
    three = processed([PREPROCESSING["pca_whiten"](components=3)], x)[0]
    np.testing.assert_allclose(three, whole[:, :3], atol=1e-12)


@pytest.mark.parametrize(("share", "kept"), [(0.5, 1), (0.64, 1), (0.65, 2), (0.89, 2), (0.9, 3)])
def test_pca_keeps_as_few_components_as_have_the_share_of_the_variance(share, kept):
    x = np.random.default_rng(0).normal(size=(50_000, 3)) * np.sqrt([64.5, 25, 10.5])
    x -= x.mean(axis=0)
    assert processed([PREPROCESSING["pca_whiten"](components=share)], x)[0].shape[1] == kept


def test_zca_whitened_examples_are_the_nearest_to_the_original_ones():
    x = standardized(np.delete(example(np.float64), 3, axis=1))
    zca, pca = (
        processed([PREPROCESSING[name](eps=1e-13)], x)[0] for name in ("zca_whiten", "pca_whiten")
    )
    assert ((zca - x) ** 2).sum() < 0.9 * ((pca - x) ** 2).sum()
    symmetric = np.linalg.lstsq(x, zca, rcond=None)[0]
    np.testing.assert_allclose(symmetric, symmetric.T, atol=1e-9)


def test_the_number_of_threads_changes_no_bit():
    x = np.random.default_rng(0).normal(size=(600, 200))
    results = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            results.append(processed(["zca_whiten"], x, dtype=np.float32)[2].pool)
    np.testing.assert_array_equal(*results)


def test_contrast_is_that_of_the_formula():
    x = np.array([[0.0, 2.0, 4.0, 6.0], [1.0, 1.0, 1.0, 1.0]])
    step = PREPROCESSING["contrast_normalize"](scale=3.0, smoothing=4.0)
    expected = [3 / np.sqrt(4 + 5) * np.array([-3.0, -1.0, 1.0, 3.0]), np.zeros(4)]
    np.testing.assert_allclose(processed([step], x)[0], expected)
    floor = PREPROCESSING["contrast_normalize"](eps=10.0)
    np.testing.assert_allclose(processed([floor], x)[0][0], [-0.3, -0.1, 0.1, 0.3])


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-9, 123456.789])
def test_a_constant_feature_is_only_shifted(value):
    x = np.full((1000, 1), value)
    for name in ("standardize", "min_max"):
        map_ = processed([name], x)[2].map
        assert map_.scale == 1
        np.testing.assert_allclose(map_.shift, value, rtol=1e-12)


def test_the_mean_of_bytes_is_exact():
    x = np.full((70_000, 1), 255, np.uint8)
    x[0] = 254
    map_ = processed(["center"], x)[2].map
    assert map_.shift == (70_000 * 255 - 1) / 70_000


IMAGE = Form(features=12, image_shape=(3, 2, 2), is_bytes=True)


@pytest.mark.parametrize("name", PREPROCESSING)
def test_what_a_step_leaves_is_foretold(name):
    step, x = PREPROCESSING[name](), example(np.uint8, features=12)
    left = step.leaves(IMAGE)
    assert left.features == processed([step], x)[0].shape[1]
    assert not left.is_bytes
    assert left.image_shape == (None if name == "pca_whiten" else IMAGE.image_shape)
