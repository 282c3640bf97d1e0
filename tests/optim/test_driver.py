"""What the run may count on from every driver."""

import numpy as np
import pytest

from optrun.optim.driver import Driver
from optrun.optim.kfac import KFAC
from optrun.optim.quasi_newton import LBFGS
from optrun.optim.search import RandomLocalSearch, RandomSearch
from optrun.optim.second_order import AdaHessian, Newton
from tests.optim.objectives import SoftmaxRegression, drive, new_state

DRIVERS = [
    RandomSearch(),
    RandomLocalSearch(lr=0.1),
    LBFGS(history_size=3),
    Newton(),
    AdaHessian(),
    KFAC(refresh=3),
]
each = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.name)


@each
def test_a_run_taken_up_from_its_state_goes_on_exactly(driver: Driver):
    whole = SoftmaxRegression(0.01)
    values = drive(driver, whole, 12)

    first = SoftmaxRegression(0.01)
    state = new_state(driver, first)
    before = drive(driver, first, 5, state)
    second = SoftmaxRegression(0.01)
    second.weights[:] = first.weights
    after = drive(type(driver).model_validate(driver.model_dump()), second, 7, state.copy(), 5)

    assert before + after == values
    np.testing.assert_array_equal(second.weights, whole.weights)


@each
def test_a_step_returns_the_value_that_it_began_with(driver: Driver):
    objective = SoftmaxRegression(0.01)
    state = new_state(driver, objective)
    for done in range(5):
        value = objective.value()
        assert drive(driver, objective, 1, state, done) == [value]


@each
def test_weights_keep_their_type_and_their_place(driver: Driver):
    objective = SoftmaxRegression(0.01, "float32")
    weights = objective.weights
    values = drive(driver, objective, 10)
    assert objective.weights is weights
    assert weights.dtype == np.float32
    assert values[-1] <= values[0]


@each
def test_float32_follows_float64(driver: Driver):
    single, double = SoftmaxRegression(0.1, "float32"), SoftmaxRegression(0.1)
    np.testing.assert_allclose(drive(driver, single, 10), drive(driver, double, 10), rtol=1e-4)


@each
def test_only_what_the_driver_says_is_asked(driver: Driver):
    objective = SoftmaxRegression(0.01)
    drive(driver, objective, 4)
    assert (objective.calls["product"] > 0) == driver.uses_products
    assert (objective.calls["factors"] > 0) == driver.uses_factors


@pytest.mark.parametrize("driver", DRIVERS[2:], ids=lambda driver: driver.name)
def test_a_weight_that_nothing_depends_on_stays_where_it_is(driver: Driver):
    """Dead units are common: 0/0 would spread NaN from them."""
    objective = SoftmaxRegression()
    objective.inputs[:, 2] = 0
    start = objective.layer(objective.weights, 0)[2].copy()
    drive(driver, objective, 5)
    np.testing.assert_array_equal(objective.layer(objective.weights, 0)[2], start)
