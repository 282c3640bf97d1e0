"""`optrun runs`: the runs under a directory."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from optrun.store.reading import RunRow

HIGHER_IS_BETTER = ("val_accuracy", "test_accuracy")


def runs(
    root: Annotated[Path, typer.Argument(help="Where the run directories are.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sort: Annotated[
        str, typer.Option(help="Column to sort by; accuracies from the highest down.")
    ] = "started",
) -> None:
    """List runs: how far they got and how well they do."""
    from optrun.store.reading import list_runs

    rows = sort_rows(list_runs(root), sort)
    if as_json:
        print_json(rows)
    elif rows:
        print_table(rows)
    else:
        typer.echo(f"No runs in {root} yet.")


def sort_rows(rows: Sequence["RunRow"], column: str) -> list["RunRow"]:
    """The rows by one column; those that have no value in it last."""
    from dataclasses import fields
    from difflib import get_close_matches

    from optrun.errors import UserError
    from optrun.store.reading import RunRow

    known = [field.name for field in fields(RunRow)]
    if column not in known:
        near = get_close_matches(column, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ";"
        raise UserError(f"no column is called {column}{hint} There are {', '.join(known)}")
    present = [row for row in rows if getattr(row, column) is not None]
    absent = [row for row in rows if getattr(row, column) is None]
    present.sort(key=lambda row: getattr(row, column), reverse=column in HIGHER_IS_BETTER)
    return present + absent


def print_json(rows: Sequence["RunRow"]) -> None:
    """All columns of all rows, unrounded."""
    import json
    from dataclasses import asdict

    values = [asdict(row) | {"directory": str(row.directory)} for row in rows]
    typer.echo(json.dumps(values, indent=2))


def print_table(rows: Sequence["RunRow"]) -> None:
    """A table for people; as wide as it needs to be where the output is no terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("name", "id", "status", "started"):
        table.add_column(heading, overflow="fold")
    for heading in ("epochs", "val loss", "val acc", "test acc", "train time"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell) for cell in cells(row)))
    console = Console()
    if not console.is_terminal:
        unlimited = console.options.update_width(10_000)
        console.width = max(console.width, console.measure(table, options=unlimited).maximum)
    console.print(table)


def cells(row: "RunRow") -> list[str]:
    """A row's fields as text, `-` where there is no value."""
    return [
        row.name,
        row.id or "-",
        row.status,
        (row.started or "-")[:16].replace("T", " "),
        shown(row.epochs, "{}"),
        shown(row.val_loss, "{:.4g}"),
        shown(row.val_accuracy, "{:.2%}"),
        shown(row.test_accuracy, "{:.2%}"),
        shown(row.seconds_train, "{:.1f} s"),
    ]


def shown(value: Any, form: str) -> str:
    return "-" if value is None else form.format(value)
