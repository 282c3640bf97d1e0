"""results.csv: what came of each run of a sweep, without times, so that it repeats exactly."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from optrun.errors import RunError
from optrun.metrics import EVALUATED, TESTED
from optrun.store.files import damage, unreadable, write_text
from optrun.store.run_directory import RunDirectory
from optrun.store.table import read_rows


@dataclass(frozen=True)
class ResultRow:
    """One run of a sweep.

    Attributes:
        settings: the value of each key that varies, the seed apart; a key that the run's branch
            of the space does not have is absent.
        seed: of the run.
        status: finished, diverged, failed, paused (by the strategy, or on request) or
            waiting (not begun).
        epochs: done.
        best_epoch: the one chosen by `training.best_by`; None if the run diverged.
        average_best_epoch: the one chosen of the averaged weights; None without averaging.
        best: EVALUATED of these epochs, None where not measured.
        final: EVALUATED of the last epoch.
        test: TESTED of the chosen weights; None unless the run belongs to a setting chosen.
        id: of the run.
        directory: of the run, below the folder of all runs.
        reason: why it diverged, failed or ended early, in one line.
    """

    settings: Mapping[str, Any]
    seed: int
    status: str
    epochs: int | None
    best_epoch: int | None
    average_best_epoch: int | None
    best: Mapping[str, float | None]
    final: Mapping[str, float | None]
    test: Mapping[str, float | None]
    id: str
    directory: str
    reason: str | None


@dataclass(frozen=True, eq=False)
class Results:
    """The runs of a sweep, in the order of its candidates and seeds, and the keys that vary."""

    keys: tuple[str, ...]
    rows: list[ResultRow]


FIXED = (
    "seed",
    "status",
    "epochs",
    "best_epoch",
    "average_best_epoch",
    *(f"best_{name}" for name in EVALUATED),
    *(f"final_{name}" for name in EVALUATED),
    *TESTED,
    "id",
    "directory",
    "reason",
)
"""The columns that every results.csv ends in, after one for each key."""


FORMULA = ("=", "+", "-", "@")
"""What a text begins with that a spreadsheet would run as a formula."""


def row_of(directory: Path, settings: Mapping[str, Any], seed: int) -> ResultRow:
    """What came of the run in `directory`, whatever state it is in.

    A run whose directory has no summary is waiting. One that was cut short, and so still says
    that it is running, counts as paused, for whatever reason. Figures that are not finite are
    None, and so are the best of a diverged run, which are those of a barely trained model. Test
    figures are left out: `with_test_figures` adds them.

    Raises:
        RunError: a file of the run is damaged, or a newer optrun wrote it.
    """
    files = RunDirectory(directory)
    if not files.has_summary():
        return row_without_figures(directory, settings, seed)
    summary = files.read_summary()
    last = last_epoch(directory / "metrics.csv")
    epochs = summary.get("epochs")
    status = "paused" if summary["status"] in ("running", "stopped") else summary["status"]
    diverged = status == "diverged"
    return ResultRow(
        settings=settings,
        seed=seed,
        status=status,
        epochs=whole(last.get("epoch")) if epochs is None else epochs,
        best_epoch=None if diverged else summary.get("best_epoch"),
        average_best_epoch=None if diverged else summary.get("average_best_epoch"),
        best={name: None if diverged else summary.get(name) for name in EVALUATED},
        final={name: last.get(name) for name in EVALUATED},
        test=dict.fromkeys(TESTED),
        id=id_of(directory),
        directory=directory.name,
        reason=None if status == "paused" else one_line(summary.get("reason")),
    )


def row_without_figures(
    directory: Path,
    settings: Mapping[str, Any],
    seed: int,
    status: str = "waiting",
    reason: str | None = None,
) -> ResultRow:
    """The row of a run that has not begun, or failed so that its directory does not tell."""
    nothing = dict.fromkeys(EVALUATED)
    return ResultRow(
        settings, seed, status, None, None, None, nothing, nothing, dict.fromkeys(TESTED),
        id_of(directory), directory.name, one_line(reason),
    )  # fmt: skip


def with_test_figures(row: ResultRow, root: Path) -> ResultRow:
    """The row of a finished run with its figures on the test set; of another, the row itself.

    Args:
        row: of a run below `root`, of a setting that has been chosen.
        root: the folder of all runs.

    Raises:
        RunError: the run is absent or damaged.
    """
    if row.status != "finished":
        return row
    summary = RunDirectory(root / row.directory).read_summary()
    return replace(row, test={name: summary.get(name) for name in TESTED})


def one_line(text: str | None) -> str | None:
    """The words of `text`, so that each run of the table is one line."""
    line = " ".join(text.split()) if text else ""
    return f"'{line}" if line.startswith(FORMULA) else line or None


def id_of(directory: Path) -> str:
    """The id that the name of a run directory ends in."""
    return directory.name.rpartition("-")[2]


def last_epoch(metrics: Path) -> dict[str, float | None]:
    """The last row of a run's metrics.csv, by column; empty if there is none."""
    if not metrics.exists():
        return {}
    columns, rows = read_rows(metrics)
    if not len(rows):
        return {}
    last = zip(columns, rows[-1].tolist(), strict=True)
    return {column: value if math.isfinite(value) else None for column, value in last}


def whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def write_results(path: Path, rows: Sequence[ResultRow], keys: Sequence[str]) -> None:
    """Replace the file at `path` by these rows, in this order.

    Numbers are written in their shortest form that reads back the same, other values as JSON, and
    texts as they are where that cannot be taken for either. A key that a row lacks, and a figure
    that it does not have, is an empty field.

    Raises:
        RunError: the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*keys, *FIXED])
    writer.writerows(fields_of(row, keys) for row in rows)
    write_text(path, text.getvalue())


def fields_of(row: ResultRow, keys: Sequence[str]) -> list[Any]:
    """A row of the file; csv writes floats by `repr` and None as an empty field."""
    return [
        *(cell(row.settings[key]) if key in row.settings else "" for key in keys),
        row.seed,
        row.status,
        row.epochs,
        row.best_epoch,
        row.average_best_epoch,
        *(row.best[name] for name in EVALUATED),
        *(row.final[name] for name in EVALUATED),
        *(row.test[name] for name in TESTED),
        row.id,
        row.directory,
        row.reason,
    ]


def cell(value: Any) -> str:
    """A value as the text of a field: JSON, or a plain word that no JSON is."""
    word = isinstance(value, str) and value.isprintable() and value[:1] not in ("", *FORMULA)
    return value if word and value_of(value) is value else json.dumps(value, ensure_ascii=False)


def value_of(field: str) -> Any:
    """The value that `cell` wrote; the field itself if it is no JSON."""
    try:
        return json.loads(field)
    except ValueError:
        return field


def read_results(path: Path) -> Results:
    """The results that `write_results` wrote to `path`.

    Raises:
        RunError: the file is absent, or not such a file.
    """
    try:
        header, *lines = list(csv.reader(lines_of(path))) or [[]]
        keys, fixed = header[: -len(FIXED)], header[-len(FIXED) :]
        if fixed != list(FIXED):
            raise ValueError("it does not have the columns of a sweep's results")
        rows = [parsed(keys, line) for line in lines]
    except OSError as error:
        raise unreadable(path, error) from error
    except (ValueError, csv.Error) as error:
        raise damaged(path, error) from error
    return Results(tuple(keys), rows)


def damaged(path: Path, error: Exception) -> RunError:
    """The error to raise when a file of a sweep is not what optrun writes."""
    return RunError(
        f"{path} is damaged: {damage(error)}; start the sweep again, which writes it anew"
    )


def lines_of(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from file


def parsed(keys: Sequence[str], fields: Sequence[str]) -> ResultRow:
    """The row in the fields of a line."""
    if len(fields) != len(keys) + len(FIXED):
        raise ValueError(f"a line has {len(fields)} fields instead of {len(keys) + len(FIXED)}")
    chosen, rest = fields[: len(keys)], fields[len(keys) :]
    seed, status, epochs, best_epoch, average_best_epoch, *rest = rest
    *figures, identity, directory, reason = rest
    measured = iter([float(figure) if figure else None for figure in figures])
    return ResultRow(
        settings={k: value_of(field) for k, field in zip(keys, chosen, strict=True) if field},
        seed=int(seed),
        status=status,
        epochs=int(epochs) if epochs else None,
        best_epoch=int(best_epoch) if best_epoch else None,
        average_best_epoch=int(average_best_epoch) if average_best_epoch else None,
        best={name: next(measured) for name in EVALUATED},
        final={name: next(measured) for name in EVALUATED},
        test={name: next(measured) for name in TESTED},
        id=identity,
        directory=directory,
        reason=reason or None,
    )
