"""Which chosen numbers lie at the edge of what there was to choose from."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from optrun.sweeps.results.comparison import compare
from optrun.sweeps.results.edges import edges
from optrun.sweeps.space.candidates import Point
from optrun.sweeps.space.distributions import (
    Choice,
    Distribution,
    Integer,
    LogUniform,
    Uniform,
)
from tests.sweeps.results.rows import Figures, rows

NAME, LR = "optimizer.name", "optimizer.lr"
SEARCHES = range(1000, 1300)


def found(figures: Figures, *points: Point, keys: tuple[str, ...] = (NAME, LR)) -> list[Any]:
    """The edges of adam's best setting: the key, the end, and whether that is the upper one."""
    comparison = compare(rows(figures, keys), keys, "val_accuracy", points)
    group = next(group for group in comparison.groups if group.label in ("adam", ""))
    return [(edge.key, edge.end, edge.largest) for edge in edges(comparison, group)]


@pytest.mark.parametrize(
    ("listed", "chosen", "expected"),
    [
        ([0.1, 0.2, 0.3], 0.3, (0.3, True)),
        ([0.3, 0.2, 0.1], 0.1, (0.1, False)),
        ([0.1, 0.2, 0.3], 0.2, None),
        ([0.1, 0.29, 0.3], 0.29, None),
        ([0.0, 0.5], 0.0, None),
        ([0.0, 0.5], 0.5, (0.5, True)),
        ([-1.0, 0.0], -1.0, (-1.0, False)),
        ([0.1], 0.1, None),
        ([8, 64], 64, (64, True)),
    ],
)
def test_the_ends_of_what_is_listed(
    listed: list[float], chosen: float, expected: tuple[float, bool] | None
):
    figures = {("adam", lr): [0.9 if lr == chosen else 0.5] for lr in listed}
    figures |= {("sgd", lr): [0.1] for lr in (-9.0, 9.0)}  # another group's range is not adam's
    assert found(figures) == ([(LR, *expected)] if expected else [])


@pytest.mark.parametrize("tried", ["as a row", "as a point", "as a point of another group"])
def test_what_is_listed_and_not_yet_tried_is_in_the_range(tried: str):
    figures: dict[Any, list[Any]] = {("adam", 0.1): [0.5], ("adam", 0.2): [0.9]}
    figures |= {("sgd", 0.1): [0.1]}
    points = [Point(0, {NAME: "adam" if tried == "as a point" else "sgd", LR: 99.0})]
    if tried == "as a row":
        figures[("adam", 99.0)] = ["waiting"]
    assert found(figures, *points) == ([(LR, 0.2, True)] if "another" in tried else [])


@pytest.mark.parametrize(
    ("distribution", "chosen", "expected"),
    [
        (Uniform(0.1, 0.3), 0.29, (0.3, True)),
        (Uniform(0.1, 0.3), 0.289, None),
        (Uniform(0.1, 0.3), 0.11, (0.1, False)),
        (Uniform(0.1, 0.3), 0.2, None),  # the largest drawn, in the middle of what could be
        (Uniform(0.0, 0.5), 0.01, None),
        (LogUniform(1e-4, 1.0), 1.5e-4, (1e-4, False)),  # 0.044 of the way in logarithms
        (LogUniform(1e-4, 1.0), 1.6e-4, None),  # 0.051
        (LogUniform(1.0, 4.0), 3.75, (4.0, True)),  # 0.953; linear it would be 0.917
        (Uniform(1.0, 100.0), 3.0, (1.0, False)),  # 0.02 of the way, though not in logarithms
        (Integer(1, 80), 80, (80, True)),
        (Integer(1, 80), 74, None),
        (Choice((0.1, 0.2, 0.3)), 0.3, (0.3, True)),
        (Choice((0.1, 0.2, 0.3)), 0.2, None),
    ],
)
def test_the_ends_of_what_it_is_drawn_from(
    distribution: Distribution, chosen: float, expected: tuple[float, bool] | None
):
    other = Point(1, {NAME: "sgd"}, {LR: Uniform(-1e6, 1e6)})
    draws = {distribution.quantile(share) for share in np.linspace(0.1, 0.9, 20)}
    figures: dict[Any, list[float]] = {("adam", draw): [0.5] for draw in draws}
    figures |= {("adam", chosen): [0.9], ("sgd", 0.1): [0.1]}
    point = Point(0, {NAME: "adam"}, {LR: distribution})
    assert found(figures, other, point) == ([(LR, *expected)] if expected else [])


