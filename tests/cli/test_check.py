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
    assert result.stdout.startswith(f"# ok: {config}\nname: demo\nseed: 3\n")
    printed = tmp_path / "printed.yaml"
    printed.write_text(result.stdout, encoding="utf-8")
    assert load(printed).config == load(config, ["seed=3"]).config


def test_json(config):
    result = CliRunner().invoke(app, ["check", config, "--json"])
    assert json.loads(result.stdout) == resolved(load(config).config)


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
