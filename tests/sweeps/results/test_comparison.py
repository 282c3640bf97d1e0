"""Which settings do best, which groups there are, and what is tested how."""

from dataclasses import replace
from statistics import mean
from typing import Any

import numpy as np
import pytest

from optrun.sweeps.results.comparison import Comparison, compare, numeric_keys
from tests.sweeps.results.rows import Figures, row, rows

NAME, LR = "optimizer.name", "optimizer.lr"
KEYS = (NAME, LR)


def compared(figures: Figures, keys: tuple[str, ...] = KEYS, **options: Any) -> Comparison:
    metric = options.pop("metric", "val_accuracy")
    return compare(rows(figures, keys, metric), keys, metric, **options)


def best(comparison: Comparison) -> list[str | None]:
    return [group.best.label if group.best else None for group in comparison.groups]


def test_seeds_are_taken_together():
    comparison = compared({("adam", 0.1): [0.7, 0.8, 0.95], ("adam", 0.2): [0.8, 0.81, 0.82]})
    leader = comparison.leader
    assert leader is not None and leader.label == "lr=0.1"
    assert leader.mean == pytest.approx(mean([0.7, 0.8, 0.95]))
    assert leader.deviation == pytest.approx(np.std([0.7, 0.8, 0.95], ddof=1))
    assert dict(leader.figures) == {0: 0.7, 1: 0.8, 2: 0.95}


@pytest.mark.parametrize(
    ("metric", "wins"),
    [
        ("val_accuracy", 0.9),
        ("train_loss", 0.1),
        ("average_val_accuracy", 0.9),
        ("average_val_loss", 0.1),
    ],
)
def test_losses_are_better_the_lower(metric: str, wins: float):
    comparison = compared({("adam", v): [v] for v in (0.1, 0.9, 0.5)}, metric=metric)
    assert comparison.leader is not None and comparison.leader.settings[LR] == wins