@pytest.mark.parametrize(
    ("draws", "chosen", "is_edge"),
    [
        (2, 0.34, False), (2, 0.33, True),
        (4, 0.79, False), (4, 0.81, True),
        (9, 0.11, False), (9, 0.09, True),
        (19, 0.94, False), (19, 0.951, True),
        (60, 0.06, False), (60, 0.04, True),
    ],
)  # fmt: skip
def test_of_few_draws_more_of_the_range_is_edge(draws: int, chosen: float, is_edge: bool):
    others = np.linspace(0.4, 0.6, draws - 1)
    figures: dict[Any, list[Any]] = {(float(other) + 1,): [0.5] for other in others}
    figures |= {(chosen + 1,): [0.9], (1.999,): ["waiting"]}
    point = Point(0, {}, {LR: Uniform(1.0, 2.0)})
    assert bool(found(figures, point, keys=(LR,))) == is_edge


def alarms(draws: int, accuracy: Callable[[float, np.random.Generator], float]) -> float:
    """In which share of random searches the best of a loguniform range lies at its edge."""
    point = Point(0, {}, {LR: LogUniform(1e-4, 1.0)})
    count = 0
    for seed in SEARCHES:
        noise = np.random.default_rng(seed)
        lrs = [point.draw(draw, seed).settings[LR] for draw in range(draws)]
        figures = {(lr,): [accuracy(np.log10(lr) / -4, noise)] for lr in lrs}
        count += bool(found(figures, point, keys=(LR,)))
    return count / len(SEARCHES)


@pytest.mark.parametrize(("draws", "level"), [(4, 0.4), (9, 0.2), (19, 0.1), (30, 0.1)])
def test_false_alarms_are_as_frequent_as_is_said(draws: int, level: float):
    rate = alarms(draws, lambda share, noise: noise.random())
    assert rate == pytest.approx(level, abs=3 * (level * (1 - level) / len(SEARCHES)) ** 0.5)


@pytest.mark.parametrize("draws", [4, 9, 19, 30])
def test_a_search_that_improves_up_to_the_end_is_found_out(draws: int):
    """If the outermost draw is at the edge: in more than 6 of 10 searches."""
    power = 1 - (1 - max(0.05, 1 / (draws + 1))) ** draws
    rate = alarms(draws, lambda share, noise: 0.9 - 0.5 * share)
    assert rate == pytest.approx(power, abs=3 * (power * (1 - power) / len(SEARCHES)) ** 0.5)
    assert power > 0.59


@pytest.mark.parametrize(("inner", "expected"), [(0.9, []), (0.89, [(LR, 0.3, True)])])
@pytest.mark.parametrize("drawn", [False, True])
def test_an_inner_number_that_does_as_well_is_not_beyond_the_edge(
    inner: float, expected: list[Any], drawn: bool
):
    figures = {(0.3,): [0.9], (0.2,): [inner], (0.1,): [0.5]}
    points = [Point(0, {}, {LR: Uniform(0.1, 0.3)})] if drawn else []
    assert found(figures, *points, keys=(LR,)) == expected


def test_where_both_ends_do_as_well_neither_is_an_edge():
    assert found({(0.3,): [0.9], (0.2,): [0.5], (0.1,): [0.9]}, keys=(LR,)) == []


def test_a_group_without_a_figure_has_no_edges():
    assert found({("adam", 0.1): ["diverged"], ("adam", 0.2): ["diverged"]}) == []
