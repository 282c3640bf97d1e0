"""Schedules and warmup: the whole curve against PyTorch's recursions and closed forms."""

import math

import numpy as np
import pytest

from optrun.optim.schedules import SCHEDULES, learning_rates
from optrun.optim.warmup import LinearWarmup

PER_EPOCH, TOTAL, LR = 10, 200, 0.3

# section: the rate at step t counted from 0, T the steps after warmup
CURVES = {
    "constant": ({}, lambda t, total: LR),
    "step": ({"every": "3 epochs", "gamma": 0.5}, lambda t, total: LR * 0.5 ** (t // 30)),
    "exponential": (
        {"gamma": 0.9, "every": "1 epochs"},
        lambda t, total: LR * math.exp(math.log(0.9) * t / 10),
    ),
    "inverse_sqrt": ({}, lambda t, total: LR / math.sqrt(t + 1)),
    "linear": ({"min": 0.1}, lambda t, total: LR - (LR - 0.1) * t / total),
    "cosine": (
        {"over": "120 steps", "min": 0.05},
        lambda t, total: 0.05 + 0.25 * math.cos(math.pi * min(t, 120) / 240) ** 2,
    ),
}


def rates(name: str, fields: dict, warmup: LinearWarmup | None = None) -> np.ndarray:
    return learning_rates(LR, SCHEDULES[name](name=name, **fields), warmup, PER_EPOCH, TOTAL)


def test_every_schedule_has_a_curve():
    assert set(CURVES) == set(SCHEDULES)


@pytest.mark.parametrize("name", CURVES)
def test_curve_equals_its_closed_form(name):
    fields, curve = CURVES[name]
    expected = [curve(t, TOTAL) for t in range(TOTAL)]
    np.testing.assert_allclose(rates(name, fields), expected, rtol=1e-12)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize(
    ("duration", "steps"), [("40 steps", 40), ("4 epochs", 40), ("20%", 40), (0.2, 40), (0, 0)]
)
def test_warmup_climbs_to_the_rate_and_the_schedule_follows(name, duration, steps):
    fields, curve = CURVES[name]
    got = rates(name, fields, LinearWarmup(duration=duration))
    assert len(got) == TOTAL
    climb = [LR * (t + 1) / steps for t in range(steps)]
    rest = [curve(t, TOTAL - steps) for t in range(TOTAL - steps)]
    np.testing.assert_allclose(got, climb + rest, rtol=1e-12)
    assert got[0] > 0


def test_warmup_from_a_share_of_the_rate():
    got = rates("constant", {}, LinearWarmup(duration="4 steps", start=0.2))
    np.testing.assert_allclose(got[:5], [LR * f for f in (0.4, 0.6, 0.8, 1.0, 1.0)])


@pytest.mark.parametrize("name", CURVES)
def test_a_run_of_no_steps_has_no_rates(name):
    fields, _ = CURVES[name]
    schedule = SCHEDULES[name](name=name, **fields)
    assert learning_rates(LR, schedule, LinearWarmup(duration=0.1), PER_EPOCH, 0).shape == (0,)
