"""`optrun schema`: prints the schema that the loader stands for."""

import json

import pytest
import typer
from typer.testing import CliRunner

from optrun.cli.main import app
from optrun.cli.schema import schema
from optrun.config.json_schema import json_schema
from optrun.errors import UserError
from optrun.sweep.space.schema import SweepFile


def test_it_prints_the_schema():
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json_schema()
    result = CliRunner().invoke(app, ["schema", "--sweep"])
    assert json.loads(result.stdout) == json_schema(SweepFile, "optrun sweep")


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        (OSError(28, "No space left"), pytest.raises(UserError, match="written: No space left")),
        (BrokenPipeError(), pytest.raises(BrokenPipeError)),
    ],
)
def test_a_full_disk_is_told_and_a_reader_who_has_enough_is_left_alone(
    failure, raised, monkeypatch
):
    def fail(text):
        raise failure

    monkeypatch.setattr(typer, "echo", fail)
    with raised:
        schema()
