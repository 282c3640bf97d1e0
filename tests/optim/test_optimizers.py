"""Optimizers against something independent: 200 full-batch steps from the same start.

PyTorch is the reference where it has the rule, by stored trajectories; a twin in NumPy, written
from the paper, where it has not.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from optrun.config.load import load
from optrun.engine.program import Program
from optrun.engine.roles import roles
from optrun.errors import ConfigError
from optrun.optim.optimizer import Rule
from optrun.optim.optimizers import OPTIMIZERS
from optrun.optim.rules import RULES
from tests import reference
from tests.optim import test_kfac, test_quasi_newton, test_search, test_second_order
from tests.programs import make_config, make_program, train_all
from tests.torch_reference import cases
from tests.toys import toy_data, toy_weights

STORED = json.loads((Path(cases.__file__).parent / "trajectories.json").read_text())
FROM_PAPERS = [
    {"name": "adabelief", "lr": 0.01},
    {"name": "adabelief", "lr": 0.003, "beta1": 0.8, "beta2": 0.99, "eps": 1e-6},
    {"name": "lion", "lr": 0.001},
    {"name": "lion", "lr": 0.001, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.3},
    {"name": "lars"},
    {"name": "lars", "lr": 0.5, "momentum": 0.5, "trust": 0.01, "weight_decay": 0.1},
    {"name": "lars", "lr": 2.0, "weight_decay": 0.1, "include_bias": True},
    {"name": "lamb"},
    {"name": "lamb", "beta1": 0.8, "beta2": 0.99, "eps": 1e-3, "weight_decay": 0.2},
    {"name": "lamb", "weight_decay": 0.2, "include_bias": True},
    {"name": "schedule_free_sgd", "lr": 0.3},
    {"name": "schedule_free_sgd", "beta": 0.5, "r": 1.0, "weight_lr_power": 0.0, "lr": 0.3},
    {"name": "schedule_free_adamw"},
    {"name": "schedule_free_adamw", "beta1": 0.95, "beta2": 0.99, "weight_decay": 0.2, "r": 1.0},
    {"name": "sam", "rho": 0.1, "base": {"name": "adam"}},
    {"name": "sam", "base": {"name": "schedule_free_sgd", "lr": 0.3}},
    {"name": "lookahead", "base": {"name": "adam", "lr": 0.01}},
    {"name": "lookahead", "every": 7, "share": 0.8, "base": {"name": "sgd", "lr": 0.3}},
]
FORMS = ("accumulate", "velocity")
BY_THEMSELVES = {
    "random_search": test_search.test_random_search_keeps_the_best_of_all_that_it_drew,
    "random_local_search": test_search.test_random_local_search_steps_from_the_best_so_far,
    "lbfgs": test_quasi_newton.test_runs_equal_pytorch,
    "newton": test_second_order.test_newton_reaches_the_minimum_of_a_quadratic_in_one_step,
    "adahessian": test_second_order.test_adahessian_equals_its_paper,
    "kfac": test_kfac.test_runs_equal_the_paper,
}
"""Where drivers, which ask for more than gradients, are compared."""


def prepare(section: dict, model: str, dtype: str) -> Program:
    hidden = cases.MODELS[model]
    config = make_config(
        dtype=dtype,
        model={"name": "mlp", "hidden": hidden, "activation": "tanh"} if hidden else "linear",
        optimizer=section,
        training={"epochs": cases.STEPS, "batch_size": "full", "best_by": "last"},
    )
    program = make_program(config, *toy_data())
    parameters = program.parameters
    parameters.weights[:] = toy_weights(parameters.weights.size)
    parameters.slow[:] = parameters.weights[: parameters.slow.size]
    return program


def update(
    section: dict,
    dtype: str,
    steps: list[tuple[np.ndarray, float]],
    start: np.ndarray | None = None,
) -> np.ndarray:
    """The weights of a matrix of one row after steps of these (gradient, rate)."""
    size, rule = steps[0][0].size, RULES[section["name"]](**section)
    w = np.zeros(size, dtype) if start is None else start.astype(dtype)
    state = np.zeros(rule.state_shape(1, size, True), dtype)
    kernel = rule.variant().specialize(*roles(dtype).update.signature.args)
    for t, (g, lr) in enumerate(steps, start=1):
        kernel(w, g.astype(dtype), state, np.array(rule.hyper()), lr, t, (1, size, 1))
    return w


def far(actual: np.ndarray, expected: np.ndarray) -> float:
    """The distance between two vectors relative to their length."""
    return np.linalg.norm(actual - expected) / np.linalg.norm(expected)


def test_every_optimizer_is_compared_with_pytorch_or_with_its_paper():
    with_pytorch = {section["name"] for section, _, _ in cases.OPTIMIZERS.values()}
    from_papers = {section["name"] for section in FROM_PAPERS}
    named = [*with_pytorch, *from_papers, *BY_THEMSELVES]
    assert sorted(named) == sorted(OPTIMIZERS)


@pytest.mark.parametrize(("optimizer", "model"), cases.cases())
def test_weights_equal_pytorch_in_float64(optimizer, model):
    program = prepare(cases.OPTIMIZERS[optimizer][0], model, "float64")
    losses = train_all(program)
    expected = STORED[f"{optimizer}/{model}"]
    assert far(program.parameters.weights, expected["weights"]) <= 1e-10
    np.testing.assert_allclose(losses, expected["losses"], rtol=1e-10)
    if "averages" in expected:
        assert far(program.parameters.state, expected["averages"]) <= 1e-10


@pytest.mark.parametrize(("optimizer", "model"), cases.cases())
def test_loss_curve_equals_pytorch_in_float32(optimizer, model):
    losses = train_all(prepare(cases.OPTIMIZERS[optimizer][0], model, "float32"))
    np.testing.assert_allclose(losses, STORED[f"{optimizer}/{model}"]["losses"], rtol=1e-4)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("model", cases.MODELS)
@pytest.mark.parametrize("section", FROM_PAPERS, ids=str)
def test_a_run_equals_the_paper(section, model, dtype):
    program = prepare(section, model, dtype)
    program.rates[:] *= np.linspace(1.0, 0.5, program.rates.size)
    flat = program.parameters.weights.astype(np.float64)
    start = {name: w.copy() for name, w in program.named_weights(flat).items()}
    x, y = toy_data()
    orders = [program.epoch(epoch).order for epoch in range(cases.STEPS)]
    weights, expected = reference.train(start, x, y, program.config, orders, program.rates)

    losses = train_all(program)
    np.testing.assert_allclose(losses, expected, rtol=1e-10 if dtype == "float64" else 1e-4)
    if dtype == "float64":
        last = np.concatenate([w.ravel() for w in weights.values()])
        assert far(program.parameters.weights, last) <= 1e-10


@pytest.mark.parametrize("name", RULES)
def test_a_weight_without_gradient_stays_where_it_is(name):
    """Dead units are common: 0/0 in a rule would spread NaN from them."""
    decay = {"weight_decay": 0.0} if "weight_decay" in RULES[name].model_fields else {}
    decay |= {"lambd": 0.0} if name == "asgd" else {}
    program = prepare({"name": name, **decay}, "three_layers", "float32")
    start = program.parameters.weights.copy()
    start[: start.size // 2] = 0
    program.parameters.weights[:] = start
    for t in (1, 2, 3):
        for block in program.places.blocks:
            rows, columns, is_matrix = (int(block[k]) for k in ("rows", "columns", "is_matrix"))
            part = slice(block["start"], block["start"] + rows * columns)
            state = program.parameters.state[block["state"] :][: block["slots"] * block["width"]]
            program.rules.update(
                program.parameters.weights[part], program.parameters.gradient[part],
                state.reshape(block["slots"], block["width"]), program.numbers.hyper,
                0.1, t, (rows, columns, is_matrix),
            )  # fmt: skip
    np.testing.assert_array_equal(program.parameters.weights, start)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("section", "first"),
    [
        ({"name": "adagrad"}, 1.0),
        ({"name": "rmsprop"}, 10.0),
        ({"name": "rmsprop", "alpha": 0.9}, 0.1**-0.5),
        ({"name": "rmsprop", "momentum": 0.9}, 10.0),
        ({"name": "rmsprop", "centered": True}, (0.99 * 0.01) ** -0.5),
        ({"name": "adam"}, 1.0),
        ({"name": "adam", "amsgrad": True}, 1.0),
    ],
    ids=str,
)
def test_a_first_step_is_as_large_as_the_docstring_says(section, first, dtype):
    w = update(section, dtype, [(np.array([1.0, -30.0, 1e-2]), 0.5)])
    np.testing.assert_allclose(w, [-0.5 * first, 0.5 * first, -0.5 * first], rtol=1e-4)


@pytest.mark.parametrize(("name", "c"), [("adagrad", 1.0), ("rmsprop", 0.1), ("adam", 1.0)])
def test_epsilon_is_added_to_the_root(name, c):
    """Of a first gradient of the size of ε: c is what g² counts for."""
    eps = 1e-3
    section = {"name": name, "eps": eps} | ({"alpha": 0.9} if name == "rmsprop" else {})
    w = update(section, "float64", [(np.array([2 * eps]), 1.0)])
    np.testing.assert_allclose(w, [-2 * eps / (np.sqrt(c) * 2 * eps + eps)], rtol=1e-12)


@pytest.mark.parametrize("dampening", [0.0, 0.4])
def test_both_forms_of_momentum_agree_while_the_rate_is_constant(dampening):
    section = {"name": "momentum", "momentum": 0.8, "dampening": dampening}
    steps = [(np.sin([t, 2.0 * t, 3.0 * t]), 0.3) for t in range(1, 9)]
    forms = [update(section | {"form": form}, "float64", steps) for form in FORMS]
    np.testing.assert_allclose(*forms, rtol=1e-13)


@pytest.mark.parametrize("decay", [0.5, 0.0])
def test_lars_keeps_to_its_ratio_without_a_gradient(decay):
    """r = η‖w‖/(λ‖w‖) = η/λ, so that w ← w − lr·η·w; nothing to do without decay."""
    section = {"name": "lars", "trust": 0.001, "weight_decay": decay}
    w = update(section, "float64", [(np.zeros(3), 2.0)], start=np.array([3.0, -4.0, 0.0]))
    np.testing.assert_allclose(w, np.array([3.0, -4.0, 0.0]) * (1 - 0.002 * (decay > 0)), 1e-14)


def test_rprop_sees_the_signs_of_gradients_whose_product_is_0():
    steps = [(np.array([1e-30, -1e-30]), 0.1), (np.array([1e-30, 1e-30]), 0.1)]
    w = update({"name": "rprop", "lr": 0.1}, "float32", steps)
    np.testing.assert_allclose(w, [-0.1 - 0.12, 0.1], rtol=1e-6)


def test_adafactor_stays_finite_with_the_epsilon_of_the_paper():
    section = {"name": "adafactor", "eps1": 1e-30}
    w = update(section, "float32", [(np.array([0.0, 1.0, -1.0]), 0.1)], start=np.ones(3))
    assert np.isfinite(w).all()
    assert w[0] == 1.0


def test_schedule_free_shares_stay_right_over_many_steps():
    """In float32 a sum of 100,000 equal weights is 6e-4 off."""
    rule, steps, lr = RULES["schedule_free_sgd"](), 100_000, 0.0025
    kernel = rule.variant().specialize(*roles("float32").update.signature.args)
    w, g, h = np.zeros(1, np.float32), np.zeros(1, np.float32), np.array(rule.hyper())
    state = np.zeros(rule.state_shape(1, 1, False), np.float32)
    for t in range(1, steps + 1):
        kernel(w, g, state, h, lr, t, (1, 1, 0))
    assert state[0, 1] == pytest.approx(steps * lr**2, rel=1e-6)


@pytest.mark.parametrize(
    ("section", "slots"),
    [
        ({"name": "sgd"}, 0),
        ({"name": "rmsprop"}, 1),
        ({"name": "rmsprop", "centered": True}, 2),
        ({"name": "rmsprop", "momentum": 0.9}, 2),
        ({"name": "rmsprop", "momentum": 0.9, "centered": True}, 3),
        ({"name": "adam"}, 2),
        ({"name": "adamw", "amsgrad": True}, 3),
    ],
    ids=str,
)
def test_state_takes_no_more_room_than_the_configuration_needs(section, slots):
    program = prepare(section, "linear", "float32")
    assert program.parameters.state.size == slots * program.parameters.weights.size


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"name": "momentum", "momentum": 1.0}, "momentum"),
        ({"name": "rmsprop", "momentum": -0.1}, "momentum"),
        ({"name": "lars", "momentum": 1.0}, "momentum"),
        ({"name": "muon", "momentum": 1.5}, "momentum"),
        ({"name": "muon", "ns_steps": 0}, "ns_steps"),
        ({"name": "adam", "beta1": 1.0}, "beta1"),
        ({"name": "nadam", "beta2": -0.5}, "beta2"),
        ({"name": "adadelta", "rho": 1.0}, "rho"),
        ({"name": "lamb", "eps": -1e-6}, "eps"),
        ({"name": "lion", "weight_decay": -0.1}, "weight_decay"),
        ({"name": "adafactor", "beta2_decay": 0.8}, "beta2_decay"),
        ({"name": "adafactor", "d": 0.5}, "d"),
        ({"name": "rprop", "eta_plus": 1.0}, "eta_plus"),
        ({"name": "rprop", "eta_minus": 1.0}, "eta_minus"),
    ],
    ids=str,
)
def test_numbers_out_of_bounds_are_refused_naming_the_field(section, key):
    with pytest.raises(ConfigError, match=key):
        load({"name": "x", "dataset": "mnist", "model": "linear", "optimizer": section})


def test_a_field_that_is_no_number_does_not_shift_the_others():
    class Optional(Rule):
        name: str = "optional"
        lr: float = 0.1
        first: float | None = None
        second: float = 2.0

    with pytest.raises(TypeError, match=r"optional\.first is no number"):
        Optional().hyper()
    assert Optional(first=1.0).hyper() == [1.0, 2.0]
