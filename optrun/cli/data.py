"""`optrun data`: which datasets lie where, and fetching them ahead of time."""

from pathlib import Path
from typing import Annotated, Any

import typer

from optrun.cli.output import print_json

DataDir = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the datasets. Default: OPTRUN_DATA_DIR, else the user's cache.",
        show_default=False,
    ),
]

app = typer.Typer(invoke_without_command=True)


@app.callback()
def list_stored(
    context: typer.Context,
    data_dir: DataDir = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which datasets are on this machine, and where they are looked for."""
    if context.invoked_subcommand is not None:
        return
    from optrun.data.catalog import DATASETS, KINDS

    rows: list[dict[str, Any]] = []
    for name, dataset in DATASETS.items():
        folder = dataset.place(data_dir)
        missing, damaged = dataset.missing(folder), dataset.damaged(folder)
        rows.append(
            {
                "dataset": name,
                "folder": str(folder),
                "present": not missing and not damaged,
                "missing": missing,
                "damaged": damaged,
            }
        )
    if json:
        print_json(rows)
        return
    for row in rows:
        typer.echo(f"{row['dataset']:<10}{_state(row):<18}{row['folder']}")
    for name in KINDS:
        typer.echo(f"{name} needs no files")


def _state(row: dict[str, Any]) -> str:
    """ "present", or the gravest thing about its files."""
    for state in ("damaged", "missing"):
        if names := row[state]:
            return f"{len(names)} file{'s' * (len(names) > 1)} {state}"
    return "present"


@app.command()
def fetch(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="mnist or cifar10.", show_default=False)],
    data_dir: DataDir = None,
) -> None:
    """Download a dataset unless it is there, and check its files."""
    from optrun.data.catalog import stored

    dataset = stored(name)
    if data_dir is None and context.parent is not None:
        data_dir = context.parent.params.get("data_dir")
    folder = dataset.fetch(data_dir)
    raw = dataset.read(folder)
    counts = f"{len(raw.train_y)} training and {len(raw.test_y)} test images"
    typer.echo(f"{dataset.title} is in {folder}: {counts}")
