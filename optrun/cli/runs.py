"""`optrun runs`: the runs under a directory."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from optrun.store.reading import RunRow
    from optrun.sweep.results.rows import ResultRow

HEADINGS = {
    "name": "name",
    "id": "id",
    "status": "status",
    "started": "started",
    "epochs": "epochs",
    "train_loss": "train loss",
    "val_loss": "val loss",
    "val_accuracy": "val acc",
    "test_accuracy": "test acc",
    "test_loss": "test loss",
    "seconds_train": "train time",
    "differs": "differs",
}
MEASURES = ("train_loss", "val_loss", "val_accuracy", "test_accuracy", "test_loss")
NUMBERS = ("epochs", *MEASURES, "seconds_train")
# Left out one after the other where there is no room for all:
DROPPED = ("seconds_train", "started", "val_loss", "test_accuracy", "epochs", "val_accuracy")
NARROWEST = {"name": 12, "differs": 20}  # letters to which these columns are cut, for room
GAP = 2
OF_TEST = ("test_accuracy", "test_loss")  # not shown of a sweep, whose runs it must not choose


def runs(
    root: Annotated[Path, typer.Argument(help="Where the run directories are.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    sort: Annotated[
        str, typer.Option(help="Column to sort by; accuracies from the highest down.")
    ] = "started",
    sweep: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only the runs of the sweep of this name.")
    ] = None,
) -> None:
    """List runs: how far they got, how well they do, and in which settings they differ.

    Of a sweep no test figures are listed: they are for the setting chosen, and in its summary.md.
    """
    from optrun.store.reading import list_runs

    results = None if sweep is None else begun_of_sweep(root, sweep)
    rows = list_runs(root) if results is None else runs_of_sweep(results)
    rows = sort_rows(rows, sort, () if results is None else OF_TEST)
    if as_json:
        print_json(rows, results)
    elif rows:
        print_table(rows, () if results is None else OF_TEST)
    else:
        typer.echo(f"No runs {f'of {sweep} ' if sweep else ''}in {root} yet.")


def begun_of_sweep(root: Path, name: str) -> dict[Path, "ResultRow"]:
    """What a sweep says of its runs that have begun, by directory, in its order."""
    from optrun.sweep.directory import named_sweep
    from optrun.sweep.results.rows import read_results

    rows = read_results(named_sweep(root, name).results).rows
    begun = (row for row in rows if row.status != "waiting")
    return {root / row.directory: row for row in begun}


def runs_of_sweep(directories: Iterable[Path]) -> list["RunRow"]:
    """The runs of a sweep, without the figures that nothing may be chosen by.

    Those are on test, and those of a diverged run, which are of a barely trained model. A run that
    was stopped is called paused, as in results.csv.
    """
    from dataclasses import replace

    from optrun.store.reading import describe

    nothing: dict[str, Any] = dict.fromkeys(MEASURES)
    on_test: dict[str, Any] = dict.fromkeys(OF_TEST)
    status = {"stopped": "paused"}
    return [
        replace(
            row,
            status=status.get(row.status, row.status),
            **(nothing if row.status == "diverged" else on_test),
        )
        for row in map(describe, directories)
    ]


def sort_rows(rows: Sequence["RunRow"], heading: str, hidden: Sequence[str] = ()) -> list["RunRow"]:
    """The rows by a column, called as in the table or in JSON; those without a value last.

    Raises:
        UserError: there is no such column, or it is hidden.
    """
    from difflib import get_close_matches

    from optrun.errors import UserError
    from optrun.metrics import higher_is_better

    known = {name: field for field, name in HEADINGS.items() if field != "differs"}
    column = known.get(heading, heading)
    if column in hidden:
        raise UserError(
            f"a sweep's runs are not sorted by {heading}: test figures are for the setting chosen, "
            "and the sweep's summary.md has them; sort by val_accuracy or val_loss"
        )
    known = {name: field for name, field in known.items() if field not in hidden}
    if column not in known.values():
        near = get_close_matches(heading, [*known, *known.values()], n=1)
        hint = f"; did you mean {near[0]}? There" if near else "; there"
        names = [n if n == field else f"{n} ({field})" for n, field in known.items()]
        raise UserError(f"no column is called {heading}{hint} are {', '.join(names)}")
    present = [row for row in rows if getattr(row, column) is not None]
    absent = [row for row in rows if getattr(row, column) is None]
    present.sort(key=lambda row: getattr(row, column), reverse=higher_is_better(column))
    return present + absent


def print_json(rows: Sequence["RunRow"], results: Mapping[Path, "ResultRow"] | None) -> None:
    """All columns of all rows, unrounded; of a sweep, what varies in it and no test figures."""
    import json
    from dataclasses import asdict

    values = [asdict(row) | {"directory": str(row.directory)} for row in rows]
    for row, value in zip(rows, values, strict=True):
        if results is not None:
            for field in OF_TEST:
                del value[field]
            result = results[row.directory]
            value |= {"settings": dict(result.settings), "seed": result.seed}
    typer.echo(json.dumps(values, indent=2))


def print_table(rows: Sequence["RunRow"], hidden: Sequence[str]) -> None:
    """A table for people; as wide as it needs to be where the output is no terminal."""
    from rich.console import Console

    console = Console()
    width = console.width if console.is_terminal else None
    table = table_of(rows, width, hidden)
    if width is None:
        unlimited = console.options.update_width(10_000)
        console.width = max(console.width, console.measure(table, options=unlimited).maximum)
    console.print(table)


def table_of(rows: Sequence["RunRow"], width: int | None, hidden: Sequence[str] = ()) -> "Table":
    """The table without hidden columns, fitted into `width` letters if that is given.

    Ids, statuses and numbers are never broken: the columns of least interest are dropped, and
    names and differences are cut.
    """
    from rich.table import Table
    from rich.text import Text

    columns = {field: texts for field, texts in columns_of(rows).items() if field not in hidden}
    widths = {field: max(map(len, [HEADINGS[field], *columns[field]])) for field in columns}
    if width is not None:
        widths = fit(widths, width)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    for field, letters in widths.items():
        table.add_column(
            HEADINGS[field],
            justify="right" if field in NUMBERS else "left",
            no_wrap=True,
            overflow="ellipsis",
            min_width=letters,
            max_width=letters,
        )
    for texts in zip(*(columns[field] for field in widths), strict=True):
        table.add_row(*map(Text, texts))
    return table


def fit(widths: dict[str, int], width: int) -> dict[str, int]:
    """The widths of the columns to show, so that they and the gaps take at most `width` letters."""
    narrow = {field: min(room, NARROWEST.get(field, room)) for field, room in widths.items()}
    for field in DROPPED:
        if total(narrow) > width:
            narrow.pop(field, None)
    spare = max(0, width - total(narrow))
    for field in ("name", "differs"):
        more = min(spare, widths[field] - narrow[field])
        narrow[field] += more
        spare -= more
    return narrow


def total(widths: dict[str, int]) -> int:
    """Letters that columns and the gaps between them take."""
    return sum(widths.values()) + GAP * (len(widths) - 1)


def columns_of(rows: Sequence["RunRow"]) -> dict[str, list[str]]:
    """The table's fields as texts, `-` where there is no value."""
    told = measures_of(rows)
    years = {row.started[:4] for row in rows if row.started}
    day = slice(5, 16) if len(years) == 1 else slice(0, 10)  # the year only where it tells
    return {
        "name": [row.name for row in rows],
        "id": [row.id or "-" for row in rows],
        "status": [row.status for row in rows],
        "started": [(row.started or "-")[day].replace("T", " ") or "-" for row in rows],
        "epochs": [shown(row.epochs, "{}") for row in rows],
        **{field: texts_of(rows, field) for field in told},
        "seconds_train": [shown(row.seconds_train, "{:.1f} s") for row in rows],
        "differs": differences_of(rows),
    }


