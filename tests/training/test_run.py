"""Runs from beginning to end: reuse, resuming, stopping, diverging, choosing."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from optrun.config.load import load, resolved
from optrun.data.prepare import prepare
from optrun.engine.program import Program, compile_program
from optrun.errors import RunError
from optrun.store.reading import load_run
from optrun.store.run_directory import RunDirectory
from optrun.store.table import Table
from optrun.training import run as run_module
from optrun.training import trainer
from optrun.training.observer import Observer
from optrun.training.run import run
from tests import reference

ROOT = Path(__file__).parents[2]
TIMES = ["seconds"]
SMALL = {
    "name": "small",
    "dataset": {"name": "synthetic", "kind": "blobs", "samples": 200, "test_samples": 50},
    "model": {"name": "mlp", "hidden": [16]},
    "optimizer": {"name": "adam", "lr": 0.01},
    "regularization": {"dropout": 0.3, "l2": 1e-4},
    "training": {"epochs": 5, "batch_size": 16, "log_every": 1},
}


def train(out: Path, *overrides: str, observer: Observer | None = None):
    return load_run(run(load(SMALL, overrides).config, out, observer=observer))


def same_results(left: Path, right: Path) -> bool:
    """Whether two run directories hold the same bytes, times apart."""
    a, b = load_run(left), load_run(right)
    weights = all(np.array_equal(a.weights[name], b.weights[name]) for name in a.weights)
    one, other = (np.load(path / "checkpoint.npz") for path in (left, right))
    state = all(np.array_equal(one[name], other[name]) for name in ("weights", "state", "best"))
    tables = all(
        getattr(a, table).drop(columns=TIMES).equals(getattr(b, table).drop(columns=TIMES))
        for table in ("metrics", "steps")
    )
    timed = [name for name in a.summary if name.startswith(("seconds", "samples", "peak"))]
    ignored = {*timed, "started", "ended"}
    summaries = all(a.summary[name] == b.summary[name] for name in a.summary.keys() - ignored)
    return weights and state and tables and summaries


class Spy(Observer):
    """Counts what it hears; acts on the n-th pulse."""

    def __init__(self, pulse_number: int = -1, action=lambda: None):
        self.heard: list[str] = []
        self.notices: list[str] = []
        self.pulse_number, self.action = pulse_number, action

    def notice(self, text):
        self.notices.append(text)

    def begin(self, plan):
        self.plan = plan
        self.heard.append("begin")

    def pulse(self, pulse):
        self.heard.append("pulse")
        if self.heard.count("pulse") == self.pulse_number:
            self.action()

    def reuse(self, directory):
        self.heard.append("reuse")


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_a_finished_run_is_complete(tmp_path):
    done = train(tmp_path)
    names = {path.name for path in done.path.iterdir()} - {".lock"}
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
    assert done.summary["best_epoch"] == done.metrics["val_accuracy"].idxmax()
    for seconds in ("seconds_train", "seconds_eval", "seconds_compile"):
        assert done.summary[seconds] > 0
    assert 0 < done.summary["peak_memory_mb"] < 2000


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


@pytest.mark.parametrize("change", ["seed=1", "optimizer.lr=0.02", "training.log_every=2"])
def test_another_config_is_another_run(tmp_path, change):
    assert train(tmp_path).path != train(tmp_path, change).path


def test_the_same_config_elsewhere_gives_the_same_bytes(tmp_path):
    assert same_results(train(tmp_path / "a").path, train(tmp_path / "b").path)


# 12 steps an epoch, 5 epochs: in the first, at a boundary, later on, at the very end
@pytest.mark.parametrize("pulse", [1, 7, 12, 13, 30, 47, 59, 60])
@pytest.mark.parametrize("best_by", ["val_loss", "val_accuracy", "last"])
def test_ctrl_c_saves_and_resuming_gives_the_same_bytes(tmp_path, pulse, best_by, monkeypatch):
    monkeypatch.setattr(trainer, "CHUNK_SECONDS", 0.0)
    monkeypatch.setitem(SMALL["training"], "best_by", best_by)
    if best_by != "last":
        stopping = {"patience": 2, "min_delta": 0.02}
        monkeypatch.setitem(SMALL["training"], "early_stopping", stopping)
    whole = train(tmp_path / "whole")
    pulse = min(pulse, whole.summary["steps"])
    cut = train(tmp_path / "cut", observer=Spy(pulse, interrupt))
    assert cut.summary["status"] == "stopped"
    assert cut.summary["steps"] == pulse
    assert cut.weights
    spy = Spy()
    resumed = train(tmp_path / "cut", observer=spy)
    assert spy.plan.resumed_at == pulse
    assert resumed.summary["status"] == "finished"
    assert same_results(resumed.path, whole.path)


def test_a_run_that_diverges_after_resuming_diverges_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "CHUNK_SECONDS", 0.0)
    # the rate climbs until the loss explodes, well after the cut
    climb = ["optimizer={name: sgd, lr: 1e5}", "warmup={name: linear, duration: 100%}"]
    climb += ["training.epochs=2000", "regularization.dropout=0"]
    whole = train(tmp_path / "whole", *climb)
    assert whole.summary["status"] == "diverged"
    assert whole.summary["diverged_step"] > 20
    train(tmp_path / "cut", *climb, observer=Spy(15, interrupt))
    resumed = train(tmp_path / "cut", *climb)
    assert resumed.summary["diverged_step"] == whole.summary["diverged_step"]
    pd.testing.assert_frame_equal(
        resumed.steps.drop(columns=TIMES), whole.steps.drop(columns=TIMES)
    )


def test_a_diverged_run_cut_before_its_summary_diverges_alike(tmp_path, monkeypatch):
    lost = ["optimizer={name: sgd, lr: 1e6}"]
    whole = train(tmp_path / "whole", *lost)

    def fail(self, weights):
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "save_best", fail)
        with pytest.raises(OSError, match="full"):
            train(tmp_path / "cut", *lost)
    again = train(tmp_path / "cut", *lost)
    assert again.summary["diverged_step"] == whole.summary["diverged_step"]
    assert len(again.steps) == len(whole.steps)


def test_tables_are_on_the_disk_before_the_checkpoint_counts_on_them(tmp_path, monkeypatch):
    written: list[str] = []
    real_sync, real_save = Table.sync, RunDirectory.save_checkpoint
    monkeypatch.setattr(
        Table, "sync", lambda self: (written.append(self.path.name), real_sync(self))
    )
    monkeypatch.setattr(
        RunDirectory,
        "save_checkpoint",
        lambda self, arrays: (written.append("checkpoint"), real_save(self, arrays)),
    )
    train(tmp_path)
    assert written == ["metrics.csv", "steps.csv", "checkpoint"]


@pytest.mark.parametrize("what", ["numpy", "cpu"])
def test_a_run_is_not_resumed_under_other_conditions(tmp_path, what):
    whole = train(tmp_path / "whole")
    cut = train(tmp_path / "cut", observer=Spy(1, interrupt)).path
    environment = json.loads((cut / "environment.json").read_text())
    (cut / "environment.json").write_text(json.dumps(environment | {what: "another"}))
    spy = Spy()
    resumed = train(tmp_path / "cut", observer=spy)
    assert spy.plan.resumed_at == 0
    assert any(f"{what} another →" in text for text in spy.notices)
    assert same_results(resumed.path, whole.path)
    stored = json.loads((cut / "environment.json").read_text())
    assert stored == environment
    assert {library["threads"] for library in stored["blas"]} == {1}


def test_a_damaged_checkpoint_says_the_way_out(tmp_path):
    cut = train(tmp_path, observer=Spy(1, interrupt)).path
    (cut / "checkpoint.npz").write_bytes(b"half")
    with pytest.raises(RunError, match=r"checkpoint\.npz.*delete the file to begin the run anew"):
        train(tmp_path)
    (cut / "checkpoint.npz").unlink()
    assert train(tmp_path).summary["status"] == "finished"


def test_the_length_of_chunks_changes_nothing(tmp_path, monkeypatch):
    whole = train(tmp_path / "whole")
    monkeypatch.setattr(trainer, "CHUNK_SECONDS", 0.0)
    assert same_results(train(tmp_path / "chunks").path, whole.path)


KILLED = """
import sys
from optrun.config.load import load
from optrun.training import run as run_module
from optrun.training import trainer
from optrun.training.run import run
trainer.CHECKPOINT_SECONDS = 0.05
trainer.CHUNK_SECONDS = 0.0
run(load(sys.argv[1]).config, sys.argv[2])
"""
LONG = ["training.epochs=400", "training.early_stopping={patience: 300}", "scheduler=cosine"]


def test_kill_at_random_moments_and_resuming_give_the_same_bytes(tmp_path):
    whole = train(tmp_path / "whole", *LONG)
    config = whole.path / "config.yaml"
    moments = random.Random(0)
    killed, resumed_steps = 0, []
    for _ in range(40):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(config), str(tmp_path / "cut")], cwd=ROOT
        )
        directory = tmp_path / "cut" / whole.path.name
        checkpoint = directory / "checkpoint.npz"
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        while process.poll() is None and not (
            checkpoint.exists() and checkpoint.stat().st_mtime_ns > before
        ):
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        if process.wait() == 0:
            break
        killed += 1
        progress = json.loads(str(np.load(checkpoint)["progress"]))
        resumed_steps.append(progress["step"])
    assert killed >= 3
    assert resumed_steps == sorted(resumed_steps)
    if load_run(directory).summary["status"] != "finished":
        run(load(config).config, tmp_path / "cut")
    assert same_results(directory, whole.path)


def test_two_processes_do_not_write_one_run(tmp_path):
    path = train(tmp_path).path
    shutil.rmtree(path)
    directory = RunDirectory(path)
    directory.create()
    with directory.lock(), pytest.raises(RunError, match="another process"):
        train(tmp_path)


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


def test_an_explosion_in_the_last_step_is_a_divergence(tmp_path):
    once = ["optimizer={name: sgd, lr: 1e6}", "training={epochs: 1, batch_size: full}"]
    done = train(tmp_path, *once)
    assert done.summary["status"] == "diverged"
    assert done.summary["epochs"] == 0
    assert done.summary["test_loss"] is None


def test_a_start_that_is_too_large_is_called_so(tmp_path):
    done = train(tmp_path, "initialization={name: normal, std: 1e30}", "scheduler=cosine")
    assert done.summary["status"] == "diverged"
    assert done.summary["diverged_step"] == 0
    assert "weights drawn by normal are too large" in done.summary["reason"]


def test_a_penalty_that_overshoots_is_called_so(tmp_path):
    done = train(tmp_path, "regularization.l2=1e9", "optimizer={name: sgd, lr: 0.1}")
    assert done.summary["status"] == "diverged"
    assert "penalties of l1=0 and l2=1e+09 overshoot" in done.summary["reason"]


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
        rows = program.order(epoch)[batch * 16 : batch * 16 + 16]
        x, y = (data.train.storage[rows] - data.shift) * data.scale, data.train.labels[rows]
        loss, penalty, gradient = reference.objective(weights, x, y, relu, "softmax", penalties)
        steps.append([t, t / program.steps_per_epoch, rate, loss, penalty, norm(gradient)])
        options = config.optimizer.model_dump()
        weights = {
            name: reference.adam(w, gradient[name], states[name], t, rate, options)
            for name, w in weights.items()
        }
        if batch == program.steps_per_epoch - 1:
            epochs.append(weights)
    np.testing.assert_allclose(done.steps.drop(columns=TIMES), steps, rtol=1e-9)

    norms = np.array([row[-1] for row in steps]).reshape(2, -1).mean(axis=1)
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


def norm(arrays: dict[str, np.ndarray]) -> float:
    return float(np.sqrt(sum((array**2).sum() for array in arrays.values())))


def test_without_validation_the_last_weights_are_kept(tmp_path):
    done = train(tmp_path, "dataset.validation=0")
    assert done.config["training"]["best_by"] == "last"
    assert done.summary["best_epoch"] == 5
    assert done.summary["val_loss"] is None
    assert done.metrics["val_loss"].isna().all()


def test_no_epochs_write_the_initial_weights(tmp_path):
    done = train(tmp_path, "training.epochs=0", "scheduler=cosine", "initialization=he_normal")
    assert done.summary["status"] == "finished"
    assert done.summary["steps"] == 0
    assert len(done.metrics) == 1
    assert len(done.steps) == 0
    assert done.weights["layers.0.weight"].std() == pytest.approx(1, abs=0.5)
    assert done.summary["test_accuracy"] is not None


def test_full_batches_take_one_step_an_epoch(tmp_path):
    done = train(tmp_path, "training.batch_size=full")
    assert done.summary["steps"] == 5


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
