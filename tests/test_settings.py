"""What tells runs apart: labels, their order, and how they fit a legend."""

from typing import Any

import pytest

from optrun.settings import differences, distinguish, natural_order
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
        (
            [{"optimizer__lr": 0.031622776}, {"optimizer__lr": 0.12346}, {"optimizer__lr": 0.1}],
            ["lr=0.0316", "lr=0.123", "lr=0.1"],
        ),
        (
            [{"optimizer__beta1": 0.99946}, {"optimizer__beta1": 0.99952}],
            ["beta1=0.99946", "beta1=0.99952"],
        ),
        (
            [{"optimizer__beta1": 0.99995}, {"optimizer__beta1": 0.9}],
            ["beta1=0.99995", "beta1=0.9"],
        ),
        ([{"model__hidden": [0.123456]}, {}], ["hidden=[0.123]", "hidden=[64]"]),
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


def test_what_changes_no_result_is_left_out():
    assert labels({"training__log_every": 5, "name": "a"}, {}) == ["run-0", "run-1"]
    assert labels({"training__log_every": 5}, {"seed": 2}) == ["seed=0", "seed=2"]


@pytest.mark.parametrize("backwards", [False, True])
def test_keys_come_in_the_order_of_the_config_whichever_run_is_first(backwards: bool):
    configs = [
        resolved_config(optimizer=SGD, training__epochs=3),
        resolved_config(optimizer__eps=1e-3, regularization__l2=0.5, warmup=WARMUP),
        resolved_config(optimizer__beta1=0.5, seed=7),
    ]
    expected = [
        "seed=0, sgd, lr=0.1, warmup=none, l2=0, epochs=3",
        "seed=0, adam, lr=0.001, beta1=0.9, eps=0.001, warmup=linear, l2=0.5, epochs=10",
        "seed=7, adam, lr=0.001, beta1=0.5, eps=1e-08, warmup=none, l2=0, epochs=10",
    ]
    step = -1 if backwards else 1
    assert differences(configs[::step]) == expected[::step]


@pytest.mark.parametrize(
    "ordered",
    [
        [{"optimizer__lr": lr} for lr in (1e-5, 0.002, 0.5, 5.0, 10.0)],
        [{"optimizer": {"name": name, "lr": lr}} for name in ("adam", "sgd") for lr in (0.01, 0.1)],
        [{"model__hidden": hidden} for hidden in ([], [8], [64], [64, 8], [512])],
        [{"training__batch_size": size} for size in (8, 64, 128, "full")],
        [{"training__early_stopping": None}, {"training__early_stopping": {"patience": 3}}],
        [{"name": f"run-{i}"} for i in (1, 2, 10)],
    ],
)
def test_runs_are_put_in_order_by_what_differs(ordered: list[dict]):
    configs = [resolved_config(**settings) for settings in ordered]
    shuffled = configs[1::2] + configs[::2]
    order = natural_order(shuffled, [config["name"] for config in shuffled])
    assert [shuffled[i] for i in order] == configs
