"""Losses: values and two derivatives against PyTorch and differences, far scores, bad numbers."""

import json
import math
from typing import Any

import numpy as np
import pytest

from optrun.nn.losses import LOSSES
from tests import reference
from tests.kernels import call
from tests.torch_reference import losses

STORED = json.loads(losses.FILE.read_text())
CASES = [pytest.param(*case, id=losses.key(*case)) for case in losses.cases()]
SECTIONS = [pytest.param(section, id=losses.key(section, "", "")) for section in losses.SECTIONS]
NEAR = losses.SCORES["near"]
LABELS = losses.targets_of("labels", len(NEAR))
BOTH = pytest.mark.parametrize("dtype", ["float32", "float64"])


def numbers(section: dict[str, Any]) -> np.ndarray:
    return np.array(LOSSES[section["name"]](**section).hyper(), np.float64)


def evaluate(
    section: dict[str, Any], scores: np.ndarray, targets: np.ndarray
) -> tuple[float, np.ndarray]:
    """The loss and its gradient as the kernel computes them."""
    d, targets = np.full_like(scores, np.nan), targets.astype(scores.dtype)
    return call(LOSSES[section["name"]].loss, scores, targets, d, numbers(section)), d


def curved(section: dict[str, Any], scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The second derivative along `losses.direction` as the kernel computes it."""
    d, r = np.full_like(scores, np.nan), losses.direction(len(scores)).astype(scores.dtype)
    targets = targets.astype(scores.dtype)
    call(LOSSES[section["name"]].curve, scores, targets, r, d, numbers(section))
    return d


def test_every_loss_is_compared_for_every_kind_of_targets_that_it_takes():
    assert list(losses.KINDS) == list(LOSSES)
    assert {section["name"] for section in losses.SECTIONS} == set(LOSSES)
    for name, loss in LOSSES.items():
        assert ("mixed" in losses.KINDS[name]) == loss.soft
        assert ("numbers" in losses.KINDS[name]) == (not loss.labels)


@BOTH
@pytest.mark.parametrize(("section", "name", "kind"), CASES)
def test_values_and_derivatives_equal_pytorch(section, name, kind, dtype):
    scores = losses.SCORES[name].astype(dtype)
    targets = losses.targets_of(kind, len(scores))
    expected = np.array(STORED[losses.key(section, name, kind)])
    value, d = evaluate(section, scores, targets)
    assert value == pytest.approx(expected[0], rel=1e-12 if dtype == "float64" else 1e-6)
    rtol, atol = (1e-12, 1e-14) if dtype == "float64" else (1e-5, 1e-6)
    derivatives = np.concatenate([d.ravel(), curved(section, scores, targets).ravel()])
    np.testing.assert_allclose(derivatives[: expected.size - 1], expected[1:], rtol, atol)


@pytest.mark.parametrize(("section", "name", "kind"), CASES)
def test_the_numpy_twin_equals_pytorch_too(section, name, kind):
    scores = losses.SCORES[name]
    expected = STORED[losses.key(section, name, kind)][: 1 + scores.size]
    options = {key: value for key, value in section.items() if key != "name"}
    twin = reference.LOSSES[section["name"]]
    value, d = twin(scores, losses.targets_of(kind, len(scores)), **options)
    np.testing.assert_allclose([value, *d.ravel()], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("section", SECTIONS)
def test_second_derivatives_equal_central_differences(section):
    step = 1e-6 * losses.direction(len(NEAR))
    _, above = evaluate(section, NEAR + step, LABELS)
    _, below = evaluate(section, NEAR - step, LABELS)
    numeric = (above - below) / 2e-6
    np.testing.assert_allclose(curved(section, NEAR, LABELS), numeric, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_factor_times_itself_is_the_second_derivative_of_every_row(section):
    """Or the loss says why it has none."""
    loss = LOSSES[section["name"]](**section)
    problems = loss.factor_problems()
    if "hinge" not in loss.name and not section.get("confidence_penalty"):
        assert problems == {}
    else:
        assert problems.keys() <= {"name", *type(loss).model_fields}
        assert len(problems) == 1
        return
    n, outputs = NEAR.shape
    factors = np.full((outputs, n, outputs), np.nan)
    for k in range(outputs):
        call(loss.factor, NEAR, k, factors[k], numbers(section))
    for k, unit in enumerate(np.eye(outputs)):
        column = np.full_like(NEAR, np.nan)
        call(loss.curve, NEAR, LABELS, np.tile(unit, (n, 1)), column, numbers(section))
        product = np.einsum("kij,ki->ij", factors, factors[:, :, k])
        np.testing.assert_allclose(product / n, column, rtol=1e-12, atol=1e-15)


def test_evaluation_reports_the_plain_cross_entropy():
    loss = LOSSES["softmax"](label_smoothing=0.3, confidence_penalty=0.2)
    assert loss.hyper() == [0.3, 0.2]
    assert loss.evaluation_hyper() == LOSSES["softmax"]().hyper() == [0.0, 0.0]


@BOTH
@pytest.mark.parametrize("section", SECTIONS[:4])
def test_softmax_is_stable_at_scores_of_a_thousand(section, dtype):
    """Of scores (1000, −1000) and the second class: p = (1, 0), no entropy, no bend."""
    smoothing = section.get("label_smoothing", 0.0)
    scores, targets = np.array([[1000.0, -1000.0]], dtype), np.array([[0.0, 1.0]])
    value, d = evaluate(section, scores, targets)
    assert value == pytest.approx(2000 * (1 - smoothing / 2), rel=1e-6)
    np.testing.assert_allclose(d[0, 0], 1 - smoothing / 2, rtol=1e-6)
    np.testing.assert_allclose(d[0, 1], smoothing / 2 - 1, rtol=1e-6)
    np.testing.assert_array_equal(curved(section, scores, targets), [[0.0, 0.0]])


def test_softmax_of_equal_scores_is_the_logarithm_of_their_number():
    value, _ = evaluate({"name": "softmax"}, np.zeros((4, 10)), np.eye(10)[[0, 3, 9, 5]])
    assert value == pytest.approx(math.log(10), rel=1e-14)


def test_the_confidence_penalty_is_paid_for_entropy():
    """Equal scores have the greatest entropy, log K, and cannot raise it."""
    section = {"name": "softmax", "confidence_penalty": 2.0}
    value, d = evaluate(section, np.zeros((1, 10)), np.eye(10)[[0]])
    assert value == pytest.approx((1 - 2) * math.log(10), rel=1e-14)
    np.testing.assert_allclose(d, [[-0.9] + 9 * [0.1]], rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "value", "slope"), [("hinge", 0.8, 1), ("squared_hinge", 0.64, 1.6)]
)
def test_hinges_by_hand(name, value, slope):
    """Margins −2 + 1 < 0 and −0.2 + 1 = 0.8: only the third class counts."""
    got, d = evaluate({"name": name}, np.array([[1.3, -0.7, 1.1]]), np.array([[1.0, 0.0, 0.0]]))
    assert got == pytest.approx(value)
    np.testing.assert_allclose(d, [[-slope, 0.0, slope]])


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("place", [0, 1])
def test_a_nan_score_is_not_hidden(section, place):
    scores = np.zeros((2, 3))
    scores[1, place] = np.nan
    value, _ = evaluate(section, scores, np.eye(3)[[0, 0]])
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("name", "chance"),
    [("softmax", math.log(4)), ("hinge", 3.0), ("squared_hinge", 3.0), ("mse", None)],
)
def test_chance_is_the_loss_at_the_best_constant_scores(name, chance):
    """Of four classes equally frequent the best scores are equal; `mse` predicts their shares."""
    labels = np.repeat(np.arange(4), 5)
    one_hot, section = np.eye(4)[labels], {"name": name}
    scores = np.full((20, 4), 0.25 if name == "mse" else 0.0)
    told = LOSSES[name]().chance(4, labels)
    assert told == pytest.approx(evaluate(section, scores, one_hot)[0])
    assert chance is None or told == pytest.approx(chance)


def test_chance_of_numbers_is_their_variance():
    values = np.random.default_rng(0).normal(3.0, 2.0, (50, 2))
    scores = np.tile(values.mean(axis=0), (50, 1))
    expected = evaluate({"name": "mse"}, scores, values)[0]
    assert LOSSES["mse"]().chance(2, values) == pytest.approx(expected)
