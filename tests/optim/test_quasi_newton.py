"""L-BFGS against PyTorch, and its line search against the conditions that define it."""

import json

import numpy as np
import pytest

from optrun.optim.line_search import FLAT, SUFFICIENT, Point, cubic_minimum, strong_wolfe
from optrun.optim.quasi_newton import LBFGS
from tests.optim.objectives import (
    Quadratic,
    Rosenbrock,
    SoftmaxRegression,
    TanhNetwork,
    drive,
    new_state,
)
from tests.torch_reference.lbfgs import CASES, CURVES, FILE, FIRST, MODELS, RESOLUTION, TRIES

STORED = json.loads(FILE.read_text())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("case", CASES)
def test_runs_equal_pytorch(case, model):
    hidden, steps = MODELS[model]
    objective = TanhNetwork(hidden)
    values = drive(LBFGS(**CASES[case]), objective, steps)
    expected = np.array(STORED[f"{case}/{model}/weights"])
    assert np.linalg.norm(objective.weights - expected) <= 1e-10 * np.linalg.norm(expected)
    np.testing.assert_allclose(values, STORED[f"{case}/{model}/values"], rtol=1e-10)


@pytest.mark.parametrize(
    "tolerances",
    [{"tolerance_grad": 1e-3, "tolerance_change": 0.0}, {"tolerance_change": 1e-6}],
    ids=str,
)
def test_at_the_tolerances_it_stops_and_stays(tolerances):
    driver, objective = LBFGS(**tolerances), SoftmaxRegression(0.01)
    state = new_state(driver, objective)
    drive(driver, objective, 40, state)
    stopped = objective.weights.copy()
    assert 1e-9 < np.abs(objective.gradient()[1]).max() <= 1e-3
    drive(driver, objective, 5, state, 40)
    np.testing.assert_array_equal(objective.weights, stopped)


def test_a_quadratic_is_solved_in_about_as_many_steps_as_it_has_dimensions():
    objective = Quadratic(np.diag(np.geomspace(1, 100, 8)))
    drive(LBFGS(tolerance_grad=1e-9, tolerance_change=0.0), objective, 25)
    np.testing.assert_allclose(objective.weights, objective.minimum, atol=1e-9)


def test_rosenbrock_is_solved():
    objective = Rosenbrock()
    drive(LBFGS(tolerance_grad=1e-9, tolerance_change=0.0), objective, 60)
    np.testing.assert_allclose(objective.weights, [1, 1], atol=1e-8)


@pytest.mark.parametrize("size", [0.1, 1.2])
def test_the_first_step_is_the_gradient_but_no_longer_than_one(size):
    objective = Quadratic(0.5 * np.eye(2))
    objective.weights[:] = objective.minimum + size
    g = objective.gradient()[1].copy()
    drive(LBFGS(), objective, 1)
    expected = objective.minimum + size - g / max(1, np.abs(g).sum())
    np.testing.assert_allclose(objective.weights, expected)


def test_only_the_last_pairs_are_remembered():
    """With as many pairs as steps nothing is forgotten, however long the history."""
    runs = []
    for history in (6, 7, 100):
        objective = TanhNetwork([6, 5])
        drive(LBFGS(history_size=history), objective, 8)
        runs.append(objective.weights)
    np.testing.assert_array_equal(runs[1], runs[2])
    assert not np.array_equal(runs[0], runs[1])


def test_the_state_is_as_large_as_it_says():
    """Two numbers a weight and pair, the last step and gradient, and a few counts."""
    assert LBFGS(history_size=5).state_size(1000, [(9, 100)]) == 2 * 5 * 1000 + 2 * 1000 + 5 + 3


def test_pairs_of_a_step_not_taken_are_not_remembered():
    """On the next batch the gradient differs, but the weights have not changed."""
    driver, objective = LBFGS(), SoftmaxRegression(0.1)
    state = new_state(driver, objective)
    drive(driver, objective, 40, state)
    memory = driver.recall(objective, state)
    pairs = int(memory["pairs"])
    other = SoftmaxRegression(0.1, rows=slice(0, 10))
    other.weights[:] = objective.weights
    assert not memory["change"].any()
    drive(driver, other, 1, state, 40)
    assert int(memory["pairs"]) == pairs


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("name", CURVES)
def test_the_line_search_tries_the_lengths_that_pytorch_tries(name, first):
    tried: list[float] = []
    ray = evaluated(CURVES[name], tried)
    start = ray(0.0)
    tried.clear()
    chosen = strong_wolfe(ray, start, first, TRIES, RESOLUTION)
    np.testing.assert_allclose([*tried, chosen], STORED[f"{name}/{first}"], rtol=1e-9)


@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("name", [name for name in CURVES if name != "kinked"])
def test_the_length_found_fulfils_both_conditions(name, first):
    ray = evaluated(CURVES[name])
    start, found = ray(0.0), ray(strong_wolfe(ray, ray(0.0), first, TRIES, RESOLUTION))
    assert found.length > 0
    assert found.value <= start.value + SUFFICIENT * found.length * start.slope
    assert abs(found.slope) <= FLAT * abs(start.slope)


def wall(a: float) -> tuple[float, float]:
    """Falls, and is not a number from 0.8 on."""
    return (-a - 0.1 * np.log(0.8 - a), 0.1 / (0.8 - a) - 1) if a < 0.8 else (np.nan, np.nan)


def cliff(a: float) -> tuple[float, float]:
    """Falls, and is infinite from 0.3 on."""
    return (-a, -1.0) if a < 0.3 else (np.inf, np.inf)


@pytest.mark.parametrize(("curve", "end"), [(wall, 0.8), (cliff, 0.3)])
@pytest.mark.parametrize("first", FIRST)
def test_a_value_that_is_not_finite_is_too_far(curve, end, first):
    ray = evaluated(curve)
    assert end / 3 < strong_wolfe(ray, ray(0.0), first, 40, 0.0) < end


def test_between_values_that_are_not_finite_the_middle_is_tried():
    high = Point(1.0, np.inf, 1.0)
    assert cubic_minimum(Point(0.0, 0.0, -1.0), high, 0.0, 1.0) == 0.5


def test_without_a_lower_bound_it_goes_as_far_as_it_may():
    """Ten times as far with every try."""
    length = strong_wolfe(lambda a: Point(a, -a, -1.0), Point(0.0, 0.0, -1.0), 1.0, 4, 1e-9)
    assert length == pytest.approx(1e4)


def test_where_nothing_is_lower_the_length_is_zero():
    def ray(length):
        return Point(length, float(length > 0), -1.0)

    assert strong_wolfe(ray, ray(0.0), 1.0, 24, 1e-9) == 0.0


def test_no_more_points_are_evaluated_than_allowed():
    lengths = []

    def ray(length):
        lengths.append(length)
        return Point(length, abs(length - 0.7), -1.0 if length < 0.7 else 1.0)

    strong_wolfe(ray, Point(0.0, 0.7, -1.0), 1.0, 6, 0.0)
    assert len(lengths) == 7


def evaluated(curve, tried: list[float] | None = None):
    """The curve as the search asks for it, which notes the lengths."""

    def ray(length: float) -> Point:
        if tried is not None:
            tried.append(length)
        value, slope = curve(length)
        return Point(length, float(value), float(slope))

    return ray
