"""Successive halving and Hyperband, against closed forms and the paper's table."""

import math
from collections import Counter
from itertools import pairwise

import pytest

from optrun.sweeps.space.candidates import Point
from optrun.sweeps.space.distributions import LogUniform
from optrun.sweeps.strategies.draws import shuffled_draws
from optrun.sweeps.strategies.halving import Hyperband, SuccessiveHalving, rungs
from tests.sweeps.strategies.simulation import simulate


def listed(n: int) -> list[Point]:
    return [Point(number, {"key": number}) for number in range(n)]


def by_rung(jobs) -> dict[int | None, set[int]]:
    """The numbers of the points trained to each rung."""
    trained = {}
    for job in jobs:
        trained.setdefault(job.epochs, set()).add(job.candidate.number[0])
    return trained


@pytest.mark.parametrize(
    ("epochs", "eta", "min_epochs", "expected"),
    [
        (81, 3, 1, [1, 3, 9, 27, None]),
        (30, 3, 1, [1, 3, 10, None]),
        (30, 3, 2, [3, 10, None]),
        (100, 2, 7, [12, 25, 50, None]),
        (64, 4, 4, [4, 16, None]),
        (2, 3, 1, [None]),
        (7, 2, 8, [None]),
    ],
)
def test_rungs_are_counted_back_from_the_full_length(epochs, eta, min_epochs, expected):
    assert rungs(epochs, eta, min_epochs) == expected


@pytest.mark.parametrize("eta", [2, 3, 4, 7])
def test_rungs_differ_and_leave_no_room_below(eta):
    for epochs in range(1, 300):
        for min_epochs in (1, 2, 5):
            *paused, last = rungs(epochs, eta, min_epochs)
            assert last is None
            steps = [*paused, epochs]
            assert all(a < b for a, b in pairwise(steps))
            assert steps[0] >= min_epochs or not paused
            assert epochs / eta ** len(steps) < min_epochs


@pytest.mark.parametrize(
    ("candidates", "epochs", "eta", "trained"),
    [
        (16, 16, 2, {1: 16, 2: 8, 4: 4, 8: 2, None: 1}),
        (27, 81, 3, {3: 27, 9: 9, 27: 3, None: 1}),
        (100, 27, 3, {1: 100, 3: 33, 9: 11, None: 3}),
        (5, 32, 2, {8: 5, 16: 2, None: 1}),
        (2, 30, 3, {10: 2, None: 1}),
        (7, 4, 4, {1: 7, None: 1}),
    ],
)
def test_the_best_share_goes_on_from_each_rung(candidates, epochs, eta, trained):
    jobs = simulate(
        SuccessiveHalving(eta=eta), listed(candidates), epochs, lambda job: job.candidate.number[0]
    )
    expected = {rung: set(range(n)) for rung, n in trained.items()}
    assert by_rung(jobs) == expected


def test_each_rung_costs_the_same():
    jobs = simulate(SuccessiveHalving(), listed(32), 32, lambda job: -job.candidate.number[0])
    epochs = Counter(job.epochs or 32 for job in jobs)
    assert {rung * n for rung, n in epochs.items()} == {32}


def test_ties_go_to_the_lower_number_and_what_diverged_stays_behind():
    value = {0: 2.0, 1: 1.0, 2: math.inf, 3: 1.0, 4: math.inf, 5: 1.0, 6: 1.0, 7: math.inf}
    jobs = simulate(SuccessiveHalving(), listed(8), 8, lambda job: value[job.candidate.number[0]])
    assert by_rung(jobs) == {1: set(range(8)), 2: {1, 3, 5, 6}, 4: {1, 3}, None: {1}}

    value |= {1: math.inf, 3: math.inf, 5: math.inf}
    jobs = simulate(SuccessiveHalving(), listed(8), 8, lambda job: value[job.candidate.number[0]])
    assert by_rung(jobs) == {1: set(range(8)), 2: {0, 6}, 4: {6}, None: {6}}


def test_values_at_the_latest_rung_count():
    value = {1: [0, 1, 2, 3], 2: [1, 0, 0, 0]}
    jobs = simulate(
        SuccessiveHalving(),
        listed(4),
        4,
        lambda job: value[job.epochs][job.candidate.number[0]] if job.epochs else 0,
    )
    assert by_rung(jobs) == {1: {0, 1, 2, 3}, 2: {0, 1}, None: {1}}


def test_it_ends_when_everything_has_diverged():
    jobs = simulate(SuccessiveHalving(), listed(8), 8, lambda job: math.inf, workers=3)
    assert by_rung(jobs) == {1: set(range(8))}


OPEN = [Point(n, {"key": n}, {"optimizer.lr": LogUniform(1e-4, 1)}) for n in range(4)]

TABLE_1 = [  # Li et al. 2018, R = 81, eta = 3: (n_i, r_i) for s = 4, …, 0
    [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    [(27, 3), (9, 9), (3, 27), (1, 81)],
    [(9, 9), (3, 27), (1, 81)],
    [(6, 27), (2, 81)],
    [(5, 81)],
]


def test_hyperband_is_that_of_the_papers_table():
    hyperband = Hyperband()
    bracket_of = {
        candidate.number: k
        for k, (candidates, _) in enumerate(hyperband.brackets(OPEN, 81))
        for candidate in candidates
    }
    jobs = simulate(hyperband, OPEN, 81, lambda job: job.candidate.settings["optimizer.lr"])
    trained = [Counter() for _ in TABLE_1]
    for job in jobs:
        trained[bracket_of[job.candidate.number]][job.epochs or 81] += 1
    assert [[(n, r) for r, n in sorted(counts.items())] for counts in trained] == TABLE_1


def test_hyperband_takes_all_points_in_turn():
    jobs = simulate(Hyperband(), OPEN, 27, lambda job: 0.0)
    draws = Counter(number[0] for number in {job.candidate.number for job in jobs})
    assert set(draws) == set(range(4))
    assert max(draws.values()) - min(draws.values()) <= 1


def test_each_round_through_the_points_has_an_order_of_its_own():
    numbers = [candidate.number for candidate in shuffled_draws(OPEN, seed=0, samples=6)]
    orders = [[point for point, draw in numbers if draw == k] for k in range(6)]
    assert all(sorted(order) == [0, 1, 2, 3] for order in orders)
    assert len(set(map(tuple, orders))) > 3
    assert [candidate.number for candidate in shuffled_draws(OPEN, seed=1, samples=6)] != numbers


def test_too_few_points_are_shared_between_the_brackets():
    brackets = Hyperband(seed=1).brackets(listed(20), 81)
    for (candidates, steps), column in zip(brackets, TABLE_1, strict=True):
        assert abs(len(candidates) - column[0][0] * 20 / 128) < 1
        assert steps == [r if r < 81 else None for _, r in column]
    numbers = [c.number[0] for candidates, _ in brackets for c in candidates]
    assert sorted(numbers) == list(range(20))
    assert numbers != sorted(numbers)


@pytest.mark.parametrize("points", range(2, 9))
def test_hyperband_trains_few_points_without_needless_pauses(points):
    jobs = simulate(Hyperband(), listed(points), 81, lambda job: job.candidate.number[0])
    epochs = Counter(job.candidate.number for job in jobs)
    brackets = Hyperband().brackets(listed(points), 81)
    for candidates, _ in brackets:
        if len(candidates) == 1:
            assert epochs[candidates[0].number] == 1
    assert sum(job.epochs is None for job in jobs) == sum(bool(c) for c, _ in brackets)
