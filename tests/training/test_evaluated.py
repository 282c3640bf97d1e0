"""What is measured and kept where that is not the weights that gradients are taken at."""

import numpy as np
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
def test_slow_and_averaged_weights_are_measured_kept_and_tested(tmp_path, optimizer):
    done = train(tmp_path, f"optimizer={optimizer}", "training.best_by=last")
    program = program_of(done)
    train_all(program)
    shown = program.evaluation_weights()
    assert np.abs(shown - program.parameters.weights).max() > 1e-3
    for name, part in program.named_weights(shown).items():
        np.testing.assert_array_equal(done.weights[name], part)
    for split, name in ((program.data.train, "train"), (program.data.validation, "val")):
        expected = program.evaluate(split, shown)
        row = done.metrics.iloc[-1]
        assert (row[f"{name}_loss"], row[f"{name}_accuracy"]) == expected
    tested = (done.summary["test_loss"], done.summary["test_accuracy"])
    assert tested == program.evaluate(program.data.test, shown)


@pytest.mark.parametrize("average", ["{name: ema, decay: 0.95}", "{name: swa, start: 40%}"])
def test_an_average_is_measured_beside_the_weights(tmp_path, average):
    change = [f"averaging={average}", "model.normalization=batch", "training.best_by=val_loss"]
    done = train(tmp_path, *change)
    program, count, kept = program_of(done), 0, []
    for epoch in range(-1, 5):
        if epoch >= 0:
            steps = program.steps_per_epoch
            program.run(epoch * steps, steps, program.epoch(epoch), np.inf)
        row, shown = done.metrics.loc[epoch + 1], program.parameters.average
        kept.append(shown.copy())
        for split, name in ((program.data.train, "train"), (program.data.validation, "val")):
            expected = program.evaluate(split, shown)
            assert (row[f"average_{name}_loss"], row[f"average_{name}_accuracy"]) == expected
            count += row[f"average_{name}_loss"] != row[f"{name}_loss"]
    assert count > 4
    best = kept[done.summary["best_epoch"]]
    for name, part in program.named_weights(best).items():
        np.testing.assert_array_equal(done.weights[f"average.{name}"], part)
    tested = tuple(done.summary[f"average_test_{what}"] for what in ("loss", "accuracy"))
    assert tested == program.evaluate(program.data.test, best)


def test_without_an_average_nothing_is_evaluated_for_it(tmp_path, monkeypatch):
    seen: list[int] = []
    real = Program.evaluate
    monkeypatch.setattr(Program, "evaluate", lambda *args: (seen.append(1), real(*args))[1])
    done = train(tmp_path)
    assert len(seen) == 2 * 6 + 1  # two splits at six epochs, and the test
    assert done.metrics.filter(like="average_").isna().all(axis=None)
    assert done.summary["average_test_loss"] is None
    assert not any(name.startswith("average.") for name in done.weights)


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