def measures_of(rows: Sequence["RunRow"]) -> list[str]:
    """The measures to show: losses where there are no labels, that of training without others."""

    def any_has(field: str) -> bool:
        return any(getattr(row, field) is not None for row in rows)

    labelled = any_has("val_accuracy") or any_has("test_accuracy")
    if labelled or not any_has("train_loss"):
        return ["val_loss", "val_accuracy", "test_accuracy"]
    return ["val_loss" if any_has("val_loss") else "train_loss", "test_loss"]


def texts_of(rows: Sequence["RunRow"], field: str) -> list[str]:
    """A measure as text."""
    from optrun.metrics import figure_text

    values = [getattr(row, field) for row in rows]
    return ["-" if value is None else figure_text(value, field) for value in values]


def differences_of(rows: Sequence["RunRow"]) -> list[str]:
    """The settings in which the runs differ, `-` where there are none or no readable config."""
    from optrun.errors import RunError
    from optrun.settings import differences
    from optrun.store.run_directory import RunDirectory

    configs: dict[int, dict[str, Any]] = {}
    for index, row in enumerate(rows):
        try:
            configs[index] = RunDirectory(row.directory).read_config()
        except RunError:
            continue
    texts = dict(zip(configs, differences(list(configs.values())), strict=True))
    return [texts.get(index) or "-" for index in range(len(rows))]


def shown(value: Any, form: str) -> str:
    return "-" if value is None else form.format(value)
