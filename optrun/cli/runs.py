"""`optrun runs`: the runs under a directory."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from optrun.cli.output import echo, print_json
from optrun.errors import UserError
from optrun.metrics import heading_of

if TYPE_CHECKING:
    from optrun.sweeps.listing import ListedRun, ListedSetting
FIGURES = ("train_loss", "val_loss", "val_accuracy", "test_accuracy", "test_loss")
COLUMNS = {
    "name": "name",
    "differs": "settings",
    "status": "status",
    "epochs": "epochs",
    **{name: heading_of(name) for name in FIGURES},
    "seconds_train": "train time",
    "started": "started",
    "id": "id",
    "seed": "seed",
    "sweep": "sweep",
    "directory": "directory",
}
"""Columns as they are called in JSON and in tables."""
OF_ROW = ("name", "status", "epochs", *FIGURES, "seconds_train", "started", "id", "directory")
OF_TEST = ("test_accuracy", "test_loss")
UNSORTED = ("differs", "sweep", "directory")


def runs(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Folders of runs, runs, or directories of sweeps.",
            show_default="runs",
        ),
    ] = None,
    sweep: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only the runs of the sweep of this name.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only the runs of this name.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Only runs with this setting, such as optimizer.lr=0.1, or value of a column, "
            "such as status=diverged. May be given several times.",
        ),
    ] = None,
    by_setting: Annotated[
        bool,
        typer.Option(
            "--by-setting", help="A line a setting: mean ± standard deviation over seeds."
        ),
    ] = False,
    sort: Annotated[
        str | None,
        typer.Option(
            help="Column or setting to sort by; accuracies from the highest down.",
            show_default="started",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Only so many: the first by --sort, without it the latest."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C", help="These columns; settings such as optimizer.lr are columns too."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the same as JSON.")] = False,
) -> None:
    """List runs: in which settings runs of a name differ, how far they got, how well they do.

    Times are local. Test figures are shown of runs that were trained one by one, and of the
    settings that a sweep chose, once it is over. Those of a sweep's other runs, which results.csv
    names, and of --by-setting are hidden: nothing is to be chosen by them.
    """
    from optrun.sweeps.listing import by_setting as settings_of
    from optrun.sweeps.listing import tell_apart

    places = paths or [Path("runs")]
    found = filtered(gathered(places, sweep), name, where or ())
    if by_setting:
        if columns:
            raise UserError("--columns goes with single runs, not with --by-setting")
        settings = sorted_settings(settings_of(found), sort)
        show_settings(settings[:limit], as_json, nothing(places, sweep, bool(name or where)))
        return
    tell_apart(found)
    found = cut(sorted_runs(found, sort or "started", sweep is not None), sort, limit)
    if as_json:
        print_json(records(found, columns))
    elif found:
        from optrun.cli.runs_table import print_runs

        print_runs(found, columns_called(columns, found) if columns else None)
    else:
        echo(nothing(places, sweep, bool(name or where)))


def nothing(places: Sequence[Path], sweep: str | None, is_filtered: bool) -> str:
    """That there are no runs to list."""
    of, where = f"of {sweep} " if sweep else "", ", ".join(map(str, places))
    return f"No runs {of}in {where} {'are like that' if is_filtered else 'yet'}."


def gathered(places: Sequence[Path], sweep: str | None) -> list["ListedRun"]:
    """The runs in some places, each once."""
    from optrun.sweeps.hidden import HiddenTests
    from optrun.sweeps.listing import runs_in, runs_of_named_sweep

    if sweep is not None and len(places) > 1:
        raise UserError(f"--sweep {sweep} takes one folder of runs, and {len(places)} are given")
    found = runs_of_named_sweep(places[0], sweep) if sweep else []
    hides_test = HiddenTests()
    for place in () if sweep else places:
        found += runs_in(place, hides_test)
    return list({run.row.directory.resolve(): run for run in found}.values())


def filtered(
    runs: list["ListedRun"], name: str | None, conditions: Iterable[str]
) -> list["ListedRun"]:
    """The runs of a name that meet all conditions.

    Raises:
        UserError: a condition is none, or no run has its key.
    """
    from optrun.config.problems import did_you_mean

    if name is not None and runs:
        names = sorted({run.row.name for run in runs})
        if name not in names:
            hint = did_you_mean(name, names) or f"there are {', '.join(names)}"
            raise UserError(f"no run here is named {name}; {hint}")
        runs = [run for run in runs if run.row.name == name]
    for condition in conditions:
        key, equals, value = (part.strip() for part in condition.partition("="))
        if not equals or not key:
            raise UserError(f"--where {condition} is no condition; write key=value")
        read = reader(key, runs)
        runs = [run for run in runs if matches(read(run), value)]
    return runs


def matches(value: Any, text: str) -> bool:
    """Whether a value is what the text says: `0.1`, `1e-1`, `adam`, `[64, 32]`, `null`."""
    from optrun.settings import component_name, value_text

    if isinstance(value, Mapping):
        return component_name(value) == text
    if value is None:
        return text in ("null", "none", "-", "")
    if isinstance(value, bool | str | list | Path):
        return value_text(value).replace(" ", "") == text.replace(" ", "")
    try:
        return float(text) == value
    except ValueError:
        return False


def reader(called: str, runs: Sequence["ListedRun"]) -> Callable[["ListedRun"], Any]:
    """What reads a column, or a setting by its key, or by the last word of it if that is enough.

    Raises:
        UserError: there is no such column and no run has such a setting.
    """
    field = {heading: field for field, heading in COLUMNS.items()}.get(called, called)
    if field in OF_ROW:
        return lambda run: getattr(run.row, field)
    if field in COLUMNS:
        return lambda run: getattr(run, field)
    key = setting_called(called, runs)
    return lambda run: setting_of(run, key)


def setting_called(called: str, runs: Sequence["ListedRun"]) -> str:
    """The dotted key that is meant."""
    from optrun.config.problems import did_you_mean
    from optrun.settings import prefixes

    keys = dict.fromkeys(prefix for run in runs for key in run.flat for prefix in prefixes(key))
    if called in keys or not keys:
        return called
    ends = [key for key in keys if key.endswith(f".{called}")]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise UserError(f"{called} may be {' or '.join(ends)}; write one in full")
    guess = did_you_mean(called, [*COLUMNS, *COLUMNS.values(), *keys])
    known = guess or f"there are {', '.join(COLUMNS)}, and the keys of configs"
    raise UserError(f"no column or setting is called {called}; {known}")


def is_setting(called: str, runs: Sequence["ListedRun"]) -> bool:
    """Whether a run has such a setting."""
    return any(f".{key}".endswith(f".{called}") for run in runs for key in run.flat)


def setting_of(run: "ListedRun", key: str) -> Any:
    """A value, or a section, of the run's config; None if it has none."""
    value: Any = run.config
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def sorted_runs(runs: Sequence["ListedRun"], heading: str, is_sweep: bool) -> list["ListedRun"]:
    """The runs by a column, called as in the table or in JSON, or by a setting.

    Those without a value are last.

    Raises:
        UserError: there is no such column, or it is hidden.
    """
    from optrun.metrics import higher_is_better
    from optrun.settings import value_rank

    if heading not in (*COLUMNS, *COLUMNS.values()) and is_setting(heading, runs):
        setting = reader(heading, runs)
        return sorted(runs, key=lambda run: (setting(run) is None, value_rank(setting(run))))
    column = sortable(heading, [c for c in COLUMNS if not is_sweep or c not in OF_TEST], is_sweep)
    read = reader(column, runs)
    present = [run for run in runs if read(run) is not None]
    absent = [run for run in runs if read(run) is None]
    present.sort(key=read, reverse=higher_is_better(column))
    return present + absent


