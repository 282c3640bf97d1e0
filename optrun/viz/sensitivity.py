"""What a sweep's metric does when a number changes, or else from setting to setting."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from optrun.metrics import higher_is_better, is_accuracy, label_of, spread_text
from optrun.settings import DIGITS, natural_order, short, value_text
from optrun.sweeps.results.comparison import (
    Comparison,
    Group,
    Setting,
    is_number,
    numbers_of,
    numeric_keys,
    varying,
)
from optrun.sweeps.results.contrasts import contrasts, lead
from optrun.sweeps.results.edges import spans_a_decade
from optrun.sweeps.space.candidates import Point
from optrun.sweeps.space.distributions import LogUniform
from optrun.viz import style
from optrun.viz.curves import say_if_empty
from optrun.viz.labels import wrap

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Look = dict[str, Any]

RATE = "optimizer.lr"
NUMBERS = 3  # panels of numbers, at most
DECADES = 1.0  # that losses range over where their axis is logarithmic
SETTINGS = 12  # in the panel of settings, at most
TICKS, APART = 8, 0.09  # numbers with a tick of their own, at most, and their least distance
LETTERS, LINES = 34, 3  # of a setting's label
LINE_HEIGHT, GAP, MARGIN = 0.15, 0.08, 1.2  # inches: of a line, between labels, of what is around
EDGE, STACKED = 0.025, 0.045  # of a panel's side: to a mark, and on to the next at that number
CROSS: Look = {"marker": "X", "markersize": 8, "linestyle": "none", "markeredgecolor": "white"}
HOLLOW: Look = {"markerfacecolor": "white"}
STAR: Look = {"marker": "*", "markersize": 16, "linestyle": "none", "color": "#F0E442",
              "markeredgecolor": style.INK}  # fmt: skip
SEEDS: Look = {"marker": ".", "markersize": 4, "linestyle": "none", "alpha": 0.6}


def number_keys(comparison: Comparison) -> list[str]:
    """The numbers to draw the metric over, the rate first."""
    keys = numeric_keys([setting.values for setting in comparison.settings])
    return sorted(keys, key=lambda key: key != RATE)[:NUMBERS]


def height_of(comparison: Comparison) -> float:
    """Inches that the panel of settings needs."""
    labels = [setting_label(setting) for setting in listed(comparison)]
    lines = max((label.count("\n") + 1 for label in labels), default=1)
    return MARGIN + (lines * LINE_HEIGHT + GAP) * len(labels)


def listed(comparison: Comparison) -> list[Setting]:
    """The settings to list, the best if they are many, in the order of what they set."""
    shown = comparison.ranked[:SETTINGS]
    order = natural_order([s.values for s in shown], [s.label for s in shown])
    return [shown[i] for i in order]


def setting_label(setting: Setting) -> str:
    return style.printable(wrap(setting.label, LETTERS, LINES))


def draw_numbers(
    axes: "Axes", comparison: Comparison, looks: Mapping[Setting, Look], key: str
) -> None:
    """The metric of all settings over a number: a line a group through the best at each number.

    A setting of which a run diverged or failed has a × at the edge where bad values lie. One that
    was paused early is hollow and on no line: its figure is of fewer epochs than the others'.
    """
    tried = numbers_of(key, [setting.values for setting in comparison.settings])
    scale_numbers(axes, tried, is_log(key, tried, comparison.points))
    for group in comparison.groups:
        best = best_by_number(group, key)
        if not is_sampled(group, key):
            draw_line(axes, best, comparison, looks)
        for setting in group.settings:
            if is_number(setting.values.get(key)):
                x = setting.values[key]
                draw_mean(axes, x, setting, comparison, looks[setting], setting is best[x])
    draw_crosses(axes, comparison, looks, key)
    star = starred(comparison)
    if star is not None and is_number(star.values.get(key)):
        axes.plot([star.values[key]], [in_units(star, comparison.metric).mean()], **STAR, zorder=6)
    axes.update_datalim([(x, 0) for x in tried], updatey=False)  # crosses alone would not widen it
    axes.autoscale_view(scaley=False)
    say_if_empty(axes, fit_scale(axes, "y", comparison))
    axes.set_xlabel(label_of("lr") if key == RATE else style.printable(short(key)))
    axes.set_title(title_of(len(comparison.settings), len(comparison.settings)), fontsize=10.5)


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


def draw_line(
    axes: "Axes",
    best: Mapping[float, Setting],
    comparison: Comparison,
    looks: Mapping[Setting, Look],
) -> None:
    """A line through the best settings that were trained to the end."""
    joined = {x: setting for x, setting in best.items() if setting.figures and not setting.paused}
    if joined:
        look = looks[next(iter(joined.values()))] if comparison.key else {"color": style.FAINT}
        means = [in_units(setting, comparison.metric).mean() for setting in joined.values()]
        line: Look = {"color": look["color"], "linestyle": look.get("linestyle", "-")}
        axes.plot([*joined], means, **line, linewidth=1.4, zorder=2)


def draw_mean(
    axes: "Axes", x: float, setting: Setting, comparison: Comparison, look: Look, best: bool
) -> None:
    """A setting's mean and its seeds; small where another setting with that number is better."""
    values = in_units(setting, comparison.metric)
    if values.size:
        axes.plot([x] * len(values), values, **SEEDS, color=look["color"], zorder=3)
        mark = {"color": look["color"], "marker": look["marker"], "linestyle": "none"}
        hollow = HOLLOW if setting.paused else {}
        size: Look = {"markersize": 6.5 if best else 4, "alpha": 1 if best else 0.5}
        axes.plot([x], [values.mean()], **mark, **hollow, **size, zorder=4)


