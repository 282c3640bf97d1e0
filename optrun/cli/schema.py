"""`optrun schema`: the JSON Schema of configs, for editors."""

import typer


def schema() -> None:
    """Print the JSON Schema of configs; editors check and complete YAML with it."""
    from json import dumps

    from optrun.config.json_schema import json_schema
    from optrun.errors import UserError

    text = dumps(json_schema(), indent=2, ensure_ascii=False)
    try:
        typer.echo(text)
    except BrokenPipeError:  # whoever reads has read enough
        raise
    except OSError as error:
        raise UserError(f"the schema cannot be written: {error.strerror}") from None
