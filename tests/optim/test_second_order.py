"""Newton and AdaHessian: one-step exactness, known optima, and a twin written from the paper."""

import json
from pathlib import Path

import numpy as np
import pytest

from optrun.errors import UserError
from optrun.optim.quasi_newton import LBFGS
from optrun.optim.second_order import AdaHessian, Newton, hessian, hutchinson
from tests import sklearn_reference
from tests.optim.objectives import Quadratic, Rosenbrock, SoftmaxRegression, drive

STORED = json.loads((Path(sklearn_reference.__path__[0]) / "logistic.json").read_text())
MATRIX = np.cos(np.add.outer(np.arange(6), np.arange(6)) ** 2 * 0.7)
POSITIVE = MATRIX @ MATRIX + 0.1 * np.eye(6)


def test_newton_reaches_the_minimum_of_a_quadratic_in_one_step():
    objective = Quadratic(POSITIVE)
    drive(Newton(damping=0.0), objective, 1)
    np.testing.assert_allclose(objective.weights, objective.minimum, atol=1e-12)


def test_the_learning_rate_is_the_share_of_the_step_taken():
    objective = Quadratic(POSITIVE)
    start = objective.weights.copy()
    drive(Newton(damping=0.0, lr=0.25), objective, 1)
    expected = 0.75 * start + 0.25 * objective.minimum
    np.testing.assert_allclose(objective.weights, expected, atol=1e-12)


def test_damping_is_added_to_every_eigenvalue():
    objective = Quadratic(POSITIVE)
    start, g = objective.weights.copy(), objective.gradient()[1]
    values, vectors = np.linalg.eigh(POSITIVE)
    drive(Newton(damping=0.3), objective, 1)
    expected = start - vectors @ ((vectors.T @ g) / (values + 0.3))
    np.testing.assert_allclose(objective.weights, expected, atol=1e-12)


def test_newton_goes_to_the_saddle_unless_damping_exceeds_the_negative_curvature():
    indefinite = np.diag([2.0, -2.0])
    at_saddle, below = Quadratic(indefinite), Quadratic(indefinite)
    start = below.value()
    drive(Newton(damping=0.0), at_saddle, 1)
    np.testing.assert_allclose(at_saddle.weights, at_saddle.minimum, atol=1e-12)
    drive(Newton(damping=3.0), below, 1)
    assert below.value() < start


def test_newton_solves_rosenbrock_in_a_few_steps():
    objective = Rosenbrock()
    drive(Newton(damping=0.0), objective, 7)
    np.testing.assert_allclose(objective.weights, [1, 1], atol=1e-10)


@pytest.mark.parametrize(
    ("curvature", "damping", "enough"), [(0, 0, "0.0001"), (1e-20, 0, "0.0001"), (-0.1, 0.1, "1")]
)
def test_a_singular_hessian_is_refused_naming_the_field(curvature, damping, enough):
    objective = Quadratic(np.diag([1.0, curvature]))
    with pytest.raises(UserError, match=rf"at step 1 .*`damping` {damping:g} .* {enough} or more"):
        drive(Newton(damping=float(damping)), objective, 1)


def test_a_hessian_that_overflows_is_a_divergence():
    objective = Quadratic(np.full((2, 2), np.inf))
    with pytest.raises(FloatingPointError, match="not finite"), np.errstate(invalid="ignore"):
        drive(Newton(), objective, 1)


def test_newton_says_how_much_memory_its_hessian_takes():
    assert Newton().workspace(20_000, []) == 3.6e9
    assert Newton().state_size(20_000, []) == 0


def test_the_hessian_is_assembled_from_products():
    objective = SoftmaxRegression(0.01)
    np.testing.assert_allclose(hessian(objective), objective.hessian(), atol=1e-15)
    assert objective.calls["product"] == 15


@pytest.mark.parametrize("l2", [key for key in STORED if key != "sklearn"])
@pytest.mark.parametrize(
    ("driver", "steps"),
    [(Newton(), 40), (LBFGS(tolerance_grad=1e-10, tolerance_change=0.0), 150)],
    ids=["newton", "lbfgs"],
)
def test_the_optimum_of_softmax_regression_is_that_of_scikit_learn(driver, steps, l2):
    objective = SoftmaxRegression(float(l2))
    drive(driver, objective, steps)
    assert np.linalg.norm(objective.gradient()[1]) <= 1e-8
    layer = objective.layer(objective.weights, 0)
    np.testing.assert_allclose(layer[:-1], STORED[l2]["weight"], rtol=1e-5, atol=1e-6)
    centred = layer[-1] - layer[-1].mean()  # all biases may shift together
    np.testing.assert_allclose(centred, STORED[l2]["bias"], rtol=1e-5, atol=1e-6)


def test_hutchinsons_diagonal_is_right_on_average():
    objective = SoftmaxRegression(0.01)
    random = np.random.default_rng(3)
    draws = np.array([hutchinson(objective, random) for _ in range(4000)])
    expected = np.diag(objective.hessian())
    error = np.abs(draws.mean(axis=0) - expected)
    assert (error <= 5 * draws.std(axis=0) / np.sqrt(len(draws)) + 1e-12).all()
    assert np.linalg.norm(error) <= 0.03 * np.linalg.norm(expected)


def test_a_probe_of_a_diagonal_hessian_is_exact():
    objective = Quadratic(np.diag([1.0, -2.0, 3.0]))
    np.testing.assert_allclose(hutchinson(objective, np.random.default_rng(0)), [1, -2, 3])


@pytest.mark.parametrize(
    "section",
    [{}, {"lr": 0.05, "beta1": 0.7, "beta2": 0.95, "eps": 1e-2, "hessian_power": 0.5}],
    ids=str,
)
def test_adahessian_equals_its_paper(section):
    """Algorithm 1 and equations 9 to 12 of Yao et al. 2021, with all gradients kept."""
    driver, objective = AdaHessian(**section), SoftmaxRegression(0.01)
    twin = SoftmaxRegression(0.01)
    gradients, squares = [], []
    for t in range(1, 201):
        z = 2 * np.random.default_rng([driver.purpose, t]).integers(0, 2, 15) - 1
        gradients.append(twin.at(twin.weights)[1])
        squares.append((z * (twin.hessian() @ z)) ** 2)
        m = weighted(gradients, driver.beta1)
        v = np.sqrt(weighted(squares, driver.beta2)) ** driver.hessian_power
        twin.weights -= driver.lr * m / (v + driver.eps)

    drive(driver, objective, 200)
    difference = np.linalg.norm(objective.weights - twin.weights)
    assert difference <= 1e-10 * np.linalg.norm(twin.weights)


def weighted(terms: list[np.ndarray], beta: float) -> np.ndarray:
    """(1−β)·Σ β^(t−i)·term_i/(1−βᵗ)."""
    shares = (1 - beta) * beta ** np.arange(len(terms) - 1, -1, -1)
    return shares @ np.array(terms) / (1 - beta ** len(terms))
