"""Which weights are kept and tested, and early stopping."""

import pytest

from optrun.config.load import load
from optrun.data.prepare import prepare
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
    best = int(losses.idxmin())
    assert done.summary["status"] == "finished"
    assert "early stopping" in done.summary["reason"]
    assert done.summary["best_epoch"] == best
    assert done.summary["epochs"] == best + patience < 200
    assert done.summary["val_loss"] == losses[best]


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
