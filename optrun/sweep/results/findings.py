"""What a sweep shows and what it does not, in sentences."""

from collections import Counter
from collections.abc import Sequence

from optrun.config.problems import count
from optrun.metrics import higher_is_better, label_of, spread_text
from optrun.settings import value_text
from optrun.sweep.results.comparison import Comparison, Setting
from optrun.sweep.results.edges import Edge, edges
from optrun.sweep.results.rows import ResultRow
from optrun.sweep.results.significance import SIGNIFICANT, PairedTest, paired_test

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
    """Which setting won, or why none did, with n and p of the paired test on common seeds."""
    leader, rival = comparison.leader, comparison.rival
    metric = label_of(comparison.metric)
    if leader is None:
        return f"No winner: no run came to a {metric}."
    first = told(leader, comparison.metric)
    if rival is None:
        return f"No winner: {first} has no rival that was trained as far."
    second = told(rival, comparison.metric)
    test = paired_test(leader.figures, rival.figures)
    if test.p is None:
        return too_few(test, leader, rival, first, second)
    says = f"paired t-test on common seeds, n = {test.n}, {p_text(test.p)}"
    if test.p > SIGNIFICANT:
        return (
            f"No winner: {first} and {second} overlap too much between seeds to be told apart "
            f"({says})."
        )
    if ((test.difference or 0) > 0) != higher_is_better(comparison.metric):
        return (
            f"No winner: {first} is chosen because fewer of its runs diverged or failed; "
            f"where both have a figure, {second} does better ({says})."
        )
    return f"Winner: {first}, ahead of {second} ({says})."


def too_few(test: PairedTest, leader: Setting, rival: Setting, first: str, second: str) -> str:
    """The verdict where common seeds are too few for a test."""
    if test.n == 0:
        return (
            f"No winner: {first} leads {second}, but they have no seed in common "
            "(n = 0, so no p) and cannot be compared."
        )
    leads = "leads" if test.difference else "does as well as"
    return (
        f"No winner: {first} {leads} {second}, but one seed cannot tell whether it would again "
        f"(n = 1, so no p). Train more seeds: {MORE_SEEDS}."
    )


def about_data(comparison: Comparison) -> list[str]:
    """What the choice is made on, where that is not validation."""
    if comparison.metric.startswith("val_"):
        return []
    return [
        "There is no validation data: settings are chosen by their training loss, which does not "
        "tell how they do on other data."
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
        where = f"close to {where}, {value_text(edge.end)}"
    of = f" of {whose}" if whose else ""
    return f"The best {edge.key}{of} is {value_text(edge.value)}, {where}; try {other} ones."


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


def told(setting: Setting, metric: str) -> str:
    """A setting with its figure: `adam, lr=0.01 (91.23 ± 0.10 %)`."""
    return f"{setting.label} ({spread_text(setting.mean, setting.deviation, metric)})"


def p_text(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
