"""Runs as the curves of a comparison: read, cut to one metric, gathered by what they share."""

import difflib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optrun.errors import RunError
from optrun.metrics import is_accuracy
from optrun.settings import distinguish, natural_order
from optrun.store.reading import Run, load_run
from optrun.viz.labels import LETTERS, wrapped
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


def read_groups(
    directories: Sequence[str | Path],
    metric: str,
    x: str,
    smooth: float,
    warn: Callable[[str], object],
) -> list[Group]:
    """Read the runs, gather them and put them in order; a directory named twice counts once.

    Their order is that of the settings in which they differ, whatever that of `directories`. Runs
    that have no value of `metric` are left out with a warning.

    Raises:
        RunError: a directory is no run, no run has such a metric, or none has a value of it.
    """
    paths = {Path(directory).resolve(): directory for directory in directories}
    runs = [load_run(directory) for directory in paths.values()]
    check_metric(metric, runs)
    curves = with_values([read_curve(run, metric, x, smooth) for run in runs], metric, warn)
    gathered = gather_seeds(curves)
    configs = [shared_config(curves) for curves in gathered]
    names = [run_name(curves[0].run) for curves in gathered]
    labels = wrapped(distinguish(configs, names), names)
    return [Group(gathered[i], labels[i]) for i in natural_order(configs, names)]


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
    """The run's values of `metric`, from steps.csv if it has them, the finer of the tables."""
    table = run.learning_rates() if metric == "lr" else run.steps if metric in run.steps else None
    if table is None or not np.isfinite(table[metric]).any():
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


def gather_seeds(curves: Sequence[Curve]) -> list[list[Curve]]:
    """Together the curves whose configs differ in `seed` alone, if no seed comes twice."""
    alike: dict[str, list[Curve]] = {}
    for curve in curves:
        rest = {k: v for k, v in curve.run.config.items() if k not in ("name", "seed")}
        alike.setdefault(json.dumps(rest, sort_keys=True, default=str), []).append(curve)
    gathered: list[list[Curve]] = []
    for group in alike.values():
        seeds = {curve.run.config.get("seed") for curve in group}
        gathered += [group] if len(seeds) == len(group) else [[curve] for curve in group]
    return gathered


def shared_config(curves: Sequence[Curve]) -> dict[str, Any]:
    """The config that a group has in common: a single run's own, several runs' without seed."""
    config = curves[0].run.config
    return {k: v for k, v in config.items() if k != "seed"} if len(curves) > 1 else config


def run_name(run: Run) -> str:
    """`name-id`, which no two runs share, the name cut so that a legend has room for the id."""
    name = str(run.summary.get("name"))
    cut = name if len(name) <= 2 * LETTERS else name[: 2 * LETTERS - 1] + "…"
    return f"{cut}-{run.summary.get('id')}"


def mean_and_range(curves: Sequence[Curve]) -> "pd.DataFrame":
    """Mean `x` and mean, least and greatest `y` at the steps that all curves have reached."""
    import pandas as pd

    rows = pd.concat([curve.points for curve in curves]).groupby("step")
    table = rows.agg(
        x=("x", "mean"), y=("y", "mean"), low=("y", "min"), high=("y", "max"), runs=("y", "count")
    )
    return table[table["runs"] == len(curves)].reset_index()
