"""Runs as the curves of a comparison: read, cut to some metrics, gathered by what they share."""

import difflib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optrun.errors import RunError, UserError
from optrun.metrics import is_accuracy
from optrun.settings import distinguish, natural_order
from optrun.store.reading import Run, load_run
from optrun.viz.labels import LETTERS, wrapped
from optrun.viz.rates import learning_rates
from optrun.viz.smoothing import moving_average

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Curve:
    """One run's values of a metric.

    Attributes:
        run: where they are from.
        points: columns `step`, `x`, `raw` and `y` (smoothed), finite values only.
    """

    run: Run
    points: "pd.DataFrame"

    @property
    def diverged_step(self) -> int | None:
        return self.run.summary.get("diverged_step")


@dataclass(frozen=True, eq=False)
class Group:
    """Curves of runs that differ in nothing but their seed; most groups have one.

    `label` tells the group from the others, in lines that fit a legend.
    """

    curves: list[Curve]
    label: str


@dataclass(frozen=True, eq=False)
class Panel:
    """The curves of one metric.

    Attributes:
        metric: a column of metrics.csv or steps.csv.
        groups: the same in every panel of a picture; one has no curves where no run of it has a
            value of the metric.
    """

    metric: str
    groups: list[Group]


def read_runs(directories: Sequence[str | Path | Run], warn: Callable[[str], object]) -> list[Run]:
    """Read the runs; a directory named twice counts once.

    Of several, one that cannot be read is left out with a warning.

    Raises:
        UserError: no run is named; RunError: one is not there, or none can be read.
    """
    if not directories:
        raise UserError("no run is named; give one or more run directories, such as runs/*")
    found: dict[Path, Run] = {}
    unreadable: list[RunError] = []
    for each in directories:
        if isinstance(each, Run):
            found.setdefault(each.path.resolve(), each)
            continue
        path = Path(each)
        if path.resolve() in found:
            continue
        try:
            found[path.resolve()] = load_run(path)
        except RunError as error:
            if len(directories) == 1 or not path.exists():
                raise
            unreadable.append(error)
    if not found and unreadable:
        raise unreadable[0]
    for reason in unreadable:
        warn(f"left out: {reason}")
    return list(found.values())


def read_panels(
    runs: Sequence[Run],
    metrics: Sequence[str],
    x: str,
    smooth: float,
    warn: Callable[[str], object],
) -> list[Panel]:
    """Gather the runs and put them in order, with their curves of each metric.

    Their order is that of the settings in which they differ, whatever that of `runs`. Runs that
    have no value of a metric are left out of its panel with a warning.

    Raises:
        RunError: no run has such a metric, or none has a value of it.
    """
    drawn = {}
    for metric in metrics:
        check_metric(metric, runs)
        curves = [read_curve(run, metric, x, smooth) for run in runs]
        drawn[metric] = {c.run: c for c in with_values(curves, metric, warn)}
    gathered = gather_seeds(
        [run for run in runs if any(run in curves for curves in drawn.values())]
    )
    configs = [shared_config(runs) for runs in gathered]
    names = [run_name(runs[0]) for runs in gathered]
    labels = wrapped(distinguish(configs, names), names)
    order = natural_order(configs, names)
    return [
        Panel(
            metric,
            [Group([curves[r] for r in gathered[i] if r in curves], labels[i]) for i in order],
        )
        for metric, curves in drawn.items()
    ]


def check_metric(metric: str, runs: Sequence[Run]) -> None:
    """Raise a RunError with the nearest name if no run has a column `metric`."""
    known = dict.fromkeys(
        str(column) for run in runs for table in (run.metrics, run.steps) for column in table
    )
    if metric not in known:
        near = difflib.get_close_matches(metric, known, n=1, cutoff=0.4)
        hint = f"; did you mean {near[0]}? There" if near else "; there"
        raise RunError(f"no metric is called {metric}{hint} are {', '.join(known)}")


def read_curve(run: Run, metric: str, x: str, smooth: float) -> Curve:
    """The run's values of `metric`, from steps.csv if it has them, the finer of the tables.

    Learning rates are exact, and not smoothed.
    """
    if metric == "lr":
        table, smooth = learning_rates(run), 0.0
    else:
        table = run.steps if metric in run.steps else run.metrics
        if not np.isfinite(table[metric]).any():
            table = run.metrics if metric in run.metrics else run.steps
    points = table[["step"]].assign(
        x=table[x], raw=table[metric] * (100 if is_accuracy(metric) else 1)
    )
    points = points[np.isfinite(points["raw"])]
    return Curve(run, points.assign(y=moving_average(points["raw"], smooth)))


def with_values(curves: Sequence[Curve], metric: str, warn: Callable[[str], object]) -> list[Curve]:
    """The curves that have points, or diverged before their first; a warning names each other."""
    drawn = [c for c in curves if len(c.points) or c.run.summary["status"] == "diverged"]
    absent = [curve.run for curve in curves if curve not in drawn]
    if not any(len(curve.points) for curve in drawn) and absent:
        measured = dict.fromkeys(
            str(column)
            for run in absent
            for column in run.metrics
            if run.metrics[column].notna().any()
        )
        raise RunError(
            f"no run here has a value of {metric}; choose a metric that there is "
            f"({', '.join(measured) or 'none so far'})"
        )
    for run in absent:
        warn(f"{run.path} has no value of {metric} and is left out")
    return drawn


def gather_seeds(runs: Sequence[Run]) -> list[list[Run]]:
    """Together the runs whose configs differ in `seed` alone, if no seed comes twice."""
    alike: dict[str, list[Run]] = {}
    for run in runs:
        rest = {k: v for k, v in run.config.items() if k not in ("name", "seed")}
        alike.setdefault(json.dumps(rest, sort_keys=True, default=str), []).append(run)
    gathered: list[list[Run]] = []
    for group in alike.values():
        seeds = {run.config.get("seed") for run in group}
        gathered += [group] if len(seeds) == len(group) else [[run] for run in group]
    return gathered


def shared_config(runs: Sequence[Run]) -> dict[str, Any]:
    """The config that a group has in common: a single run's own, several runs' without seed."""
    config = runs[0].config
    return {k: v for k, v in config.items() if k != "seed"} if len(runs) > 1 else config


def run_name(run: Run) -> str:
    """`name-id`, which no two runs share, the name cut so that a legend has room for the id."""
    name = str(run.summary.get("name"))
    cut = name if len(name) <= 2 * LETTERS else name[: 2 * LETTERS - 1] + "…"
    return f"{cut}-{run.summary.get('id')}"


def mean_and_range(curves: Sequence[Curve]) -> "pd.DataFrame":
    """Mean `x` and `raw`, and mean, least and greatest `y`, at the steps that all have reached."""
    import pandas as pd

    rows = pd.concat([curve.points for curve in curves]).groupby("step")
    table = rows.agg(
        x=("x", "mean"), raw=("raw", "mean"), y=("y", "mean"), low=("y", "min"), high=("y", "max"),
        runs=("y", "count"),
    )  # fmt: skip
    return table[table["runs"] == len(curves)].reset_index()