def draw_crosses(
    axes: "Axes", comparison: Comparison, looks: Mapping[Setting, Look], key: str
) -> None:
    """A × for each number at which a run of a group's best setting diverged or failed."""
    edge, inwards = bad_edge(comparison.metric), 1 if higher_is_better(comparison.metric) else -1
    across, crosses = axes.get_xaxis_transform(), Counter[float]()
    for group in comparison.groups:
        for x, setting in best_by_number(group, key).items():
            if setting.bad:
                place = edge + inwards * STACKED * crosses[x]
                axes.plot([x], [place], **CROSS, color=looks[setting]["color"], transform=across,
                          clip_on=False, zorder=5)  # fmt: skip
                crosses[x] += 1


def is_log(key: str, tried: Sequence[float], points: Sequence[Point]) -> bool:
    """Whether the numbers belong on a logarithmic axis: as they were drawn, or else as they lie."""
    drawn = {type(point.distributions[key]) for point in points if key in point.distributions}
    return is_geometric(tried) and drawn <= {LogUniform}


def scale_numbers(axes: "Axes", tried: Sequence[float], log: bool) -> None:
    """A scale on which the numbers lie evenly, and ticks at them if there is room."""
    from matplotlib.ticker import FixedFormatter, NullLocator

    low, high = tried[0], tried[-1]
    above = [x for x in tried if x > 0]
    if log:
        axes.set_xscale("log")
    elif low == 0 and not all(isinstance(x, int) for x in tried) and is_geometric(above):
        axes.set_xscale("symlog", linthresh=above[0], linscale=0.5)
    axes.set_xlim(low, high)
    style.plain_numbers(axes.xaxis)
    places = axes.transAxes.inverted().transform(axes.transData.transform([(x, 0) for x in tried]))
    if len(tried) <= TICKS and np.diff(places[:, 0]).min() >= APART:
        axes.set_xticks([*tried])
        axes.xaxis.set_major_formatter(FixedFormatter([value_text(x, DIGITS) for x in tried]))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.autoscale(axis="x")


def is_geometric(tried: Sequence[float]) -> bool:
    """Whether the numbers span a decade, and whole ones grow by factors rather than by steps."""
    if len(tried) < 2 or not spans_a_decade(tried[0], tried[-1]):
        return False
    if not all(isinstance(x, int) for x in tried):
        return True
    numbers = np.array(tried, float)
    steps, factors = np.diff(numbers), numbers[1:] / numbers[:-1]
    return bool(factors.max() / factors.min() < steps.max() / steps.min())


def draw_settings(axes: "Axes", comparison: Comparison, looks: Mapping[Setting, Look]) -> None:
    """The metric of each setting: its mean, its seeds, and at the right the figures in words."""
    shown, edge, metric = listed(comparison), bad_edge(comparison.metric), comparison.metric
    for y, setting in enumerate(shown):
        values, colour = in_units(setting, metric), looks[setting]["color"]
        if values.size:
            axes.hlines(y, values.min(), values.max(), color=colour, linewidth=5, alpha=0.3)
            axes.plot(values, [y] * len(values), **SEEDS, color=colour, zorder=3)
            hollow = HOLLOW if setting.paused else {}
            mark: Look = {"marker": "o", "markersize": 6, "linestyle": "none", "color": colour}
            axes.plot([values.mean()], [y], **mark, **hollow, zorder=4)
        if setting.bad:
            axes.plot([edge], [y], **CROSS, color=colour, transform=axes.get_yaxis_transform(),
                      clip_on=False, zorder=5)  # fmt: skip
    star = starred(comparison)
    if star in shown:
        axes.plot([in_units(star, metric).mean()], [shown.index(star)], **STAR, zorder=6)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_yticks(range(len(shown)), map(setting_label, shown), fontsize=8)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(shown)), [figures_text(s, metric) for s in shown], fontsize=8)
    right.tick_params(length=0)
    right.spines["right"].set_visible(False)
    if not fit_scale(axes, "x", comparison).size:
        axes.set_xticks([])
    axes.set_title(title_of(len(shown), len(comparison.settings)), fontsize=10.5)


def figures_text(setting: Setting, metric: str) -> str:
    """`91.23 ± 0.10 %, n = 3`."""
    if setting.mean is None:
        return ""
    return f"{spread_text(setting.mean, setting.deviation, metric)}, n = {len(setting.figures)}"


def title_of(shown: int, tried: int) -> str:
    """How many of a sweep's settings are shown."""
    return "all settings" if shown == tried else f"the best {shown} of {tried} settings"


def starred(comparison: Comparison) -> Setting | None:
    """The best setting, if its lead holds."""
    found = lead(comparison, contrasts(comparison))
    return found.contrast.setting if found and found.holds else None


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
    if starred(comparison) is not None:
        handles.append(Line2D([], [], **STAR, label="best of all, and its lead holds"))
    if any(setting.paused for setting in comparison.settings):
        early = {"linestyle": "none", "marker": "o", "color": style.FAINT, **HOLLOW}
        handles.append(Line2D([], [], **early, label="paused early, after fewer epochs"))
    bad = [setting for setting in comparison.settings if setting.bad]
    if bad:
        some = any(setting.bad < len(setting.rows) for setting in bad)
        words = "a seed or more diverged or failed" if some else "diverged or failed"
        handles.append(Line2D([], [], **CROSS, color=style.FAINT, label=words))
    return handles
