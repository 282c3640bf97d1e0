"""Runs as a person lists them: those of a folder or a sweep, what tells them apart, seeds as one.

Test figures are left out for the candidates of a sweep, so that nobody chooses by them. A candidate
is a run that the results.csv of a sweep names. Once the sweep is over, the runs of the settings it
chose have theirs, as in its summary.md.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from optrun.errors import RunError
from optrun.settings import (
    WITHOUT_EFFECT,
    Flat,
    differences,
    differing_keys,
    flatten,
    natural_order,
)
from optrun.store.reading import RunRow, describe, list_runs, what_file
from optrun.store.run_directory import RunDirectory
from optrun.sweeps.directory import FOLDER, SweepDirectory, named_sweep
from optrun.sweeps.hidden import HiddenTests, chosen_in
from optrun.sweeps.results.rows import ResultRow, read_results

FIGURES = ("train_loss", "val_loss", "val_accuracy", "test_loss", "test_accuracy")
OF_TEST = ("test_loss", "test_accuracy")


@dataclass
class ListedRun:
    """A run in a listing.

    Attributes:
        row: what its summary says, without what is not to be seen.
        sweep: that it belongs to, if it does.
        result: its row in the results of the sweep, where a sweep is listed.
        differs: the settings in which it differs from listed runs of its name, as text.
        settings: the same settings by their keys.
    """

    row: RunRow
    sweep: str | None = None
    result: ResultRow | None = None
    differs: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The resolved config; empty if it cannot be read."""
        try:
            return RunDirectory(self.row.directory).read_config()
        except RunError:
            return {}

    @cached_property
    def flat(self) -> Flat:
        """The config under dotted keys."""
        return flatten(self.config)

    @property
    def seed(self) -> int | None:
        return self.config.get("seed")

    def record(self) -> dict[str, Any]:
        """Everything there is to list, for JSON."""
        settings = dict(self.result.settings) if self.result else self.settings
        more = {"directory": str(self.row.directory), "sweep": self.sweep, "seed": self.seed}
        return asdict(self.row) | more | {"settings": settings}


@dataclass(frozen=True)
class Spread:
    """A figure over seeds: its mean, the standard deviation between `n` of them (n − 1)."""

    mean: float
    std: float | None
    n: int


@dataclass(frozen=True)
class ListedSetting:
    """Runs of one name that differ in their seed alone.

    Attributes:
        name: of the runs.
        differs: the settings in which they differ from others of the name, as text.
        settings: the same settings by their keys.
        seeds: of the runs that finished.
        statuses: how many runs there are of each.
        figures: over the runs that finished, None where they have none; nothing of test.
    """

    name: str
    differs: str
    settings: Mapping[str, Any]
    seeds: Sequence[int]
    statuses: Mapping[str, int]
    figures: Mapping[str, Spread | None]

    def record(self) -> dict[str, Any]:
        """Everything there is to list, for JSON."""
        return asdict(self) | {"n": len(self.seeds)}


def runs_in(path: Path, hides_test: HiddenTests | None = None) -> list[ListedRun]:
    """The runs in a folder, a sweep's directory, or the run that `path` is.

    Args:
        path: of one of these.
        hides_test: what knows already which runs belong to sweeps.

    Raises:
        RunError: it is none of these.
    """
    if (path / "sweep.yaml").exists():
        return runs_of_sweep(SweepDirectory(path), folder_of_runs(path))
    if path.is_file():
        raise RunError(f"{path} {what_file(path)}")
    if names := sorted(spec.parent.name for spec in path.glob("*/sweep.yaml")):
        raise RunError(
            f"{path} holds sweeps, not runs; write {path / names[0]}, or --sweep {names[0]}; "
            f"there are {', '.join(names)}"
        )
    rows = list_runs(path)
    hides_test = hides_test or HiddenTests()
    return [
        ListedRun(
            without(row, OF_TEST) if hides_test(row.directory) else row,
            hides_test.sweep_of(row.directory),
        )
        for row in rows
    ]


