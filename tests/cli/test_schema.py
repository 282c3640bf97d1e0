"""`optrun schema`: prints the schema that the loader stands for."""

import json

from typer.testing import CliRunner

from optrun.cli.main import app
from optrun.config.json_schema import json_schema
from optrun.sweeps.space.schema import SweepFile


def test_it_prints_the_schema():
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json_schema()
    result = CliRunner().invoke(app, ["schema", "--sweep"])
    assert json.loads(result.stdout) == json_schema(SweepFile, "optrun sweep")
