"""`optrun schema`: the JSON Schema of configs, for editors."""

import typer


def schema() -> None:
    """Print the JSON Schema of configs; editors check and complete YAML with it."""
    from json import dumps

    from optrun.config.json_schema import json_schema

    typer.echo(dumps(json_schema(), indent=2, ensure_ascii=False))