@pytest.mark.parametrize(
    ("ranked", "why"),
    [
        ([[0.5, 0.5, 0.5], [0.9, 0.9, "diverged"]], "a seed diverged"),
        ([[0.5, 0.5, 0.5], [0.9, 0.9, "failed"]], "a seed failed"),
        ([[0.5, 0.5, 0.5], [0.9, 0.9, "waiting"]], "a seed has not begun"),
        ([[0.5, 0.5, 0.5], [0.9, 0.9]], "a seed is absent"),
        ([[0.5, 0.5, "waiting"], [0.9, 0.9, "diverged"]], "diverged is worse than not begun"),
        ([[0.1, 0.1, "diverged"], [0.9, "diverged", "diverged"]], "diverged more often"),
        ([[0.1, "failed", "failed"], ["waiting"] * 3], "nothing is worse than something"),
        ([[0.1, "failed", "failed"], ["diverged"] * 3], "nothing is worse than something"),
        ([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]], "ties keep their order"),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_settings_are_ranked_by_how_far_to_trust_them_first(
    ranked: list, why: str, backwards: bool
):
    figures = {("adam", float(i)): each for i, each in enumerate(ranked)}
    figures |= {("other", 1.0): [0.2, 0.2, 0.2]}  # all three seeds are there
    if backwards and "ties" not in why:
        figures = dict(reversed(figures.items()))
    group = next(g for g in compared(figures).groups if g.label == "adam")
    assert [setting.settings[LR] for setting in group.settings] == [0.0, 1.0], why


def test_a_diverged_run_adds_nothing_to_the_mean():
    comparison = compared({("adam", 0.1): [0.7, "diverged", 0.9]})
    leader = comparison.leader
    assert leader is not None and leader.bad == 1
    assert leader.mean == pytest.approx(0.8) and set(leader.figures) == {0, 2}


def test_paused_runs_are_not_complete_though_they_have_a_figure():
    keys = (LR,)
    listed = rows({(0.1,): [0.9], (0.2,): [0.5]}, keys)
    paused = replace(listed[0], status="paused")
    comparison = compare([paused, listed[1]], keys, "val_accuracy")
    assert [s.settings[LR] for s in comparison.settings] == [0.2, 0.1]
    assert comparison.settings[1].mean == 0.9
    assert comparison.rival is None, "it was not trained as far"


ADAM, SGD = {"name": "adam", "lr": 0.1}, {"name": "sgd", "lr": 0.2}


def test_sections_of_one_name_are_told_apart():
    sections = [{"name": "adam", "lr": lr} for lr in (0.01, 0.1)]
    listed = [row({"optimizer": each}, 0, 0.9, "val_accuracy") for each in sections]
    comparison = compare(listed, ("optimizer",), "val_accuracy")
    assert [setting.label for setting in comparison.settings] == ["lr=0.01", "lr=0.1"]


@pytest.mark.parametrize(
    ("keys", "values", "key", "labels"),
    [
        (KEYS, [("adam", 1.0), ("sgd", 1.0)], NAME, ["adam", "sgd"]),
        (("optimizer",), [("adam",), ("sgd",)], NAME, ["adam", "sgd"]),
        (("optimizer",), [(ADAM,), (SGD,), (SGD | {"lr": 0.3},)], NAME, ["adam", "sgd"]),
        (("optimizer",), [("lion",), (SGD,)], NAME, ["lion", "sgd"]),
        (("model.activation", *KEYS), [("relu", "adam", 1.0), ("tanh", "sgd", 1.0)], NAME,
         ["adam", "sgd"]),
        (("model.activation", LR), [("relu", 1.0), ("tanh", 1.0)], "model.activation",
         ["activation=relu", "activation=tanh"]),
        (("model.hidden", LR), [([8], 1.0), ([8, 8], 1.0)], "model.hidden",
         ["hidden=[8]", "hidden=[8, 8]"]),
        (("training.batch_size",), [(8,), (64,), ("full",)], None, [""]),
        (("optimizer.clipping.by_norm",), [(None,), (1.0,)], "optimizer.clipping.by_norm",
         ["by_norm=none", "by_norm=1"]),
        (("optimizer.nesterov",), [(False,), (True,)], "optimizer.nesterov",
         ["nesterov=false", "nesterov=true"]),
        ((*KEYS, "optimizer.momentum"), [("adam", 1.0, ...), ("adam", 1.0, "x")], None, [""]),
        (KEYS, [("adam", 1.0), ("adam", 2.0)], None, [""]),
        ((), [()], None, [""]),
    ],
)  # fmt: skip
def test_groups_share_what_is_no_number(
    keys: tuple[str, ...], values: list, key: str | None, labels: list[str]
):
    chosen = [{k: v for k, v in zip(keys, each, strict=True) if v is not ...} for each in values]
    listed = [row(each, 0, 0.9 - i / 10, "val_accuracy") for i, each in enumerate(chosen)]
    comparison = compare(listed, keys, "val_accuracy")
    assert comparison.key == key
    assert [group.label for group in comparison.groups] == labels
    assert sum(len(group.rows) for group in comparison.groups) == len(values)


def test_groups_come_best_first_and_those_without_a_figure_last():
    comparison = compared({
        ("lion", 1.0): ["diverged"], ("sgd", 0.1): [0.8],
        ("adam", 0.1): [0.9], ("adam", 1.0): [0.7],
    })  # fmt: skip
    assert best(comparison) == ["adam, lr=0.1", "sgd, lr=0.1", None]
    assert comparison.rival is not None and comparison.rival.label == "sgd, lr=0.1"


def test_with_one_group_the_rival_is_the_next_setting():
    comparison = compared({(0.1,): [0.7], (0.2,): [0.9], (0.3,): [0.8]}, (LR,))
    assert comparison.rival is not None and comparison.rival.settings[LR] == 0.3


def test_which_keys_are_numbers():
    values: list[dict[str, Any]] = [
        {"a": 1, "b": True, "c": None, "d": 8, "e": 1.0, "f": 3},
        {"a": 2, "b": False, "c": 1.0, "d": "full", "e": 1.0},
        {"a": 2, "b": False, "c": 1.0, "d": 16, "e": 1.0},
    ]
    assert numeric_keys(values) == ["a", "d"]


@pytest.mark.parametrize(
    ("wanted", "label"),
    [
        ({NAME: "sgd"}, "sgd, lr=0.2"),
        ({"optimizer": "sgd"}, "sgd, lr=0.2"),
        ({"optimizer": {"name": "sgd", "lr": 0.1}}, "sgd, lr=0.1"),
        ({NAME: "adam"}, None),
        ({NAME: "lion"}, None),
    ],
)
def test_the_baseline_is_the_best_that_has_the_values(wanted: dict[str, Any], label: str | None):
    figures: Figures = {("sgd", 0.1): [0.5], ("sgd", 0.2): [0.6], ("muon", 0.1): [0.9],
                        ("adam", 0.1): ["diverged"]}  # fmt: skip
    baseline = compared(figures, baseline=wanted).baseline
    assert (baseline.label if baseline else None) == label
