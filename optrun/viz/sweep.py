"""sweep.png: settings of a sweep over their epochs, beside what a number or a choice changes."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optrun.metrics import is_accuracy, spread_text, whose
from optrun.settings import natural_order, short
from optrun.store.reading import Run, load_run
from optrun.sweeps.results.comparison import Comparison, Group, Setting
from optrun.training.selection import rank
from optrun.viz import style
from optrun.viz.curves import LOSS_DECADES, say_if_empty
from optrun.viz.labels import LETTERS, axis_label, wrap
from optrun.viz.sensitivity import (
    CROSS,
    Look,
    draw_numbers,
    draw_settings,
    height_of,
    marks,
    number_keys,
    title_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, HEIGHT = 5.5, 4.6  # inches: of a panel's width, and of the height without the legend
CURVES, BANDS = 10, 5  # in the panel of epochs, at most; and of these with bands
BEGUN = ("finished", "paused", "diverged")  # whose directories have curves

Curve = np.ndarray
"""(epochs, 2): the epoch, and the metric of the weights chosen by then."""


def draw_sweep(directory: Path, comparison: Comparison) -> Path:
    """Write sweep.png into a sweep's directory, `<root>/sweeps/<name>`, and return its path.

    Raises:
        RunError: a run that is shown is absent or damaged, or the picture cannot be written.
    """
    return style.save(sweep_figure(directory, comparison), directory / "sweep.png")


def sweep_figure(directory: Path, comparison: Comparison) -> "Figure":
    """The picture that `draw_sweep` writes."""
    shown = shown_settings(comparison)
    looks = looks_of(comparison, shown)
    runs = {setting: begun_runs(setting, directory.parent.parent) for setting in shown}
    label = axis_label(comparison.metric, [run.config for each in runs.values() for run in each])
    numbers = number_keys(comparison)
    panels = 1 + max(1, len(numbers))
    height = HEIGHT if numbers else max(HEIGHT, height_of(comparison))
    figure = style.new_figure(PANEL * panels, height)
    left, *others = figure.subplots(1, panels)
    for axes in (left, *others):
        style.plain_axes(axes)
    draw_epochs(left, comparison, runs, looks)
    left.set_ylabel(label)
    for axes, key in zip(others, numbers, strict=False):
        draw_numbers(axes, comparison, looks, key)
        axes.set_ylabel(label)
    if not numbers:
        draw_settings(others[0], comparison, looks)
        others[0].set_xlabel(label)
    figure.suptitle(style.printable(wrap(directory.name, 80, 1)), fontweight="bold")
    add_legend(figure, left, comparison)
    return figure


def shown_settings(comparison: Comparison) -> list[Setting]:
    """The settings to draw over their epochs, in the order of what they set, not of the result.

    They are the best of each group, and all where there is one group; the best ten if many.
    """
    best = [group.best for group in comparison.groups] if comparison.key else comparison.ranked
    shown = [setting for setting in best if setting is not None and setting.mean is not None]
    shown = shown[:CURVES]
    order = natural_order([s.values for s in shown], [s.label for s in shown])
    return [shown[i] for i in order]


def looks_of(comparison: Comparison, shown: Sequence[Setting]) -> dict[Setting, Look]:
    """A look for each setting: that of its group, or its own where there is one group.

    No two curves have the same colour. Settings that are drawn in no curve are grey.
    """
    numbers = not comparison.key and len(number_keys(comparison)) > 0
    styles = style.line_styles(len(shown), ordered=numbers)
    looks: dict[Setting, Look] = dict(zip(shown, styles, strict=True))
    grey = {"color": style.FAINT, "linestyle": "-", "marker": "o"}
    for group in comparison.groups if comparison.key else []:
        shared = looks.get(group.best, grey) if group.best else grey
        looks |= dict.fromkeys(group.settings, shared)
    return {setting: looks.get(setting, grey) for setting in comparison.settings}


def begun_runs(setting: Setting, root: Path) -> list[Run]:
    """The runs of a setting that have curves."""
    return [load_run(root / row.directory) for row in setting.rows if row.status in BEGUN]


def draw_epochs(
    axes: "Axes",
    comparison: Comparison,
    runs: Mapping[Setting, Sequence[Run]],
    looks: Mapping[Setting, Look],
) -> None:
    """The metric of settings after each epoch, at the epoch that each run had chosen by then.

    So a curve ends at the figure that its setting is compared by. The start is left out, because
    it is far from the rest, unless runs have but one epoch.
    """
    metric = comparison.metric
    last = max((run.metrics["epoch"].max() for each in runs.values() for run in each), default=0)
    first = 0 if last <= 1 else 1
    for setting, each in runs.items():
        band = len(runs) <= BANDS
        draw_setting(axes, setting, each, looks[setting], first, band, comparison)
    for group in comparison.groups if comparison.key else []:
        if group.best is None:
            axes.plot([], [], color=style.FAINT, label=style.printable(f"{group.label}: no figure"))
    values = np.concatenate([[], *(line.get_ydata() for line in axes.lines)])
    if metric.endswith("loss") and style.spans_decades(values, LOSS_DECADES):
        axes.set_yscale("log", nonpositive="mask")
    style.plain_numbers(axes.yaxis)
    axes.set_xlabel(axis_label("epoch"))
    axes.set_xlim(first - 0.03 * last, max(1.0, 1.03 * last))
    style.whole_numbers(axes.xaxis)
    axes.set_title(title(comparison, len(runs)), fontsize=10.5)
    say_if_empty(axes, values)


def title(comparison: Comparison, shown: int) -> str:
    """What the curves are of."""
    if comparison.key:
        return f"best setting of each {short(comparison.key)}"
    return title_of(shown, len(comparison.settings))


def draw_setting(
    axes: "Axes",
    setting: Setting,
    runs: Sequence[Run],
    look: Look,
    first: int,
    band: bool,
    comparison: Comparison,
) -> None:
    """The mean over the runs that have a figure, in a band; and thinly those that diverged."""
    metric = comparison.metric
    good = [r for r in runs if r.config.get("seed") in setting.figures]
    curves = padded([chosen_so_far(run, metric) for run in good])
    if curves.size:
        epochs, values = curves[0, :, 0], curves[:, :, 1]
        kept = epochs >= first
        epochs, values = epochs[kept], values[:, kept]
        if band and len(good) > 1:
            axes.fill_between(
                epochs, values.min(0), values.max(0), color=look["color"], alpha=0.15, linewidth=0
            )
        every = style.sparse_markers(len(epochs))
        marked = ((len(epochs) - 1) % every, every)  # so that the curve ends in a marker
        axes.plot(
            epochs, values.mean(0), **look, linewidth=1.6, markersize=5, markevery=marked,
            label=style.printable(curve_label(setting, comparison)),
        )  # fmt: skip
    for run in runs:
        if run.summary.get("diverged_step") is not None:
            draw_diverged(axes, measured(run, metric), look, first)


def draw_diverged(axes: "Axes", curve: Curve, look: Look, first: int) -> None:
    """A thin line up to a × where the run diverged."""
    curve = curve[(curve[:, 0] >= first) & np.isfinite(curve[:, 1])]
    if len(curve):
        axes.plot(*curve.T, color=look["color"], linewidth=0.7)
        axes.plot(*curve[-1:].T, **CROSS, color=look["color"], zorder=5)


def chosen_so_far(run: Run, metric: str) -> Curve:
    """The metric after each epoch, of the weights that `training.best_by` had chosen by then."""
    curve, best_by = measured(run, metric), run.config.get("training", {}).get("best_by", "last")
    best: list[float] | None = None
    chosen, values = math.nan, []
    rows: list[dict[Any, Any]] = run.metrics.to_dict("records")
    for row, value in zip(rows, curve[:, 1], strict=True):
        found = rank(row, best_by, whose(metric))
        if found is not None and (best is None or found < best):
            best, chosen = found, value
        values.append(chosen)
    curve[:, 1] = values
    return curve[np.isfinite(curve[:, 1])]


def measured(run: Run, metric: str) -> Curve:
    """The metric after each epoch as it was measured, accuracies in percent."""
    curve = run.metrics[["epoch", metric]].to_numpy(float)
    curve[:, 1] *= 100 if is_accuracy(metric) else 1
    return curve


def padded(curves: Sequence[Curve]) -> np.ndarray:
    """(runs, epochs, 2): curves from the epoch that all have; what ended early keeps its value."""
    curves = [curve for curve in curves if len(curve)]
    if not curves:
        return np.empty((0, 0, 2))
    epochs = max(curves, key=lambda curve: curve[-1, 0])[:, 0]
    epochs = epochs[epochs >= max(curve[0, 0] for curve in curves)]
    return np.array(
        [
            np.column_stack([epochs, c[np.searchsorted(c[:, 0], epochs, side="right") - 1, 1]])
            for c in curves
        ]
    )


def curve_label(setting: Setting, comparison: Comparison) -> str:
    """The group and its setting, what it came to, and with how many seeds."""
    group = next(group for group in comparison.groups if setting in group.settings)
    figure = spread_text(setting.mean, setting.deviation, comparison.metric)
    return f"{name_in_legend(setting, group)}\n{figure}{seeds_text(setting, comparison)}"


def name_in_legend(setting: Setting, group: Group) -> str:
    """The setting; of a group of several, the group and below it its best."""
    if not group.label or len(group.settings) == 1:
        return wrap(setting.label, LETTERS, 2)
    own = setting.label.removeprefix(f"{group.label}, ")
    return f"{wrap(group.label, LETTERS, 1)}\n{wrap(f'best: {own}', LETTERS, 2)}"


def seeds_text(setting: Setting, comparison: Comparison) -> str:
    """How many seeds a figure is of, and what diverged, in brackets."""
    diverged = [row.status for row in setting.rows].count("diverged")
    seeds = len(setting.figures)
    notes = [f"{seeds} seed{'s' * (seeds != 1)}"] if comparison.depends_on_seed else []
    notes += [f"{diverged} diverged ×"] if diverged else []
    return f" ({', '.join(notes)})" if notes else ""


def add_legend(figure: "Figure", left: "Axes", comparison: Comparison) -> None:
    """The curves, and after them what the other panels' marks mean."""
    handles: list[Any] = [*left.get_legend_handles_labels()[0], *marks(comparison)]
    several = any(len(setting.figures) > 1 for setting in comparison.settings)
    parts = ["mean over seeds"] if several else []
    parts += ["band from min to max"] if left.collections else []
    parts += ["small dots are seeds"] if several else []
    if handles:
        style.legend_below(
            figure, handles, ", ".join([*parts, "each run at the epoch chosen so far"])
        )
