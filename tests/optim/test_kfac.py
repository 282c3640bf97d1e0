"""K-FAC against the natural gradient where it is exact, and against a twin from the paper."""

import numpy as np
import pytest

from optrun.errors import UserError
from optrun.optim.driver import Factors
from optrun.optim.kfac import KFAC
from tests.optim.objectives import DeepLinearGaussian, Quadratic, SoftmaxRegression, drive

TINY = 1e-22


@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize("hidden", [[], [2], [2, 2]], ids=str)
def test_the_step_is_the_natural_gradient_of_each_layer(hidden, l2):
    """Exact where outputs are Gaussian about a linear map; penalties are in the gradient only."""
    objective = DeepLinearGaussian(hidden, l2)
    start, g = objective.weights.copy(), objective.gradient()[1]
    natural = [
        np.linalg.solve(objective.fisher(index), objective.layer(g, index).ravel())
        for index in range(len(objective.layers))
    ]
    drive(KFAC(lr=1.0, damping=TINY, kl_clip=None), objective, 1)
    np.testing.assert_allclose(start - objective.weights, np.concatenate(natural), rtol=1e-6)


def test_one_step_solves_linear_gaussian_regression():
    """There the natural gradient is Newton's step."""
    objective = DeepLinearGaussian([])
    drive(KFAC(lr=1.0, damping=TINY, kl_clip=None), objective, 1)
    expected = np.linalg.lstsq(objective.inputs(objective.weights)[0], objective.y, rcond=None)[0]
    np.testing.assert_allclose(objective.layer(objective.weights, 0), expected, rtol=1e-8)


@pytest.mark.parametrize(
    "section",
    [
        {"kl_clip": 0.002},
        {"lr": 0.5, "damping": 0.1, "decay": 0.5, "refresh": 3, "kl_clip": 0.01},
        {"refresh": 1, "decay": 0.0, "kl_clip": None},
    ],
    ids=str,
)
def test_runs_equal_the_paper(section):
    """Sections 4.2, 5 and 6.3 of Martens & Grosse 2015, with the whole Kronecker product built.

    Steps are bounded as in section 5 of Ba, Grosse & Martens 2017.
    """
    driver, objective, twin = KFAC(**section), SoftmaxRegression(0.01), SoftmaxRegression(0.01)
    average, clipped = None, []
    for t in range(1, 61):
        g = twin.at(twin.weights)[1]
        if (t - 1) % driver.refresh == 0:
            k = (t - 1) // driver.refresh + 1
            keep = min(1 - 1 / k, driver.decay)
            now = twin.curvature()[0]
            average = [
                keep * old + (1 - keep) * new for old, new in zip(average or now, now, strict=True)
            ]
            a, b = average
            pi = np.sqrt((np.trace(a) / 5) / (np.trace(b) / 3))
            left = a + pi * np.sqrt(driver.damping) * np.eye(5)
            right = b + np.sqrt(driver.damping) / pi * np.eye(3)
            damped = np.kron(left, right)
        step = driver.lr * np.linalg.solve(damped, g)
        change = step @ damped @ step
        clipped.append(driver.kl_clip is not None and change > driver.kl_clip)
        twin.weights -= step * np.sqrt(driver.kl_clip / change) if clipped[-1] else step
    assert any(clipped) == (driver.kl_clip is not None)
    assert not all(clipped)

    drive(driver, objective, 60)
    difference = np.linalg.norm(objective.weights - twin.weights)
    assert difference <= 1e-10 * np.linalg.norm(twin.weights)


def test_factors_are_asked_for_only_at_their_interval():
    objective = SoftmaxRegression()
    drive(KFAC(refresh=4), objective, 9)
    assert objective.calls["factors"] == 3


def test_a_layer_without_curvature_does_not_move_without_gradient():
    objective = DeepLinearGaussian([3])
    objective.curvature = lambda: [
        Factors(np.eye(5), np.zeros((3, 3))),
        Factors(np.eye(4), np.eye(2)),
    ]
    objective.layer(objective.weights, 1)[:-1] = 0
    first = objective.layer(objective.weights, 0).copy()
    drive(KFAC(), objective, 1)
    np.testing.assert_array_equal(objective.layer(objective.weights, 0), first)


def test_a_model_that_is_a_bias_alone_has_factors_too():
    objective = Quadratic(np.diag([2.0, 4.0]))
    objective.curvature = lambda: [Factors(np.ones((1, 1)), objective.matrix)]
    drive(KFAC(lr=1.0, damping=TINY, kl_clip=None), objective, 1)
    np.testing.assert_allclose(objective.weights, objective.minimum)


def test_parameters_outside_linear_layers_follow_their_gradient():
    objective = Quadratic(np.diag([2.0, 4.0, 1.0]))
    objective.layers = np.array([[0, 2, 0, 0]])
    objective.curvature = lambda: [Factors(np.ones((1, 1)), objective.matrix[:2, :2])]
    start, g = objective.weights.copy(), objective.gradient()[1]
    drive(KFAC(lr=0.1, kl_clip=None), objective, 1)
    assert objective.weights[2] == pytest.approx(start[2] - 0.1 * g[2], rel=1e-14)


def test_factors_that_overflow_are_a_divergence():
    objective = SoftmaxRegression()
    objective.curvature = lambda: [Factors(np.full((5, 5), np.inf), np.eye(3))]
    with pytest.raises(FloatingPointError, match="not finite"), np.errstate(invalid="ignore"):
        drive(KFAC(), objective, 1)


def test_damping_below_the_rounding_of_factors_is_refused_naming_the_field():
    objective = SoftmaxRegression()
    objective.curvature = lambda: [Factors(np.eye(5), np.diag([1.0, 1.0, -1e-6]))]
    with pytest.raises(UserError, match="`damping` is too small"):
        drive(KFAC(damping=1e-16), objective, 1)


def test_the_state_holds_averages_and_inverses():
    assert KFAC().state_size(0, [(4, 3), (3, 2)]) == 2 * (25 + 9 + 16 + 4)
