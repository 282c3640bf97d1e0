"""Runs from beginning to end: what they leave, when they are reused, what their figures mean."""

import shutil
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from optrun.cli.progress import finished_lines
from optrun.config.load import load, resolved
from optrun.data.prepare import prepare
from optrun.engine.compiler import compile_program
from optrun.engine.program import Program
from optrun.errors import RunError
from optrun.nn.losses import LOSSES
from optrun.store.reading import load_run
from optrun.store.run_directory import RunDirectory
from optrun.training import run as run_module
from optrun.training import trainer
from optrun.training.run import run
from tests import reference
from tests.training.runs import TIMES, Spy, same_results, train


def test_a_finished_run_is_complete(tmp_path):
    done = train(tmp_path)
    names = {path.name for path in done.path.iterdir()}
    assert names == {
        "config.yaml",
        "metrics.csv",
        "steps.csv",
        "summary.json",
        "environment.json",
        "checkpoint.npz",
        "best.npz",
    }
    steps_per_epoch = -(-180 // 16)
    assert done.summary["status"] == "finished"
    assert done.summary["epochs"] == 5
    assert done.summary["steps"] == 5 * steps_per_epoch
    assert list(done.metrics["epoch"]) == list(range(6))
    assert list(done.steps["step"]) == list(range(1, 5 * steps_per_epoch + 1))
    assert done.weights["layers.0.weight"].shape == (2, 16)
    assert done.weights["layers.1.bias"].shape == (3,)
    assert done.summary["val_accuracy"] == done.metrics["val_accuracy"].max()
    ties = done.metrics[done.metrics["val_accuracy"] == done.summary["val_accuracy"]]
    assert done.summary["best_epoch"] == ties["val_loss"].idxmin()
    for seconds in ("seconds_train", "seconds_eval", "seconds_compile"):
        assert done.summary[seconds] > 0
    assert 0 < done.summary["peak_memory_mb"] < 4000


def test_a_finished_run_is_reused(tmp_path):
    first = train(tmp_path)
    stamp = (first.path / "summary.json").stat().st_mtime_ns
    spy = Spy()
    again = train(tmp_path, observer=spy)
    assert again.path == first.path
    assert spy.heard == ["reuse"]
    assert (first.path / "summary.json").stat().st_mtime_ns == stamp


def test_a_stored_config_is_the_same_run(tmp_path):
    first = train(tmp_path)
    assert run(load(first.path / "config.yaml").config, tmp_path) == first.path


def test_a_run_of_another_config_with_the_same_id_is_not_taken_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr("optrun.training.run.identify", lambda *_: "0123456789abcdef")
    first = train(tmp_path)
    before = {path.name: path.read_bytes() for path in first.path.iterdir()}
    with pytest.raises(RunError, match=r"is not the config of this run: .* optimizer\.lr;"):
        train(tmp_path, "optimizer.lr=0.02")
    assert {path.name: path.read_bytes() for path in first.path.iterdir()} == before
    assert train(tmp_path).path == first.path


@pytest.mark.parametrize("change", ["seed=1", "optimizer.lr=0.02", "training.log_every=2"])
def test_another_config_is_another_run(tmp_path, change):
    assert train(tmp_path).path != train(tmp_path, change).path


def test_the_same_config_elsewhere_gives_the_same_bytes(tmp_path):
    assert same_results(train(tmp_path / "a").path, train(tmp_path / "b").path)


def test_two_processes_do_not_write_one_run(tmp_path):
    path = train(tmp_path).path
    shutil.rmtree(path)
    directory = RunDirectory(path)
    directory.create()
    with directory.lock(), pytest.raises(RunError, match="another process"):
        train(tmp_path)


def test_evaluation_and_compilation_are_not_training_time(tmp_path, monkeypatch):
    real = Program.evaluate
    monkeypatch.setattr(Program, "evaluate", lambda *args: (time.sleep(0.05), real(*args))[1])
    done = train(tmp_path)
    assert done.summary["seconds_eval"] > 13 * 0.05  # two splits at six epochs, and the test
    assert done.summary["seconds_train"] < 0.3
    assert done.metrics["seconds"].iloc[-1] == done.summary["seconds_train"]
    assert done.steps["seconds"].is_monotonic_increasing
    assert done.steps["seconds"].iloc[-1] == pytest.approx(done.summary["seconds_train"])


def test_runs_use_one_blas_thread(tmp_path):
    from threadpoolctl import threadpool_info

    threads: set[int] = set()
    spy = Spy(
        1,
        lambda: threads.update(
            p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas"
        ),
    )
    train(tmp_path, observer=spy)
    assert threads == {1}


def test_the_dataset_is_part_of_a_run_s_identity(tmp_path, monkeypatch):
    first = train(tmp_path)
    real = run_module.prepare
    monkeypatch.setattr(
        run_module, "prepare", lambda *args: replace(real(*args), fingerprint="other")
    )
    assert train(tmp_path).path != first.path


def test_every_column_equals_the_numpy_twin(tmp_path):
    section = ["dtype=float64", "training.epochs=2", "regularization={l1: 0.01, l2: 0.1}"]
    done = train(tmp_path, *section)
    config = load(done.path / "config.yaml").config
    data = prepare(config.dataset, config.seed, config.dtype)
    program = compile_program(config, data)
    weights = program.named_weights(program.parameters.weights.copy())
    epochs, steps, states = [weights], [], {name: {} for name in weights}
    penalties, relu = config.regularization.model_dump(), {"name": "relu"}
    for t, rate in enumerate(program.rates, start=1):
        epoch, batch = divmod(t - 1, program.steps_per_epoch)
        rows = program.epoch(epoch).order[batch * 16 : batch * 16 + 16]
        x, y = (data.train.storage[rows] - data.shift) * data.scale, data.train.targets[rows]
        loss, penalty, gradient = reference.objective(weights, x, y, relu, "softmax", penalties)
        del gradient["x"]
        options, before = config.optimizer.model_dump(), weights
        weights = {
            name: reference.adam(w, gradient[name], states[name], t, rate, options)
            for name, w in weights.items()
        }
        ratio = norm({name: weights[name] - before[name] for name in weights}) / norm(before)
        place = [t, t / program.steps_per_epoch, rate]
        steps.append([*place, loss, penalty, norm(gradient), ratio])
        if batch == program.steps_per_epoch - 1:
            epochs.append(weights)
    np.testing.assert_allclose(done.steps.drop(columns=TIMES), steps, rtol=1e-9)

    norms = np.array([row[-2] for row in steps]).reshape(2, -1).mean(axis=1)
    for epoch, weights in enumerate(epochs):
        row = done.metrics.loc[epoch]
        for split, name in ((data.train, "train"), (data.validation, "val")):
            measured = reference.objective(weights, split.x, split.y, relu, "softmax", penalties)
            assert row[f"{name}_loss"] == pytest.approx(measured[0], rel=1e-9)
            assert row["penalty"] == pytest.approx(measured[1], rel=1e-9)
        assert row["weight_norm"] == pytest.approx(norm(weights), rel=1e-9)
        assert row["step"] == epoch * program.steps_per_epoch
        if epoch:
            moved = {name: weights[name] - epochs[epoch - 1][name] for name in weights}
            assert row["update_norm"] == pytest.approx(norm(moved), rel=1e-9)
            assert row["grad_norm"] == pytest.approx(norms[epoch - 1], rel=1e-9)
            assert row["lr"] == program.rates[row["step"].astype(int) - 1]
            last = done.steps[done.steps["step"] == row["step"]]
            assert row["update_ratio"] == last["update_ratio"].item()
        assert row["sparsity"] == 0


@pytest.mark.parametrize("optimizer", ["momentum", "lbfgs", "{name: sam, base: sgd}"])
@pytest.mark.parametrize("every", [1, 5, 1000])
def test_update_ratios_do_not_depend_on_what_is_logged(tmp_path, optimizer, every, monkeypatch):
    change = [f"optimizer={optimizer}", "training.epochs=3"]
    whole = train(tmp_path / "whole", *change)
    monkeypatch.setattr(trainer, "LONGEST_CHUNK", 7)
    done = train(tmp_path / "other", *change, f"training.log_every={every}")
    steps = whole.steps.set_index("step")["update_ratio"]
    logged = done.steps.set_index("step")["update_ratio"]
    assert steps.gt(0).all()
    assert logged.equals(steps[logged.index])
    assert logged.index[-1] == done.summary["steps"]
    assert done.metrics["update_ratio"].equals(whole.metrics["update_ratio"])
    assert done.metrics["update_ratio"][1:].tolist() == steps[[12, 24, 36]].tolist()


def test_sparsity_is_the_share_of_weights_that_are_zero(tmp_path):
    sparse = "initialization={name: sparse, sparsity: 0.6}"
    done = train(tmp_path, sparse, "model.hidden=[16, 8]", "training.epochs=0")
    matrices = [done.weights[f"layers.{index}.weight"] for index in range(3)]
    zeros = sum((w == 0).sum() for w in matrices) / sum(w.size for w in matrices)
    assert 0.5 < zeros < 1
    assert done.metrics["sparsity"].tolist() == pytest.approx([zeros])
    assert done.summary["sparsity"] == pytest.approx(zeros)


def test_a_function_has_no_test(tmp_path):
    section = {
        "name": "walk", "dataset": {"name": "function", "kind": "sphere"}, "model": "point",
        "optimizer": "sgd", "averaging": "ema", "training": {"epochs": 3},
    }  # fmt: skip
    summary = load_run(run(load(section).config, tmp_path)).summary
    assert summary["status"] == "finished"
    assert {summary[name] for name in summary if "test_" in name} == {None}
    assert summary["train_loss"] > 0 and summary["average_train_loss"] > 0
    assert summary["sparsity"] is None
    head, average, *_ = finished_lines(summary)
    assert head.startswith("best epoch 3: training loss")
    assert average.startswith("averaged weights, best epoch 3: training loss")


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_of_chance_is_told_and_where_a_small_start_is(tmp_path, loss):
    spy, small = Spy(), "initialization={name: normal, std: 1e-6}"
    done = train(tmp_path, f"loss={loss}", small, "training.epochs=0", observer=spy)
    chance = spy.plan.chance
    if chance is not None and loss != "mse":  # whose chance is at the mean of the targets
        assert done.metrics["train_loss"][0] == pytest.approx(chance, rel=1e-4)


def norm(arrays: dict[str, np.ndarray]) -> float:
    return float(np.sqrt(sum((array**2).sum() for array in arrays.values())))


def test_no_epochs_write_the_initial_weights(tmp_path):
    done = train(tmp_path, "training.epochs=0", "scheduler=cosine", "initialization=he_normal")
    assert done.summary["status"] == "finished"
    assert done.summary["steps"] == 0
    assert len(done.metrics) == 1
    assert len(done.steps) == 0
    assert done.metrics["update_ratio"].isna().all()
    assert done.weights["layers.0.weight"].std() == pytest.approx(1, abs=0.5)
    assert done.summary["test_accuracy"] is not None


def test_full_batches_take_one_step_an_epoch(tmp_path):
    done = train(tmp_path, "training.batch_size=full")
    assert done.summary["steps"] == 5


def test_a_failure_is_recorded_and_the_run_goes_again(tmp_path, monkeypatch):
    def fail(self, **arguments):
        raise MemoryError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "measure", fail)
        with pytest.raises(MemoryError):
            train(tmp_path)
    (path,) = tmp_path.iterdir()
    assert load_run(path).summary["status"] == "failed"
    assert "no room" in load_run(path).summary["reason"]
    assert train(tmp_path).summary["status"] == "finished"


def test_changing_the_optimizer_changes_neither_start_nor_order_nor_dropout(tmp_path):
    starts = [train(tmp_path, f"optimizer.name={n}", "training.epochs=0") for n in ("adam", "sgd")]
    for name, weights in starts[0].weights.items():
        np.testing.assert_array_equal(weights, starts[1].weights[name])
    runs = [train(tmp_path, f"optimizer.name={n}", "optimizer.lr=1e-30") for n in ("adam", "sgd")]
    pd.testing.assert_series_equal(runs[0].steps["loss"], runs[1].steps["loss"])


def test_resolved_configs_of_all_runs_load_as_themselves(tmp_path):
    done = train(tmp_path)
    assert resolved(load(done.path / "config.yaml").config) == done.config
