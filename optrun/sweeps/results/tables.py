"""The settings of a sweep in tables: what each reached, and how far it is from the best."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from optrun.metrics import difference_text, is_accuracy, label_of, spread_text
from optrun.settings import short
from optrun.sweeps.results.comparison import Comparison, Group, Setting
from optrun.sweeps.results.contrasts import Contrast, contrasts
from optrun.sweeps.results.findings import interval_text, p_text

SHOWN = 10  # settings of a table, at most
NONE = "–"

Table = Sequence[Sequence[str]]
"""Rows of fields, the first being the heading."""


def setting_table(comparison: Comparison) -> Table:
    """A row a setting, the best first, ten at most; the baseline is always among them."""
    against = contrasts(comparison)
    shown = comparison.ranked[:SHOWN]
    if comparison.baseline and comparison.baseline not in shown:
        shown = [*shown[:-1], comparison.baseline]
    heading = ["setting", *figure_heading(comparison), *test_heading(comparison)]
    rows = [
        [s.label, *figures(s, comparison, against), *test_figures(s, comparison)] for s in shown
    ]
    return without_empty_columns([heading, *rows])


def group_table(comparison: Comparison) -> Table:
    """A row a group, the best first, with its best setting."""
    against = contrasts(comparison)
    key = short(comparison.key or "")
    heading = [
        key,
        "best setting",
        *figure_heading(comparison),
        *test_heading(comparison),
        "diverged",
    ]
    rows = [group_row(group, comparison, against) for group in comparison.groups]
    return without_empty_columns([heading, *rows])


def group_row(
    group: Group, comparison: Comparison, against: Mapping[Setting, Contrast]
) -> list[str]:
    """The fields of one group."""
    best = group.best
    diverged = f"{[row.status for row in group.rows].count('diverged')} of {len(group.rows)}"
    if best is None:
        columns = len(figure_heading(comparison) + test_heading(comparison))
        return [group.label, "none", *[NONE] * columns, diverged]
    fields = [*figures(best, comparison, against), *test_figures(best, comparison)]
    return [group.label, best.label, *fields, diverged]


def figure_heading(comparison: Comparison) -> list[str]:
    """The headings of `figures`."""
    points = " (points)" if is_accuracy(comparison.metric) else ""
    other = "the baseline" if comparison.baseline else "the best"
    return [
        label_of(comparison.metric),
        "seeds",
        f"difference from {other}{points}",
        "95 % interval",
        "p",
    ]


def figures(
    setting: Setting, comparison: Comparison, against: Mapping[Setting, Contrast]
) -> list[str]:
    """What a setting reached, with how many seeds, and how far that is from the best."""
    metric, contrast = comparison.metric, against.get(setting)
    reached = spread_text(setting.mean, setting.deviation, metric)
    seeds = str(len(setting.figures)) if comparison.depends_on_seed else NONE
    if contrast is None or contrast.test.difference is None:
        return [reached, seeds, NONE, NONE, NONE]
    difference = difference_text(contrast.test.difference, metric)
    if contrast.p is None:
        return [reached, seeds, difference, NONE, NONE]
    p = p_text(contrast.p).removeprefix("p ").removeprefix("= ")
    return [reached, seeds, difference, interval_text(contrast, metric), p]


def test_heading(comparison: Comparison) -> list[str]:
    """The heading of `test_figures`, if there are any."""
    measure = tested_measure(comparison)
    return [label_of(measure)] if measure else []


def test_figures(setting: Setting, comparison: Comparison) -> list[str]:
    """What a setting reached on the test set; only settings that were chosen have been tested."""
    measure = tested_measure(comparison)
    if measure is None:
        return []
    values = [value for row in setting.rows if (value := row.test[measure]) is not None]
    deviation = stdev(values) if len(values) > 1 else None
    return [spread_text(fmean(values) if values else None, deviation, measure)]


def tested_measure(comparison: Comparison) -> str | None:
    """The test figure to show: accuracy if there is one, of the weights that the metric is of."""
    if not comparison.has_examples:
        return None
    average = "average_" if comparison.metric.startswith("average_") else ""
    rows = [row for setting in comparison.settings for row in setting.rows]
    names = (f"{average}test_accuracy", f"{average}test_loss")
    return next((n for n in names if any(row.test[n] is not None for row in rows)), None)


def without_empty_columns(rows: Table) -> Table:
    """The table without columns that have no value in any row."""
    kept = [c for c, column in enumerate(zip(*rows, strict=True)) if {*column[1:]} != {NONE}]
    return [[row[c] for c in kept] for row in rows] if len(rows) > 1 else rows


def markdown(rows: Table) -> str:
    """A Markdown table, in columns that line up as plain text too."""
    escaped = [[field.replace("|", "\\|") for field in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*escaped, strict=True)]
    lines = [
        "| " + " | ".join(f.ljust(w) for f, w in zip(row, widths, strict=True)) + " |"
        for row in escaped
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def plain(rows: Table) -> list[str]:
    """The lines of a table for the screen."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
