"""summary.md of a sweep: what was run, what did best, and how far that can be trusted."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev

from optrun.config.problems import count
from optrun.metrics import higher_is_better, is_accuracy, label_of, spread_text
from optrun.store.files import write_text
from optrun.store.run_directory import RunDirectory
from optrun.sweep.results.comparison import Comparison, Group, Setting
from optrun.sweep.results.findings import findings
from optrun.sweep.results.significance import paired_test

STATUSES = {
    "finished": "finished",
    "diverged": "diverged",
    "failed": "failed",
    "paused": "paused",
    "waiting": "not begun",
}
"""How the statuses of rows are called, in the order of telling."""
TO_ROOT = Path("..", "..")  # from a sweep's directory to that of the runs


def write_summary(directory: Path, comparison: Comparison, strategy: str) -> Path:
    """Write summary.md into a sweep's directory, `<root>/sweeps/<name>`, and return its path.

    The test figures in it are read from the runs of each group's chosen setting, and no others.

    Args:
        directory: of the sweep.
        comparison: of its rows.
        strategy: the name of what decided which runs were made.

    Raises:
        RunError: a chosen run is damaged, or the file cannot be written.
    """
    path = directory / "summary.md"
    write_text(path, summary_text(directory, comparison, strategy))
    return path


def closing_lines(directory: Path, comparison: Comparison) -> list[str]:
    """What to print when a sweep is over: the verdict, what to doubt, and where the files are."""
    return [
        *findings(comparison),
        f"{directory / 'summary.md'} has the table, {directory / 'results.csv'} every run, "
        f"{directory / 'sweep.png'} the picture",
    ]


def summary_text(directory: Path, comparison: Comparison, strategy: str) -> str:
    """The text of summary.md."""
    verdict, *doubts = findings(comparison)
    parts = [
        f"# {directory.name}",
        what_was_run(comparison, strategy),
        verdict,
        how_to_repeat(comparison.leader),
        table_of(comparison, directory / TO_ROOT),
        how_chosen(comparison),
    ]
    if doubts:
        parts += ["## Warnings", "\n".join(f"- {sentence}" for sentence in doubts)]
    return "\n\n".join(part for part in parts if part) + "\n"


def what_was_run(comparison: Comparison, strategy: str) -> str:
    """`36 runs: 12 settings × 3 seeds, strategy grid; 34 finished, 2 diverged.`"""
    rows = [row for setting in comparison.settings for row in setting.rows]
    statuses = Counter(row.status for row in rows)
    told = ", ".join(f"{statuses[s]} {word}" for s, word in STATUSES.items() if statuses[s])
    settings = count(len(comparison.settings), "setting")
    seeds = count(len({row.seed for row in rows}), "seed")
    what = f"{count(len(rows), 'run')}: {settings}, {seeds}, strategy {strategy}"
    return f"{what}; {told}." if told else f"{what}."


def how_chosen(comparison: Comparison) -> str:
    """What the table's figures are."""
    best = "highest" if higher_is_better(comparison.metric) else "lowest"
    sentences = [
        f"The best setting has the {best} {label_of(comparison.metric)}, taken of each run at the "
        "epoch that it chose itself.",
        "Figures are the mean ± standard deviation over n seeds.",
        "Test figures are those of the setting chosen, and had no part in choosing it.",
    ]
    several = comparison.groups if comparison.key else comparison.settings
    if is_tested(comparison) and len(several) > 2:
        of = count(len(several), "group" if comparison.key else "setting")
        sentences.append(
            f"The paired test is between the two best of {of}, and not corrected for their having "
            "been chosen among several."
        )
    if any(setting.paused for setting in comparison.settings):
        sentences.append(
            "Settings paused early have figures of fewer epochs, and are ranked after those that "
            "were trained to the end."
        )
    return " ".join(sentences)


def is_tested(comparison: Comparison) -> bool:
    """Whether the verdict rests on a test."""
    leader, rival = comparison.leader, comparison.rival
    return bool(leader and rival and paired_test(leader.figures, rival.figures).p is not None)


def how_to_repeat(leader: Setting | None) -> str:
    """The runs of the setting that did best, whether or not it won, and how to train one again.

    The overrides of the sweep alone would not: a sweep may fix other settings too.
    """
    if leader is None:
        return ""
    runs = ", ".join(f"[{row.directory}]({TO_ROOT / row.directory})" for row in leader.rows)
    again = "`optrun train` on its config.yaml, with another `--out`, repeats a run."
    return f"Runs of {leader.label}: {runs}. {again}"


def on_test(root: Path, setting: Setting) -> tuple[str, list[float]]:
    """What the finished runs of a setting reached on the test set: `test_accuracy` or `test_loss`.

    Raises:
        RunError: a run is absent or damaged.
    """
    summaries = [
        RunDirectory(root / row.directory).read_summary()
        for row in setting.rows
        if row.status == "finished"
    ]
    for measure in ("test_accuracy", "test_loss"):
        values = [s[measure] for s in summaries if s.get(measure) is not None]
        if values:
            return measure, values
    return "test_accuracy", []


def table_of(comparison: Comparison, root: Path) -> str:
    """A row a group, the best first, in columns that line up as plain text too."""
    heading = [
        comparison.key or "group",
        "best setting",
        label_of(comparison.metric),
        "n",
        "test",
        "diverged",
    ]
    rows = [heading, *(row_of(group, comparison, root) for group in comparison.groups)]
    if not comparison.key:
        rows = [row[1:] for row in rows]
    return markdown(rows)


def row_of(group: Group, comparison: Comparison, root: Path) -> list[str]:
    """The fields of one group."""
    best = group.best
    diverged = [row.status for row in group.rows].count("diverged")
    share = f"{diverged} of {len(group.rows)}"
    if best is None:
        return [group.label, "none", "–", "0", "–", share]
    return [
        group.label,
        best.label,
        spread_text(best.mean, best.deviation, comparison.metric),
        str(len(best.figures)),
        tested(*on_test(root, best)),
        share,
    ]


def tested(measure: str, values: Sequence[float]) -> str:
    """`91.02 ± 0.12 %`, or `loss 0.31 ± 0.01`."""
    if not values:
        return "–"
    deviation = stdev(values) if len(values) > 1 else None
    text = spread_text(fmean(values), deviation, measure)
    return text if is_accuracy(measure) else f"loss {text}"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table of these rows, the first being its heading."""
    escaped = [[field.replace("|", "\\|") for field in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*escaped, strict=True)]
    lines = [
        "| " + " | ".join(f.ljust(w) for f, w in zip(row, widths, strict=True)) + " |"
        for row in escaped
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
