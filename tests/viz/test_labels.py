"""What runs are called in pictures."""

import pytest

from optrun.viz.labels import axis_label, describe, loss_label, wrapped
from tests.runs_factory import COSINE, SGD, resolved_config

LINEAR = {"name": "linear"}


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
    softmax, hinge = {"loss": {"name": "softmax"}}, {"loss": {"name": "hinge"}}
    assert axis_label("val_loss", [softmax] * 2) == "validation loss (cross-entropy, nats)"
    assert axis_label("loss", [hinge]) == "batch loss (hinge)"
    assert axis_label("val_loss", [softmax, hinge]) == "validation loss"
    assert axis_label("lr", [softmax]) == "learning rate"
    assert loss_label({"loss": {"name": "softmax"}}) == "cross-entropy (nats)"
    assert loss_label({"loss": "hinge"}) == "hinge loss"
    assert loss_label({}) == "loss"


def test_long_labels_are_wrapped_and_cut():
    label = ", ".join(f"setting_{i}={i}" for i in range(30))
    (short,) = wrapped([label], ["name"])
    assert len(short.splitlines()) == 3 and max(map(len, short.splitlines())) <= 40
    assert short.endswith("…") and short.startswith("setting_0=0, setting_1=1")
    assert wrapped([label + "x", label + "y", "lr=1"], ["a", "b", "c"]) == ["a", "b", "lr=1"]
