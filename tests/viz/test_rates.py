"""The rate of every step of a run of which every tenth is logged."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optrun.config.load import load
from optrun.data.prepare import prepare
from optrun.engine.compiler import compile_program
from optrun.store.reading import load_run
from optrun.store.run_directory import RunDirectory
from optrun.training.run import run
from optrun.viz.compare import compare_figure
from optrun.viz.curves import curves_figure
from optrun.viz.rates import changes, learning_rates
from tests.runs_factory import cosine_rates, write_run

LR, STEPS = 0.1, 90
TOY: dict[str, Any] = {
    "name": "rates",
    "dataset": {"name": "synthetic", "kind": "blobs", "samples": 300, "test_samples": 10},
    "model": "linear",
    "optimizer": {"name": "sgd", "lr": LR},
    "training": {"epochs": 10, "batch_size": 30},
}
SCHEDULES: dict[str, dict[str, Any]] = {
    "constant": {},
    "step": {"scheduler": {"name": "step", "every": "25 steps", "gamma": 0.5}},
    "piecewise": {
        "scheduler": {"name": "piecewise", "milestones": ["33 steps", "57 steps"],
                      "factors": [0.1, 0.01]},
        "warmup": {"name": "constant", "duration": "5 steps"},
    },
    "scaled warmup and cosine": {
        "scheduler": "cosine", "warmup": {"name": "linear", "duration": "13 steps"},
        "linear_scaling": 60,
    },
    "wrapped": {
        "optimizer": {"name": "lookahead", "base": {"name": "sgd", "lr": LR}},
        "scheduler": {"name": "warm_restarts", "period": "14 steps"},
    },
}  # fmt: skip
PLATEAU = {"name": "plateau", "watch": "train_loss", "patience": 0, "threshold": 0.2}


def trained(root: Path, **settings: Any) -> tuple[Any, np.ndarray]:
    """The run, and the rate of each of its steps as training works it out."""
    config = load(TOY | settings).config
    planned = compile_program(config, prepare(config.dataset, config.seed, config.dtype)).rates
    return load_run(run(config, root)), planned


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_step_has_the_rate_it_was_trained_with(tmp_path: Path, schedule: str):
    found, planned = trained(tmp_path, **SCHEDULES[schedule])
    table = learning_rates(found)
    assert table["step"].tolist() == list(range(STEPS + 1))
    np.testing.assert_array_equal(table["lr"][1:], planned)
    assert table["lr"][0] == planned[0]
    np.testing.assert_allclose(table["epoch"], table["step"] / 9)
    assert table["seconds"].is_monotonic_increasing


def test_a_rate_drawn_falls_after_its_last_step(tmp_path: Path):
    found, _ = trained(tmp_path, **SCHEDULES["step"])
    corners = [[0, 0.1], [25, 0.1], [50, 0.05], [75, 0.025], [90, 0.0125]]
    pictures = curves_figure(found).axes[2], compare_figure([found.path], "lr", x="step").axes[0]
    for axes in pictures:
        (line,) = (line for line in axes.lines if line.get_drawstyle() == "steps-pre")
        np.testing.assert_allclose(line.get_xydata(), corners)


def test_a_plateau_is_cut_at_the_end_of_an_epoch(tmp_path: Path):
    found, planned = trained(tmp_path, scheduler=PLATEAU)
    table = learning_rates(found)
    assert len(table) == STEPS + 1 and not np.array_equal(table["lr"][1:], planned)
    ends = table[table["step"].isin(found.metrics["step"][1:])]
    np.testing.assert_array_equal(ends["lr"], found.metrics["lr"][1:])
    last_of_a_rate = changes(table, "lr")["step"][1:-1]
    assert len(last_of_a_rate) and set(last_of_a_rate % 9) == {0}


def test_a_run_cut_short_has_the_rates_of_the_steps_it_did(tmp_path: Path):
    config = load(TOY | {"scheduler": "cosine"}).config
    found = load_run(run(config, tmp_path, pause_after=4))
    table = learning_rates(found)
    assert len(table) == 4 * 9 + 1
    cosine = LR * 0.5 * (1 + np.cos(np.pi * np.arange(36) / STEPS))
    np.testing.assert_allclose(table["lr"][1:], cosine)


def test_rates_that_do_not_follow_from_the_config_are_those_recorded(tmp_path: Path):
    falling = 0.001 * 0.99 ** np.arange(1000)
    for rates in (falling, np.append(falling[:500], np.full(500, 0.001))):
        table = learning_rates(load_run(write_run(tmp_path, rates=rates)))
        assert table["step"].tolist() == list(range(0, 1001, 10))
        np.testing.assert_array_equal(table["lr"][1:], rates[9::10])


def test_a_config_of_another_version_leaves_the_rates_recorded(tmp_path: Path):
    path = write_run(tmp_path, rates=cosine_rates(1000))
    config = RunDirectory(path).read_config()
    for scheduler in ({"name": "unknown"}, {"name": "cosine", "other": 1}, "constant"):
        RunDirectory(path).write_config(config | {"scheduler": scheduler})
        assert len(learning_rates(load_run(path))) == 101


def test_a_method_without_a_rate_has_none(tmp_path: Path):
    found, _ = trained(tmp_path, optimizer="random_search")
    assert learning_rates(found).empty


def test_drawing_rates_loads_no_numba(tmp_path: Path):
    path = write_run(tmp_path, epochs=1)
    code = (
        "import sys; from optrun.store.reading import load_run; "
        f"from optrun.viz.rates import learning_rates; learning_rates(load_run({str(path)!r}))\n"
        "print([m for m in ('numba', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]" and done.stderr == ""
