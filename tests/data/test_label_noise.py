"""Label noise: how much, where, and on what it depends."""

import numpy as np
import pytest

from optrun.data.label_noise import noised
from optrun.data.prepare import prepare
from optrun.data.synthetic import Blobs

LABELS = np.arange(60_000) % 10
ALL = np.arange(LABELS.size)


def blobs(**fields) -> Blobs:
    return Blobs(**{"classes": 10} | fields)


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_the_share_of_replaced_labels_is_as_asked(share):
    labels = noised(blobs(label_noise=share), LABELS, ALL, seed=0)
    # a tenth of the replacements draws the label that was there
    np.testing.assert_allclose((labels != LABELS).mean(), 0.9 * share, atol=0.006)


def test_random_labels_are_uniform_and_know_nothing_of_the_true_ones():
    labels = noised(blobs(label_noise=1.0), LABELS, ALL, seed=0)
    table = np.zeros((10, 10))
    np.add.at(table, (LABELS, labels), 1)
    chi_squared = ((table - 600) ** 2 / 600).sum()
    assert 70 < chi_squared < 135  # 99 degrees of freedom


def test_only_the_given_rows_change_and_their_noise_does_not_depend_on_the_others():
    rows = ALL[7::3]
    whole, part = (noised(blobs(label_noise=0.5), LABELS, chosen, seed=4) for chosen in (ALL, rows))
    np.testing.assert_array_equal(part[rows], whole[rows])
    others = np.setdiff1d(ALL, rows)
    np.testing.assert_array_equal(part[others], LABELS[others])


def test_less_noise_is_a_part_of_more():
    less, more = (noised(blobs(label_noise=share), LABELS, ALL, seed=1) for share in (0.3, 0.6))
    changed = less != LABELS
    np.testing.assert_array_equal(less[changed], more[changed])


def test_the_seed_decides():
    first, again, other = (
        noised(blobs(label_noise=0.5), LABELS, ALL, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("fields", [{}, {"validation": 0}, {"subset": 200}, {"validation": 0.5}])
def test_validation_and_test_keep_the_true_labels(fields):
    clean, noisy = (
        prepare(Blobs(label_noise=share, **fields), 0, "float32") for share in (0.0, 0.8)
    )
    assert (noisy.train.y != clean.train.y).mean() > 0.3
    np.testing.assert_array_equal(noisy.train.indices, clean.train.indices)
    np.testing.assert_array_equal(noisy.test.y, clean.test.y)
    if noisy.validation:
        np.testing.assert_array_equal(noisy.validation.y, clean.validation.y)
    assert noisy.fingerprint == clean.fingerprint
