"""Each setting against the best: which are compared, how it is corrected, and false winners."""

from typing import Any

import numpy as np
import pytest

from optrun.sweeps.results.comparison import Comparison, compare
from optrun.sweeps.results.contrasts import contrasts, lead, resolutions
from optrun.sweeps.results.significance import paired_test
from tests.sweeps.results.rows import Figures, rows

LR = "optimizer.lr"


def compared(figures: Figures, keys: tuple[str, ...] = (LR,), **options: Any) -> Comparison:
    metric = options.pop("metric", "val_accuracy")
    return compare(rows(figures, keys, metric), keys, metric, **options)


THREE: Figures = {(0.1,): [0.90, 0.92, 0.91], (0.2,): [0.85, 0.86, 0.86],
                  (0.3,): [0.89, 0.90, 0.92]}  # fmt: skip


def test_every_other_setting_is_compared_with_the_best():
    comparison = compared(THREE)
    against = {c.setting.settings[LR]: c for c in contrasts(comparison).values()}
    assert {c.other for c in against.values()} == {comparison.leader}
    steps = (0.01, 0.01)
    single = {
        lr: paired_test(dict(enumerate(THREE[lr,])), dict(enumerate(THREE[0.1,])), steps)
        for lr in (0.2, 0.3)
    }
    assert {lr: c.test for lr, c in against.items()} == single
    assert single[0.2].p and single[0.3].p
    assert against[0.2].p == pytest.approx(2 * single[0.2].p)
    assert against[0.3].p == pytest.approx(max(2 * single[0.2].p, single[0.3].p))
    assert all(c.tests == 2 for c in against.values())


@pytest.mark.parametrize("seed", range(30))
def test_a_corrected_p_below_5_percent_is_an_interval_without_0(seed: int):
    random = np.random.default_rng(seed)
    figures = {
        (float(i),): (random.binomial(100, 0.6 + 0.05 * i, 4) / 100).tolist() for i in range(5)
    }
    for contrast in contrasts(compared(figures)).values():
        ends = contrast.interval
        assert ends is not None and contrast.p is not None
        assert (contrast.p < 0.05) == (ends[0] > 0 or ends[1] < 0) == contrast.significant


def test_settings_that_were_not_trained_as_far_are_not_compared():
    figures = {**THREE, (0.4,): [0.99, "diverged", 0.99], (0.5,): ["failed"] * 3}
    assert [c.setting.settings[LR] for c in contrasts(compared(figures)).values()] == [0.3, 0.2]


def test_settings_with_other_data_have_steps_of_their_own():
    figures: Figures = {(100, 0.1): [0.85, 0.86], (100, 0.2): [0.9, 0.7],
                        (20, 0.1): [0.85, 0.8]}  # fmt: skip
    comparison = compared(figures, ("dataset.validation", LR))
    steps = {tuple(s.settings.values()): step for s, step in resolutions(comparison).items()}
    assert steps == {(100, 0.1): 0.01, (100, 0.2): 0.01, (20, 0.1): 0.05}
    losses = compared({(0.1,): [0.25], (0.2,): [0.5]}, metric="val_loss")
    assert {*resolutions(losses).values()} == {0.0}


@pytest.mark.parametrize(
    ("figures", "options", "holds"),
    [
        (THREE, {}, False),
        ({(0.1,): [0.90, 0.92, 0.91], (0.2,): [0.7, 0.71, 0.71]}, {}, True),
        ({(0.1,): [0.9], (0.2,): [0.1]}, {}, False),
        ({(0.1,): [0.9], (0.2,): [0.1]}, {"depends_on_seed": False}, True),
        ({(0.1,): [0.9], (0.2,): [0.9]}, {"depends_on_seed": False}, False),
        ({(0.1,): [0.3, 0.32, 0.31, "waiting"], (0.2,): [0.7, 0.71, 0.71, "diverged"]}, {}, False),
    ],
)
def test_a_lead_holds_if_it_is_significant_or_no_seed_can_change_it(
    figures: Figures, options: dict[str, Any], holds: bool
):
    comparison = compared(figures, **options)
    found = lead(comparison, contrasts(comparison))
    assert found is not None and found.holds == holds


@pytest.mark.parametrize("settings", [2, 6])
@pytest.mark.parametrize("seeds", [2, 4])
def test_of_equally_good_settings_a_winner_is_rarely_found(settings: int, seeds: int):
    random, sweeps, wrong = np.random.default_rng(seeds), 400, 0
    for _ in range(sweeps):
        counts = random.binomial(100, 0.9, (settings, seeds)) / 100
        figures = {(float(i),): each.tolist() for i, each in enumerate(counts)}
        comparison = compared(figures)
        found = lead(comparison, contrasts(comparison))
        wrong += found is not None and found.holds
    assert wrong / sweeps <= 0.055
