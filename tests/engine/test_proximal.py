"""The proximal form of l1: weights that are exactly 0, and the optimum that scikit-learn finds."""

import json
from pathlib import Path

import numpy as np
import pytest

from optrun.optim.rules import RULES
from tests import sklearn_reference
from tests.programs import make_config, make_program, train_all
from tests.toys import toy_data

STORED = json.loads((Path(sklearn_reference.__path__[0]) / "sparse.json").read_text())
OPTIMA = [key for key in STORED if key != "sklearn"]
OPTIMIZERS = [
    {"name": "sgd", "lr": 1.0},
    {"name": "momentum", "lr": 0.1},
    {"name": "momentum", "lr": 0.2, "dampening": 0.5, "form": "velocity"},
    {"name": "nesterov", "lr": 0.1},
]
STEPS = 8000


def trained(optimizer: dict, penalty: dict, dtype: str = "float64", steps: int = STEPS):
    """The last weights (features, classes) and biases of full-batch softmax regression."""
    config = make_config(
        dtype=dtype,
        model="linear",
        initialization={"name": "normal", "std": 0.5},
        optimizer=optimizer,
        regularization=penalty,
        training={"epochs": steps, "batch_size": "full", "best_by": "last"},
    )
    program = make_program(config, *toy_data())
    train_all(program)
    return program, *program.named_weights(program.parameters.weights).values()


def penalty_of(optimum: str) -> dict:
    strength, ratio = map(float, optimum.split())
    if ratio == 1:
        return {"l1": {"strength": strength, "proximal": True}}
    return {"elastic": {"strength": strength, "l1_ratio": ratio, "proximal": True}}


@pytest.mark.parametrize("optimum", OPTIMA)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_the_optimum_is_that_of_scikit_learn(optimizer, optimum):
    _, weight, bias = trained(optimizer, penalty_of(optimum))
    expected = np.array(STORED[optimum]["weight"])
    np.testing.assert_array_equal(weight == 0, expected == 0)
    np.testing.assert_allclose(weight, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(bias - bias.mean(), STORED[optimum]["bias"], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("optimum", OPTIMA)
def test_float32_has_the_same_zeros(optimum):
    _, weight, _ = trained(OPTIMIZERS[1], penalty_of(optimum), "float32")
    expected = np.array(STORED[optimum]["weight"])
    np.testing.assert_array_equal(weight == 0, expected == 0)
    np.testing.assert_allclose(weight, expected, rtol=1e-3, atol=1e-5)


def test_a_subgradient_sets_no_weight_to_0():
    """What the proximal form is for."""
    _, weight, _ = trained(OPTIMIZERS[0], {"l1": {"strength": 0.03}}, steps=500)
    assert (weight != 0).all()


def test_the_penalty_counts_in_both_forms():
    penalty = {"l1": {"strength": 0.03, "proximal": True}, "l2": 0.1}
    program, weight, _ = trained(OPTIMIZERS[0], penalty, steps=3)
    expected = 0.03 * np.abs(weight).sum() + 0.05 * (weight**2).sum()
    assert program.penalty(program.parameters.weights) == pytest.approx(expected)
    program.run(0, 1, program.epoch(0), np.inf)
    assert program.record.penalty[0] == pytest.approx(expected)


@pytest.mark.parametrize("include_bias", [False, True])
def test_biases_are_thresholded_if_they_are_penalized(include_bias):
    penalty = {"l1": {"strength": 50.0, "proximal": True}, "include_bias": include_bias}
    _, weight, bias = trained(OPTIMIZERS[0], penalty, steps=2)
    assert (weight == 0).all()
    assert (bias == 0).all() == include_bias


def test_the_threshold_follows_the_schedule():
    """A gradient clipped to nearly nothing leaves the thresholds: |w| falls by lr_t·strength."""
    config = make_config(
        optimizer={"name": "sgd", "lr": 0.1, "clipping": {"by_norm": 1e-12}},
        scheduler={"name": "step", "every": "1 steps", "gamma": 0.5},
        regularization={"l1": {"strength": 0.01, "proximal": True}},
        initialization={"name": "constant", "value": -1.0},
        training={"epochs": 3, "batch_size": "full", "best_by": "last"},
    )
    program = make_program(config, *toy_data())
    train_all(program)
    for name, part in program.named_weights(program.parameters.weights).items():
        fall = 0.01 * 0.1 * (1 + 0.5 + 0.25) if name.endswith("weight") else 1.0
        np.testing.assert_allclose(part, fall - 1, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", RULES)
def test_the_gain_is_what_a_constant_gradient_moves_weights_by(name):
    """Of rules that step by the gradient itself, summed or not; others have none of their own."""
    rule = RULES[name]()
    if "momentum" not in type(rule).model_fields or name == "muon":
        assert rule.gain == 1.0
        return
    w, g = np.zeros(3), np.full(3, 2.0)
    state = np.zeros(rule.state_shape(1, 3, False))
    steps = []
    for t in range(1, 400):
        before = w.copy()
        rule.variant()(w, g, state, np.array(rule.hyper()), 1e-3, t, (1, 3, 0))
        steps.append((before - w)[0])
    scaled = 1.0 if name == "rmsprop" else 2.0
    assert steps[-1] == pytest.approx(1e-3 * scaled * rule.gain, rel=1e-2)
