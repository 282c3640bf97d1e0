"""The digits of losses and penalties in float32, against 60-digit decimals of the same numbers."""

import math
from collections.abc import Iterator
from decimal import Context, Decimal, localcontext
from typing import Any

import numpy as np
import pytest

from optrun.nn.losses import LOSSES
from optrun.nn.regularization import penalize
from tests.kernels import call
from tests.nn.test_losses import evaluate
from tests.programs import make_config, make_program
from tests.torch_reference.losses import KINDS, SECTIONS, key

DIGITS = Context(prec=60)
CLASSES = 4
SCORES = {
    "equal": [[0.0] * 4, [1e3] * 4, [1e6] * 4, [1e8] * 4, [-1e8] * 4],
    "one far ahead": [[1e8, 0, 0, 0], [0, -1e8, -1e8, 1e8], [1e3, -1e3, 999, 0], [0, 90, 0, 0]],
    "small differences": [[1e6 + 1, 1e6, 1e6 + 0.5, 1e6], [0, 1e-7, 2e-7, -1e-7], [1, 1, 1.5, 1]],
    "small losses": [[12.2, 0, 0, 0], [20, 0, -3, 1.7], [3.1, 30.9, 3.2, 3.3], [0, 0, 0, 60]],
    "losses of 1e-12": [[27.7, 0, -1, -2], [-7.3, -35, 20.4, -30], [5e3, 4972, 4900, 0]],
    "losses of 0": [[800, 0, 0, 0], [0, 1e8, 1, 2], [-1, -1e8, -1e8, -1e8]],
    "margins of 0": [[1, 0, 0, 0], [1e8, 1e8 - 8, 0, 5], [3, 2, 2.0000002, 1.9999999]],
}
OWN = [0, 1, 2, 3]
"""Every class is right once for every row of scores."""


def targets_of(kind: str) -> np.ndarray:
    """A row for every class, (4, 4), float32."""
    labels = np.eye(CLASSES)
    mixed = 0.7 * labels + 0.3 * np.roll(labels, 1, axis=1)
    numbers = [[1e8, 0, -1e8, 1e6], [1e6 + 1, 0, 0, 0], [0, 1e-7, 1e-30, 0], [0.3, 1 / 3, 800, 60]]
    return np.array({"labels": labels, "mixed": mixed, "numbers": numbers}[kind], np.float32)


def decimals(values: np.ndarray) -> list[Decimal]:
    return [Decimal(float(value)) for value in values]


def exact_softmax(s: list[Decimal], t: list[Decimal], section: dict[str, Any]):
    smoothing = Decimal(section.get("label_smoothing", 0.0))
    beta = Decimal(section.get("confidence_penalty", 0.0))
    most = max(s)
    e = [(x - most).exp() for x in s]
    log_p = [x - most - sum(e).ln() for x in s]
    p = [x / sum(e) for x in e]
    q = [(1 - smoothing) * x + smoothing / len(s) for x in t]
    entropy = -sum(a * b for a, b in zip(p, log_p, strict=True))
    loss = -sum(a * b for a, b in zip(q, log_p, strict=True)) - beta * entropy
    return loss, [a - b + beta * a * (c + entropy) for a, b, c in zip(p, q, log_p, strict=True)]


def exact_hinge(s: list[Decimal], t: list[Decimal], power: int):
    own = t.index(max(t))
    margins = [max(Decimal(0), x - s[own] + 1) if k != own else Decimal(0) for k, x in enumerate(s)]
    slopes = [power * m ** (power - 1) if m else Decimal(0) for m in margins]
    slopes[own] = -sum(slopes)
    return sum(m**power for m in margins), slopes


def exact_mse(s: list[Decimal], t: list[Decimal]):
    errors = [a - b for a, b in zip(s, t, strict=True)]
    return sum(x * x for x in errors) / len(s), [2 * x / len(s) for x in errors]


def exact(section: dict[str, Any], scores: np.ndarray, targets: np.ndarray):
    """The loss of one row and its gradient."""
    s, t = decimals(scores), decimals(targets)
    with localcontext(DIGITS):
        if section["name"] == "softmax":
            return exact_softmax(s, t, section)
        if section["name"] == "mse":
            return exact_mse(s, t)
        return exact_hinge(s, t, {"hinge": 1, "squared_hinge": 2}[section["name"]])


def cases() -> Iterator[Any]:
    for section in SECTIONS:
        for kind in KINDS[section["name"]]:
            for name in SCORES:
                yield pytest.param(section, kind, name, id=key(section, kind, name))


