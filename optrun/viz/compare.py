"""Any number of runs in one picture."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optrun.errors import UserError
from optrun.store.reading import load_run
from optrun.viz import style
from optrun.viz.groups import Curve, Group, mean_and_range, read_groups
from optrun.viz.labels import LETTERS, axis_label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXES = ("epoch", "step", "seconds")
WIDTH, HEIGHT = 8.0, 5.0  # inches, without the legend


def compare(
    directories: Sequence[str | Path],
    metric: str | None = None,
    x: str = "epoch",
    log_x: bool = False,
    log_y: bool = False,
    smooth: float = 0.0,
    out: str | Path | None = None,
    warn: Callable[[str], object] = warnings.warn,
) -> Path:
    """Draw a metric of several runs into one picture.

    Runs are labelled, and ordered, by what differs between their configs. Runs that differ in
    their seed alone become one curve: their mean, in a band from the least to the greatest. A
    diverged run is drawn as far as it got and marked ×.

    Args:
        directories: run directories.
        metric: a column of steps.csv or metrics.csv; by default `val_loss`, or `train_loss` if no
            run has validation data.
        x: `epoch`, `step`, or `seconds` of training.
        log_x: whether the horizontal axis is logarithmic; log_y: the vertical one.
        smooth: weight in [0, 1) of the past in the moving average; 0 draws the values.
        out: the picture, .png, .pdf or .svg; by default `<metric>.png` in the current directory.
        warn: is told of each run that has no value of the metric and is left out.

    Returns:
        The path of the picture.

    Raises:
        UserError: an argument is not one of the above; RunError where a run is at fault.
    """
    check_arguments(directories, x, smooth)
    metric = metric or usual_metric(directories)
    path = Path(out if out is not None else f"{metric}.png")
    style.check_format(path)
    return style.save(compare_figure(directories, metric, x, log_x, log_y, smooth, warn), path)


def usual_metric(directories: Sequence[str | Path]) -> str:
    """`val_loss`, or `train_loss` if no run has the former."""
    runs = (load_run(directory) for directory in directories)
    return (
        "val_loss" if any(run.metrics["val_loss"].notna().any() for run in runs) else "train_loss"
    )


def compare_figure(
    directories: Sequence[str | Path],
    metric: str = "val_loss",
    x: str = "epoch",
    log_x: bool = False,
    log_y: bool = False,
    smooth: float = 0.0,
    warn: Callable[[str], object] = warnings.warn,
) -> "Figure":
    """The picture that `compare` writes."""
    check_arguments(directories, x, smooth)
    groups = read_groups(directories, metric, x, smooth, warn)
    figure = style.new_figure(WIDTH, HEIGHT)
    axes = figure.subplots()
    style.plain_axes(axes)
    smoothed = f", moving average {smooth:g}" if smooth else ""
    configs = [curve.run.config for group in groups for curve in group.curves]
    axes.set_xlabel(axis_label(x) + (set_log(axes, "x", groups) if log_x else ""))
    axes.set_ylabel(
        axis_label(metric, configs) + smoothed + (set_log(axes, "y", groups) if log_y else "")
    )
    drawn = "steps-post" if metric == "lr" else "default"  # a rate holds until the next is known
    for group, line in zip(groups, style.line_styles(len(groups)), strict=True):
        shown = without_start(group) if log_x else group
        draw_group(axes, shown, {**line, "drawstyle": drawn}, smooth > 0)
    style.plain_numbers(axes.xaxis)
    style.plain_numbers(axes.yaxis)
    if x != "seconds":
        style.whole_numbers(axes.xaxis)
    add_legend(figure, axes, groups)
    return figure


def check_arguments(directories: Sequence[str | Path], x: str, smooth: float) -> None:
    """Raise a UserError for an argument that no run has to be read to refuse."""
    if not directories:
        raise UserError("no run is named; give one or more run directories, such as runs/*")
    if x not in AXES:
        raise UserError(f"--x is {x}; it can be {', '.join(AXES)}")
    if not 0 <= smooth < 1:
        raise UserError(
            f"--smooth is {smooth:g}; it is a number from 0 up to, but not including, 1"
        )


def set_log(axes: "Axes", which: str, groups: Sequence[Group]) -> str:
    """Make an axis logarithmic; what its label must say of the points it cannot show."""
    columns = {"x": ["x"], "y": ["raw", "y"]}[which]
    shown = [(curve.points[columns] > 0).to_numpy() for g in groups for curve in g.curves]
    if not any(points.any() for points in shown):
        name = {"x": "horizontal", "y": "vertical"}[which]
        raise UserError(
            f"no value on the {name} axis is above 0, so --log-{which} has nothing to show; "
            f"leave it out"
        )
    scale = axes.set_xscale if which == "x" else axes.set_yscale
    scale("log", nonpositive="mask")
    return "" if all(points.all() for points in shown) else ", logarithmic: 0 is not shown"


def without_start(group: Group) -> Group:
    """The group's points right of 0, so that what a logarithmic axis hides sets no limits."""
    return replace(
        group,
        curves=[replace(c, points=c.points[c.points["x"] > 0]) for c in group.curves],
    )


