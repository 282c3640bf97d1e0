"""Runs and settings as tables that fit a terminal."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from optrun.cli.output import escaped
from optrun.cli.runs import COLUMNS
from optrun.cli.tables import width_of
from optrun.metrics import figure_text, spread_text
from optrun.settings import section_text

if TYPE_CHECKING:
    from optrun.sweeps.listing import ListedRun, ListedSetting

Texts = dict[str, list[str]]
"""Columns by their field, a text a row."""

NUMBERS = ("epochs", "train_loss", "val_loss", "val_accuracy", "test_accuracy", "test_loss",
           "seconds_train", "seed", "n")  # fmt: skip
# Left out one after the other where there is no room for all:
DROPPED = ("seconds_train", "started", "val_loss", "test_accuracy", "epochs", "val_accuracy")
NARROWEST = {"name": 12, "differs": 20}  # letters to which these columns shrink, for room
GAP = 2


def print_runs(
    runs: Sequence["ListedRun"], columns: Mapping[str, Callable[["ListedRun"], Any]] | None
) -> None:
    """A line a run, or more where its settings need them."""
    console = Console()
    if columns:
        texts = {name: [text_of(read(run), name) for run in runs] for name, read in columns.items()}
        console.print(table_of(texts, width_of(console), droppable=()))
    else:
        console.print(table_of(columns_of(runs), width_of(console)))


def print_settings(settings: Sequence["ListedSetting"]) -> None:
    """A line a setting, with the means and deviations of its figures."""
    measured = [
        figure
        for figure in measures_of([setting.figures for setting in settings])
        if figure not in ("test_accuracy", "test_loss")
    ]
    texts: Texts = {
        "name": [setting.name for setting in settings],
        "differs": [setting.differs or "-" for setting in settings],
        "n": [str(len(setting.seeds)) for setting in settings],
    }
    for figure in measured:
        spreads = [setting.figures[figure] for setting in settings]
        texts[figure] = [spread_text(s.mean, s.std, figure) if s else "-" for s in spreads]
    others = [Counter(setting.statuses) - Counter({"finished": len(setting.seeds)})
              for setting in settings]  # fmt: skip
    if any(others):
        texts["others"] = [
            ", ".join(f"{number} {status}" for status, number in other.items()) or "-"
            for other in others
        ]
    console = Console()
    console.print(table_of(texts, width_of(console), droppable=()))


def table_of(texts: Texts, width: int | None, droppable: Iterable[str] = DROPPED) -> Table:
    """The table, fitted into `width` letters if that is given.

    Ids, statuses and numbers are never broken: the columns of least interest are dropped, names are
    cut, and settings take several lines.
    """
    headings = {field: COLUMNS.get(field, field) for field in texts}
    widths = {field: max(map(len, [headings[field], *texts[field]])) for field in texts}
    if width is not None:
        widths = fit(widths, width, droppable)
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0))
    for field, letters in widths.items():
        table.add_column(
            headings[field],
            justify="right" if field in NUMBERS else "left",
            no_wrap=field not in ("differs", "settings"),
            overflow="fold" if field in ("differs", "settings") else "ellipsis",
            min_width=letters,
            max_width=letters,
        )
    for row in zip(*(texts[field] for field in widths), strict=True):
        table.add_row(*(Text(escaped(field)) for field in row))
    return table


def fit(widths: dict[str, int], width: int, droppable: Iterable[str]) -> dict[str, int]:
    """The widths of the columns to show, so that they and the gaps take at most `width` letters."""
    narrow = {field: min(room, NARROWEST.get(field, room)) for field, room in widths.items()}
    for field in droppable:
        if total(narrow) > width:
            narrow.pop(field, None)
    spare = max(0, width - total(narrow))
    for field in ("name", "differs"):
        if field in narrow:
            more = min(spare, widths[field] - narrow[field])
            narrow[field] += more
            spare -= more
    return narrow


def total(widths: dict[str, int]) -> int:
    """Letters that columns and the gaps between them take."""
    return sum(widths.values()) + GAP * (len(widths) - 1)


def columns_of(runs: Sequence["ListedRun"]) -> Texts:
    """The usual columns as texts, `-` where there is no value."""
    told = measures_of([vars(run.row) for run in runs])
    return {
        "name": [run.row.name for run in runs],
        "differs": [run.differs or "-" for run in runs],
        "status": [run.row.status for run in runs],
        "epochs": [text_of(run.row.epochs, "epochs") for run in runs],
        **{field: [text_of(getattr(run.row, field), field) for run in runs] for field in told},
        "seconds_train": [text_of(run.row.seconds_train, "seconds_train") for run in runs],
        "started": local_times([run.row.started for run in runs]),
        "id": [run.row.id or "-" for run in runs],
    }


def measures_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The measures to show: losses where there are no labels, that of training without others."""

    def any_has(field: str) -> bool:
        return any(row.get(field) is not None for row in rows)

    if any_has("val_accuracy") or any_has("test_accuracy") or not any_has("train_loss"):
        tested = ["test_accuracy"] if any_has("test_accuracy") else []
        return ["val_loss", "val_accuracy", *tested]
    tested = ["test_loss"] if any_has("test_loss") else []
    return ["val_loss" if any_has("val_loss") else "train_loss", *tested]


def text_of(value: Any, field: str) -> str:
    """A value in a table."""
    if value is None:
        return "-"
    field = {heading: field for field, heading in COLUMNS.items()}.get(field, field)
    if field == "seconds_train":
        return f"{value:.1f} s"
    if field == "started":
        return f"{local(value):%Y-%m-%d %H:%M}"
    if field.endswith(("_loss", "_accuracy")):
        return figure_text(value, field)
    return str(value) if isinstance(value, Path) else section_text(value)


def local_times(started: Sequence[str | None]) -> list[str]:
    """When runs were begun, in local time: with the year, or the time of day where it is one."""
    times = [local(time) if time else None for time in started]
    form = "%m-%d %H:%M" if len({time.year for time in times if time}) == 1 else "%Y-%m-%d"
    return [f"{time:{form}}" if time else "-" for time in times]


def local(time: str) -> datetime:
    """A stored time, which is UTC, as local time."""
    parsed = datetime.fromisoformat(time)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone()
