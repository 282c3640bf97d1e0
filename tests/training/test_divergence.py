"""Runs that cannot go on are recorded so, at their step, with the likely cause."""

import numpy as np

from tests.training.runs import Spy, train


def test_an_explosion_in_the_last_step_is_a_divergence(tmp_path):
    once = ["optimizer={name: sgd, lr: 1e6}", "training={epochs: 1, batch_size: full}"]
    done = train(tmp_path, *once)
    assert done.summary["status"] == "diverged"
    assert done.summary["epochs"] == 0
    assert done.summary["test_loss"] is None


def test_the_step_that_ended_a_run_is_logged_wherever_that_was_noticed(tmp_path):
    """The loss explodes in the last step of an epoch, so the evaluation after it finds out."""
    once = ["optimizer={name: sgd, lr: 1e6}", "training={epochs: 9, batch_size: 90, log_every: 9}"]
    done = train(tmp_path, *once)
    assert done.summary["status"] == "diverged"
    assert done.steps["step"].tolist() == [1, done.summary["diverged_step"]]
    broken = train(tmp_path, "optimizer={name: sgd, lr: 1e6}", "training.log_every=1000").steps
    assert len(broken) == 2
    assert broken.iloc[-1][["grad_norm", "update_ratio"]].isna().all()


def test_a_start_that_is_too_large_is_called_so(tmp_path):
    done = train(tmp_path, "initialization={name: normal, std: 1e30}", "scheduler=cosine")
    assert done.summary["status"] == "diverged"
    assert done.summary["diverged_step"] == 0
    assert "the weights of `normal` are too large" in done.summary["reason"]


def test_a_penalty_that_overshoots_is_called_so(tmp_path):
    done = train(tmp_path, "regularization.l2=1e9", "optimizer={name: sgd, lr: 0.1}")
    assert done.summary["status"] == "diverged"
    assert "penalties of l1=0 and l2=1000000000 overshoot" in done.summary["reason"]


def test_an_exploding_run_is_recorded_as_diverged(tmp_path):
    done = train(tmp_path, "optimizer={name: sgd, lr: 1e6}", "training.epochs=50")
    step = done.summary["diverged_step"]
    assert done.summary["status"] == "diverged"
    assert "learning rate of 1e+06 is too high for sgd" in done.summary["reason"]
    assert done.steps["step"].iloc[-1] == step == done.summary["steps"]
    last = done.steps["loss"].iloc[-1]
    assert not np.isfinite(last) or last > 1e4
    assert done.steps["loss"].iloc[:-1].le(1e4 * done.metrics["train_loss"][0]).all()
    assert done.summary["test_loss"] is None
    spy = Spy()
    train(tmp_path, "optimizer={name: sgd, lr: 1e6}", "training.epochs=50", observer=spy)
    assert spy.heard == ["reuse"]
