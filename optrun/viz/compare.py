"""Any number of runs in one picture."""

import textwrap
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optrun.errors import UserError
from optrun.store.reading import Run
from optrun.viz import style
from optrun.viz.groups import (
    Curve,
    Group,
    Panel,
    mean_and_range,
    read_panels,
    read_runs,
    shared_config,
)
from optrun.viz.labels import LETTERS, axis_label, compared_keys, listed, short_names
from optrun.viz.rates import changes

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AXES = ("epoch", "step", "seconds")
WIDTH = 8.0  # inches
HEIGHT, PANEL_HEIGHT = 5.0, 3.2  # inches without the legend: of a panel alone, of one of several
STEPS = "steps-pre"  # how rates are drawn: that of a step holds from the one before to it
Y_LETTERS = 40  # of a line of a vertical axis's label, which fit the lowest panel
ROOM = 0.03  # of the horizontal axis, at either end
BAND = "mean over seeds, band from min to max"
Directories = Sequence[str | Path | Run]


def compare(
    directories: Directories,
    metric: str | Sequence[str] | None = None,
    x: str = "epoch",
    log_x: bool = False,
    log_y: bool = False,
    smooth: float = 0.0,
    out: str | Path | None = None,
    warn: Callable[[str], object] = warnings.warn,
    tell: Callable[[str], object] = lambda text: None,
) -> Path:
    """Draw metrics of several runs into one picture, a panel each.

    Runs are labelled, and ordered, by what differs between their configs. Runs that differ in
    their seed alone become one curve: their mean, in a band from the least to the greatest. A
    diverged run is drawn as far as it got and marked ×.

    Args:
        directories: run directories, or runs.
        metric: a column of steps.csv or metrics.csv, or several; by default `val_loss`, or
            `train_loss` if no run has validation data.
        x: `epoch`, `step`, or `seconds` of training.
        log_x: whether the horizontal axis is logarithmic; log_y: the vertical one.
        smooth: weight in [0, 1) of the next neighbour in a centred moving average; 0 draws the
            values.
        out: the picture, .png, .pdf or .svg; by default `<metric>.png` in the current directory.
        warn: called with a sentence for each run that is left out.
        tell: called with a sentence on what was drawn.

    Returns:
        The path of the picture.

    Raises:
        UserError: an argument is not one of the above; RunError where a run is at fault.
    """
    check_arguments(x, smooth, out)
    runs = read_runs(directories, warn)
    metrics = metrics_of(metric, runs)
    path = Path(out if out is not None else f"{'-'.join(metrics)}.png")
    panels = read_panels(runs, metrics, x, smooth, warn)
    figure = panels_figure(panels, x, log_x, log_y, smooth)
    tell(what_is_drawn(panels))
    return style.save(figure, path)


def compare_figure(
    directories: Directories,
    metric: str | Sequence[str] | None = None,
    x: str = "epoch",
    log_x: bool = False,
    log_y: bool = False,
    smooth: float = 0.0,
    warn: Callable[[str], object] = warnings.warn,
) -> "Figure":
    """The picture that `compare` writes."""
    check_arguments(x, smooth)
    runs = read_runs(directories, warn)
    panels = read_panels(runs, metrics_of(metric, runs), x, smooth, warn)
    return panels_figure(panels, x, log_x, log_y, smooth)


def check_arguments(x: str, smooth: float, out: str | Path | None = None) -> None:
    """Raise a UserError for an argument that no run has to be read to refuse."""
    if x not in AXES:
        raise UserError(f"--x is {x}; it can be {', '.join(AXES)}")
    if not 0 <= smooth < 1:
        raise UserError(
            f"--smooth is {smooth:g}; it is a number from 0 up to, but not including, 1"
        )
    if out is not None:
        style.check_format(Path(out))


def metrics_of(metric: str | Sequence[str] | None, runs: Sequence[Run]) -> list[str]:
    """The metrics asked for, each once; by default `val_loss`, or `train_loss` without it."""
    if metric:
        return list(dict.fromkeys([metric] if isinstance(metric, str) else metric))
    validated = any(run.metrics["val_loss"].notna().any() for run in runs)
    return ["val_loss" if validated else "train_loss"]


def panels_figure(
    panels: Sequence[Panel], x: str, log_x: bool, log_y: bool, smooth: float
) -> "Figure":
    """A panel a metric, one above the other, with one legend."""
    height = HEIGHT if len(panels) == 1 else PANEL_HEIGHT * len(panels)
    figure = style.new_figure(WIDTH, height)
    everything = [group for panel in panels for group in panel.groups]
    rows = list(figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0])
    for axes, panel in zip(rows, panels, strict=True):
        style.plain_axes(axes)
        draw_panel(axes, panel, log_x, log_y, smooth)
    last = rows[-1]
    last.set_xlabel(axis_label(x) + (set_log(last, "x", everything) if log_x else ""))
    if not log_x:
        show_from_zero(last, everything)
    if x != "seconds":
        style.whole_numbers(last.xaxis)
    style.plain_numbers(last.xaxis)
    figure.align_ylabels(rows)
    add_legend(figure, rows, panels, smooth)
    return figure


