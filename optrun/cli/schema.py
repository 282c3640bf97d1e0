"""`optrun schema`: the JSON Schema of configs, for editors."""

from typing import Annotated

import typer


def schema(
    sweep: Annotated[bool, typer.Option("--sweep", help="That of sweep files instead.")] = False,
) -> None:
    """Print the JSON Schema of configs; editors check and complete YAML with it."""
    from json import dumps

    from optrun.config.json_schema import json_schema
    from optrun.errors import UserError
    from optrun.sweep.space.schema import SweepFile

    found = json_schema(SweepFile, "optrun sweep") if sweep else json_schema()
    text = dumps(found, indent=2, ensure_ascii=False)
    try:
        typer.echo(text)
    except BrokenPipeError:  # whoever reads has read enough
        raise
    except OSError as error:
        raise UserError(f"the schema cannot be written: {error.strerror}") from None