def sortable(heading: str, columns: Sequence[str], is_sweep: bool = False) -> str:
    """The column of this heading among some, if it can be sorted by."""
    from difflib import get_close_matches

    known = {COLUMNS[column]: column for column in columns if column not in UNSORTED}
    column = {heading: column for column, heading in COLUMNS.items()}.get(heading, heading)
    if is_sweep and column in OF_TEST:
        raise UserError(
            f"a sweep's runs are not sorted by {heading}: test figures are for the setting chosen, "
            "and the sweep's summary.md has them; sort by val_accuracy or val_loss"
        )
    if column not in known.values():
        near = get_close_matches(heading, [*known, *known.values()], n=1)
        hint = f"; did you mean {near[0]}? There" if near else "; there"
        names = [n if n == field else f"{n} ({field})" for n, field in known.items()]
        raise UserError(f"no column to sort by is called {heading}{hint} are {', '.join(names)}")
    return column


def sorted_settings(
    settings: Sequence["ListedSetting"], heading: str | None
) -> list["ListedSetting"]:
    """The settings by the mean of a figure, the best first; or by their name, as they are."""
    from optrun.metrics import higher_is_better

    if heading is None:
        return list(settings)
    column = sortable(heading, ("name", "train_loss", "val_loss", "val_accuracy"))
    if column == "name":
        return sorted(settings, key=lambda setting: setting.name)
    sign = -1 if higher_is_better(column) else 1

    def rank(setting: "ListedSetting") -> tuple[bool, float]:
        figure = setting.figures[column]
        return figure is None, sign * figure.mean if figure else 0.0

    return sorted(settings, key=rank)


def cut(runs: list["ListedRun"], sort: str | None, limit: int | None) -> list["ListedRun"]:
    """The first runs of those sorted, the latest of those that are not."""
    if limit is None:
        return runs
    return runs[-limit:] if sort in (None, "started") else runs[:limit]


def columns_called(
    text: str, runs: Sequence["ListedRun"]
) -> dict[str, Callable[["ListedRun"], Any]]:
    """What reads each of the columns that are asked for."""
    names = [name.strip() for name in text.split(",")]
    if not any(names):
        raise UserError(f"--columns {text} names no column; there are {', '.join(COLUMNS)}")
    return {name: reader(name, runs) for name in names if name}


def records(runs: Sequence["ListedRun"], columns: str | None) -> list[dict[str, Any]]:
    """All columns of all runs, or those asked for, unrounded."""
    if columns is None:
        records = [run.record() for run in runs]
    else:
        chosen = columns_called(columns, runs)
        records = [{name: read(run) for name, read in chosen.items()} for run in runs]
    return [
        {key: str(value) if isinstance(value, Path) else value for key, value in record.items()}
        for record in records
    ]


def show_settings(settings: Sequence["ListedSetting"], as_json: bool, otherwise: str) -> None:
    """Print settings, as JSON or as a table, or what there is to say if there are none."""
    if as_json:
        print_json([setting.record() for setting in settings])
    elif settings:
        from optrun.cli.runs_table import print_settings

        print_settings(settings)
    else:
        echo(otherwise)
