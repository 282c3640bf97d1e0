"""ASHA, against an example by hand and the definition, worked out anew for each decision."""

import math
import random

import pytest

from optrun.sweeps.space.candidates import Job, Point
from optrun.sweeps.strategies.asha import ASHA
from tests.sweeps.strategies.simulation import simulate


def listed(n: int) -> list[Point]:
    return [Point(number, {"key": number}) for number in range(n)]


def made_up(seed: int, diverging: float):
    """A value for each job, many of them alike, and inf for the share that diverges."""

    def value(job) -> float:
        draw = random.Random(f"{seed} {job.candidate.number} {job.epochs}")
        return math.inf if draw.random() < diverging else round(draw.random(), 1)

    return value


def test_a_candidate_goes_on_as_soon_as_it_is_among_the_best():
    asha = ASHA(eta=2, parallel=1)
    order = [
        job.candidate.number
        for job in simulate(asha, listed(4), 4, made_up(0, 0))
        if job.epochs == 1
    ]
    value = dict(zip(order, (3.0, 1.0, 2.0, math.inf), strict=True))
    jobs = simulate(asha, listed(4), 4, lambda job: value[job.candidate.number])
    told = [(order.index(job.candidate.number), job.epochs) for job in jobs]
    assert told == [(0, 1), (1, 1), (1, 2), (2, 1), (3, 1), (2, 2), (1, None)]


def by_definition(candidates, top, eta, parallel, value):
    """(candidate, rung) of all jobs; each decision from the list of those before it alone."""
    decisions = []
    while True:
        begun = [decision for decision in decisions if decision]
        seen = max(0, len(decisions) - parallel + 1)
        known = [decision for decision in decisions[:seen] if decision]
        choices = []
        for rung in reversed(range(top)):
            there = [c for c, at in known if at == rung]
            best = sorted(there, key=lambda c: (value(c, rung), c.number))[: len(there) // eta]
            choices += [(c, rung + 1) for c in best if value(c, rung) < math.inf]
        choices += [(c, 0) for c in candidates]
        left = [choice for choice in choices if choice not in begun]
        if not left and known == begun:
            return begun
        decisions.append(left[0] if left else None)


@pytest.mark.parametrize("parallel", [1, 2, 5, 40])
@pytest.mark.parametrize(
    ("n", "eta", "diverging", "steps"),
    [
        (30, 3, 0.0, [1, 3, 9, None]),
        (30, 3, 0.3, [1, 3, 9, None]),
        (17, 2, 0.6, [2, 3, 7, 14, None]),
    ],
)
def test_decisions_are_those_of_the_definition(n, eta, diverging, steps, parallel):
    value = made_up(n, diverging)
    jobs = simulate(ASHA(eta=eta, parallel=parallel, seed=n), listed(n), 27, value)
    candidates = [job.candidate for job in jobs if job.epochs == steps[0]]
    assert len(candidates) == n
    expected = by_definition(
        candidates, len(steps) - 1, eta, parallel, lambda c, rung: value(Job(c, steps[rung]))
    )
    assert [(job.candidate, steps.index(job.epochs)) for job in jobs] == expected


@pytest.mark.parametrize("workers", [1, 4])
def test_in_the_end_the_best_of_each_rung_have_gone_on_and_nothing_diverged(workers):
    value = made_up(1, 0.4)
    jobs = simulate(ASHA(), listed(40), 27, value, workers, order=3)
    for rung, above in ((1, 3), (3, 9), (9, None)):
        there = [job for job in jobs if job.epochs == rung]
        gone_on = {job.candidate.number for job in jobs if job.epochs == above}
        best = sorted(there, key=lambda job: (value(job), job.candidate.number))[: len(there) // 3]
        assert {job.candidate.number for job in best if value(job) < math.inf} <= gone_on
        assert all(value(job) < math.inf for job in there if job.candidate.number in gone_on)


@pytest.mark.parametrize(
    ("n", "first"), [(3, 27), (8, 27), (9, 9), (26, 9), (27, 3), (81, 1), (500, 1)]
)
def test_rungs_are_few_enough_for_one_candidate_to_come_through(n, first):
    jobs = simulate(ASHA(), listed(n), 81, lambda job: 0.0)
    assert min(job.epochs or 81 for job in jobs) == first
    assert any(job.epochs is None for job in jobs)
