"""Drawn datasets: what their docstrings claim, measured."""

from itertools import pairwise

import numpy as np
import pytest

from optrun.data.catalog import SYNTHETIC
from optrun.data.font import DIGITS, FINENESS, HALF, SPAN, distance_fields
from optrun.data.glyphs import Glyphs
from optrun.data.polynomial import Polynomial
from optrun.data.prepare import prepare
from optrun.data.synthetic import Blobs, Circles, Classes, Moons, Spirals, Xor

BY_SEED = [kind for kind in SYNTHETIC if kind != "quadratic"]
OF_CLASSES = [kind for kind, dataset in SYNTHETIC.items() if issubclass(dataset, Classes)]


@pytest.mark.parametrize("kind", OF_CLASSES)
def test_classes_are_equally_frequent(kind):
    dataset = SYNTHETIC[kind](samples=203, test_samples=101)
    raw = dataset.load(0)
    for labels in (raw.train_y, raw.test_y):
        assert labels.dtype == np.int64
        assert np.ptp(np.bincount(labels, minlength=dataset.outline.outputs)) <= 1


@pytest.mark.parametrize("kind", BY_SEED)
def test_the_seed_decides(kind):
    dataset = SYNTHETIC[kind](samples=50, test_samples=20)
    first, again, other = (dataset.load(seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.train_x, again.train_x)
    np.testing.assert_array_equal(first.test_x, again.test_x)
    assert not np.array_equal(first.train_x, other.train_x)


@pytest.mark.parametrize("kind", SYNTHETIC)
def test_training_and_test_do_not_depend_on_each_others_size(kind):
    few, many, more = (
        SYNTHETIC[kind](samples=samples, test_samples=test_samples).load(0)
        for samples, test_samples in ((50, 20), (50, 40), (80, 20))
    )
    for one, other in ((few.train_x, many.train_x), (few.test_x, more.test_x)):
        np.testing.assert_array_equal(one, other)
    for one, other in ((few.train_y, many.train_y), (few.test_y, more.test_y)):
        np.testing.assert_array_equal(one, other)
    parts = [np.column_stack([few.train_x[:20], few.train_y[:20]])]
    assert not np.array_equal(parts[0], np.column_stack([few.test_x, few.test_y]))


def test_blobs_have_the_stated_spread_around_a_regular_polygon():
    dataset = Blobs(samples=40_000, classes=4, features=3, spread=0.2)
    raw, centers = dataset.load(7), dataset.centers(7)
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 1)
    sides = np.linalg.norm(centers - np.roll(centers, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, 2 * np.sin(np.pi / 4))
    for label in range(4):
        cloud = raw.train_x[raw.train_y == label]
        np.testing.assert_allclose(cloud.mean(axis=0), centers[label], atol=0.01)
        np.testing.assert_allclose(np.cov(cloud.T), 0.04 * np.eye(3), atol=0.003)


def test_moons_are_half_circles_with_the_stated_noise():
    clean = Moons(samples=2000, noise=0.0).load(0)
    upper, lower = (clean.train_x[clean.train_y == label] for label in (0, 1))
    np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(lower - [1, 0.5], axis=1), 1)
    assert (upper[:, 1] >= 0).all()
    assert (lower[:, 1] <= 0.5).all()
    noisy = Moons(samples=2000, noise=0.1).load(0)
    np.testing.assert_allclose((noisy.train_x - clean.train_x).std(axis=0), 0.1, atol=0.005)


def test_circles_have_their_radii_and_the_stated_noise():
    clean = Circles(samples=2000, noise=0.0, inner=0.3).load(0)
    radius = np.linalg.norm(clean.train_x, axis=1)
    np.testing.assert_allclose(radius, np.where(clean.train_y == 1, 0.3, 1.0))
    np.testing.assert_allclose(clean.train_x.mean(axis=0), 0, atol=0.05)
    noisy = Circles(samples=2000, noise=0.2, inner=0.3).load(0)
    np.testing.assert_allclose((noisy.train_x - clean.train_x).std(axis=0), 0.2, atol=0.01)


