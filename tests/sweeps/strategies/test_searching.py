"""TPE and the Gaussian process: optuna's, told the right values at the right time."""

import logging
import math
from functools import cache
from statistics import median

import pytest

from optrun.sweeps.space.candidates import Job, Point
from optrun.sweeps.space.distributions import Choice, Integer, LogUniform, Uniform
from optrun.sweeps.strategies.searching import GP, TPE, Search
from optrun.sweeps.strategies.table import Random
from tests.sweeps.strategies.simulation import WITH_TORCH, simulate, told

SEARCHES = [TPE, pytest.param(GP, marks=WITH_TORCH)]
LR = {"optimizer.lr": LogUniform(1e-4, 1.0)}
BOUNDED = {**LR, "dropout": Uniform(0.0, 2 / 3)}


def bowl(job: Job) -> float:
    """Least, 0, at a rate of 0.02 and a dropout of 0.3."""
    settings = job.candidate.settings
    distance = math.log10(settings.get("optimizer.lr", 0.02) / 0.02) ** 2
    return distance + 4 * (settings.get("dropout", 0.3) - 0.3) ** 2


def cliff(job: Job) -> float:
    """Nearly flat, and inf above a rate of 0.02, which are 0.43 of all draws."""
    lr = job.candidate.settings["optimizer.lr"]
    return math.inf if lr > 0.02 else 2.0 + 0.01 * math.log10(lr)


@cache
def bounded(search: type[Search]) -> list[Job]:
    return simulate(search(samples=8, startup=2), [Point(0, {}, BOUNDED)], value=bowl)


def optunas_sampler(search, seed, startup):
    from optuna.samplers import GPSampler, TPESampler

    if search is GP:
        return GPSampler(seed=seed, n_startup_trials=startup)
    return TPESampler(seed=seed, n_startup_trials=startup, multivariate=True, constant_liar=True)


def optunas_own(sampler, distributions, draws, startup, parallel, value):
    """What optuna proposes by itself, asked and told in the same order, without rounding."""
    import optuna

    space = {}
    for key, distribution in distributions.items():
        match distribution:
            case LogUniform(low, high):
                space[key] = optuna.distributions.FloatDistribution(low, high, log=True)
            case Integer(low, high):
                space[key] = optuna.distributions.IntDistribution(low, high)
            case Choice(values):
                space[key] = optuna.distributions.CategoricalDistribution(range(len(values)))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=sampler)
    asked = []
    for k, drawn in enumerate(draws):
        if k >= parallel:
            study.tell(asked[k - parallel], value(asked[k - parallel].params))
        if k - parallel + 1 < startup:
            study.enqueue_trial(drawn)
        asked.append(study.ask(space))
    return [trial.params for trial in asked]


LAYERS = ([20], [20, 10], {"name": "none"})


def size(settings) -> float:
    return abs(settings["width"] - 3.0) + LAYERS.index(settings["hidden"])


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("parallel", [1, 3])
def test_whole_numbers_and_choices_are_those_that_optuna_proposes(search, parallel):
    strategy = search(samples=6 + parallel, startup=4, parallel=parallel, seed=5)
    point = Point(0, {}, {"width": Integer(1, 5), "hidden": Choice(LAYERS)})
    jobs = simulate(strategy, [point], value=lambda job: size(job.candidate.settings), workers=2)
    settings = [job.candidate.settings for job in jobs]
    mine = [{**s, "hidden": LAYERS.index(s["hidden"])} for s in settings]
    theirs = optunas_own(
        optunas_sampler(search, 5, 4),
        point.distributions,
        mine,
        4,
        parallel,
        lambda params: size({**params, "hidden": LAYERS[params["hidden"]]}),
    )
    assert mine == theirs


def test_rates_are_those_that_optuna_proposes_but_for_rounding():
    jobs = simulate(TPE(samples=25, startup=5), [Point(0, {}, LR)], value=bowl)
    mine = [dict(job.candidate.settings) for job in jobs]
    theirs = optunas_own(
        optunas_sampler(TPE, 0, 5),
        LR,
        mine,
        5,
        4,
        lambda p: bowl(Job(Point(0, {}).candidate(0, p))),
    )
    for one, other in zip(mine, theirs, strict=True):
        assert one["optimizer.lr"] == pytest.approx(other["optimizer.lr"], rel=1e-4)


@pytest.mark.parametrize("search", SEARCHES)
def test_numbers_are_rounded_and_in_bounds(search):
    for settings in (job.candidate.settings for job in bounded(search)):
        assert all(number == float(f"{number:.6g}") for number in settings.values())
        assert 1e-4 <= settings["optimizer.lr"] <= 1.0
        assert 0.0 <= settings["dropout"] <= 2 / 3


