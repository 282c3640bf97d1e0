"""Drawn datasets: what their docstrings claim, measured."""

from itertools import pairwise

import numpy as np
import pytest

from optrun.data.catalog import SYNTHETIC
from optrun.data.font import DIGITS, FINENESS, HALF, SPAN, distance_fields
from optrun.data.glyphs import Glyphs
from optrun.data.synthetic import Blobs, Moons, Spirals


@pytest.mark.parametrize("kind", SYNTHETIC)
class TestAll:
    def test_classes_are_equally_frequent(self, kind):
        dataset = SYNTHETIC[kind](samples=203, test_samples=101)
        raw = dataset.load(0)
        for labels in (raw.train_y, raw.test_y):
            assert labels.dtype == np.int64
            assert np.ptp(np.bincount(labels, minlength=dataset.outline.outputs)) <= 1

    def test_the_seed_decides(self, kind):
        dataset = SYNTHETIC[kind](samples=50, test_samples=20)
        first, again, other = (dataset.load(seed) for seed in (1, 1, 2))
        np.testing.assert_array_equal(first.train_x, again.train_x)
        np.testing.assert_array_equal(first.test_x, again.test_x)
        assert not np.array_equal(first.train_x, other.train_x)

    def test_training_and_test_do_not_depend_on_each_others_size(self, kind):
        few, many, more = (
            SYNTHETIC[kind](samples=samples, test_samples=test_samples).load(0)
            for samples, test_samples in ((50, 20), (50, 40), (80, 20))
        )
        np.testing.assert_array_equal(few.train_x, many.train_x)
        np.testing.assert_array_equal(few.test_x, more.test_x)
        assert not np.array_equal(few.train_x[:20], few.test_x)


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
