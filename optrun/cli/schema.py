"""`optrun schema`: the JSON Schema of configs, for editors."""

from typing import Annotated

import typer

from optrun.cli.output import print_json


def schema(
    sweep: Annotated[bool, typer.Option("--sweep", help="That of sweep files instead.")] = False,
) -> None:
    """Print the JSON Schema of configs; editors check and complete YAML with it."""
    from optrun.config.json_schema import json_schema
    from optrun.sweeps.space.schema import SweepFile

    print_json(json_schema(SweepFile, "optrun sweep") if sweep else json_schema())
