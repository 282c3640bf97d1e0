"""Runs that are cut short end with the bytes of one that never was."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from select import select

import numpy as np
import pandas as pd
import pytest

from optrun.config.load import load
from optrun.errors import RunError
from optrun.store.reading import load_run
from optrun.store.run_directory import RunDirectory
from optrun.store.table import Table
from optrun.training import trainer
from optrun.training.run import run
from tests.training.runs import (
    ROOT,
    SMALL,
    TIMES,
    Killed,
    Spy,
    interrupt,
    kill,
    same_results,
    train,
)


@pytest.fixture(scope="module", params=["val_loss", "val_accuracy", "last"])
def chosen(request, tmp_path_factory):
    """How the best epoch is chosen, as overrides; and a run that was never cut short."""
    overrides = [f"training.best_by={request.param}"]
    if request.param != "last":
        overrides.append("training.early_stopping={patience: 2, min_delta: 0.02}")
    return overrides, train(tmp_path_factory.mktemp("whole"), *overrides)


# 12 steps an epoch, 5 epochs: in the first, at a boundary, later on, at the very end
@pytest.mark.parametrize("pulse", [1, 7, 12, 13, 30, 47, 59, 60])
def test_ctrl_c_saves_and_resuming_gives_the_same_bytes(tmp_path, pulse, chosen, monkeypatch):
    monkeypatch.setattr(trainer, "CHUNK_SECONDS", 0.0)
    overrides, whole = chosen
    pulse = min(pulse, whole.summary["steps"])
    cut = train(tmp_path / "cut", *overrides, observer=Spy(pulse, interrupt))
    assert cut.summary["status"] == "stopped"
    assert cut.summary["steps"] == pulse
    assert cut.weights
    spy = Spy()
    resumed = train(tmp_path / "cut", *overrides, observer=spy)
    assert spy.plan.resumed_at == pulse
    assert resumed.summary["status"] == "finished"
    assert same_results(resumed.path, whole.path)


@pytest.mark.parametrize(
    "overrides",
    [
        ["optimizer={name: asgd, t0: 5}"],
        ["optimizer={name: adam, amsgrad: true}"],
        ["optimizer={name: rmsprop, centered: true, momentum: 0.5}"],
        ["optimizer=rprop"],
        ["optimizer=muon"],
        ["optimizer=adafactor"],
        ["optimizer=schedule_free_adamw"],
        ["optimizer={name: lookahead, every: 7, base: adam}", "model.normalization=batch"],
        ["optimizer={name: sam, base: momentum}", "model.normalization=batch"],
        ["optimizer=lbfgs"],
        ["optimizer=adahessian"],
        ["optimizer={name: kfac, refresh: 4}"],
        ["optimizer=random_local_search"],
        ["averaging={name: ema, decay: 0.9}", "model.normalization=batch"],
        ["averaging={name: swa, start: 30%, every: 2 steps}"],
        [
            "averaging={name: swa, start: 45%}",
            "model.normalization=batch",
            "training.best_by=average_val_loss",
            "training.log_every=7",
        ],
        [
            "training={epochs: 9, early_stopping: {patience: 2}, best_by: average_val_accuracy}",
            "averaging={name: ema, decay: 0.9}",
            "model.normalization=batch",
            "training.batch_size=16",
        ],
        ["optimizer=schedule_free_sgd", "model.normalization=batch"],
        ["scheduler={name: plateau, watch: train_loss, patience: 0, threshold: 0.3}"],
    ],
    ids=lambda overrides: overrides[0],
)
def test_a_run_that_is_stopped_and_later_killed_ends_alike(tmp_path, overrides, monkeypatch):
    monkeypatch.setattr(trainer, "CHUNK_SECONDS", 0.0)
    whole = train(tmp_path / "whole", *overrides)
    train(tmp_path / "cut", *overrides, observer=Spy(29, interrupt))
    with pytest.raises(Killed):
        train(tmp_path / "cut", *overrides, observer=Spy(13, kill))
    spy = Spy()
    resumed = train(tmp_path / "cut", *overrides, observer=spy)
    assert 29 <= spy.plan.resumed_at < 42
    assert same_results(resumed.path, whole.path)


@pytest.mark.parametrize("pulse", [1, 6, 12, 18, 24, 29])
def test_the_last_step_of_a_stopped_run_is_not_logged_twice(tmp_path, pulse, monkeypatch):
    """It stands in the table while the run is stopped, and not where the run has gone on."""
    monkeypatch.setattr(trainer, "CHUNK_SECONDS", 0.0)
    change = ["training={epochs: 30, batch_size: 16, log_every: 5, best_by: val_loss}"]
    change += ["training.early_stopping={patience: 1, min_delta: 0.3}"]
    whole = train(tmp_path / "whole", *change)
    last = whole.summary["steps"]
    logged = sorted({1, *range(5, last, 5), last})
    assert whole.steps["step"].tolist() == logged
    assert last % 5 and "early stopping" in whole.summary["reason"]
    pulse = min(pulse, last)
    cut = train(tmp_path / "cut", *change, observer=Spy(pulse, interrupt))
    assert cut.steps["step"].tolist() == sorted({1, *range(5, pulse, 5), pulse})
    assert cut.steps["update_ratio"].notna().all()
    assert same_results(train(tmp_path / "cut", *change).path, whole.path)


def test_a_run_that_diverges_after_resuming_diverges_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "CHUNK_SECONDS", 0.0)
    # the rate climbs until the loss explodes, well after the cut
    climb = ["optimizer={name: sgd, lr: 2e4}", "warmup={name: linear, duration: 100%}"]
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
    with pytest.raises(RunError, match=r"checkpoint\.npz.*delete the file to begin again"):
        train(tmp_path)
    (cut / "checkpoint.npz").unlink()
    assert train(tmp_path).summary["status"] == "finished"


def test_the_length_of_chunks_changes_nothing(tmp_path, monkeypatch):
    whole = train(tmp_path / "whole")
    monkeypatch.setattr(trainer, "CHUNK_SECONDS", 0.0)
    assert same_results(train(tmp_path / "chunks").path, whole.path)


# Forks a process for the run at every line it reads, of one that has loaded all it takes.
FORKING = """
import os, sys
from optrun.config.load import load
from optrun.data.prepare import prepare
from optrun.engine.compiler import compile_program
from optrun.training import trainer
from optrun.training.run import run
trainer.CHECKPOINT_SECONDS = 0.05
trainer.CHUNK_SECONDS = 0.0
config = load(sys.argv[1]).config
compile_program(config, prepare(config.dataset, config.seed, config.dtype))
for _ in sys.stdin:
    child = os.fork()
    if not child:
        run(config, sys.argv[2])
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


