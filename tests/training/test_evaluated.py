"""What is measured and kept where that is not the weights that gradients are taken at."""

import math

import numpy as np
import pandas as pd
import pytest

from optrun.config.load import load
from optrun.data.prepare import prepare
from optrun.engine.compiler import compile_program
from optrun.engine.program import Program
from optrun.optim.plateau import Plateau
from tests.programs import train_all
from tests.training.runs import train


def program_of(done) -> Program:
    """The run's program, at its start."""
    config = load(done.path / "config.yaml").config
    return compile_program(config, prepare(config.dataset, config.seed, config.dtype))


@pytest.mark.parametrize(
    "optimizer",
    [
        "{name: lookahead, every: 7, base: {name: adam, lr: 0.01}}",
        "{name: schedule_free_sgd}",
        "{name: schedule_free_adamw, lr: 0.01}",
    ],
)
@pytest.mark.parametrize("normalization", ["null", "batch"])
def test_slow_and_averaged_weights_are_measured_kept_and_tested(tmp_path, optimizer, normalization):
    change = [f"optimizer={optimizer}", f"model.normalization={normalization}"]
    done = train(tmp_path, *change, "training.best_by=last")
    program = program_of(done)
    train_all(program)
    shown = program.evaluation_weights(program.rates.size)
    assert np.abs(shown - program.parameters.weights).max() > 1e-3
    for name, part in program.named_weights(shown).items():
        np.testing.assert_array_equal(done.weights[name], part)
    for split, name in ((program.data.train, "train"), (program.data.validation, "val")):
        expected = program.evaluate(split, shown)
        row = done.metrics.iloc[-1]
        assert (row[f"{name}_loss"], row[f"{name}_accuracy"]) == expected
    tested = (done.summary["test_loss"], done.summary["test_accuracy"])
    assert tested == program.evaluate(program.data.test, shown)


AVERAGES = {
    "ema": ["averaging={name: ema, decay: 0.99}", "model.normalization=batch"],
    "swa": ["averaging={name: swa, start: 40%}", "model.normalization=batch"],
    "ema without statistics": ["averaging={name: ema, decay: 0.8}", "model.normalization=layer"],
}


@pytest.fixture(scope="module", params=["val_loss", "average_val_accuracy", "last"])
def best_by(request):
    return request.param


@pytest.mark.parametrize("average", AVERAGES)
def test_an_average_is_a_candidate_of_its_own(tmp_path, average, best_by):
    """It has its own figures, its own epoch chosen by them, and what was kept of it is tested."""
    change = [*AVERAGES[average], f"training.best_by={best_by}", "optimizer.lr=0.1"]
    done = train(tmp_path, "training.epochs=12", *change)
    program, kept, summary = program_of(done), {}, done.summary
    steps, data = program.steps_per_epoch, program.data
    for epoch in range(13):
        if epoch:
            program.run((epoch - 1) * steps, steps, program.epoch(epoch - 1), np.inf)
        row, shown = done.metrics.loc[epoch], program.averaged_weights(epoch * steps)
        assert (shown is None) == (epoch == 0 or (average == "swa" and epoch < 5))
        if shown is None:
            assert row.filter(like="average_").isna().all()
            continue
        kept[epoch] = shown.copy()
        for split, name in ((data.train, "train"), (data.validation, "val")):
            expected = program.evaluate(split, shown)
            assert (row[f"average_{name}_loss"], row[f"average_{name}_accuracy"]) == expected
            assert row[f"average_{name}_loss"] != row[f"{name}_loss"]
    for front in ("", "average_"):
        ranks = {
            "last": done.metrics["epoch"],
            "val_loss": -done.metrics[f"{front}val_loss"],
            "average_val_accuracy": by_accuracy(done.metrics, front),
        }
        best = done.metrics.loc[ranks[best_by].idxmax()]
        assert summary[f"{front}best_epoch"] == best["epoch"]
        for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy"):
            assert summary[f"{front}{name}"] == best[f"{front}{name}"]
    best = kept[summary["average_best_epoch"]]
    for name, part in program.named_weights(best).items():
        np.testing.assert_array_equal(done.weights[f"average.{name}"], part)
    tested = tuple(summary[f"average_test_{what}"] for what in ("loss", "accuracy"))
    assert tested == program.evaluate(data.test, best)
    if best_by != "last":
        assert summary["average_best_epoch"] != summary["best_epoch"]
        assert summary["average_test_loss"] != summary["test_loss"]