def runs_of_named_sweep(out: Path, name: str) -> list[ListedRun]:
    """The runs of a sweep that have begun, given its name, or the path of its directory.

    Raises:
        RunError: there is none.
    """
    if len(Path(name).parts) > 1 and (Path(name) / "sweep.yaml").exists():
        return runs_in(Path(name))
    return runs_of_sweep(named_sweep(out, name), out)


def runs_of_sweep(directory: SweepDirectory, out: Path) -> list[ListedRun]:
    """The runs of a sweep that have begun, in its order, as they are now.

    A diverged run has no figures, for they are of a barely trained model. A run that was stopped is
    called paused, as in results.csv.
    """
    if not directory.results.exists():
        return []
    results, seen = read_results(directory.results), chosen_in(directory)
    listed = []
    for result in results.rows:
        if result.status == "waiting":
            continue
        row = describe(out / result.directory)
        row = replace(row, status={"stopped": "paused"}.get(row.status, row.status))
        hidden = FIGURES if row.status == "diverged" else OF_TEST
        row = row if result.directory in seen and row.status != "diverged" else without(row, hidden)
        listed.append(ListedRun(row, directory.path.name, result))
    return listed


def without(row: RunRow, figures: Sequence[str]) -> RunRow:
    """The row without these figures."""
    nothing: dict[str, Any] = dict.fromkeys(figures)
    return replace(row, **nothing)


def folder_of_runs(sweep: Path) -> Path:
    """Where the runs of a sweep are, given its directory or that of an earlier one of its name."""
    path = sweep if FOLDER in sweep.parent.parts else sweep.absolute()
    return next((p.parent for p in path.parents if p.name == FOLDER), path.parent)


def tell_apart(runs: Sequence[ListedRun]) -> None:
    """Fill in what each run differs in from the others of its name."""
    for alike in by_name(runs):
        configs = [run.config for run in alike]
        keys = differing_keys(configs)
        for run, text in zip(alike, differences(configs), strict=True):
            run.differs = text
            run.settings = {key: run.flat[key] for key in keys if key in run.flat}


def by_name(runs: Sequence[ListedRun]) -> Iterator[list[ListedRun]]:
    """The runs of each name that have a config."""
    names: dict[str, list[ListedRun]] = {}
    for run in runs:
        if run.config:
            names.setdefault(run.row.name, []).append(run)
    yield from names.values()


def by_setting(runs: Sequence[ListedRun]) -> list[ListedSetting]:
    """The settings of each name, in the order of what they differ in, with their seeds as one.

    Of two runs with the same seed the one begun last counts.
    """
    listed = []
    for named in by_name(runs):
        settings: dict[str, list[ListedRun]] = {}
        for run in named:
            rest = {k: v for k, v in run.flat.items() if k != "seed" and k not in WITHOUT_EFFECT}
            settings.setdefault(json.dumps(rest, sort_keys=True, default=str), []).append(run)
        groups = list(settings.values())
        configs = [{k: v for k, v in group[0].config.items() if k != "seed"} for group in groups]
        keys, texts = differing_keys(configs), differences(configs)
        for place in natural_order(configs, texts):
            flat = flatten(configs[place])
            chosen = {key: flat[key] for key in keys if key in flat}
            listed.append(one_setting(groups[place], texts[place], chosen))
    return listed


def one_setting(runs: Sequence[ListedRun], text: str, settings: Flat) -> ListedSetting:
    """The runs of a setting as one."""
    latest = {run.seed: run for run in sorted(runs, key=lambda run: run.row.started or "")}
    finished = [run for run in latest.values() if run.row.status == "finished"]
    return ListedSetting(
        name=runs[0].row.name,
        differs=text,
        settings=settings,
        seeds=sorted(run.seed for run in finished if run.seed is not None),
        statuses=dict(Counter(run.row.status for run in latest.values())),
        figures={
            figure: spread([getattr(run.row, figure) for run in finished])
            for figure in FIGURES
            if figure not in OF_TEST
        },
    )


def spread(values: Sequence[float | None]) -> Spread | None:
    """Mean and deviation of the values that there are; None if there are none."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return Spread(fmean(known), stdev(known) if len(known) > 1 else None, len(known))
