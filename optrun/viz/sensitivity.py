"""What a sweep's metric does when a number changes, or else from setting to setting."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optrun.metrics import higher_is_better, is_accuracy, label_of
from optrun.sweep.results.comparison import (
    Comparison,
    Group,
    Setting,
    is_number,
    numeric_keys,
    rank,
    varying,
)
from optrun.sweep.results.edges import spans_a_decade
from optrun.viz import style
from optrun.viz.curves import say_if_empty
from optrun.viz.labels import wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Look = dict[str, Any]

RATE = "optimizer.lr"
DECADES = 1.0  # that losses range over where their axis is logarithmic
SETTINGS = 12  # in the panel of settings, at most
LETTERS, LINES = 34, 3  # of a setting's label there
LINE_HEIGHT, GAP, MARGIN = 0.15, 0.08, 1.2  # inches: of a line, between labels, of what is around
EDGE, STACKED = 0.025, 0.045  # of a panel's side: to a mark, and on to the next at that number
CROSS: Look = {"marker": "X", "markersize": 8, "linestyle": "none", "markeredgecolor": "white"}
HOLLOW: Look = {"markerfacecolor": "white"}
STAR: Look = {"marker": "*", "markersize": 16, "linestyle": "none", "color": "#F0E442",
              "markeredgecolor": style.INK}  # fmt: skip


def number_key(comparison: Comparison) -> str | None:
    """The number to draw the metric over: the rate if it varies, else the first that does."""
    keys = numeric_keys([setting.values for setting in comparison.settings])
    return RATE if RATE in keys else next(iter(keys), None)


def height_of(comparison: Comparison) -> float:
    """Inches that the panel of settings needs."""
    labels = [setting_label(setting) for setting in ranked(comparison)]
    lines = max((label.count("\n") + 1 for label in labels), default=1)
    return MARGIN + (lines * LINE_HEIGHT + GAP) * len(labels)


def ranked(comparison: Comparison) -> list[Setting]:
    """The settings to show, the best first."""
    order = sorted(comparison.settings, key=lambda setting: rank(setting, comparison.metric))
    return order[:SETTINGS]


def setting_label(setting: Setting) -> str:
    return style.printable(wrap(setting.label, LETTERS, LINES))


def draw_numbers(axes: "Axes", comparison: Comparison, looks: Sequence[Look], key: str) -> None:
    """The metric over a number: a line a group through the best of the settings that share it.

    A setting of which a run diverged or failed has a × at the edge where bad values lie. One that
    was paused early is hollow and on no line: its figure is of fewer epochs than the others'.
    """
    metric = comparison.metric
    edge, inwards = bad_edge(metric), 1 if higher_is_better(metric) else -1
    across, crosses = axes.get_xaxis_transform(), Counter[float]()
    for group, look in zip(comparison.groups, looks, strict=True):
        best = best_by_number(group, key)
        sampled = is_sampled(group, key)
        for paused in (False, True):
            shown = {x: s for x, s in best.items() if s.figures and s.paused == paused}
            figures = {x: in_units(setting, metric) for x, setting in shown.items()}
            draw_line(axes, figures, look | (HOLLOW if paused else {}), paused or sampled)
        for x in (x for x, setting in best.items() if setting.bad):
            place = edge + inwards * STACKED * crosses[x]
            axes.plot([x], [place], **CROSS, color=look["color"], transform=across, clip_on=False,
                      zorder=5)  # fmt: skip
            crosses[x] += 1
    leader = comparison.leader
    if leader is not None and is_number(leader.values.get(key)):
        axes.plot([leader.values[key]], [in_units(leader, metric).mean()], **STAR, zorder=6)
    tried = [s.values[key] for s in comparison.settings if is_number(s.values.get(key))]
    if spans_a_decade(min(tried), max(tried)):
        axes.set_xscale("log")
    axes.update_datalim([(x, 0) for x in tried], updatey=False)  # crosses alone would not widen it
    axes.autoscale_view(scaley=False)
    say_if_empty(axes, fit_scale(axes, "y", comparison))
    style.plain_numbers(axes.xaxis)
    words = label_of("lr") if key == RATE else style.printable(key)
    axes.set_xlabel(words)
    axes.set_title(f"best setting at each {words}", fontsize=10.5)


def best_by_number(group: Group, key: str) -> dict[float, Setting]:
    """For each number the best of the group's settings that have it, from the least number up."""
    best: dict[float, Setting] = {}
    for setting in group.settings:  # the best come first
        if is_number(setting.values.get(key)):
            best.setdefault(setting.values[key], setting)
    return dict(sorted(best.items()))


