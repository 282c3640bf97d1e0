"""summary.md of a sweep: what was run, what did best, and how far that can be trusted."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from optrun.config.problems import count
from optrun.metrics import higher_is_better, label_of
from optrun.store.files import write_text
from optrun.sweeps.results.comparison import Comparison, Setting
from optrun.sweeps.results.contrasts import contrasts
from optrun.sweeps.results.findings import findings
from optrun.sweeps.results.rows import ResultRow, with_test_figures
from optrun.sweeps.results.tables import (
    SHOWN,
    group_table,
    markdown,
    plain,
    setting_table,
    tested_measure,
)

STATUSES = {
    "finished": "finished",
    "diverged": "diverged",
    "failed": "failed",
    "paused": "paused",
    "waiting": "not begun",
}
"""How the statuses of rows are called, in the order of telling."""
TO_ROOT = Path("..", "..")  # from a sweep's directory to that of the runs


def chosen(comparison: Comparison) -> list[Setting]:
    """The best setting of each group, which are tested."""
    return [group.best for group in comparison.groups if group.best is not None]


def with_tests(rows: Sequence[ResultRow], comparison: Comparison, root: Path) -> list[ResultRow]:
    """The rows of a sweep, those of the chosen settings with figures on the test set.

    Args:
        rows: of the sweep, without test figures.
        comparison: of them.
        root: the folder of all runs.

    Raises:
        RunError: a chosen run is damaged.
    """
    if not comparison.has_examples:
        return [*rows]
    tested = {row.directory for setting in chosen(comparison) for row in setting.rows}
    return [with_test_figures(row, root) if row.directory in tested else row for row in rows]


def write_summary(directory: Path, comparison: Comparison, strategy: str) -> Path:
    """Write summary.md into a sweep's directory, `<root>/sweeps/<name>`, and return its path.

    Args:
        directory: of the sweep.
        comparison: of its rows.
        strategy: the name of what decided which runs were made.

    Raises:
        RunError: the file cannot be written.
    """
    path = directory / "summary.md"
    write_text(path, summary_text(directory, comparison, strategy))
    return path


def closing_lines(directory: Path, comparison: Comparison) -> list[str]:
    """What to print when a sweep is over: the settings, the verdict, what to doubt, the files."""
    return [
        *plain(setting_table(comparison)),
        *leaving_out(comparison),
        "",
        *findings(comparison),
        f"{directory / 'summary.md'} has the tables, {directory / 'results.csv'} every run, "
        f"{directory / 'sweep.png'} the picture",
    ]


def leaving_out(comparison: Comparison) -> list[str]:
    """How many settings a table does not show."""
    more = len(comparison.settings) - SHOWN
    return [f"and {count(more, 'more setting')}"] if more > 0 else []


def summary_text(directory: Path, comparison: Comparison, strategy: str) -> str:
    """The text of summary.md."""
    verdict, *doubts = findings(comparison)
    parts = [
        f"# {directory.name}",
        what_was_run(comparison, strategy),
        verdict,
        rule_of_choice(comparison),
        how_to_repeat(comparison.leader),
    ]
    if comparison.key and len(comparison.groups) < len(comparison.settings):
        parts.append(markdown(group_table(comparison)))
        parts.append(f"## {heading(comparison)}")
    parts += [markdown(setting_table(comparison)), how_to_read(comparison)]
    if doubts:
        parts += ["## Warnings", "\n".join(f"- {sentence}" for sentence in doubts)]
    return "\n\n".join(part for part in parts if part) + "\n"


def heading(comparison: Comparison) -> str:
    """What the table of settings holds."""
    tried = len(comparison.settings)
    return "All settings" if tried <= SHOWN else f"The best {SHOWN} of {tried} settings"


def what_was_run(comparison: Comparison, strategy: str) -> str:
    """`36 runs: 12 settings × 3 seeds, strategy grid; 34 finished, 2 diverged.`"""
    rows = [row for setting in comparison.settings for row in setting.rows]
    statuses = Counter(row.status for row in rows)
    told = ", ".join(f"{statuses[s]} {word}" for s, word in STATUSES.items() if statuses[s])
    settings = count(len(comparison.settings), "setting")
    seeds = count(len({row.seed for row in rows}), "seed")
    what = f"{count(len(rows), 'run')}: {settings}, {seeds}, strategy {strategy}"
    return f"{what}; {told}." if told else f"{what}."


def rule_of_choice(comparison: Comparison) -> str:
    """How the best setting is chosen, in a sentence."""
    best = "highest" if higher_is_better(comparison.metric) else "lowest"
    metric = label_of(comparison.metric)
    if not comparison.depends_on_seed:
        return f"The best setting is the one with the {best} {metric}."
    return (
        f"The best setting is the one with the {best} mean {metric} over its seeds, each run taken "
        "at the epoch whose weights it kept; settings with runs that diverged, failed or did not "
        "finish come after all others."
    )


def how_to_read(comparison: Comparison) -> str:
    """What the tables' figures are."""
    sentences = []
    if comparison.depends_on_seed:
        sentences.append("Figures are the mean ± standard deviation over seeds.")
    tests = {
        contrast.tests for contrast in contrasts(comparison).values() if contrast.p is not None
    }
    if tests:
        corrected = f", corrected for {max(tests)} comparisons (Holm)" if max(tests) > 1 else ""
        sentences.append(
            f"Differences are the mean over common seeds; p is of a paired t-test{corrected}, and "
            "is below 0.05 exactly where 0 lies outside of the interval."
        )
    if max(tests, default=1) > 1 and comparison.baseline is None:
        sentences.append(
            "The best was chosen by the same figures, so that differences from it come out "
            "somewhat too large."
        )
    if tested_measure(comparison):
        sentences.append(
            "Only chosen settings were tested, and their test figures had no part in choosing them."
        )
    if any(setting.paused for setting in comparison.settings):
        sentences.append(
            "Settings paused early have figures of fewer epochs, and are ranked after those that "
            "were trained to the end."
        )
    return " ".join(sentences)


def how_to_repeat(leader: Setting | None) -> str:
    """The runs of the setting that did best, whether or not it won, and how to train one again.

    The overrides of the sweep alone would not: a sweep may fix other settings too.
    """
    if leader is None:
        return ""
    runs = ", ".join(f"[{row.directory}]({TO_ROOT / row.directory})" for row in leader.rows)
    again = "`optrun train` on its config.yaml, with another `--out`, repeats a run."
    return f"Runs of {leader.label}: {runs}. {again}"
