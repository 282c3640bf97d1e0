"""sweep.png: the best setting of each group over its epochs, beside what a number changes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from optrun.metrics import spread_text
from optrun.settings import short
from optrun.store.files import read_text
from optrun.store.reading import Run, load_run
from optrun.sweep.results.comparison import Comparison, Group, Setting, compare
from optrun.sweep.results.rows import damaged, read_results
from optrun.viz import style
from optrun.viz.compare import draw_group, without_start
from optrun.viz.curves import LOSS_DECADES, say_if_empty
from optrun.viz.groups import Group as Curves
from optrun.viz.groups import read_curve
from optrun.viz.labels import LETTERS, axis_label, wrap
from optrun.viz.sensitivity import Look, draw_numbers, draw_settings, height_of, marks, number_key
from optrun.yaml_text import from_yaml

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 11.0, 4.6  # inches, without the legend
BEGUN = ("finished", "paused", "diverged")  # whose directories have curves


def draw_sweep(directory: Path) -> Path:
    """Write sweep.png into a sweep's directory, `<root>/sweeps/<name>`, and return its path.

    Raises:
        RunError: a file of the sweep or of a chosen run is absent or damaged, or the picture
            cannot be written.
    """
    return style.save(sweep_figure(directory), directory / "sweep.png")


def sweep_figure(directory: Path) -> "Figure":
    """The picture that `draw_sweep` writes."""
    results = read_results(directory / "results.csv")
    comparison = compare(results.rows, results.keys, metric_of(directory / "sweep.yaml"))
    runs = [chosen_runs(group.best, directory.parent.parent) for group in comparison.groups]
    looks: list[Look] = style.line_styles(len(comparison.groups))
    label = axis_label(comparison.metric, [run.config for each in runs for run in each])
    number = number_key(comparison)
    figure = style.new_figure(WIDTH, max(HEIGHT, 0 if number else height_of(comparison)))
    left, right = figure.subplots(1, 2)
    for axes in (left, right):
        style.plain_axes(axes)
    draw_best(left, comparison, runs, looks)
    left.set_ylabel(label)
    if number:
        draw_numbers(right, comparison, looks, number)
        right.set_ylabel(label)
    else:
        draw_settings(right, comparison, looks)
        right.set_xlabel(label)
    figure.suptitle(style.printable(wrap(directory.name, 80, 1)), fontweight="bold")
    add_legend(figure, left, comparison)
    return figure


def metric_of(spec: Path) -> str:
    """The metric that sweep.yaml names."""
    try:
        return str(from_yaml(read_text(spec))["sweep"]["metric"])
    except yaml.YAMLError as error:
        raise damaged(spec, error) from error
    except (KeyError, TypeError) as error:
        raise damaged(spec, ValueError("no metric is in it")) from error


def chosen_runs(best: Setting | None, root: Path) -> list[Run]:
    """The runs of a group's best setting that have curves."""
    rows = best.rows if best else []
    return [load_run(root / row.directory) for row in rows if row.status in BEGUN]


def draw_best(
    axes: "Axes", comparison: Comparison, runs: Sequence[Sequence[Run]], looks: Sequence[Look]
) -> None:
    """The metric of each group's best setting after each epoch; not at the start, which is far."""
    for group, each, look in zip(comparison.groups, runs, looks, strict=True):
        if group.best is None:
            axes.plot([], [], **look, label=style.printable(f"{group.label or 'all'}: no figure"))
            continue
        figure = spread_text(group.best.mean, group.best.deviation, comparison.metric)
        curves = [read_curve(run, comparison.metric, "epoch", 0) for run in each]
        label = f"{curve_label(group, group.best)}\n{figure}"
        drawn = without_start(Curves(curves, label))
        draw_group(axes, drawn, {**look, "drawstyle": "default"}, smoothed=False)
    values = np.concatenate([[], *(line.get_ydata() for line in axes.lines)])
    if comparison.metric.endswith("loss") and style.spans_decades(values, LOSS_DECADES):
        axes.set_yscale("log", nonpositive="mask")
    style.plain_numbers(axes.yaxis)
    axes.set_xlabel(axis_label("epoch"))
    style.whole_numbers(axes.xaxis)
    each_group = f" of each {short(comparison.key)}" if comparison.key else ""
    axes.set_title(f"best setting{each_group}", fontsize=10.5)
    say_if_empty(axes, values)
    if not len(values):
        axes.set_xticks([])


def curve_label(group: Group, best: Setting) -> str:
    """The group, whose colour is that of both panels, and below it the setting of its curve."""
    if len(group.settings) == 1:
        return wrap(best.label, LETTERS, 2)
    own = best.label.removeprefix(f"{group.label}, ")
    return f"{wrap(group.label or 'all settings', LETTERS, 1)}\n{wrap(f'best: {own}', LETTERS, 2)}"


def add_legend(figure: "Figure", best: "Axes", comparison: Comparison) -> None:
    """The best settings, and after them what the other panel's marks mean."""
    seeds = {row.seed for group in comparison.groups for row in group.rows}
    bands = "mean over seeds, band from min to max; " if len(seeds) > 1 else ""
    handles = [*best.get_legend_handles_labels()[0], *marks(comparison)]
    if handles:
        style.legend_below(figure, handles, f"{bands}figures at the epoch that each run chose")
