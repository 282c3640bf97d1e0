"""Stratified splits, as properties over many class distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optrun.data.dataset import PerClass
from optrun.data.mnist import Mnist
from optrun.data.splits import divide, proportional
from optrun.data.synthetic import Spirals
from optrun.errors import UserError

labels_strategy = st.lists(st.integers(0, 6), min_size=2, max_size=300).map(np.array)


@given(labels=labels_strategy, data=st.data())
@settings(deadline=None)
def test_every_class_gets_its_share_within_one_and_the_count_is_exact(labels, data):
    count = data.draw(st.integers(0, labels.size))
    quotas = proportional(labels, count)
    present = np.bincount(labels)
    assert quotas.sum() == count
    assert (abs(quotas - present * count / labels.size) < 1).all()
    assert (quotas <= present).all()


@given(labels=labels_strategy, data=st.data(), seed=st.integers(0, 2**63))
@settings(deadline=None)
def test_splits_partition_the_pool(labels, data, seed):
    validation = data.draw(st.integers(0, labels.size - 1))
    subset = data.draw(st.none() | st.integers(1, labels.size - validation))
    rows = divide(Spirals(validation=validation, subset=subset), labels, seed)
    left = labels.size - validation
    assert rows.validation.size == validation
    assert rows.train.size == (left if subset is None else subset)
    assert np.intersect1d(rows.train, rows.validation).size == 0
    for part in rows.train, rows.validation:
        assert part.dtype == np.int64
        assert (np.diff(part) > 0).all()


LABELS = np.arange(1000) % 3


@pytest.mark.parametrize("subset", [1, 50, 899, PerClass(per_class=10)])
def test_subset_never_moves_validation(subset):
    whole = divide(Mnist(), LABELS, seed=3)
    part = divide(Spirals(subset=subset), LABELS, seed=3)
    np.testing.assert_array_equal(part.validation, whole.validation)
    assert np.isin(part.train, whole.train).all()


def test_the_seed_alone_decides():
    first, again, other = (divide(Spirals(subset=90), LABELS, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.train, again.train)
    np.testing.assert_array_equal(first.validation, again.validation)
    assert not np.array_equal(first.train, other.train)
    assert not np.array_equal(first.validation, other.validation)


def test_per_class_takes_as_many_of_each():
    labels = np.repeat([0, 1, 2], [500, 300, 200])
    rows = divide(Spirals(subset=PerClass(per_class=180)), labels, seed=0)
    np.testing.assert_array_equal(np.bincount(labels[rows.train]), [180, 180, 180])


def test_per_class_beyond_the_rarest_class_is_refused():
    labels = np.repeat([0, 1, 2], [500, 300, 200])
    with pytest.raises(UserError, match=r"class 2 has 180 .* write at most 180"):
        divide(Spirals(subset=PerClass(per_class=181)), labels, seed=0)