def draw_group(axes: "Axes", group: Group, line: dict[str, Any], smoothed: bool) -> None:
    """One run as a line, several as a mean in a band and what remains of the longer ones."""
    if len(group.curves) == 1:
        curve = group.curves[0]
        if smoothed:
            faint = {**line, "marker": None, "linestyle": "-", "alpha": 0.25}
            axes.plot(curve.points["x"], curve.points["raw"], **faint, linewidth=0.8, zorder=1)
        draw_line(axes, curve.points, line, legend_label(group))
    else:
        middle = mean_and_range(group.curves)
        axes.fill_between(
            middle["x"], middle["low"], middle["high"], color=line["color"], alpha=0.2, linewidth=0,
            step="post" if line["drawstyle"] == "steps-post" else None,
        )  # fmt: skip
        draw_line(axes, middle, line, legend_label(group))
        shared = middle["step"].max() if len(middle) else 0
        for curve in group.curves:
            rest = curve.points[curve.points["step"] >= shared]
            axes.plot(rest["x"], rest["y"], **{**line, "marker": None}, linewidth=0.7)
    for curve in group.curves:
        mark_divergence(axes, curve, line["color"])


def draw_line(axes: "Axes", points: "pd.DataFrame", line: dict[str, Any], label: str) -> None:
    every = style.sparse_markers(len(points))
    axes.plot(
        points["x"], points["y"], **line, label=label, linewidth=1.6, markersize=5, markevery=every
    )


def mark_divergence(axes: "Axes", curve: Curve, colour: Any) -> None:
    """A × at the last point before the run diverged."""
    if curve.diverged_step is not None and len(curve.points):
        x, y = curve.points[["x", "y"]].iloc[-1]
        axes.plot(
            [x], [y], marker="X", markersize=10, linestyle="none", color=colour,
            markeredgecolor=style.INK, zorder=5,
        )  # fmt: skip


def legend_label(group: Group) -> str:
    """The group's label, how many seeds it has, and what diverged."""
    diverged = [c.diverged_step for c in group.curves if c.diverged_step is not None]
    notes = []
    if len(group.curves) > 1:
        notes.append(f"{len(group.curves)} seeds")
        if diverged:
            notes.append(f"{len(diverged)} diverged ×")
    elif diverged:
        notes.append(f"× diverged at step {diverged[0]}")
    if not notes:
        return style.printable(group.label)
    last_line = group.label.rpartition("\n")[2]
    note = f"({', '.join(notes)})"
    return style.printable(group.label + (" " if len(last_line + note) < LETTERS else "\n") + note)


def add_legend(figure: "Figure", axes: "Axes", groups: Sequence[Group]) -> None:
    """The labels under the axes, and once for all bands what they are."""
    bands = any(len(group.curves) > 1 for group in groups)
    style.legend_below(
        figure,
        axes.get_legend_handles_labels()[0],
        "mean over seeds, band from min to max" if bands else None,
    )
