"""Losses at the ends of the number range, and by hand."""

import math

import numpy as np
import pytest

from optrun.engine.roles import roles
from optrun.nn.losses import LOSSES
from tests import reference


def evaluate(name: str, scores: np.ndarray, y: list[int]) -> tuple[float, np.ndarray]:
    kernel = LOSSES[name].loss.specialize(*roles(scores.dtype.name).loss.signature.args)
    d = np.full_like(scores, np.nan)
    return kernel(scores, np.array(y), d), d


@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_gradient_equal_the_reference(name):
    scores = 3 * np.sin(np.arange(21.0)).reshape(7, 3)
    y = [0, 1, 2, 2, 1, 0, 0]
    value, d = evaluate(name, scores, y)
    expected, gradient = reference.LOSSES[name](scores, np.array(y))
    assert value == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(d, gradient, atol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_softmax_is_stable_at_scores_of_a_thousand(dtype):
    scores = np.array([[1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -1000.0]], dtype)
    value, d = evaluate("softmax", scores, [1, 0])
    assert value == pytest.approx((2000 + math.log(3)) / 2, rel=1e-6)
    np.testing.assert_allclose(d, np.array([[1, -1, 0], [-2 / 3, 1 / 3, 1 / 3]]) / 2, atol=1e-7)


def test_softmax_of_equal_scores_is_the_logarithm_of_their_number():
    value, _ = evaluate("softmax", np.zeros((4, 10)), [0, 3, 9, 5])
    assert value == pytest.approx(math.log(10), rel=1e-14)


def test_hinge_by_hand():
    """Margins −2 + 1 < 0 and −0.2 + 1 = 0.8: only the third class counts."""
    value, d = evaluate("hinge", np.array([[1.3, -0.7, 1.1]]), [0])
    assert value == pytest.approx(0.8)
    np.testing.assert_allclose(d, [[-1.0, 0.0, 1.0]])


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("place", [0, 1])
def test_a_nan_score_is_not_hidden(name, place):
    scores = np.zeros((2, 3))
    scores[1, place] = np.nan
    value, _ = evaluate(name, scores, [0, 0])
    assert math.isnan(value)
