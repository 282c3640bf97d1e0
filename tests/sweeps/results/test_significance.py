"""The paired test: its arithmetic, its level, and what it says where it can say nothing."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_rel

from optrun.sweeps.results.significance import (
    PairedTest,
    holm,
    paired_test,
    step_of,
    t_test,
)

SEEDS = (2, 3, 4, 5, 6, 8, 10)
TRIALS = 40_000
LEVEL = 0.055  # at nominal 0.05


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(*[st.floats(0, 1).map(lambda x: round(x, 4))] * 2), min_size=2))
def test_on_losses_it_is_scipys(pairs: list[tuple[float, float]]):
    first, second = np.array(pairs).T
    assume(np.ptp(first - second) > 1e-6)
    test = paired_test(dict(enumerate(first)), dict(enumerate(second)))
    theirs = ttest_rel(first, second)
    assert test.n == len(pairs)
    assert test.p == pytest.approx(theirs.pvalue, rel=1e-6, abs=1e-12)
    assert test.difference == pytest.approx((first - second).mean(), abs=1e-12)
    assert test.interval() == pytest.approx(tuple(theirs.confidence_interval()), abs=1e-9)


def test_rounding_to_steps_adds_to_the_variance():
    # differences 0, 1, 1 hundredths: variance 1/3, and 1/12 of a hundredth for each figure
    first, second = {0: 0.50, 1: 0.51, 2: 0.52}, {0: 0.50, 1: 0.50, 2: 0.51}
    test = paired_test(first, second, (0.01, 0.01))
    assert test.deviation == pytest.approx(0.01 * math.sqrt(1 / 3 + 2 / 12))
    t = (0.02 / 3) * math.sqrt(3) / test.deviation
    assert test.p == pytest.approx(2 * student.sf(t, 2))


def test_seeds_that_differ_by_the_same_step_prove_nothing():
    test = paired_test({0: 0.65, 1: 0.75}, {0: 0.60, 1: 0.70}, (0.05, 0.05))
    assert test.p is not None and test.p > 0.1


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({0: 0.5, 1: 0.25}, {0: 0.5, 1: 0.25}, PairedTest(2, 0.0, 0.0, 1.0)),
        ({0: 0.75, 1: 0.5}, {0: 0.5, 1: 0.25}, PairedTest(2, 0.25, 0.0, None)),
        ({0: 0.75, 1: 0.5}, {1: 0.25, 2: 0.9}, PairedTest(1, 0.25, None, None)),
        ({0: 0.75}, {1: 0.25}, PairedTest(0, None, None, None)),
    ],
)
def test_where_there_is_no_spread_there_is_no_p(
    first: dict[int, float], second: dict[int, float], expected: PairedTest
):
    assert paired_test(first, second) == expected


def test_equal_differences_have_no_spread_though_they_are_rounded():
    first = {seed: 0.1 * seed + 0.3 for seed in range(3)}
    test = paired_test(first, {seed: 0.1 * seed for seed in range(3)})
    assert (test.deviation, test.p) == (0.0, None)


def test_seeds_that_both_have_are_paired():
    test = paired_test({0: 0.75, 1: 0.5, 5: 0.1}, {5: 0.0, 1: 0.25, 0: 0.5, 9: 1.0})
    assert test.n == 3 and test.difference == pytest.approx(0.2)
    assert test.p == pytest.approx(ttest_rel([0.75, 0.5, 0.1], [0.5, 0.25, 0.0]).pvalue)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=2, max_size=8),
    st.sampled_from([0.05, 0.01, 0.2]),
)
def test_p_is_below_the_level_where_the_interval_excludes_0(pairs: list, level: float):
    first, second = np.array(pairs).T / 20
    test = paired_test(dict(enumerate(first)), dict(enumerate(second)), (0.05, 0.05))
    ends = test.interval(level)
    assert ends is not None and test.p is not None
    assume(abs(test.p - level) > 1e-9)
    assert (test.p < level) == (ends[0] > 0 or ends[1] < 0)


@pytest.mark.parametrize("examples", [20, 150, 5000, 60_000])
def test_the_step_is_read_off_the_accuracies(examples: int):
    counts = [examples - 1, examples // 3, examples // 2 + 1]
    assert step_of([count / examples for count in counts]) == 1 / examples


def test_the_step_is_never_too_small():
    assert step_of([2 / 20, 4 / 20]) == 1 / 10
    assert step_of([]) == step_of([1.0, 0.0]) == 1.0


Pair = tuple[np.ndarray, np.ndarray]


def of_examples(examples: int, p: float, shared: float) -> Callable[..., Pair]:
    """Numbers of examples right, of which a share is the same in both runs of a seed."""
    same = round(shared * examples)

    def draw(random: np.random.Generator, shape: tuple[int, int]) -> Pair:
        common = random.binomial(same, p, shape)
        first, second = random.binomial(examples - same, p, (2, *shape))
        return (common + first) / examples, (common + second) / examples

    return draw


def in_steps(deviation: float) -> Callable[..., Pair]:
    """Accuracies over a thousand examples whose seeds deviate by so many steps."""

    def draw(random: np.random.Generator, shape: tuple[int, int]) -> Pair:
        middle = 500 + random.random((shape[0], 1))
        first, second = np.rint(middle + deviation * random.standard_normal((2, *shape))) / 1000
        return first, second

    return draw


def losses(name: str, shared: float, *arguments: float) -> Callable[..., Pair]:
    """Losses of this distribution, correlated by a part that both runs of a seed share."""

    def draw(random: np.random.Generator, shape: tuple[int, int]) -> Pair:
        common, first, second = getattr(random, name)(*arguments, size=(3, *shape))
        return shared * common + first, shared * common + second

    return draw


def null_cases() -> Iterator[tuple[str, float, Callable[..., Pair]]]:
    """Pairs of equally good settings: a name, the step of their figures, and what draws them."""
    for examples in (20, 100, 10_000):
        for p in (0.5, 0.95):
            for shared in (0.0, 0.9):
                case = f"{examples} examples, {p}, {shared} shared"
                yield case, 1 / examples, of_examples(examples, p, shared)
    for deviation in (0.3, 0.5, 0.7, 1.0, 2.0):
        yield f"{deviation} steps", 1 / 1000, in_steps(deviation)
    yield "normal", 0.0, losses("normal", 0.0)
    yield "normal, shared", 0.0, losses("normal", 2.0)
    yield "exponential", 0.0, losses("exponential", 1.0)
    yield "lognormal", 0.0, losses("lognormal", 0.0, 0.0, 1.0)
    yield "uniform", 0.0, losses("random", 0.0)


@pytest.mark.parametrize("n", SEEDS)
def test_equally_good_settings_differ_in_no_more_than_5_percent_of_sweeps(n: int):
    random = np.random.default_rng(n)
    levels = {}
    for name, step, draw in null_cases():
        first, second = draw(random, (TRIALS, n))
        _, _, p = t_test(first - second, 2 * step**2 / 12)
        levels[name] = np.mean(p < 0.05)
    assert max(levels.values()) <= LEVEL, max(levels, key=lambda name: levels[name])


@pytest.mark.parametrize(("examples", "p"), [(20, 0.5), (20, 0.9), (100, 0.9)])
def test_the_level_holds_where_the_step_is_read_off_the_figures(examples: int, p: float):
    random, wrong, trials = np.random.default_rng(0), 0, 4000
    for counts in random.binomial(examples, p, (trials, 2, 2)):
        first, second = (dict(enumerate(each.tolist())) for each in counts / examples)
        step = step_of([*first.values(), *second.values()])
        test = paired_test(first, second, (step, step))
        wrong += test.p is not None and test.p < 0.05
    assert wrong / trials < 0.055


def test_the_seeds_needed_give_the_power_that_is_promised():
    test = PairedTest(3, 0.01, 0.012, 0.2)
    needed = test.seeds_needed()
    assert needed is not None

    def power(n: int) -> Any:
        drawn = np.random.default_rng(1).normal(0.01, 0.012, (100_000, n))
        return np.mean(t_test(drawn, 0.0)[2] < 0.05)

    assert power(needed) == pytest.approx(0.8, abs=0.07)
    assert power(needed) > 0.79 > power(needed - 1)


@pytest.mark.parametrize(
    ("difference", "deviation", "needed"),
    [(1.0, 1e-9, 2), (0.001, 1.0, None), (0.0, 1.0, None), (1.0, 0.0, None), (1.0, None, None)],
)
def test_how_many_seeds_are_needed(difference: float, deviation: Any, needed: int | None):
    assert PairedTest(2, difference, deviation, 0.5).seeds_needed() == needed


def test_holms_correction_by_hand():
    # the least times 3, the next times 2, the last times 1, none below what came before it
    corrected = holm([0.02, 0.01, 0.9])
    assert [p for p, _ in corrected] == pytest.approx([0.04, 0.03, 0.9])
    assert [factor for _, factor in corrected] == [2, 3, 1]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_a_corrected_p_agrees_with_its_factor(p: list[float]):
    for single, (corrected, factor) in zip(p, holm(p), strict=True):
        assert single <= corrected <= 1
        assert (corrected < 0.05) == (single * factor < 0.05)
