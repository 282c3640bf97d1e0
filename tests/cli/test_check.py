"""`optrun check`: what it prints for sound and for broken configs."""

import json

import pytest
from typer.testing import CliRunner

from optrun.cli.main import app
from optrun.config.load import load, resolved
from optrun.errors import ConfigError

TEXT = """\
name: demo
dataset: {name: synthetic, kind: moons}
model: linear
optimizer: {name: adam, lr: 0.1, beta1: 0.5}
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def test_it_prints_a_config_that_loads_as_the_same(config, tmp_path):
    result = CliRunner().invoke(app, ["check", config, "seed=3"])
    assert result.exit_code == 0
    assert result.stdout.startswith(
        f"# ok: {config}\n"
        "# chosen for this dataset: loss softmax, initialization xavier_uniform, "
        "training.batch_size 128, training.best_by val_accuracy\n"
        "name: demo\nseed: 3\n"
    )
    printed = tmp_path / "printed.yaml"
    printed.write_text(result.stdout, encoding="utf-8")
    assert load(printed).config == load(config, ["seed=3"]).config


def test_json(config):
    result = CliRunner().invoke(app, ["check", config, "--json"])
    assert json.loads(result.stdout) == resolved(load(config).config)


def test_what_is_given_is_not_among_the_choices(config):
    given = ["loss=hinge", "training={batch_size: 16, best_by: last}"]
    result = CliRunner().invoke(app, ["check", config, *given])
    assert "\n# chosen for this dataset: initialization xavier_uniform\n" in result.stdout
    given = ["initialization=zeros", *given]
    assert "chosen" not in CliRunner().invoke(app, ["check", config, *given]).stdout


def test_warnings_go_to_standard_error_and_the_config_is_ok(config):
    result = CliRunner().invoke(app, ["check", config, "scheduler=plateau"])
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0] == (
        'override "scheduler=plateau": warning: scheduler.patience: with 10 the rate of 10 epochs '
        "is never cut"
    )
    assert result.stdout.startswith("# ok:")


def test_what_overrides_leave_out_is_noted_on_standard_error(config):
    result = CliRunner().invoke(app, ["check", config, "optimizer.name=sgd"])
    note = f"note: optimizer.name=sgd leaves out beta1 ({config}:4), which sgd does not have\n"
    assert result.stderr == note
    assert "beta1" not in result.stdout


def test_problems_are_raised_for_main_to_tell(config):
    result = CliRunner().invoke(app, ["check", config, "seeed=3"])
    assert isinstance(result.exception, ConfigError)
    assert "did you mean `seed`?" in str(result.exception)
    assert result.stdout == ""
