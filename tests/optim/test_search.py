"""Search without a gradient, against a plain loop over the same draws."""

import numpy as np
import pytest

from optrun.optim.search import RandomLocalSearch, RandomSearch
from tests.optim.objectives import Quadratic, SoftmaxRegression, drive, new_state

STEPS = 60


def draws(driver) -> list[np.random.Generator]:
    return [np.random.default_rng([driver.purpose, t]) for t in range(1, STEPS + 1)]


def test_random_search_keeps_the_best_of_all_that_it_drew():
    driver, objective = RandomSearch(), SoftmaxRegression(0.01)
    tried = [objective.weights.copy(), *(objective.draw(random) for random in draws(driver))]
    tried_values = [objective.at(w)[0] for w in tried]

    values = drive(driver, objective, STEPS)
    np.testing.assert_array_equal(objective.weights, tried[int(np.argmin(tried_values))])
    np.testing.assert_array_equal(values, np.minimum.accumulate(tried_values)[:-1])


def test_random_local_search_steps_from_the_best_so_far():
    driver, objective = RandomLocalSearch(lr=0.2), SoftmaxRegression(0.01)
    best, kept = objective.weights.copy(), 0
    for random in draws(driver):
        candidate = best + 0.2 * random.standard_normal(best.size)
        if objective.at(candidate)[0] < objective.at(best)[0]:
            best, kept = candidate, kept + 1
    assert 5 < kept < STEPS - 5

    drive(driver, objective, STEPS)
    np.testing.assert_array_equal(objective.weights, best)


def test_a_step_of_local_search_has_the_size_of_the_rate():
    objective = Quadratic(np.zeros((4000, 4000)))
    candidate = RandomLocalSearch().candidate(objective, 0.03, np.random.default_rng(1))
    change = candidate - objective.weights
    assert abs(change.mean()) < 0.002
    assert change.std() == pytest.approx(0.03, rel=0.05)


@pytest.mark.parametrize("driver", [RandomSearch(), RandomLocalSearch(lr=0.1)], ids=str)
def test_on_mini_batches_both_are_compared_on_the_same_examples(driver):
    batches = [SoftmaxRegression(0.01, rows=slice(k, k + 6)) for k in (0, 6, 12, 18)]
    state, weights = new_state(driver, batches[0]), batches[0].weights.copy()
    moved = 0
    for t in range(1, 41):
        batch = batches[t % 4]
        batch.fixed = False
        batch.weights[:] = weights
        before = batch.at(weights)[0]
        assert drive(driver, batch, 1, state, t - 1) == [before]
        moved += not np.array_equal(batch.weights, weights)
        assert batch.at(batch.weights)[0] < before or np.array_equal(batch.weights, weights)
        weights = batch.weights.copy()
    assert moved > 4


@pytest.mark.parametrize(("fixed", "evaluations"), [(True, 11), (False, 20)])
def test_the_best_is_evaluated_again_only_if_the_objective_changes(fixed, evaluations):
    objective = SoftmaxRegression()
    objective.fixed = fixed
    drive(RandomLocalSearch(lr=0.1), objective, 10)
    assert objective.calls["value"] == evaluations


def test_a_candidate_that_overflows_is_not_kept():
    objective = SoftmaxRegression(0.01)
    objective.draw = lambda random: np.full(15, np.nan)
    start = objective.weights.copy()
    drive(RandomSearch(), objective, 3)
    np.testing.assert_array_equal(objective.weights, start)