LONG = ["training.epochs=400", "training.early_stopping={patience: 300}", "scheduler=cosine"]


@pytest.fixture
def forking():
    """Start a process that forks one for a config's run into `out` at every line it is sent."""
    with ExitStack() as stack:

        def start(config: Path, out: Path) -> subprocess.Popen:
            command = [sys.executable, "-c", FORKING, str(config), str(out)]
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, bufsize=0)
            stack.enter_context(process)
            stack.callback(process.kill)
            return process

        yield start


def kill_after_a_checkpoint(forking: subprocess.Popen, checkpoint: Path, delay: float) -> bool:
    """Let a process train until it has saved a checkpoint and some seconds more; kill it.

    Returns whether it was still at work.
    """
    before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
    forking.stdin.write(b"\n")
    child = int(forking.stdout.readline())
    while not select([forking.stdout], [], [], 0.005)[0] and not (
        checkpoint.exists() and checkpoint.stat().st_mtime_ns > before
    ):
        pass
    time.sleep(delay)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    status = int(forking.stdout.readline())
    assert status in (0, signal.SIGKILL)
    return status != 0


def test_kill_at_random_moments_and_resuming_give_the_same_bytes(tmp_path, forking):
    whole = train(tmp_path / "whole", *LONG)
    config = whole.path / "config.yaml"
    directory = tmp_path / "cut" / whole.path.name
    checkpoint = directory / "checkpoint.npz"
    process, moments = forking(config, tmp_path / "cut"), random.Random(0)
    resumed_steps = []
    for _ in range(40):
        if not kill_after_a_checkpoint(process, checkpoint, moments.uniform(0, 0.1)):
            break
        progress = json.loads(str(np.load(checkpoint)["progress"]))
        resumed_steps.append(progress["step"])
    assert len(resumed_steps) >= 3
    assert resumed_steps == sorted(resumed_steps)
    if load_run(directory).summary["status"] != "finished":
        run(load(config).config, tmp_path / "cut")
    assert same_results(directory, whole.path)


def wrong_progress(**values):
    def change(arrays):
        progress = json.loads(str(arrays["progress"]))
        arrays["progress"] = np.array(json.dumps(progress | values))

    return change


WRONG = {
    "missing array": lambda arrays: arrays.pop("best"),
    "another array": lambda arrays: arrays.update(extra=np.zeros(3)),
    "no dimension": lambda arrays: arrays.update(weights=np.float32(0.5)),
    "one value too few": lambda arrays: arrays.update(best=arrays["best"][1:]),
    "float64 for float32": lambda arrays: arrays.update(weights=arrays["weights"].astype("f8")),
    "complex": lambda arrays: arrays.update(state=arrays["state"].astype(complex)),
    "numbers for text": lambda arrays: arrays.update(progress=np.zeros(3)),
    "no JSON": lambda arrays: arrays.update(candidates=np.array("{")),
    "no candidate": lambda arrays: arrays.update(candidates=np.array("{}")),
    "a list": lambda arrays: arrays.update(progress=np.array("[]")),
    "unknown field": wrong_progress(more=1),
    "step too far": wrong_progress(step=10**6),
    "negative step": wrong_progress(step=-1),
    "step of another epoch": wrong_progress(epoch=0),
    "text for a number": wrong_progress(norms="much"),
    "NaN": wrong_progress(seconds_train=float("nan")),
    "no limit": wrong_progress(limit=0.0),
    "no mark": wrong_progress(metrics=None),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_checkpoint_that_is_whole_but_not_of_this_run_is_refused(tmp_path, change):
    directory = RunDirectory(run(load(SMALL).config, tmp_path, pause_after=2))
    arrays = directory.load_checkpoint()
    change(arrays)
    directory.save_checkpoint(arrays)
    with pytest.raises(RunError, match=r"checkpoint\.npz is not of this run: .*delete the file"):
        train(tmp_path)
