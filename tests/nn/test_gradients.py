"""Gradients of every activation, loss and penalty against central differences, in float64."""

import numpy as np
import pytest

from optrun.nn.losses import LOSSES
from optrun.nn.normalization import NORMALIZATIONS
from tests.programs import make_config, make_program
from tests.torch_reference.activations import SECTIONS
from tests.toys import toy_data

CASES = (
    [{"model": {"name": "mlp", "hidden": [6, 5], "activation": section}} for section in SECTIONS]
    + [{"loss": name, "model": "linear"} for name in LOSSES]
    + [{"loss": name} for name in LOSSES]
    + [
        {"regularization": section}
        for section in (
            {"l1": 0.3},
            {"l2": 0.7},
            {"l1": 0.2, "l2": 0.4, "include_bias": True},
            {"dropout": 0.4},
            {"dropout": [0.2, 0.6], "l2": 0.1},
        )
    ]
    + [
        {"model": {"name": "mlp", "hidden": [6, 5], "activation": "tanh", "normalization": name}}
        for name in NORMALIZATIONS
    ]
)


@pytest.mark.parametrize("sections", CASES, ids=str)
def test_gradient_equals_central_differences(sections):
    config = make_config(training={"epochs": 1, "batch_size": "full"}, **sections)
    program = make_program(config, *toy_data())
    program.rates[:] = 0.0
    program.parameters.weights[:] *= 1 + 0.3 * np.sin(np.arange(program.parameters.weights.size))
    weights, epoch = program.parameters.weights, program.epoch(0)

    def objective() -> float:
        program.run(0, 1, epoch, np.inf)
        return program.record.loss[0] + program.record.penalty[0]

    objective()
    analytic = program.parameters.gradient.copy()
    numeric = np.empty_like(analytic)
    for i in range(analytic.size):
        kept, h = weights[i], 1e-6
        weights[i] = kept + h
        above = objective()
        weights[i] = kept - h
        below = objective()
        weights[i] = kept
        numeric[i] = (above - below) / (2 * h)
    np.testing.assert_allclose(analytic, numeric, rtol=1e-5, atol=1e-8)
    assert np.abs(analytic).max() > 1e-3


def test_evaluation_ignores_what_regularizes():
    x, y = toy_data()
    plain = make_program(make_config(), x, y)
    section = {"dropout": 0.5, "input_dropout": 0.2, "l2": 1.0, "adversarial": {"epsilon": 0.1}}
    loss = {"name": "softmax", "label_smoothing": 0.2, "confidence_penalty": 0.1}
    regularized = make_program(make_config(regularization=section, loss=loss), x, y)
    train = plain.data.train
    start = plain.parameters.weights
    measured = regularized.evaluate(regularized.data.train, start)
    assert plain.evaluate(train, start) == measured
