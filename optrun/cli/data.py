"""`optrun data`: which datasets lie where, and fetching them ahead of time."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optrun.cli.output import echo, print_json
from optrun.errors import DataError

if TYPE_CHECKING:
    from optrun.data.stored import StoredDataset

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
    """Show which datasets are on this machine, where, and whether they are the published ones."""
    if context.invoked_subcommand is not None:
        return
    from optrun.data.catalog import DATASETS, KINDS

    rows = [{"dataset": name, **_found(kind, data_dir)} for name, kind in DATASETS.items()]
    if json:
        print_json(rows)
        return
    for row in rows:
        echo(f"{row['dataset']:<10}{_state(row):<28}{row['folder']}")
    for name in KINDS:
        echo(f"{name} needs no files")


def _found(dataset: type["StoredDataset"], data_dir: Path | None) -> dict[str, Any]:
    """What is known of a dataset's files, whose content is read if all are there."""
    folder = dataset.place(data_dir)
    row: dict[str, Any] = {
        "folder": str(folder),
        "present": False,
        "verified": False,
        "reordered": False,
        "missing": dataset.missing(folder),
        "damaged": dataset.damaged(folder),
        "changed": [],
        "problem": None,
    }
    if row["missing"] or row["damaged"]:
        return row
    try:
        raw = dataset.read(folder)
    except DataError as error:
        return row | {"problem": str(error)}
    changed = dataset.changed(raw)
    reordered = not changed and raw.files != dataset.checksums
    found = {"present": True, "verified": not changed, "reordered": reordered, "changed": changed}
    return row | found


def _state(row: dict[str, Any]) -> str:
    """ "verified", or the gravest thing about its files."""
    for state in ("damaged", "missing", "changed"):
        if names := row[state]:
            return f"{len(names)} file{'s' * (len(names) > 1)} {state}"
    if row["problem"]:
        return "not readable"
    return "verified, in another order" if row["reordered"] else "verified"


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
    dataset.check(folder, raw)
    counts = f"{len(raw.train_y)} training and {len(raw.test_y)} test images"
    echo(f"{dataset.title} is in {folder}: {counts}, verified")