def by_accuracy(metrics, front):
    """Ranks by accuracy, then loss, then epoch; epoch 0 is left out, as it wins no tie."""
    keys = [f"{front}val_accuracy", f"{front}val_loss", "epoch"]
    rows = metrics[metrics["epoch"] > 0].dropna(subset=keys[0])
    rows = rows.sort_values(keys, ascending=[True, False, True])
    return pd.Series(range(len(rows)), rows.index)


def test_a_run_that_ends_before_its_average_begins_says_so(tmp_path):
    stopping = "training={epochs: 50, best_by: val_loss, early_stopping: {patience: 2}}"
    done = train(tmp_path, "averaging=swa", stopping, "optimizer.lr=0.3")
    assert done.summary["epochs"] < 37
    assert done.summary["reason"].endswith(
        "in 2 epochs; there are no averaged weights, which begin at step 76"
    )
    assert {done.summary[name] for name in done.summary if name.startswith("average_")} == {None}
    assert not any(name.startswith("average.") for name in done.weights)
    assert done.weights


def test_early_stopping_can_watch_the_average(tmp_path):
    change = ["averaging={name: swa, start: 20 epochs}", "training.best_by=average_val_loss"]
    change += ["training.epochs=60", "training.early_stopping={patience: 2, min_delta: 0.01}"]
    done = train(tmp_path, *change)
    losses, mark, waited = done.metrics["average_val_loss"], math.inf, 0
    assert losses.first_valid_index() == 21
    for loss in losses.dropna():
        mark, waited = (loss, 0) if mark - loss > 0.01 else (mark, waited + 1)
    assert waited == 2 and done.summary["epochs"] < 60
    assert done.summary["average_best_epoch"] == losses.idxmin()
    assert done.summary["best_epoch"] == done.metrics["val_loss"].idxmin()
    assert "average_val_loss has not improved in 2 epochs" in done.summary["reason"]


def test_without_an_average_nothing_is_evaluated_for_it(tmp_path, monkeypatch):
    seen: list[int] = []
    real = Program.evaluate
    monkeypatch.setattr(Program, "evaluate", lambda *args: (seen.append(1), real(*args))[1])
    done = train(tmp_path)
    assert len(seen) == 2 * 6 + 1  # two splits at six epochs, and the test
    assert done.metrics.filter(like="average_").isna().all(axis=None)
    assert done.summary["average_test_loss"] is None
    assert not any(name.startswith("average.") for name in done.weights)


def test_a_plateau_of_the_average_cuts_the_rate(tmp_path):
    plateau = "{name: plateau, watch: average_train_loss, patience: 0, threshold: 0.5}"
    swa = "averaging={name: swa, start: 4 epochs}"
    done = train(tmp_path, f"scheduler={plateau}", swa, "training.epochs=10")
    rates = done.metrics["lr"].to_numpy()[1:]
    assert (rates[:5] == 0.01).all()
    assert rates[-1] < 0.01


def test_rates_are_cut_where_the_watched_metric_stalls(tmp_path):
    fields = {"watch": "train_loss", "patience": 0, "threshold": 0.4, "factor": 0.5}
    text = ", ".join(f"{key}: {value}" for key, value in fields.items())
    done = train(tmp_path, f"scheduler={{name: plateau, {text}}}", "training.epochs=8")
    cuts, rate = Plateau(**fields).cuts(done.metrics["train_loss"].iloc[1:].tolist()), 0.01
    assert 1 < len(cuts) < 8
    for epoch in range(1, 9):
        assert done.metrics.loc[epoch, "lr"] == pytest.approx(rate)
        logged = done.steps[(done.steps["epoch"] > epoch - 1) & (done.steps["epoch"] <= epoch)]
        assert logged["lr"].unique() == pytest.approx([rate])
        rate *= 0.5 if epoch in cuts else 1.0
