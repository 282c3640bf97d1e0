"""`optrun plot`."""

from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from optrun.cli import plot
from optrun.errors import RunError
from tests.runs_factory import resolved_config, write_run
from tests.viz.test_sweep import make, written

app = typer.Typer()
app.command("plot")(plot.plot)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_it_prints_the_path_of_the_picture_and_says_what_it_drew(tmp_path: Path):
    runs = [write_run(tmp_path, resolved_config(seed=seed)) for seed in range(2)]
    out = tmp_path / "picture.svg"
    options = ["--metric", "loss", "--x", "step", "--log-x", "--log-y", "--smooth", "0.5"]
    result = invoke(*runs, *options, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out}\n"
    assert result.stderr == (
        "drew 2 runs as 1 curve, which differ in seed alone; mean over seeds, band from min to max"
        "\n"
    )
    drawn = out.read_text(encoding="utf-8")
    assert "<!-- batch loss (cross-entropy, nats) -->" in drawn and "<!-- step -->" in drawn
    assert "<!-- mean over seeds, band from min to max; moving average 0.5" in drawn


def test_several_metrics_are_several_panels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write_run(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert invoke(path, "--metric", "lr", "--metric", "loss").stdout == "lr-loss.png\n"
    assert invoke(path, "--metric", "lr", "--metric", "loss", "--out", "x.svg").exit_code == 0
    drawn = Path("x.svg").read_text(encoding="utf-8")
    assert "<!-- learning rate -->" in drawn and "<!-- batch loss" in drawn


def test_a_run_without_the_metric_is_a_warning(tmp_path: Path):
    runs = [write_run(tmp_path, resolved_config(seed=s), validation=s > 0) for s in range(2)]
    out = tmp_path / "picture.png"
    result = invoke(*runs, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out}\n"
    warning = f"warning: {runs[0]} has no value of val_loss and is left out\n"
    assert result.stderr == f"{warning}drew 1 run\n"


def test_runs_are_picked_by_a_setting_and_a_sweep_is_drawn(tmp_path: Path):
    runs = [write_run(tmp_path, resolved_config(seed=seed)) for seed in range(3)]
    out = tmp_path / "picture.png"
    assert invoke(*runs, "--where", "seed=1", "--out", out).stderr == "drew 1 run\n"
    directory = written(make(tmp_path, [{"optimizer.lr": 0.001}], [[0.5, 0.6]]))
    assert invoke(directory, "--out", out).stderr.startswith("drew 2 runs as 1 curve")
    assert invoke(*runs, "--sweep", directory, "--out", out).stderr.startswith("drew 2 runs")


def test_a_mistake_is_passed_on(tmp_path: Path):
    assert isinstance(invoke(tmp_path / "absent").exception, RunError)
    assert str(invoke().exception).startswith("no run is named; give run directories")


def test_a_wrong_choice_is_told_by_the_options_name():
    result = invoke("run", "--x", "hours")
    assert str(result.exception) == "--x is hours; it can be epoch, step, seconds"
