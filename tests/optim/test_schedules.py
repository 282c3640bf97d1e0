"""Schedules and warmups: the whole curve against PyTorch and against closed forms."""

import json
import math

import numpy as np
import pytest

from optrun.optim.plateau import Plateau
from optrun.optim.schedules import SCHEDULES, learning_rates
from optrun.optim.warmup import WARMUPS, LinearWarmup, Warmup
from tests.programs import make_config, make_program
from tests.torch_reference import curves
from tests.toys import toy_data

STORED = json.loads(curves.FILE.read_text())
PER_EPOCH, TOTAL, LR = 10, 200, 0.3

CURVES = {
    "constant": ({}, lambda t, total: LR),
    "step": ({"every": "3 epochs", "gamma": 0.5}, lambda t, total: LR * 0.5 ** (t // 30)),
    "piecewise": (
        {"milestones": ["15 steps", "4 epochs", "50%"], "factors": [0.5, 2.0, 0.01]},
        lambda t, total: (
            LR * (0.01 if t >= total / 2 else 2.0 if t >= 40 else 0.5 if t >= 15 else 1.0)
        ),
    ),
    "exponential": (
        {"gamma": 0.9, "every": "1 epochs"},
        lambda t, total: LR * math.exp(math.log(0.9) * t / 10),
    ),
    "natural_exponential": (
        {"beta": 0.3, "every": "2 epochs"},
        lambda t, total: LR * math.exp(-0.3) ** (t / 20),
    ),
    "inverse_time": ({"beta": 0.02}, lambda t, total: LR / (1 + t / 50)),
    "inverse_sqrt": ({"offset": "3 epochs"}, lambda t, total: LR * math.sqrt(30 / (t + 30))),
    "linear": ({"min": 0.1}, lambda t, total: LR - (LR - 0.1) * t / total),
    "polynomial": (
        {"power": 3.0, "over": "50%", "min": 0.1},
        lambda t, total: 0.1 + 0.2 * max(1 - 2 * t / total, 0) ** 3,
    ),
    "cosine": (
        {"over": "120 steps", "min": 0.05},
        lambda t, total: 0.05 + 0.25 * math.cos(math.pi * min(t, 120) / 240) ** 2,
    ),
    "warm_restarts": (
        {"period": "2 epochs", "t_mult": 3, "min": 0.1},
        lambda t, total: 0.1 + 0.2 * math.cos(math.pi * restarted(t) / 2) ** 2,
    ),
    "cyclic": (
        {"min": 0.1, "up": "2 epochs", "mode": "triangular2"},
        lambda t, total: 0.1 + 0.2 * (1 - abs(t / 20 - 2 * (t // 40) - 1)) / 2 ** (t // 40),
    ),
    "one_cycle": (
        {"up": "4 epochs", "anneal": "linear", "div_factor": 10.0, "final_div_factor": 5.0},
        lambda t, total: np.interp(t, [0, 39, total - 1], [LR / 10, LR, LR / 50]),
    ),
    "warmup_stable_decay": (
        {"warmup": "10 steps", "decay": "4 epochs", "shape": "sqrt", "min": 0.1},
        lambda t, total: (
            LR * (t + 1) / 10 if t < 10 else LR - 0.2 * math.sqrt(max(t - total + 40, 0) / 40)
        ),
    ),
    "plateau": ({}, lambda t, total: LR),
}
"""section: the rate at step t counted from 0, in a schedule over `total` steps."""

CLIMBS = {
    "constant": ({"factor": 0.25}, lambda t, steps: 0.25),
    "linear": ({"start": 0.2}, lambda t, steps: 0.2 + 0.8 * t / steps),
    "exponential": ({"start": 0.05}, lambda t, steps: math.exp(math.log(0.05) * (1 - t / steps))),
}
"""section: the share of the rate at step t counted from 1, in a warmup of so many steps."""


def restarted(t: int) -> float:
    """The share of the cosine gone by, of cosines of 20, 60 and 180 steps."""
    for period in (20, 60, 180):
        if t < period:
            return t / period
        t -= period
    raise ValueError(t)


def rates(name: str, fields: dict, warmup: Warmup | None = None) -> np.ndarray:
    return learning_rates(LR, SCHEDULES[name](name=name, **fields), warmup, PER_EPOCH, TOTAL)


def test_every_schedule_and_warmup_has_a_curve():
    assert set(CURVES) == set(SCHEDULES)
    assert set(CLIMBS) == set(WARMUPS)


@pytest.mark.parametrize("name", CURVES)
def test_curve_equals_its_closed_form(name):
    fields, curve = CURVES[name]
    expected = [curve(t, TOTAL) for t in range(TOTAL)]
    np.testing.assert_allclose(rates(name, fields), expected, rtol=1e-12)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("warmup", CLIMBS)
@pytest.mark.parametrize(
    ("duration", "steps"), [("40 steps", 40), ("4 epochs", 40), ("20%", 40), (0.2, 40), (0, 0)]
)
def test_warmup_climbs_to_the_rate_and_the_schedule_follows(name, warmup, duration, steps):
    fields, curve = CURVES[name]
    more, climb = CLIMBS[warmup]
    got = rates(name, fields, WARMUPS[warmup](name=warmup, duration=duration, **more))
    assert len(got) == TOTAL
    rising = [LR * climb(t, steps) for t in range(1, steps + 1)]
    first = 1 if steps and SCHEDULES[name].begins_in_warmup else 0
    rest = [curve(first + t, TOTAL - steps) for t in range(TOTAL - steps)]
    np.testing.assert_allclose(got, rising + rest, rtol=1e-12)


def torch_cases():
    """(case, warmup) of every stored curve."""
    yield from ((case, None) for case in curves.SCHEDULES)
    yield from ((case, warmup) for warmup in curves.WARMUPS for case in curves.behind_warmups())


@pytest.mark.parametrize(("case", "warmup"), torch_cases())
def test_curve_equals_pytorch(case, warmup):
    """Behind a warmup, that of SequentialLR."""
    section, _ = curves.SCHEDULES[case]
    climb = WARMUPS[warmup](**curves.WARMUPS[warmup][0]) if warmup else None
    schedule = SCHEDULES[section["name"]](**section)
    got = learning_rates(curves.LR, schedule, climb, curves.STEPS_PER_EPOCH, curves.STEPS)
    np.testing.assert_allclose(got, STORED[f"{warmup or 'schedule'}/{case}"], rtol=1e-10)


@pytest.mark.parametrize("steps", [1, 4, 40])
def test_inverse_sqrt_behind_as_long_a_warmup_is_the_transformers_schedule(steps):
    """d^(−½)·min(step^(−½), step·w^(−3/2)), Vaswani et al. 2017, scaled to LR at step w."""
    warmup = LinearWarmup(duration=f"{steps} steps")
    got = rates("inverse_sqrt", {"offset": f"{steps} steps"}, warmup)
    step = np.arange(1, TOTAL + 1)
    expected = LR * np.sqrt(steps) * np.minimum(step**-0.5, step * steps**-1.5)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "fields", "variants"),
    [
        ("step", {}, {"every": ["30 steps", "3 epochs", 0.15]}),
        ("piecewise", {"factors": [0.1]}, {"milestones": [["30 steps"], ["3 epochs"], ["15%"]]}),
        ("exponential", {"gamma": 0.5}, {"every": ["30 steps", "3 epochs", 0.15]}),
        ("natural_exponential", {"beta": 0.5}, {"every": ["30 steps", "3 epochs", 0.15]}),
        ("inverse_time", {"beta": 0.5}, {"every": ["30 steps", "3 epochs", 0.15]}),
        ("inverse_sqrt", {}, {"offset": ["30 steps", "3 epochs", 0.15]}),
        ("linear", {}, {"over": ["30 steps", "3 epochs", 0.15]}),
        ("polynomial", {"power": 2.0}, {"over": ["30 steps", "3 epochs", 0.15]}),
        ("cosine", {}, {"over": ["30 steps", "3 epochs", 0.15]}),
        ("warm_restarts", {}, {"period": ["30 steps", "3 epochs", 0.15]}),
        ("cyclic", {"min": 0.1}, {"up": ["30 steps", "3 epochs", 0.15]}),
        ("cyclic", {"min": 0.1, "up": "9 steps"}, {"down": ["30 steps", "3 epochs", 0.15]}),
        ("one_cycle", {}, {"up": ["30 steps", "3 epochs", 0.15]}),
        ("warmup_stable_decay", {}, {"warmup": ["30 steps", "3 epochs", 0.15]}),
        ("warmup_stable_decay", {}, {"decay": ["30 steps", "3 epochs", 0.15]}),
    ],
)
def test_steps_epochs_and_shares_of_the_run_are_the_same_time(name, fields, variants):
    ((key, values),) = variants.items()
    in_steps, in_epochs, as_share = (rates(name, fields | {key: value}) for value in values)
    np.testing.assert_array_equal(in_steps, in_epochs)
    np.testing.assert_array_equal(in_steps, as_share)
    assert len(set(in_steps)) > 1


@pytest.mark.parametrize(
    ("shape", "middle"),
    [("linear", 0.5), ("cosine", 0.5), ("sqrt", 1 - math.sqrt(0.5))],
)
def test_shapes_of_the_final_fall(shape, middle):
    got = rates("warmup_stable_decay", {"warmup": 0, "decay": "40 steps", "shape": shape})
    np.testing.assert_allclose(got[[0, 159, 160, 180]], [LR, LR, LR, LR * middle])
    assert (np.diff(got[160:]) < 0).all()
    assert got[-1] > 0


def test_a_cycle_may_be_as_uneven_as_one_likes():
    fields = {"min": 0.1, "up": "1 steps", "down": "3 steps"}
    expected = [0.1, 0.3, 0.1 + 0.4 / 3, 0.1 + 0.2 / 3] * 50
    np.testing.assert_allclose(rates("cyclic", fields), expected)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("total", [1, 3])
@pytest.mark.parametrize("warmup", [None, *CLIMBS])
def test_the_first_step_never_has_rate_0(name, total, warmup):
    bare = {key: value for key, value in CURVES[name][0].items() if key != "min"}
    schedule = SCHEDULES[name](name=name, **bare | ({"min": 1e-9} if name == "cyclic" else {}))
    climb = WARMUPS[warmup](name=warmup, duration="1 steps") if warmup else None
    assert learning_rates(LR, schedule, climb, 1, total)[0] > 0


@pytest.mark.parametrize("name", CURVES)
def test_a_run_of_no_steps_has_no_rates(name):
    fields, _ = CURVES[name]
    schedule = SCHEDULES[name](name=name, **fields)
    assert learning_rates(LR, schedule, LinearWarmup(duration=0.1), PER_EPOCH, 0).shape == (0,)


@pytest.mark.parametrize("case", curves.PLATEAUS)
def test_cuts_at_a_plateau_equal_pytorch(case):
    section, _ = curves.PLATEAUS[case]
    expected, values = STORED[f"plateau/{case}"], curves.watched(section)
    plateau, per_epoch = Plateau(**section), 3
    planned = np.full(per_epoch * len(expected), curves.LR)
    for epochs in range(len(expected)):
        rates = plateau.cut_rates(planned, values[:epochs], per_epoch)
        np.testing.assert_allclose(
            rates[: per_epoch * (epochs + 1)], np.repeat(expected[: epochs + 1], per_epoch), 1e-12
        )
    assert len(set(expected)) > 2


def test_a_loss_below_0_improves_by_falling_too():
    assert Plateau(patience=0, threshold=0.1).cuts([-1.0, -1.05, -0.95, -1.2]) == [2, 3]


def test_epochs_without_a_value_are_not_counted():
    values = [3.0, 3.0, 3.0, 2.0, 2.0, 2.0]
    cuts = Plateau(patience=1).cuts(values)
    assert Plateau(patience=1).cuts([None, None, *values]) == [epoch + 2 for epoch in cuts] != []


def test_a_rate_that_climbs_is_cut_as_well_and_may_be_below_the_least_rate():
    planned = np.array([0.01, 0.02, 0.04, 0.08, 0.08])
    cut = Plateau(patience=0, factor=0.5, min=0.03).cut_rates(planned, [1.0, 1.0, 1.0], 1)
    np.testing.assert_allclose(cut, [0.01, 0.02, 0.03, 0.03, 0.03])


@pytest.mark.parametrize(("batch_size", "share"), [(6, 0.5), (12, 1.0), (30, 2.5), ("full", 2.5)])
@pytest.mark.parametrize("scheduler", ["constant", "cosine"])
def test_linear_scaling_multiplies_the_whole_curve(batch_size, share, scheduler):
    plain, scaled = (
        make_program(
            make_config(
                training={"epochs": 4, "batch_size": batch_size, "best_by": "last"},
                scheduler=scheduler,
                warmup={"name": "linear", "duration": "1 epochs"},
                linear_scaling=reference,
            ),
            *toy_data(),
        ).rates
        for reference in (None, 12)
    )
    np.testing.assert_allclose(scaled, share * plain, rtol=1e-12)