@pytest.mark.parametrize("search", SEARCHES)
def test_trials_before_the_model_are_those_of_random_search(search):
    drawn = simulate(Random(samples=8), [Point(0, {}, BOUNDED)], value=bowl)
    same = [told(one) == told(other) for one, other in zip(bounded(search), drawn, strict=True)]
    assert same == [True] * 5 + [False] * 3


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize(("startup", "parallel"), [(1, 1), (3, 1), (1, 3), (2, 3)])
def test_a_search_of_random_trials_alone_is_refused(search, startup, parallel):
    point = Point(0, {}, BOUNDED)

    def proposes(samples: int) -> bool:
        strategy = search(samples=samples, startup=startup, parallel=parallel)
        drawn = simulate(Random(samples=samples), [point], value=bowl)
        searched = simulate(strategy, [point], value=bowl)
        return list(map(told, searched)) != list(map(told, drawn))

    def problem(samples: int) -> str | None:
        return search(samples=samples, startup=startup, parallel=parallel).problem([point], 9)

    most = startup + parallel - 1
    assert (proposes(most), proposes(most + 1)) == (False, True)
    assert problem(most + 1) is None
    assert problem(most) == (
        f"the first {most} trials (startup + parallel - 1) are drawn at random, so {search().name} "
        f"would propose none of {most}; write `samples: {2 * most}`, a smaller `startup` or "
        f"`parallel`, or choose `strategy: {{name: random, samples: {most}}}`"
    )


@pytest.mark.parametrize("search", SEARCHES)
def test_most_of_the_default_samples_are_left_to_the_search(search):
    strategy = search()
    assert strategy.startup + strategy.parallel - 1 < strategy.samples / 2


@pytest.mark.parametrize("search", SEARCHES)
def test_a_proposal_knows_the_values_of_trials_up_to_k_minus_parallel(search):
    strategy, changed = search(samples=6, startup=2, parallel=3), 2
    runs = [
        simulate(
            strategy,
            [Point(0, {}, LR)],
            value=lambda job, added=added: bowl(job) + added * (job.candidate.number[1] == changed),
            workers=8,
        )
        for added in (0, -9, 9)
    ]
    rates = [[job.candidate.settings["optimizer.lr"] for job in jobs] for jobs in runs]
    assert len({tuple(tried[: changed + 3]) for tried in rates}) == 1
    assert len({tried[changed + 3] for tried in rates}) > 1


@pytest.mark.parametrize("search", SEARCHES)
def test_each_point_is_searched_by_itself_and_in_turn(search):
    points = [Point(0, {"a": 0}, LR), Point(1, {"a": 1}), Point(2, {"a": 2}, LR)]
    strategy = search(samples=5, startup=2, parallel=2)
    jobs = simulate(strategy, points, value=bowl, workers=3, order=1)
    assert [job.candidate.number for job in jobs[:4]] == [(0, 0), (1, 0), (2, 0), (0, 1)]
    alone = simulate(strategy, points[2:], value=bowl)
    assert [told(j) for j in jobs if j.candidate.number[0] == 2] == list(map(told, alone))


@pytest.mark.parametrize(
    ("search", "samples", "seeds"), [(TPE, 30, 9), pytest.param(GP, 12, 3, marks=WITH_TORCH)]
)
def test_a_search_comes_closer_than_random_draws(search, samples, seeds):
    point = Point(0, {}, {**LR, "dropout": Uniform(0.0, 0.6)})

    def best(strategy) -> float:
        return min(bowl(job) for job in simulate(strategy, [point], value=bowl))

    fields = {"samples": samples, "startup": 6, "parallel": 2}
    searched = median(best(search(seed=seed, **fields)) for seed in range(seeds))
    drawn = median(best(Random(seed=seed, samples=samples)) for seed in range(50))
    assert searched < drawn / 2


@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_turns_away_from_what_diverged(search):
    strategy = search(samples=18, startup=8, parallel=2)
    jobs = simulate(strategy, [Point(0, {}, LR)], value=cliff)
    diverged = [cliff(job) == math.inf for job in jobs]
    assert sum(diverged[:9]) >= 3
    assert sum(diverged[9:]) <= 2


@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_goes_on_where_everything_diverges(search):
    strategy = search(samples=5, startup=2, parallel=1)
    assert len(simulate(strategy, [Point(0, {}, LR)], value=lambda job: math.inf)) == 5


def test_proposals_are_within_a_range_narrower_than_six_digits():
    narrow = {"dropout": Uniform(0.10000001, 0.10000004), **LR}
    jobs = simulate(TPE(samples=5, startup=1, parallel=1), [Point(0, {}, narrow)], value=bowl)
    proposed = {job.candidate.settings["dropout"] for job in jobs}
    assert len(proposed) == 5
    assert all(0.10000001 <= dropout <= 0.10000004 for dropout in proposed)


def test_optuna_is_quiet_and_left_as_it_was():
    import optuna

    records = []
    listener = logging.Handler()
    listener.emit = records.append
    logger = logging.getLogger("optuna")
    optuna.logging.set_verbosity(optuna.logging.INFO)
    logger.addHandler(listener)
    try:
        simulate(TPE(samples=4, startup=1), [Point(0, {}, LR)], value=bowl)
        assert optuna.logging.get_verbosity() == optuna.logging.INFO
        assert not records
    finally:
        logger.removeHandler(listener)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
