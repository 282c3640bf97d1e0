"""The compiled loop against the slow NumPy twin, and what must not change its bits."""

import numpy as np
import pytest

from optrun.nn.losses import LOSSES
from tests import reference
from tests.programs import make_config, make_program, train_all
from tests.torch_reference.activations import SECTIONS
from tests.toys import toy_data

REGULARIZATIONS = [
    {"l2": 0.1},
    {"l1": 0.05, "l2": 0.02, "include_bias": True},
    {"dropout": 0.5},
    {"dropout": [0.0, 0.3], "l1": 0.01},
    {"input_dropout": 0.2},
    {"input_dropout": 0.2, "dropout": [0.0, 0.3]},
    {"elastic": {"strength": 0.1, "l1_ratio": 0.3}},
    {"l1": {"strength": 0.1}},
    {"l1": {"strength": 0.1, "proximal": True}, "l2": 0.02},
    {"l1": {"strength": 0.1, "proximal": True}, "include_bias": True, "max_norm": 0.8},
    {"elastic": {"strength": 0.2, "l1_ratio": 0.7, "proximal": True}},
    {"max_norm": 0.8},
    {"gradient_noise": {"eta": 0.3}},
    {"adversarial": {"epsilon": 0.1}},
    {
        "adversarial": {"epsilon": 0.2, "share": 1.0},
        "dropout": 0.2,
        "input_dropout": 0.1,
        "l2": 0.1,
    },
]
CLIPPINGS = [
    {"by_norm": 0.05},
    {"by_value": [-0.01, 0.02]},
    {"by_norm": 0.1, "by_value": [-0.02, 0.02]},
]
WRAPPERS = [
    {"name": "sam", "base": {"name": "momentum"}},
    {"name": "sam", "rho": 0.5, "base": {"name": "adamw", "clipping": {"by_norm": 0.1}}},
    {"name": "lookahead", "base": {"name": "adam"}},
    {"name": "lookahead", "every": 3, "share": 0.8, "base": {"name": "momentum"}},
]
PROXIMAL = {"l1": {"strength": 0.2, "proximal": True}}
SUMMING = [
    {"name": "momentum", "form": "velocity", "dampening": 0.2},
    {"name": "nesterov", "momentum": 0.5},
    {"name": "rmsprop", "momentum": 0.5},
    {"name": "lars", "lr": 0.01},
]
CASES = (
    [{"optimizer": {"name": name}} for name in reference.UPDATES]
    + [{"optimizer": {"name": "momentum", "form": "velocity", "dampening": 0.2}}]
    + [{"optimizer": {"name": "momentum", "dampening": 0.2}}]
    + [{"model": {"name": "mlp", "hidden": [6], "activation": section}} for section in SECTIONS]
    + [{"optimizer": section} for section in WRAPPERS]
    + [{"optimizer": WRAPPERS[0], "regularization": section} for section in REGULARIZATIONS]
    + [{"loss": name, "model": "linear"} for name in LOSSES]
    + [{"regularization": section} for section in REGULARIZATIONS]
    + [{"optimizer": {"name": "sgd", "clipping": section}} for section in CLIPPINGS]
    + [{"optimizer": section, "regularization": PROXIMAL} for section in SUMMING]
    + [
        {"training": {"epochs": 2, "batch_size": size, "best_by": "last"}}
        for size in (1, 30, "full")
    ]
)


@pytest.mark.parametrize("sections", CASES, ids=str)
def test_a_run_equals_its_numpy_twin(sections):
    x, y = toy_data()
    program = make_program(make_config(**sections), x, y)
    start = {k: v.copy() for k, v in program.named_weights(program.parameters.weights).items()}
    orders = [program.epoch(epoch).order for epoch in range(program.config.training.epochs)]

    losses = train_all(program)
    weights, expected = reference.train(start, x, y, program.config, orders, program.rates)

    np.testing.assert_allclose(losses, expected, rtol=1e-10)
    for name, value in program.named_weights(program.parameters.weights).items():
        np.testing.assert_allclose(value, weights[name], rtol=1e-9, atol=1e-12, err_msg=name)
