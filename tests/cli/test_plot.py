"""`optrun plot`."""

from pathlib import Path

import typer
from typer.testing import CliRunner

from optrun.cli import plot
from optrun.errors import RunError
from tests.runs_factory import resolved_config, write_run

app = typer.Typer()
app.command("plot")(plot.plot)


def test_it_prints_the_path_of_the_picture(tmp_path: Path):
    runs = [str(write_run(tmp_path, resolved_config(seed=seed))) for seed in range(2)]
    out = tmp_path / "picture.svg"
    options = ["--metric", "loss", "--x", "step", "--log-x", "--log-y", "--smooth", "0.5"]
    result = CliRunner().invoke(app, [*runs, *options, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert result.output == f"{out}\n"
    drawn = out.read_text(encoding="utf-8")
    assert (
        "batch loss (cross-entropy, nats), moving average 0.5" in drawn and "<!-- step -->" in drawn
    )


def test_a_run_without_the_metric_is_a_warning(tmp_path: Path):
    runs = [
        str(write_run(tmp_path, resolved_config(seed=seed), validation=seed > 0))
        for seed in range(2)
    ]
    out = tmp_path / "picture.png"
    result = CliRunner().invoke(app, [*runs, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"{out}\n"
    assert result.stderr == f"warning: {runs[0]} has no value of val_loss and is left out\n"


def test_a_mistake_is_passed_on(tmp_path: Path):
    result = CliRunner().invoke(app, [str(tmp_path / "absent")])
    assert isinstance(result.exception, RunError)


def test_wrong_usage_is_the_users_mistake():
    assert CliRunner().invoke(app, []).exit_code == 2


def test_a_wrong_choice_is_told_by_the_options_name():
    result = CliRunner().invoke(app, ["run", "--x", "hours"])
    assert str(result.exception) == "--x is hours; it can be epoch, step, seconds"
