"""Runs and sweeps as pandas tables."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optrun.errors import RunError
from optrun.metrics import EVALUATED, TESTED, label_of, spread_text
from optrun.settings import differing_keys, flatten
from optrun.store.reading import Run, check_is_run, describe, load_run, looks_like_run
from optrun.store.run_directory import RunDirectory
from optrun.sweeps.directory import SweepDirectory, named_sweep
from optrun.sweeps.hidden import HiddenTests
from optrun.sweeps.results.comparison import Comparison, compare
from optrun.sweeps.results.rows import Results, read_results
from optrun.viz.selection import expand, find_sweep

if TYPE_CHECKING:
    import pandas as pd

IDENTITY = ("name", "id", "status")
FIGURES = [*(f"{which}_{name}" for which in ("best", "final") for name in EVALUATED), *TESTED]
RESULT_TYPES = {
    "seed": "int64", "status": "str", "epochs": "Int64",
    "best_epoch": "Int64", "average_best_epoch": "Int64",
    **dict.fromkeys(FIGURES, "float64"), "id": "str", "reason": "object", "path": "object",
}  # fmt: skip
ELSEWHERE = (*IDENTITY, "optrun")  # fields of a summary that are no figures


@dataclass(frozen=True, eq=False, repr=False)
class SweepResults:
    """What came of a sweep.

    Attributes:
        path: the sweep's directory, which holds summary.md and sweep.png too.
        metric: what its settings are ranked by: a metric such as `val_accuracy`.
        results: a row a run: the settings that vary, each in a column of its dotted key, `seed`,
            `status`, `epochs`, `best_epoch`, losses and accuracies at the best and the final epoch,
            such as `best_val_loss`, test figures of the settings chosen, `id`, `reason`, and
            `path`, the run's directory.
        settings: a row a setting, the best first: the settings that vary, `mean` and `std` of the
            metric over `n` seeds, and how many runs `diverged` or `failed`.
    """

    path: Path
    metric: str
    results: "pd.DataFrame"
    settings: "pd.DataFrame"
    _comparison: Comparison

    @property
    def name(self) -> str:
        """What the sweep is called."""
        return self.path.name

    @property
    def best(self) -> "pd.Series[Any] | None":
        """The first row of `settings`; None if no run came to a figure."""
        return None if self._comparison.leader is None else self.settings.iloc[0]

    @cached_property
    def best_runs(self) -> list[Run]:
        """The runs of the best setting, one a seed."""
        leader = self._comparison.leader
        root = SweepDirectory(self.path).runs
        return [load_run(root / row.directory) for row in leader.rows] if leader else []

    def __repr__(self) -> str:
        said = f"SweepResults({str(self.path)!r}: {len(self.results)} runs"
        leader = self._comparison.leader
        if leader is None:
            return f"{said})"
        figure = spread_text(leader.mean, leader.deviation, self.metric)
        return f"{said}, best: {leader.label}, {label_of(self.metric)} {figure})"


def read_sweep(name: str | Path, root: Path) -> SweepResults:
    """The sweep in a directory, or of a name.

    Raises:
        RunError: there is none, or a file of it is damaged.
    """
    directory = find_sweep(name, root) or named_sweep(root, str(name))
    results, metric = read_results(directory.results), directory.metric()
    comparison = compare(results.rows, results.keys, metric)
    return SweepResults(
        directory.path,
        metric,
        results_frame(results, directory.runs),
        settings_frame(comparison, results.keys),
        comparison,
    )


def results_frame(results: Results, root: Path) -> "pd.DataFrame":
    """results.csv with typed columns."""
    rows = [
        {
            **{key: row.settings.get(key) for key in results.keys},
            "seed": row.seed,
            "status": row.status,
            "epochs": row.epochs,
            "best_epoch": row.best_epoch,
            "average_best_epoch": row.average_best_epoch,
            **{f"best_{name}": row.best[name] for name in EVALUATED},
            **{f"final_{name}": row.final[name] for name in EVALUATED},
            **row.test,
            "id": row.id,
            "reason": row.reason,
            "path": root / row.directory,
        }
        for row in results.rows
    ]
    return frame(rows, [*results.keys, *RESULT_TYPES], RESULT_TYPES)


def settings_frame(comparison: Comparison, keys: Sequence[str]) -> "pd.DataFrame":
    """A row a setting, the best first."""
    rows = [
        {
            **{key: setting.settings.get(key) for key in keys},
            "mean": setting.mean,
            "std": setting.deviation,
            "n": len(setting.figures),
            "diverged": [row.status for row in setting.rows].count("diverged"),
            "failed": [row.status for row in setting.rows].count("failed"),
        }
        for setting in comparison.ranked
    ]
    counts = dict.fromkeys(("n", "diverged", "failed"), "int64")
    figures = dict.fromkeys(("mean", "std"), "float64")
    return frame(rows, [*keys, *figures, *counts], figures | counts)


def read_runs_frame(named: Iterable[str | Path], root: Path) -> "pd.DataFrame":
    """A row a run of those that directories, patterns and sweeps name, each once.

    Raises:
        RunError: something is not there, or no run can be read.
    """
    paths = dict.fromkeys(path for each in named for path in run_paths(each, root))
    rows, configs, unreadable, hides_test = [], [], [], HiddenTests()
    for path in paths:
        try:
            config = RunDirectory(path).read_config()
            rows.append(run_row(path, config, hides_test(path)))
            configs.append(config)
        except RunError as error:
            unreadable.append(error)
    if unreadable and not rows:
        raise unreadable[0]
    for reason in unreadable:
        warnings.warn(f"left out: {reason}", stacklevel=3)
    differing = differing_keys(configs)
    settings = dict.fromkeys(key for config in configs for key in flatten(config) if key != "name")
    figures = dict.fromkeys(key for row in rows for key in row if key not in settings)
    del figures["path"]
    return frame(rows, [*dict.fromkeys([*IDENTITY, *differing, *figures, *settings]), "path"], {})


def run_paths(named: str | Path, root: Path) -> list[Path]:
    """The run directories that are meant: by a pattern, a folder of runs, or a sweep."""
    sweep = find_sweep(named, root)
    if sweep is not None:
        rows = read_results(sweep.results).rows
        found = [sweep.runs / row.directory for row in rows]
        return [path for path in found if looks_like_run(path)]
    paths = expand(named, root)
    runs = [path for path in paths if looks_like_run(path)]
    if not runs and len(paths) == 1 and paths[0].is_dir():
        runs = sorted(path for path in paths[0].iterdir() if looks_like_run(path))
    if not runs:
        check_is_run(paths[0])
    return runs


def run_row(path: Path, config: Mapping[str, Any], is_hidden: bool) -> dict[str, Any]:
    """The settings and the summary of a run; without test figures where they are hidden."""
    summary = RunDirectory(path).read_summary()
    if is_hidden:
        summary |= dict.fromkeys(TESTED)
    known = describe(path)
    figures = {key: value for key, value in summary.items() if key not in ELSEWHERE}
    settings = {key: value for key, value in flatten(config).items() if key != "name"}
    identity = {"name": known.name, "id": known.id, "status": known.status}
    return {**identity, **figures, **settings, "path": path}


def frame(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], types: Mapping[str, str]
) -> "pd.DataFrame":
    """The table with columns of these types, others as narrow as their values allow."""
    import pandas as pd

    table = {}
    for name in columns:
        values = [row.get(name) for row in rows]
        table[name] = pd.Series(values, dtype=types.get(name) or narrow(values))
    return pd.DataFrame(table, columns=list(columns))


def narrow(values: Sequence[Any]) -> str:
    """The type of a column: whole numbers stay whole where some are missing."""
    present = {type(value) for value in values if value is not None}
    complete = None not in values
    if present == {int}:
        return "int64" if complete and all(abs(v) < 2**63 for v in values) else "Int64"
    if present and present <= {int, float}:
        return "float64"
    if present == {bool}:
        return "bool" if complete else "boolean"
    return "str" if present == {str} and complete else "object"
