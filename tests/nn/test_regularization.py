"""Penalties by hand and dropout's statistics."""

import numpy as np
import pytest

from optrun.nn.dropout import keep_mask
from optrun.nn.regularization import Regularization, penalize, soft_threshold
from tests import reference


@pytest.mark.parametrize(
    ("l1", "l2", "w", "value", "gradient"),
    [
        (0, 2, [1, 0, 0, 0], 1.0, [2, 0, 0, 0]),
        (0, 2, [0.25] * 4, 0.25, [0.5] * 4),
        (1, 0, [1, 0, 0, 0], 1.0, [1, 0, 0, 0]),
        (1, 0, [0.25] * 4, 1.0, [1] * 4),
        (1, 2, [-0.5, 0, 0, 0], 0.75, [-2, 0, 0, 0]),
    ],
)
def test_penalties_by_hand(l1, l2, w, value, gradient):
    """L2 prefers weights spread out, L1 does not mind; sign(0) is 0."""
    g = np.zeros(4)
    assert penalize(np.array(w, float), g, float(l1), float(l2)) == pytest.approx(value)
    np.testing.assert_allclose(g, gradient)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_soft_thresholding_by_hand(dtype):
    w = np.array([1.0, -1.0, 0.25, -0.25, 0.2, -0.0, 0.0, np.inf, np.nan], dtype)
    soft_threshold(w, 0.25)
    np.testing.assert_array_equal(w, [0.75, -0.75, 0, 0, 0, 0, 0, np.inf, np.nan])


@pytest.mark.parametrize(
    ("section", "penalties", "threshold"),
    [
        ({"l1": 0.5, "l2": 2.0}, [0.5, 2.0], 0.0),
        ({"l1": {"strength": 0.5}}, [0.5, 0.0], 0.0),
        ({"l1": {"strength": 0.5, "proximal": True}, "l2": 2.0}, [0.5, 2.0], 0.5),
        ({"elastic": {"strength": 2.0, "l1_ratio": 0.25}}, [0.5, 1.5], 0.0),
        ({"elastic": {"strength": 2.0, "l1_ratio": 0.25, "proximal": True}}, [0.5, 1.5], 0.5),
    ],
)
def test_both_spellings_of_a_penalty(section, penalties, threshold):
    regularization = Regularization.model_validate(section)
    assert regularization.penalties() == penalties
    assert regularization.threshold() == threshold


@pytest.mark.parametrize("size", [1, 3, 4, 1000, 1003])
@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_dropout_masks_equal_the_reference(size, seed):
    mask = np.empty(size)
    keep_mask(mask, 0.3, seed, 7, 11, 2)
    np.testing.assert_allclose(mask, reference.keep_mask(size, 0.3, seed, 7, 11, 2))


def test_dropout_masks_keep_the_mean_and_differ_by_step_and_layer():
    mask = np.empty(200_000)
    keep_mask(mask, 0.3, 1, 7, 1, 0)
    assert np.mean(mask == 0) == pytest.approx(0.3, abs=0.004)
    assert mask.mean() == pytest.approx(1, abs=0.006)
    for step, layer in ((2, 0), (1, 1)):
        other = np.empty_like(mask)
        keep_mask(other, 0.3, 1, 7, step, layer)
        assert np.mean((mask == 0) & (other == 0)) == pytest.approx(0.09, abs=0.004)
