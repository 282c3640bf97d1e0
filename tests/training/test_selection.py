"""Which weights are kept and tested, and early stopping."""

import math

import pytest

from optrun.config.load import load
from optrun.config.training import EarlyStopping
from optrun.data.prepare import prepare
from optrun.training.selection import Selection, rank
from tests import reference
from tests.training.runs import train


@pytest.mark.parametrize("overrides", [(), ("training.best_by=val_loss",)])
def test_the_test_set_is_evaluated_with_the_chosen_weights(tmp_path, overrides):
    done = train(tmp_path, "dtype=float64", *overrides)
    config = load(done.path / "config.yaml").config
    test = prepare(config.dataset, config.seed, config.dtype).test
    relu = {"name": "relu"}
    loss, _, _ = reference.objective(done.weights, test.x, test.y, relu, "softmax", {})
    assert done.summary["test_loss"] == pytest.approx(loss, rel=1e-10)


def test_early_stopping_restores_the_best(tmp_path):
    patience = 4
    done = train(
        tmp_path,
        "training.epochs=200",
        "training.best_by=val_loss",
        f"training.early_stopping={{patience: {patience}}}",
        "optimizer.lr=0.3",
    )
    losses = done.metrics["val_loss"]
    best = losses.index[losses == losses.min()]
    assert done.summary["status"] == "finished"
    assert "early stopping" in done.summary["reason"]
    assert done.summary["best_epoch"] == best[-1]
    assert done.summary["epochs"] == best[0] + patience < 200
    assert done.summary["val_loss"] == losses.min()


def test_an_improvement_below_min_delta_does_not_count(tmp_path):
    stopping = "training.early_stopping={patience: 2, min_delta: 1.0}"
    done = train(tmp_path, "training.best_by=val_loss", stopping, "training.epochs=50")
    assert done.summary["epochs"] == 2
    assert done.summary["best_epoch"] == 2
    assert done.metrics["val_loss"].is_monotonic_decreasing


def test_without_validation_the_last_weights_are_kept(tmp_path):
    done = train(tmp_path, "dataset.validation=0")
    assert done.config["training"]["best_by"] == "last"
    assert done.summary["best_epoch"] == 5
    assert done.summary["val_loss"] is None
    assert done.metrics["val_loss"].isna().all()


def rows_of(accuracies, losses, whose=""):
    return [
        {
            "epoch": epoch,
            f"{whose}val_accuracy": accuracy,
            f"{whose}val_loss": loss,
            f"{whose}train_loss": loss,
        }
        for epoch, (accuracy, loss) in enumerate(zip(accuracies, losses, strict=True))
    ]


@pytest.mark.parametrize("whose", ["", "average_"])
@pytest.mark.parametrize("front", ["", "average_"])
@pytest.mark.parametrize(
    ("best_by", "accuracies", "losses", "best"),
    [
        ("val_accuracy", [0.1, 0.5, 0.4], [3, 2, 1], 1),
        ("val_accuracy", [0.1, 0.5, 0.5], [3, 1, 2], 1),  # the lower loss
        ("val_accuracy", [0.1, 0.5, 0.5, 0.5], [3, 2, 1, 1], 3),  # the later epoch
        ("val_accuracy", [0.5, 0.5, 0.4], [1, 2, 1], 1),  # never the start
        ("val_accuracy", [0.6, 0.5, 0.4], [1, 2, 1], 0),  # unless it is better
        ("val_accuracy", [0.6, None, 0.4], [1, None, 1], 0),
        ("val_accuracy", [0.6, 0.7, 0.4], [1, math.nan, 1], 0),
        ("val_loss", [0.1, 0.5, 0.4], [3, 2, 1], 2),
        ("val_loss", [0.1, 0.5, 0.4], [3, 1, 1], 2),
        ("val_loss", [0.1, 0.5, 0.4], [1, 1, 2], 1),
        ("val_loss", [0.1, None, None], [1, None, None], 0),
        ("last", [0.1, 0.5, 0.4], [3, 1, 2], 2),
        ("last", [None, None, None], [None, None, None], None),
    ],
)
def test_which_epoch_is_chosen(best_by, accuracies, losses, best, whose, front):
    if best_by != "last":
        best_by = front + best_by
    selection, kept = Selection(), None
    for row in rows_of(accuracies, losses, whose):
        if selection.offer(rank(row, best_by, whose), None):
            kept = row["epoch"]
    assert kept == best


@pytest.mark.parametrize(
    ("best_by", "min_delta", "accuracies", "losses", "waited"),
    [
        # coarse steps of the accuracy, and a loss that still falls
        ("val_accuracy", 0.0, [0.5, 0.5, 0.5, 0.5], [4, 3, 2, 1], 0),
        ("val_accuracy", 0.0, [0.5, 0.5, 0.5, 0.5], [4, 3, 3, 3], 2),
        ("val_accuracy", 0.0, [0.5, 0.6, 0.55, 0.6], [4, 3, 2, 3.5], 2),
        ("val_accuracy", 0.0, [0.5, 0.5, 0.5], [1, 2, 3], 1),  # epoch 1 is better than the start
        ("val_accuracy", 0.1, [0.5, 0.5, 0.55, 0.59], [4, 3, 2, 1], 3),
        ("val_accuracy", 0.1, [0.5, 0.55, 0.62, 0.7], [4, 3, 2, 1], 1),
        ("val_loss", 0.0, [0.5, 0.6, 0.7, 0.8], [3, 2, 2, 2], 2),
        ("val_loss", 0.5, [0.5, 0.6, 0.7, 0.8], [3, 2.6, 2.4, 2.0], 1),
    ],
)
def test_what_early_stopping_takes_for_an_improvement(
    best_by, min_delta, accuracies, losses, waited
):
    selection, stopping = Selection(), EarlyStopping(min_delta=min_delta)
    for row in rows_of(accuracies, losses):
        selection.offer(rank(row, best_by), stopping)
    assert selection.waited == waited


def test_a_run_is_not_ended_while_its_loss_falls_at_an_equal_accuracy(tmp_path):
    """Twenty validation examples: the accuracy stands still for longer than the patience."""
    stopping = "training={epochs: 30, batch_size: 16, early_stopping: {patience: 3}}"
    done = train(tmp_path, stopping, "optimizer.lr=0.002", "dataset.spread=0.2")
    accuracies, losses = done.metrics["val_accuracy"], done.metrics["val_loss"]
    best = done.summary["best_epoch"]
    assert accuracies[best] == accuracies.max()
    assert best > accuracies.idxmax() + 3
    assert losses[best] == losses[accuracies == accuracies.max()].min()


def test_epochs_whose_figures_are_not_finite_are_waited_through():
    selection, stopping = Selection(), EarlyStopping(patience=2)
    for epoch, loss in enumerate([1.0, 0.5, math.nan, math.inf]):
        row = {"epoch": epoch, "train_loss": 0.1, "val_loss": loss, "val_accuracy": 0.5}
        selection.offer(rank(row, "val_loss"), stopping)
    assert selection.exhausted(stopping)