def test_xor_has_each_class_at_two_opposite_corners():
    raw = Xor(samples=20_000, spread=0.2).load(0)
    corners = np.sign(raw.train_x)
    assert ((corners[:, 0] != corners[:, 1]) == raw.train_y).all()
    np.testing.assert_allclose(corners.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose((raw.train_x - corners).std(axis=0), 0.2, atol=0.005)


def test_polynomial_is_the_stated_curve_with_noise_and_powers():
    dataset = Polynomial(samples=4000, test_samples=10, degree=4)
    raw = dataset.load(0)
    x = raw.train_x[:, 0]
    np.testing.assert_allclose(raw.train_x, np.stack([x, x**2, x**3, x**4], axis=1))
    noise = raw.train_y[:, 0] - (2 * x**2 - x - 0.5)
    np.testing.assert_allclose(noise.std(), 0.2, rtol=0.05)
    np.testing.assert_allclose(noise.mean(), 0, atol=0.01)
    edges = -1 + 2 * np.arange(4001) / 4000
    assert (edges[:-1] <= x).all()
    assert (x <= edges[1:]).all()


def test_degree_1_underfits_2_fits_and_9_overfits():
    medians = []
    for degree in (1, 2, 9):
        errors = []
        for seed in range(30):
            data = prepare(Polynomial(degree=degree), seed, "float64")
            x, seen = (np.insert(split.x, 0, 1, axis=1) for split in (data.train, data.test))
            w = np.linalg.lstsq(x, data.train.y, rcond=None)[0]
            errors.append(
                [((x @ w - data.train.y) ** 2).mean(), ((seen @ w - data.test.y) ** 2).mean()]
            )
        medians.append(np.median(errors, axis=0))
    (under, under_test), (fit, fit_test), (over, over_test) = medians
    assert under > 5 * fit > 10 * over
    assert fit_test < 0.06
    assert under_test > 5 * fit_test
    assert over_test > 3 * fit_test


def test_spirals_wind_as_stated():
    dataset = Spirals(samples=30_000, classes=3, turns=1.25, noise=0.1)
    raw = dataset.load(0)
    r = np.linalg.norm(raw.train_x, axis=1)
    np.testing.assert_allclose(np.quantile(r, [0, 0.25, 0.5, 1]), [0, 0.25, 0.5, 1], atol=0.02)
    turn = 2 * np.pi * (raw.train_y / 3 + 1.25 * r)
    angle = np.arctan2(raw.train_x[:, 1], raw.train_x[:, 0])
    noise = (angle - turn + np.pi) % (2 * np.pi) - np.pi
    assert abs(noise.mean()) < 0.005
    np.testing.assert_allclose(noise.std(), 0.1, rtol=0.02)


def test_glyphs_are_white_digits_on_black():
    raw = Glyphs(samples=500, test_samples=10, noise=0.0).load(0)
    assert raw.train_x.dtype == np.uint8
    assert raw.train_x.shape == (500, 784)
    images = raw.train_x.reshape(-1, 28, 28)
    assert (images.max(axis=(1, 2)) > 200).all()
    assert ((images > 127).mean(axis=(1, 2)) > 0.03).all()
    assert ((images > 127).mean(axis=(1, 2)) < 0.3).all()
    assert images[:, [0, 27], :].mean() < 3


def test_glyphs_shift_turn_and_noise_do_what_they_say():
    still = Glyphs(samples=200, test_samples=1, shift=0.0, turn=0.0, noise=0.0)
    shifted = still.model_copy(update={"shift": 4.0})
    turned = still.model_copy(update={"turn": 90.0})
    noisy = still.model_copy(update={"noise": 0.2})
    x, x_shifted, x_turned, x_noisy = (
        glyphs.load(0).train_x.reshape(-1, 28, 28).astype(float)
        for glyphs in (still, shifted, turned, noisy)
    )
    pixels = np.arange(28) - 13.5

    def middle(images):
        return np.einsum("nij,j->n", images, pixels) / images.sum(axis=(1, 2))

    moved = middle(x_shifted) - middle(x)
    assert 3 < abs(moved).max() < 4.3
    zeros = slice(0, None, 10)

    def height_to_width(images):
        columns, rows = (images.max(axis=axis) > 127 for axis in (1, 2))
        return rows.sum(axis=1) / columns.sum(axis=1)

    assert (height_to_width(x[zeros]) > 1.1).all()
    assert (height_to_width(x_turned[zeros]) < 1).any()
    grey = (x > 102) & (x < 153)
    np.testing.assert_allclose((x_noisy - x)[grey].std(), 0.2 * 255, rtol=0.15)


def test_the_digits_can_be_told_apart_by_their_class_means():
    raw = Glyphs(samples=2000, test_samples=1000).load(0)
    means = np.stack([raw.train_x[raw.train_y == digit].mean(axis=0) for digit in range(10)])
    scores = raw.test_x @ means.T - (means**2).sum(axis=1) / 2
    assert (scores.argmax(axis=1) == raw.test_y).mean() > 0.6


@pytest.mark.parametrize("digit", range(10))
def test_the_distance_field_is_the_distance_to_the_strokes(digit):
    points = np.concatenate(
        [
            np.linspace(start, end, 200)
            for stroke in DIGITS[digit]
            for start, end in pairwise(stroke)
        ]
    )
    field = distance_fields()[:, digit * SPAN : (digit + 1) * SPAN]
    for row, column in ((0, 0), (41, 62), (84, 84), (120, 98), (SPAN - 1, 20)):
        place = np.array([column, row]) / FINENESS - HALF
        nearest = np.linalg.norm(points - place, axis=1).min()
        np.testing.assert_allclose(field[row, column], nearest, atol=0.01)
