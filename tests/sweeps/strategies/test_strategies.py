"""What holds for every strategy; grid and random search; what a space is refused for."""

import sys
from itertools import takewhile

import pytest

from optrun.errors import UserError
from optrun.sweeps.space.candidates import Point
from optrun.sweeps.space.distributions import LogUniform
from optrun.sweeps.strategies.side_by_side import side_by_side
from optrun.sweeps.strategies.table import STRATEGIES, Grid, Random
from tests.sweeps.strategies.simulation import (
    DRAWN,
    EPOCHS,
    SPACES,
    Known,
    begun,
    cases,
    simulate,
    small,
    told,
)

LISTED, OPEN = SPACES["listed"], SPACES["drawn"]
ONE_KEY = [Point(0, {}, {"optimizer.lr": LogUniform(1e-4, 1.0)})]


def test_every_strategy_takes_a_space():
    assert {case.values[0] for case in cases()} == set(STRATEGIES)


@pytest.mark.parametrize(("name", "space"), cases())
def test_workers_and_their_speed_change_no_job(name, space):
    alone = sorted(map(told, begun(name, space)))
    for workers, order in ((3, 1), (8, 2)):
        assert sorted(map(told, begun(name, space, workers, order))) == alone


@pytest.mark.parametrize(("name", "space"), cases())
def test_what_is_known_beforehand_is_passed_without_waiting(name, space):
    jobs = list(small(name, space).jobs(SPACES[space], EPOCHS, Known()))
    assert None not in jobs
    assert sorted(map(told, jobs)) == sorted(map(told, begun(name, space)))


@pytest.mark.parametrize(("name", "space"), cases())
def test_a_candidate_comes_once_or_again_for_longer(name, space):
    lengths = {}
    for job in begun(name, space, 8, 2):
        lengths.setdefault(job.candidate.number, []).append(job.epochs or EPOCHS)
    for epochs in lengths.values():
        assert epochs == sorted(set(epochs))
    assert max(epochs[-1] for epochs in lengths.values()) == EPOCHS


@pytest.mark.parametrize(("name", "space"), cases())
def test_no_candidate_goes_on_before_its_value_is_known(name, space):
    jobs = small(name, space).jobs(SPACES[space], EPOCHS, {})
    numbers = [job.candidate.number for job in takewhile(lambda job: job is not None, jobs)]
    assert numbers and len(numbers) == len(set(numbers))


@pytest.mark.parametrize(("name", "space"), cases())
def test_trials_and_candidates_are_those_of_the_jobs(name, space):
    strategy, points = small(name, space), SPACES[space]
    numbers = {job.candidate.number for job in begun(name, space)}
    assert len(numbers) == strategy.trials(points, EPOCHS)

    known = strategy.candidates(points, EPOCHS)
    if known:
        assert [candidate.number for candidate in known] == sorted(numbers)
        settings = {candidate.number: candidate.settings for candidate in known}
        for job in begun(name, space):
            assert job.candidate.settings == settings[job.candidate.number]


@pytest.mark.parametrize(("name", "space"), [c for c in cases() if "drawn" in c.values])
def test_the_seed_decides_what_is_drawn(name, space):
    strategy = small(name, space)
    first, second = (
        {job.candidate.settings["optimizer.lr"] for job in takewhile(lambda job: job, jobs)}
        for jobs in (
            strategy.model_copy(update={"seed": seed}).jobs(SPACES[space], EPOCHS, {})
            for seed in (0, 2**40)
        )
    )
    assert len(first) > 1
    assert not first & second


def test_a_grid_is_every_point_in_full():
    jobs = simulate(Grid(), LISTED)
    assert [job.candidate.settings for job in jobs] == [point.settings for point in LISTED]
    assert all(job.epochs is None for job in jobs)


def test_random_draws_the_same_for_every_point_in_turn():
    jobs = simulate(Random(samples=5, seed=3), OPEN)
    assert [job.candidate.number for job in jobs] == [(p, d) for d in range(5) for p in range(2)]
    for job in jobs:
        drawn = {key: DRAWN[key].draw(3, key, job.candidate.number[1]) for key in DRAWN}
        assert job.candidate.settings == {**OPEN[job.candidate.number[0]].settings, **drawn}


def test_more_samples_begin_with_the_same():
    few, many = (list(map(told, simulate(Random(samples=n), OPEN))) for n in (4, 9))
    assert many[: len(few)] == few


def test_side_by_side_waits_only_when_all_do():
    searches = [iter(["a", None, "b"]), iter([None, None, "c", "d"]), iter([])]
    assert list(side_by_side(searches)) == ["a", None, "b", "c", "d"]


SAMPLES = "`optimizer.lr` is drawn, so say how often: `strategy: {name: %s, samples: 20}`"
NO_SAMPLES = "everything is listed, so there is nothing to draw; leave `samples` out"
NOTHING = (
    "everything is listed, so there is nothing to draw; give a key a distribution such as "
    "`loguniform(1e-4, 1)`, or choose `strategy: grid`"
)
SHORT = "a run takes %s, which leaves nothing to halve; let it take at least %s, or choose `%s`"


@pytest.mark.parametrize(
    ("name", "fields", "points", "epochs", "problem"),
    [
        (
            "grid",
            {},
            ONE_KEY,
            9,
            "`optimizer.lr` is drawn, and a grid tries what is listed; "
            "choose `strategy: {name: random, samples: 20}`",
        ),
        *((name, {}, LISTED, 9, NOTHING) for name in ("random", "tpe", "gp")),
        *((name, {}, ONE_KEY, 9, SAMPLES % name) for name in ("successive_halving", "asha")),
        *((name, {"samples": 3}, LISTED, 9, NO_SAMPLES) for name in ("successive_halving", "asha")),
        ("successive_halving", {}, LISTED, 1, SHORT % ("1 epoch", 2, "strategy: grid")),
        ("hyperband", {}, LISTED, 2, SHORT % ("2 epochs", 3, "strategy: grid")),
        (
            "hyperband",
            {"min_epochs": 4},
            ONE_KEY,
            11,
            SHORT % ("11 epochs", 12, "strategy: random"),
        ),
        ("asha", {"samples": 9}, ONE_KEY, 2, SHORT % ("2 epochs", 3, "strategy: random")),
        (
            "successive_halving",
            {},
            LISTED[:1],
            9,
            "there is one candidate, which leaves nothing to halve; choose `strategy: grid`",
        ),
        (
            "asha",
            {},
            LISTED[:2],
            9,
            "there are 2 candidates, and one in 3 goes on, which is none; "
            "set `eta` to 2, or choose `strategy: successive_halving`",
        ),
    ],
)
def test_what_a_strategy_cannot_search_is_said(name, fields, points, epochs, problem):
    assert STRATEGIES[name](**fields).problem(points, epochs) == problem


@pytest.mark.parametrize(
    ("name", "missing", "message"),
    [
        ("tpe", ["optuna"], "`strategy: tpe` needs optuna; run `pip install 'optrun[search]'`"),
        ("gp", ["torch"], "`strategy: gp` needs torch; run `pip install 'optrun[search]' torch`"),
        (
            "gp",
            ["optuna", "torch"],
            "`strategy: gp` needs optuna and torch; run `pip install 'optrun[search]' torch`",
        ),
    ],
)
def test_a_missing_package_is_named(name, missing, message, monkeypatch):
    for package in missing:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError) as error:
        STRATEGIES[name]().problem(OPEN, EPOCHS)
    assert str(error.value) == message