def draw_panel(axes: "Axes", panel: Panel, log_x: bool, log_y: bool, smooth: float) -> None:
    """The curves of one metric, and its axis."""
    is_rate = panel.metric == "lr"
    smoothed = smooth > 0 and not is_rate
    configs = [curve.run.config for group in panel.groups for curve in group.curves]
    unshown = set_log(axes, "y", panel.groups) if log_y else ""
    axes.set_ylabel(textwrap.fill(axis_label(panel.metric, configs) + unshown, Y_LETTERS))
    looks = style.line_styles(len(panel.groups))
    for group, look in zip(panel.groups, looks, strict=True):
        shown = right_of_zero(group) if log_x else group
        draw_group(axes, shown, look | {"drawstyle": STEPS if is_rate else "default"}, smoothed)
    style.plain_numbers(axes.yaxis)


def show_from_zero(axes: "Axes", groups: Sequence[Group]) -> None:
    """From 0 to the last point, also where there is no other."""
    ends = [c.points["x"].max() for g in groups for c in g.curves if len(c.points)]
    last = max(ends, default=0) or 1
    axes.set_xlim(-ROOM * last, (1 + ROOM) * last)


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


def right_of_zero(group: Group) -> Group:
    """The group's points right of 0, so that what a logarithmic axis hides sets no limits."""
    return replace(
        group,
        curves=[replace(c, points=c.points[c.points["x"] > 0]) for c in group.curves],
    )


def draw_group(axes: "Axes", group: Group, line: dict[str, Any], smoothed: bool) -> None:
    """One run as a line, several as a mean in a band and what remains of the longer ones."""
    if not group.curves:
        return
    if len(group.curves) == 1:
        middle = group.curves[0].points
    else:
        middle = mean_and_range(group.curves)
        axes.fill_between(
            middle["x"], middle["low"], middle["high"], color=line["color"], alpha=0.2, linewidth=0,
            step="pre" if line["drawstyle"] == STEPS else None,
        )  # fmt: skip
    if smoothed:
        faint = {**line, "marker": None, "linestyle": "-", "alpha": 0.25}
        axes.plot(middle["x"], middle["raw"], **faint, linewidth=0.8, zorder=1)
    draw_line(axes, middle, line, legend_label(group))
    if len(group.curves) > 1:
        draw_rest(axes, group, line, middle["step"].max() if len(middle) else 0)
    for curve in group.curves:
        mark_divergence(axes, curve, line["color"])


def draw_rest(axes: "Axes", group: Group, line: dict[str, Any], shared: int) -> None:
    """What each run has after the last step that all runs of the group have reached."""
    for curve in group.curves:
        rest = curve.points[curve.points["step"] >= shared]
        if len(rest) > 1:
            axes.plot(rest["x"], rest["y"], **{**line, "marker": None}, linewidth=0.7)


def draw_line(axes: "Axes", points: "pd.DataFrame", line: dict[str, Any], label: str) -> None:
    shown = changes(points, "y") if line["drawstyle"] == STEPS else points
    every = style.sparse_markers(len(shown))
    axes.plot(
        shown["x"], shown["y"], **line, label=label, linewidth=1.6, markersize=5, markevery=every
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


def add_legend(
    figure: "Figure", rows: Sequence["Axes"], panels: Sequence[Panel], smooth: float
) -> None:
    """The labels under the axes, and once for all what bands and faint lines are."""
    handles = []
    for i in range(len(panels[0].groups)):
        axes, group = next((a, p.groups[i]) for a, p in zip(rows, panels, strict=True)
                           if p.groups[i].curves)  # fmt: skip
        handles += [h for h in axes.get_lines() if h.get_label() == legend_label(group)]
    bands = any(len(group.curves) > 1 for panel in panels for group in panel.groups)
    smoothed = smooth > 0 and any(panel.metric != "lr" for panel in panels)
    title = [BAND] * bands + [f"moving average {smooth:g}, values faint"] * smoothed
    style.legend_below(figure, handles, "; ".join(title) or None)


def what_is_drawn(panels: Sequence[Panel]) -> str:
    """How many runs were drawn, in which settings they differ, and what the bands are."""
    groups = [
        list(dict.fromkeys(curve.run for group in same for curve in group.curves))
        for same in zip(*(panel.groups for panel in panels), strict=True)
    ]
    runs = [run for group in groups for run in group]
    keys = compared_keys([shared_config(group) for group in groups])
    parts = [f"drew {counted(len(runs), 'run')}"]
    if len(groups) < len(runs):
        parts[0] += f" as {counted(len(groups), 'curve')}"
    if keys:
        parts[0] += f", which differ in {listed(short_names(keys))}"
    elif len(runs) > 1:
        parts[0] += ", which differ in seed alone" if len(groups) == 1 else ""
    if len(groups) < len(runs):
        parts.append(BAND)
    if diverged := sum(run.summary.get("diverged_step") is not None for run in runs):
        parts.append(f"{diverged} diverged, ×")
    return "; ".join(parts)


def counted(number: int, thing: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number} {thing}" + ("" if number == 1 else "s")
