"""What drivers are told of the objective: values, gradients, curvature, and their runs."""

import numpy as np
import pytest

from optrun.data.augmentation.views import no_views
from optrun.engine.arrays import Epoch
from optrun.engine.program import Program
from optrun.nn.losses import LOSSES
from optrun.optim.optimizers import DRIVERS
from tests.programs import make_config, make_program, train_all
from tests.torch_reference.activations import SECTIONS
from tests.toys import toy_data, toy_weights

CURVED = (
    [{"model": {"name": "mlp", "hidden": [6, 5], "activation": section}} for section in SECTIONS]
    + [{"loss": name} for name in LOSSES]
    + [{"loss": {"name": "softmax", "label_smoothing": 0.2, "confidence_penalty": 0.3}}]
    + [{"loss": name, "model": "linear"} for name in LOSSES]
    + [{"regularization": {"l2": 0.3, "dropout": 0.3, "input_dropout": 0.2}}]
    + [{"regularization": {"l1": 0.3, "l2": 0.2, "include_bias": True}}]
)


def make(**sections) -> Program:
    """A program at made-up weights, its objective turned to all examples at step 3."""
    training = {"epochs": 3, "batch_size": "full", "best_by": "last"}
    program = make_program(make_config(training=training, **sections), *toy_data())
    program.parameters.weights[:] = toy_weights(program.parameters.weights.size)
    program.objective.begin(Epoch(np.arange(30), no_views()), 0, 3)
    return program


@pytest.mark.parametrize("sections", CURVED, ids=str)
def test_products_are_the_derivative_of_the_gradient(sections):
    objective = make(optimizer="newton", **sections).objective
    v, h = np.cos(np.arange(objective.weights.size)), 1e-6
    objective.gradient()
    product = objective.product(v).copy()
    start = objective.weights.copy()
    objective.weights[:] = start + h * v
    above = objective.gradient()[1].copy()
    objective.weights[:] = start - h * v
    below = objective.gradient()[1].copy()
    np.testing.assert_allclose(product, (above - below) / (2 * h), rtol=1e-5, atol=1e-7)
    assert objective.value() == pytest.approx(objective.gradient()[0], rel=1e-12)


@pytest.mark.parametrize("loss", ["softmax", "mse"])
@pytest.mark.parametrize("hidden", [[], [5, 4]], ids=str)
def test_factors_are_moments_of_inputs_and_of_what_is_sent_back(loss, hidden):
    """G of a layer, by sending √H of every example's loss back through the layers above it."""
    model = {"name": "mlp", "hidden": hidden, "activation": "tanh"} if hidden else "linear"
    program = make(optimizer="kfac", loss=loss, model=model)
    program.objective.gradient()
    factors = program.objective.factors()
    named = program.named_weights(program.parameters.weights)
    (x, _), depth = toy_data(), len(hidden) + 1
    for row_of in ("inputs", "outputs"):
        expected = [np.zeros_like(getattr(f, row_of)) for f in factors]
        for i in range(len(x)):
            inputs, slopes, scores = [x[i]], [], None
            for layer in range(depth):
                w, b = named[f"layers.{layer}.weight"], named[f"layers.{layer}.bias"]
                scores = inputs[-1] @ w + b
                inputs.append(np.tanh(scores))
                slopes.append(1 - np.tanh(scores) ** 2)
            p = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
            hessian = np.diag(p) - np.outer(p, p) if loss == "softmax" else 2 / 3 * np.eye(3)
            for layer in reversed(range(depth)):
                if row_of == "outputs":
                    expected[layer] += hessian / len(x)
                    back = named[f"layers.{layer}.weight"]
                    slope = slopes[layer - 1] if layer else np.ones(back.shape[0])
                    hessian = np.diag(slope) @ back @ hessian @ back.T @ np.diag(slope)
                else:
                    seen = np.append(inputs[layer], 1.0)
                    expected[layer] += np.outer(seen, seen) / len(x)
        for factor, right in zip(factors, expected, strict=True):
            np.testing.assert_allclose(getattr(factor, row_of), right, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", DRIVERS)
def test_every_driver_lowers_the_loss_and_knows_its_objective(name, dtype):
    training = {"epochs": 12, "batch_size": "full", "best_by": "last"}
    regularization, start = {"l2": 0.01}, {"name": "normal", "std": 0.5}
    model = {"model": "linear"} if name == "newton" else {}  # whose deeper losses have saddles
    config = make_config(
        optimizer=name, dtype=dtype, training=training, regularization=regularization,
        initialization=start, **model,
    )  # fmt: skip
    program = make_program(config, *toy_data())
    weights = program.parameters.weights.copy()
    first = program.evaluate(program.data.train, weights)[0]
    losses = train_all(program)
    last = program.evaluate(program.data.train, program.parameters.weights)[0]
    assert losses[0] == pytest.approx(first, rel=1e-5)
    assert last < losses[0]


def test_running_statistics_are_those_of_a_step_s_first_evaluation():
    model = {"name": "mlp", "hidden": [5], "normalization": "batch"}
    program = make(optimizer="lbfgs", model=model)
    statistics = program.parameters.weights[program.parameters.gradient.size :]
    program.objective.gradient()
    first = statistics.copy()
    program.objective.weights[:] *= 2
    program.objective.gradient()
    program.objective.value()
    np.testing.assert_array_equal(statistics, first)


def test_the_average_follows_a_driver():
    program = make(optimizer="lbfgs", averaging={"name": "ema", "decay": 0.6}, model="linear")
    expected = program.parameters.weights.copy()
    for step in range(3):
        program.run(step, 1, program.epoch(step), np.inf)
        share = 1.0 if step == 0 else 0.4
        expected += share * (program.parameters.weights - expected)
    np.testing.assert_allclose(program.parameters.average, expected, rtol=1e-12)


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_takes_the_same_steps_in_one_go_and_one_by_one(name):
    def run(count: int) -> np.ndarray:
        training = {"epochs": 2, "batch_size": 8, "best_by": "last"}
        regularization = {"dropout": 0.2, "l2": 0.01}
        config = make_config(optimizer=name, training=training, regularization=regularization)
        program = make_program(config, *toy_data())
        for epoch in range(2):
            for batch in range(0, program.steps_per_epoch, count):
                step = epoch * program.steps_per_epoch + batch
                program.run(step, count, program.epoch(epoch), np.inf)
        return program.parameters.weights

    np.testing.assert_array_equal(run(1), run(4))