def is_sampled(group: Group, key: str) -> bool:
    """Whether no two settings share a number while others vary: nothing that a line could join."""
    values = [setting.values for setting in group.settings]
    return len(varying(values)) > 1 and len(best_by_number(group, key)) == len(values)


def draw_line(axes: "Axes", figures: dict[float, np.ndarray], look: Look, points: bool) -> None:
    """Means over seeds in a band from the least to the greatest, or as points with bars."""
    if not figures:
        return
    x = list(figures)
    low, mean, high = (
        np.array([f(each) for each in figures.values()]) for f in (np.min, np.mean, np.max)
    )
    if points:
        axes.vlines(x, low, high, color=look["color"], alpha=0.5, linewidth=1.2)
        look = look | {"linestyle": "none"}
    else:
        axes.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)
    axes.plot(x, mean, **look, linewidth=1.6, markersize=5)


def draw_settings(axes: "Axes", comparison: Comparison, looks: Sequence[Look]) -> None:
    """The metric of each setting, the best on top: the mean on a bar over the range of seeds."""
    colours = {
        setting: look["color"]
        for group, look in zip(comparison.groups, looks, strict=True)
        for setting in group.settings
    }
    shown, edge = ranked(comparison), bad_edge(comparison.metric)
    for y, setting in enumerate(shown):
        figures, colour = in_units(setting, comparison.metric), colours[setting]
        if figures.size:
            axes.hlines(y, figures.min(), figures.max(), color=colour, linewidth=5, alpha=0.3)
            hollow = HOLLOW if setting.paused else {}
            axes.plot([figures.mean()], [y], marker="o", markersize=6, color=colour, **hollow)
        if setting.bad:
            axes.plot([edge], [y], **CROSS, color=colour, transform=axes.get_yaxis_transform(),
                      clip_on=False, zorder=5)  # fmt: skip
    if shown and shown[0] is comparison.leader:
        axes.plot([in_units(shown[0], comparison.metric).mean()], [0], **STAR, zorder=6)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_yticks(range(len(shown)), map(setting_label, shown), fontsize=8)
    if not fit_scale(axes, "x", comparison).size:
        axes.set_xticks([])
    tried = len(comparison.settings)
    title = "all settings" if tried == len(shown) else f"the best {SETTINGS} of {tried} settings"
    axes.set_title(title, fontsize=10.5)


def bad_edge(metric: str) -> float:
    """Where on an axis of the metric, from 0 to 1, marks of what has no value stand."""
    return EDGE if higher_is_better(metric) else 1 - EDGE


def in_units(setting: Setting, metric: str) -> np.ndarray:
    """The figures of a setting as they are drawn: accuracies in percent."""
    return np.array([*setting.figures.values()]) * (100 if is_accuracy(metric) else 1)


def fit_scale(axes: "Axes", which: str, comparison: Comparison) -> np.ndarray:
    """Make the metric's axis logarithmic if losses span decades; all values that there are."""
    values = np.concatenate([[], *(in_units(s, comparison.metric) for s in comparison.settings)])
    if not higher_is_better(comparison.metric) and style.spans_decades(values, DECADES):
        (axes.set_xscale if which == "x" else axes.set_yscale)("log", nonpositive="mask")
    style.plain_numbers(axes.xaxis if which == "x" else axes.yaxis)
    return values


def marks(comparison: Comparison) -> list[Any]:
    """What a legend must explain of these panels."""
    from matplotlib.lines import Line2D

    handles = []
    if comparison.leader is not None:
        handles.append(Line2D([], [], **STAR, label="best of all"))
    if any(setting.paused for setting in comparison.settings):
        early = {"linestyle": "none", "marker": "o", "color": style.FAINT, **HOLLOW}
        handles.append(Line2D([], [], **early, label="paused early, after fewer epochs"))
    bad = [setting for setting in comparison.settings if setting.bad]
    if bad:
        some = any(setting.bad < len(setting.rows) for setting in bad)
        words = "a seed or more diverged or failed" if some else "diverged or failed"
        handles.append(Line2D([], [], **CROSS, color=style.FAINT, label=words))
    return handles