@pytest.mark.parametrize(("section", "kind", "name"), cases())
def test_losses_and_gradients_keep_six_digits(section, kind, name):
    """Gradients too, but for what cancels between a share of the targets and its prediction."""
    scores = np.repeat(np.array(SCORES[name], np.float32), CLASSES, axis=0)
    targets = np.tile(targets_of(kind), (len(SCORES[name]), 1))
    expected = [exact(section, *row) for row in zip(scores, targets, strict=True)]
    for row, (loss, gradient) in enumerate(expected):
        value, d = evaluate(section, scores[row : row + 1], targets[row : row + 1])
        assert value == pytest.approx(float(loss), rel=1e-6, abs=1e-300), (row, scores[row])
        one_sided = section == {"name": "softmax"} and kind == "labels"
        atol = 1e-37 if one_sided or section["name"] != "softmax" else 1e-15
        np.testing.assert_allclose(d[0], np.array(gradient, float), 1e-6, atol, err_msg=str(row))
    mean, d = evaluate(section, scores, targets)
    with localcontext(DIGITS):
        assert mean == pytest.approx(float(sum(r[0] for r in expected) / len(scores)), rel=1e-6)


@pytest.mark.parametrize("lead", [0.0, 5.0, 27.7, 80.0])
def test_second_derivatives_keep_six_digits_where_one_class_is_far_ahead(lead):
    """∂²L/∂s² = diag(p) − p·pᵀ, whose diagonal is p(1 − p)."""
    scores = np.array([[1e3, 1e3 + lead, 1e3 - 2, 1e3 - 1]], np.float32)
    with localcontext(DIGITS):
        e = [(x - max(decimals(scores[0]))).exp() for x in decimals(scores[0])]
        p = [x / sum(e) for x in e]
        bends = [[a * ((a is b) - b) for b in p] for a in p]
        roots = [[a.sqrt() * ((a is b) - b) for b in p] for a in p]
    softmax, hyper = LOSSES["softmax"], np.zeros(2)
    for k, unit in enumerate(np.eye(CLASSES, dtype=np.float32)):
        bend, column = np.empty_like(scores), np.empty_like(scores)
        call(softmax.curve, scores, scores, unit[None], bend, hyper)
        call(softmax.factor, scores, k, column, hyper)
        np.testing.assert_allclose(bend[0], np.array(bends[k], float), rtol=1e-6, atol=1e-37)
        np.testing.assert_allclose(column[0], np.array(roots[k], float), rtol=1e-6, atol=1e-37)


@pytest.mark.parametrize("beta", [0.0, 0.25, 1.0])
@pytest.mark.parametrize(
    ("scores", "each"), [([3, 3, 3, 3], math.log(4)), ([60, 0, 0, 0], 2.6e-26)]
)
def test_means_of_many_rows_keep_their_digits(scores, each, beta):
    section = {"name": "softmax", "confidence_penalty": beta}
    scores = np.array([scores] * 3000, np.float32)
    (one, _), targets = exact(section, scores[0], np.eye(4)[0]), np.eye(4)[[0] * 3000]
    value, _ = evaluate(section, scores, targets)
    assert value == pytest.approx(float(one), rel=1e-9)
    assert beta or value == pytest.approx(each, rel=0.02)


@pytest.mark.parametrize("bias", [0.0, 1e3, 1e6, 1e8])
def test_equal_scores_of_any_size_cost_the_logarithm_of_their_number(bias):
    config = make_config(
        dtype="float32", model="linear", initialization={"name": "zeros", "bias": bias}
    )
    x, y = np.zeros((6, 2)), np.arange(6) % 3
    program = make_program(config, x, y)
    loss, _ = program.evaluate(program.data.test, program.parameters.weights)
    assert loss == pytest.approx(math.log(3), rel=1e-15)


@pytest.mark.parametrize(("l1", "l2"), [(0.1, 0.0), (0.0, 0.1), (0.3, 1e-4), (1e-6, 7.0)])
@pytest.mark.parametrize("scale", [1e-15, 1e-4, 1.0, 1e15])
@pytest.mark.parametrize("size", [1, 300_000])
def test_penalties_keep_six_digits(l1, l2, scale, size):
    w = (scale * (1.1 + np.sin(np.arange(float(size)))) * (-1) ** np.arange(size)).astype("float32")
    exact, g = w.astype(np.float64), np.zeros_like(w)
    value = penalize(w, g, l1, l2)
    squares, absolute = math.fsum(exact**2), math.fsum(np.abs(exact))
    assert value == pytest.approx(l1 * absolute + l2 / 2 * squares, rel=1e-12)
    np.testing.assert_allclose(g, l1 * np.sign(exact) + l2 * exact, rtol=1e-6)
