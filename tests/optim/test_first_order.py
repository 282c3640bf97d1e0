"""Optimizers against PyTorch: 200 full-batch steps from the same start."""

import json
from pathlib import Path

import numpy as np
import pytest

from optrun.optim.first_order import OPTIMIZERS
from tests.programs import make_config, make_program, train_all
from tests.torch_reference import cases
from tests.toys import toy_data, toy_weights

STORED = json.loads((Path(cases.__file__).parent / "trajectories.json").read_text())


def train(optimizer: str, model: str, dtype: str):
    section, _, _ = cases.OPTIMIZERS[optimizer]
    hidden = cases.MODELS[model]
    config = make_config(
        dtype=dtype,
        model={"name": "mlp", "hidden": hidden, "activation": "tanh"} if hidden else "linear",
        optimizer=section,
        training={"epochs": cases.STEPS, "batch_size": "full", "best_by": "last"},
    )
    program = make_program(config, *toy_data())
    program.parameters.weights[:] = toy_weights(program.parameters.weights.size)
    return train_all(program), program.parameters.weights


def test_every_optimizer_is_compared():
    assert {section["name"] for section, _, _ in cases.OPTIMIZERS.values()} == set(OPTIMIZERS)


@pytest.mark.parametrize(("optimizer", "model"), cases.cases())
def test_weights_equal_pytorch_in_float64(optimizer, model):
    losses, weights = train(optimizer, model, "float64")
    expected = STORED[f"{optimizer}/{model}"]
    distance = np.linalg.norm(weights - expected["weights"])
    assert distance <= 1e-10 * np.linalg.norm(expected["weights"])
    np.testing.assert_allclose(losses, expected["losses"], rtol=1e-10)


@pytest.mark.parametrize(("optimizer", "model"), cases.cases())
def test_loss_curve_equals_pytorch_in_float32(optimizer, model):
    losses, _ = train(optimizer, model, "float32")
    np.testing.assert_allclose(losses, STORED[f"{optimizer}/{model}"]["losses"], rtol=1e-4)
