"""`optrun check`: is this config sound, and what does it come to?"""

from pathlib import Path
from typing import Annotated

import typer

from optrun.cli.output import echo, print_json


def check(
    config: Annotated[Path, typer.Argument(help="YAML file of the experiment.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Changes to it, such as `optimizer.lr=0.01 training.epochs=5`."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check a config without running it, and print it with every default written out."""
    from optrun.config.load import load, resolved
    from optrun.settings import value_text
    from optrun.yaml_text import to_yaml

    loaded = load(config, overrides or ())
    for line in loaded.told():
        echo(line, err=True)
    if json:
        print_json(resolved(loaded.config))
        return
    echo(f"# ok: {config}")
    if loaded.choices:
        chosen = ", ".join(f"{key} {value_text(value)}" for key, value in loaded.choices.items())
        echo(f"# chosen for this dataset: {chosen}")
    echo(to_yaml(resolved(loaded.config)).rstrip("\n"))
