"""What a sweep shows and what it does not, in sentences."""

import math
from collections import Counter
from collections.abc import Sequence

from optrun.config.problems import count
from optrun.metrics import difference_text, is_accuracy, label_of, points_of, spread_text
from optrun.settings import DIGITS, short, value_text
from optrun.sweeps.results.comparison import Comparison, Setting
from optrun.sweeps.results.contrasts import Contrast, Lead, contrasts, lead
from optrun.sweeps.results.edges import Edge, edges
from optrun.sweeps.results.rows import ResultRow
from optrun.sweeps.results.significance import MOST_SEEDS

NAMED = 5  # runs that a sentence names at most
MORE_SEEDS = '`seeds: 5` in the sweep, or `"seed=range(5)"` on the command line'


def findings(comparison: Comparison) -> list[str]:
    """The verdict, and after it everything that should make a reader doubt it."""
    return [
        verdict(comparison),
        *about_data(comparison),
        *about_edges(comparison),
        *about_unfinished(comparison),
        *about_diverged(comparison),
        *about_failed(comparison),
    ]


def verdict(comparison: Comparison) -> str:
    """Which setting is the best, and whether its lead holds."""
    leader = comparison.leader
    if leader is None:
        return f"No best setting: no run came to a {label_of(comparison.metric)}."
    found = lead(comparison, contrasts(comparison))
    notes = [count(len(leader.figures), "seed")] if comparison.depends_on_seed else []
    notes += about_lead(found, comparison)
    figure = spread_text(leader.mean, leader.deviation, comparison.metric)
    in_brackets = f" ({'; '.join(notes)})" if notes else ""
    best = f"Best: {leader.label}, {figure}{in_brackets}."
    return " ".join([best, *more_seeds(found, comparison)])


def about_lead(found: Lead | None, comparison: Comparison) -> list[str]:
    """What the best setting is ahead by, and how sure that is."""
    if found is None:
        alone = len(comparison.settings) == 1
        return [] if alone else ["no other setting was trained as far"]
    contrast, test = found.contrast, found.contrast.test
    other = named_setting(contrast.other, comparison)
    if test.difference is None:
        return [f"not compared with {other}, with which it has no seed in common"]
    if test.difference == 0:
        return [f"{other} does as well"]
    if not found.ahead:
        fewer = contrast.setting.bad < contrast.other.bad
        why = ["chosen because fewer of its runs diverged or failed"] if fewer else []
        return [
            *why,
            f"where both have a figure, {other} is ahead by {extent(contrast, comparison)}",
        ]
    if found.holds:
        return [f"ahead of {other} by {extent(contrast, comparison)}"]
    unproven = f"lead over {other} unproven"
    return [unproven if test.p is None else f"{unproven}: {extent(contrast, comparison)}"]


def named_setting(setting: Setting, comparison: Comparison) -> str:
    """The setting's label, and whether it is the baseline."""
    return f"the baseline, {setting.label}" if setting is comparison.baseline else setting.label


def extent(contrast: Contrast, comparison: Comparison) -> str:
    """`1.20 points, 95 % interval +0.80 to +1.60, p = 0.002`, the difference without its sign."""
    metric, test = comparison.metric, contrast.test
    parts = [difference_text(abs(test.difference or 0.0), metric)[1:] + points_of(metric)]
    signed = contrast if (test.difference or 0.0) > 0 else contrast.reversed()
    if signed.interval is not None and contrast.p is not None:
        corrected = f" corrected for {contrast.tests} comparisons" if contrast.tests > 1 else ""
        parts += [f"95 % interval {interval_text(signed, metric)}", p_text(contrast.p) + corrected]
    return ", ".join(parts)


def interval_text(contrast: Contrast, metric: str) -> str:
    """`+0.80 to +1.60`; accuracies differ by 100 points at most."""
    most = 1.0 if is_accuracy(metric) else math.inf
    ends = contrast.interval or ()
    return " to ".join(difference_text(min(max(e, -most), most), metric) for e in ends) or "–"


def more_seeds(found: Lead | None, comparison: Comparison) -> list[str]:
    """How many seeds would show a lead that is not proven."""
    if found is None or found.holds or not found.ahead or not comparison.depends_on_seed:
        return []
    test = found.contrast.test
    if test.n < 2:
        return [f"Train more seeds: {MORE_SEEDS}."]
    if not test.deviation:
        return []
    needed = test.seeds_needed(found.contrast.level)
    number = f"More than {MOST_SEEDS}" if needed is None else f"About {needed}"
    return [f"{number} seeds would be needed to show a lead of this size."]


def about_data(comparison: Comparison) -> list[str]:
    """What the choice is made on, where that is not validation."""
    if "val_" in comparison.metric or not comparison.has_examples:
        return []
    return [
        "Settings are chosen by their training loss, which does not tell how they do on other data."
    ]


def about_edges(comparison: Comparison) -> list[str]:
    """The chosen numbers that lie at the edge of what was tried."""
    groups: dict[Edge, list[str]] = {}
    for group in comparison.groups:
        for edge in edges(comparison, group):
            groups.setdefault(edge, []).append(group.label)
    return [about_edge(edge, enumerated(labels)) for edge, labels in groups.items()]


def about_edge(edge: Edge, whose: str) -> str:
    """That the best numbers may not have been tried."""
    end, other = ("largest", "larger") if edge.largest else ("smallest", "smaller")
    where = f"the {end} tried"
    if edge.drawn:
        where = f"the {'upper' if edge.largest else 'lower'} end of its range"
    if edge.value != edge.end:
        where = f"close to {where}, {value_text(edge.end, DIGITS)}"
    of = f" of {whose}" if whose else ""
    value = value_text(edge.value, DIGITS)
    return f"The best {short(edge.key)}{of} is {value}, {where}; try {other} ones."


def enumerated(labels: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = labels
    return f"{', '.join(most)} and {last}" if most else last


def about_unfinished(comparison: Comparison) -> list[str]:
    """The groups whose best setting was not trained in full with every seed."""
    sentences = []
    for group in comparison.groups if comparison.leader else []:
        whose = f" of {group.label}" if group.label else ""
        if group.best is None:
            sentences.append(f"No run{whose} came to a {label_of(comparison.metric)}.")
        elif not group.best.complete:
            sentences.append(
                f"No setting{whose} was trained to the end with every seed; "
                f"the best of the others is shown, {group.best.label}."
            )
    return sentences


def about_diverged(comparison: Comparison) -> list[str]:
    """How many runs diverged, and of which group."""
    rows = {g.label: [row.status for row in g.rows].count("diverged") for g in comparison.groups}
    diverged = sum(rows.values())
    if not diverged:
        return []
    runs = sum(len(group.rows) for group in comparison.groups)
    each = ", ".join(f"{label} {number}" for label, number in rows.items() if number and label)
    return [f"{diverged} of {count(runs, 'run')} diverged{': ' if each else ''}{each}."]


def about_failed(comparison: Comparison) -> list[str]:
    """Which runs failed, a sentence for each reason."""
    rows = [row for group in comparison.groups for row in group.rows]
    failed = sorted((row for row in rows if row.status == "failed"), key=lambda r: r.directory)
    reasons = Counter(row.reason for row in failed)
    return [
        f"{count(number, 'run')} of {len(rows)} failed, {named(failed, reason)}: "
        f"{(reason or 'no reason is known').rstrip('.')}."
        for reason, number in reasons.items()
    ]


def named(rows: Sequence[ResultRow], reason: str | None) -> str:
    """The directories of the runs with this reason, the first few of them."""
    names = [row.directory for row in rows if row.reason == reason]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def p_text(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
