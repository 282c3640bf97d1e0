"""What runs are called in pictures."""

from typing import Any

import pytest

from optrun.viz.labels import axis_label, describe, distinguish, loss_label
from tests.runs_factory import COSINE, SGD, resolved_config

MOMENTUM = {"name": "momentum", "lr": 0.1, "momentum": 0.9, "clipping": None}
HALF = MOMENTUM | {"momentum": 0.5}
LINEAR = {"name": "linear"}
WARMUP = {"name": "linear", "duration": "10%", "start": 0.0}
CLIPPING = {"by_norm": 1.0, "by_value": None}


def labels(*settings: dict[str, Any]) -> list[str]:
    configs = [resolved_config(**setting) for setting in settings]
    return distinguish(configs, [f"run-{i}" for i in range(len(configs))])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([{"optimizer__lr": 0.001}, {"optimizer__lr": 1e-5}], ["lr=0.001", "lr=1e-05"]),
        ([{}, {"optimizer": SGD}], ["adam, lr=0.001", "sgd, lr=0.1"]),
        ([{"optimizer": SGD}, {"optimizer": MOMENTUM}], ["sgd", "momentum"]),
        (
            [{"optimizer": SGD}, {"optimizer": MOMENTUM}, {"optimizer": HALF}],
            ["sgd", "momentum, momentum=0.9", "momentum, momentum=0.5"],
        ),
        ([{"model": LINEAR}, {}], ["linear", "mlp"]),
        ([{"model__hidden": [8, 4]}, {}], ["hidden=[8, 4]", "hidden=[64]"]),
        ([{"scheduler": COSINE}, {}], ["scheduler=cosine", "scheduler=constant"]),
        ([{"warmup": WARMUP}, {}], ["warmup=linear", "warmup=none"]),
        ([{"optimizer__clipping": CLIPPING}, {}], ["by_norm=1", "clipping=none"]),
        ([{"loss": {"name": "hinge"}}, {}], ["loss=hinge", "loss=softmax"]),
        (
            [{"model__activation": {"name": "tanh"}}, {}],
            ["activation=tanh", "activation=relu"],
        ),
        ([{"regularization__l2": 0.0}, {"regularization__l2": 1.0}], ["l2=0", "l2=1"]),
        (
            [{"seed": 1, "optimizer": SGD}, {"seed": 2}],
            ["seed=1, sgd, lr=0.1", "seed=2, adam, lr=0.001"],
        ),
        (
            [{"training__epochs": 3, "name": "a"}, {"training__epochs": 5, "name": "b"}],
            ["epochs=3", "epochs=5"],
        ),
        ([{}, {}], ["run-0", "run-1"]),
        ([{}, {}, {"optimizer__lr": 1.0}], ["run-0", "run-1", "lr=1"]),
        ([{}], ["run-0"]),
    ],
)
def test_runs_are_told_apart_by_what_differs(settings: list[dict], expected: list[str]):
    assert labels(*settings) == expected


def test_a_key_that_two_sections_have_keeps_its_section():
    configs = [
        {"optimizer": {"decay": 1, "lr": 0.1}, "scheduler": {"decay": 1}},
        {"optimizer": {"decay": 2, "lr": 0.2}, "scheduler": {"decay": 3}},
    ]
    assert distinguish(configs, ["a", "b"]) == [
        "optimizer.decay=1, lr=0.1, scheduler.decay=1",
        "optimizer.decay=2, lr=0.2, scheduler.decay=3",
    ]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (resolved_config(), "glyphs · MLP 64 (relu) · adam, lr 0.001 · batch 128"),
        (
            resolved_config(model=LINEAR, optimizer=SGD, scheduler=COSINE),
            "glyphs · linear model · SGD, lr 0.1 · cosine schedule · batch 128",
        ),
        ({"model": "linear", "optimizer": "sgd"}, "linear model · SGD"),
        ({}, ""),
    ],
)
def test_a_run_is_described_in_words(config: dict, expected: str):
    assert describe(config) == expected


def test_axes_are_named_with_units():
    assert axis_label("val_accuracy") == "validation accuracy (%)"
    assert axis_label("seconds") == "training time (s)"
    assert axis_label("new_column") == "new column"
    assert loss_label({"loss": {"name": "softmax"}}) == "cross-entropy (nats)"
    assert loss_label({"loss": "hinge"}) == "hinge loss"
    assert loss_label({}) == "loss"
