"""summary.md and what is said at the end, word for word."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_rel

from optrun.sweeps.directory import SweepDirectory
from optrun.sweeps.results.comparison import Comparison, compare
from optrun.sweeps.results.findings import findings
from optrun.sweeps.results.report import closing_lines, with_tests, write_summary
from optrun.sweeps.results.rows import read_results, row_of, write_results
from optrun.sweeps.results.tables import markdown, setting_table
from optrun.sweeps.space.candidates import Point
from optrun.sweeps.space.distributions import Uniform
from tests.runs_factory import resolved_config, write_run
from tests.sweeps.results.rows import Figures, rows

KEYS = ("optimizer.name", "optimizer.lr")
DECIDED: Figures = {("adam", 0.1): [0.5, 0.51, 0.5], ("adam", 0.2): [0.9, 0.91, 0.9],
                    ("adam", 0.3): [0.4, 0.4, 0.4], ("sgd", 0.1): [0.5, 0.5, 0.5],
                    ("sgd", 0.2): [0.8, 0.8, 0.81], ("sgd", 0.3): [0.6, 0.6, 0.6]}  # fmt: skip


ADAM = [0.9, 0.91, 0.9]


def compared(figures: Figures, keys: tuple[str, ...] = KEYS, **options: Any) -> Comparison:
    metric = options.pop("metric", "val_accuracy")
    return compare(rows(figures, keys, metric), keys, metric, **options)


def paired(first: list[float], second: list[float], factor: int = 1) -> str:
    """The interval and p of a paired test of hundredths, corrected by so many comparisons."""
    d = 100 * (np.array(first) - second)
    error = np.sqrt((d.var(ddof=1) + 2 / 12) / d.size)
    test = student(d.size - 1, d.mean(), error)
    low, high = test.interval(1 - 0.05 / factor)
    p = factor * 2 * min(test.cdf(0), test.sf(0))
    text = f"95 % interval {low:+.2f} to {min(high, 100):+.2f}, p = {p:.2g}".replace("-", "−")
    return text.replace(f"p = {p:.2g}", "p < 0.001") if p < 0.001 else text


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        (
            DECIDED,
            "Best: adam, lr=0.2, 90.33 ± 0.58 % (3 seeds; ahead of sgd, lr=0.2 by 10.00 points, "
            f"{paired([0.9, 0.91, 0.9], [0.8, 0.8, 0.81])} corrected for 5 comparisons).",
        ),
        (
            {("adam", 0.1): [0.9, 0.7, 0.8], ("sgd", 0.2): [0.7, 0.8, 0.8]},
            "Best: adam, lr=0.1, 80.00 ± 10.00 % (3 seeds; lead over sgd, lr=0.2 unproven: 3.33 "
            "points, 95 % interval −35.94 to +42.61, p = 0.75). More than 100 seeds would be "
            "needed to show a lead of this size.",
        ),
        (
            {("adam", 0.1): [0.4064], ("sgd", 0.2): [0.25]},
            "Best: adam, lr=0.1, 40.64 % (1 seed; lead over sgd, lr=0.2 unproven). Train more "
            'seeds: `seeds: 5` in the sweep, or `"seed=range(5)"` on the command line.',
        ),
        (
            {("adam", 0.1): [0.75], ("sgd", 0.2): [0.75]},
            "Best: adam, lr=0.1, 75.00 % (1 seed; sgd, lr=0.2 does as well).",
        ),
        (
            {("adam", 0.1): [0.65, 0.75], ("sgd", 0.2): [0.6, 0.7]},
            "Best: adam, lr=0.1, 70.00 ± 7.07 % (2 seeds; lead over sgd, lr=0.2 unproven: 5.00 "
            "points, 95 % interval −13.34 to +23.34, p = 0.18). About 4 seeds would be needed to "
            "show a lead of this size.",
        ),
        (
            {("adam", 0.1): [0.5, "diverged"], ("sgd", 0.2): ["diverged", 0.25]},
            "Best: adam, lr=0.1, 50.00 % (1 seed; not compared with sgd, lr=0.2, with which it "
            "has no seed in common).",
        ),
        (
            {("adam", 0.1): [0.5, 0.25, "waiting"], ("sgd", 0.2): [0.75, 0.5, "failed"]},
            "Best: adam, lr=0.1, 37.50 ± 17.68 % (2 seeds; chosen because fewer of its runs "
            "diverged or failed; where both have a figure, sgd, lr=0.2 is ahead by 25.00 points, "
            "95 % interval −66.70 to +100.00, p = 0.18).",
        ),
        (
            {("adam", 0.1): [0.5, 0.5], ("sgd", 0.2): [0.9, "diverged"]},
            "Best: adam, lr=0.1, 50.00 ± 0.00 % (2 seeds; no other setting was trained as far).",
        ),
        ({("adam", 0.1): [0.5]}, "Best: the only setting, 50.00 % (1 seed)."),
        (
            {("adam", 0.1): ["diverged"], ("sgd", 0.1): ["failed"]},
            "No best setting: no run came to a validation accuracy.",
        ),
    ],
)
def test_the_verdict(figures: Figures, says: str):
    assert findings(compared(figures))[0] == says


@pytest.mark.parametrize("metric", ["val_loss", "average_val_loss"])
def test_the_verdict_on_losses_takes_the_lower(metric: str):
    figures: Figures = {(0.1,): [0.31, 0.325, 0.33], (0.2,): [0.51, 0.52, 0.53]}
    says = findings(compared(figures, ("optimizer.lr",), metric=metric))[0]
    test = ttest_rel(figures[0.2,], figures[0.1,])
    low, high = test.confidence_interval()
    assert says == (
        "Best: lr=0.1, 0.3217 ± 0.01 (3 seeds; ahead of lr=0.2 by 0.198, 95 % interval "
        f"{low:+.3g} to {high:+.3g}, p < 0.001)."
    )
    assert test.pvalue < 0.001


@pytest.mark.parametrize(
    ("baseline", "says"),
    [
        (
            "sgd",
            "Best: adam, 90.33 ± 0.58 % (3 seeds; ahead of the baseline, sgd by "
            f"10.00 points, {paired(ADAM, [0.8, 0.8, 0.81], 2)} corrected for 2 comparisons).",
        ),
        (
            "adam",
            "Best: adam, 90.33 ± 0.58 % (3 seeds; ahead of lion by 2.00 points, "
            f"{paired(ADAM, [0.88, 0.89, 0.88], 1)} corrected for 2 comparisons).",
        ),
    ],
)
def test_a_baseline_is_what_the_best_is_compared_with(baseline: str, says: str):
    figures: Figures = {("adam", 0.1): ADAM, ("lion", 0.1): [0.88, 0.89, 0.88],
                        ("sgd", 0.1): [0.8, 0.8, 0.81]}  # fmt: skip
    said = findings(compared(figures, baseline={"optimizer.name": baseline}))[0]
    assert said == says


FUNCTION: dict[str, Any] = {"depends_on_seed": False, "has_examples": False}


def test_of_a_function_no_seeds_are_asked_for():
    figures: Figures = {("sgd", 0.1): [0.5], ("sgd", 0.2): [0.25], ("sgd", 0.3): [4.0]}
    comparison = compared(figures, metric="train_loss", **FUNCTION)
    assert findings(comparison) == ["Best: lr=0.2, 0.25 (ahead of lr=0.1 by 0.25)."]


@pytest.mark.parametrize(
    ("figures", "options", "warnings"),
    [
        (DECIDED, {}, []),
        (
            {("adam", 0.01): [0.9], ("adam", 0.001): [0.8], ("sgd", 0.1): [0.7],
             ("sgd", 1.0): [0.6], ("sgd", 10.0): ["diverged"]},
            {},
            ["The best lr of adam is 0.01, the largest tried; try larger ones.",
             "The best lr of sgd is 0.1, the smallest tried; try smaller ones.",
             "1 of 5 runs diverged: sgd 1."],
        ),
        (
            {(name, lr): [lr] for name in ("adam", "sgd", "lion") for lr in (0.1, 0.2)},
            {},
            ["The best lr of adam, sgd and lion is 0.2, the largest tried; try larger ones."],
        ),
        (
            {("adam", 0.1): [0.8], ("adam", 0.29712): [0.9], ("adam", 0.3): [0.7]},
            {"points": [Point(0, {"optimizer.name": "adam"}, {"optimizer.lr": Uniform(0.1, 0.3)})]},
            ["The best lr is 0.297, close to the upper end of its range, 0.3; try larger ones."],
        ),
        (
            {("adam", 1.0): [0.9, 0.9], ("sgd", 1.0): ["diverged", 0.5],
             ("lion", 1.0): ["diverged", "diverged"]},
            {},
            ["No setting of sgd was trained to the end with every seed; the best of the others is "
             "shown, sgd.", "No run of lion came to a validation accuracy.",
             "3 of 6 runs diverged: sgd 1, lion 2."],
        ),
        (
            {("adam", 0.1): ["diverged"], ("adam", 0.2): [0.9], ("adam", 0.3): [0.2]},
            {},
            ["1 of 3 runs diverged."],
        ),
        (
            {("adam", 0.1): [0.5], ("adam", 0.2): [0.1], ("adam", 0.3): [0.5]},
            {"metric": "train_loss"},
            ["Settings are chosen by their training loss, which does "
             "not tell how they do on other data."],
        ),
        (
            {("adam", 0.1): [0.5], ("adam", 0.2): [0.9], ("adam", 0.3): [0.5]},
            {"metric": "average_val_accuracy"},
            [],
        ),
    ],
)  # fmt: skip
def test_the_warnings(figures: Figures, options: dict[str, Any], warnings: list[str]):
    assert findings(compared(figures, **options))[1:] == warnings


def test_failed_runs_are_named_by_reason():
    figures: Figures = {("adam", float(lr)): [0.5] if lr == 3 else ["failed"] for lr in range(9)}
    comparison = compared(figures)
    names = sorted(r.directory for r in comparison.groups[0].rows if r.status == "failed")
    assert findings(comparison)[-1] == (
        f"8 runs of 9 failed, {', '.join(names[:5])} and 3 more: OSError: no space."
    )


def make_sweep(root: Path) -> Path:
    """Two optimizers, two rates, two seeds; the setting best on validation is worst on test."""
    listed = []
    for optimizer, lr, validation, test in [
        ("adam", 0.1, 0.90, 0.60), ("adam", 0.2, 0.80, 0.9523),
        ("sgd", 0.1, 0.70, 0.50), ("sgd", 0.2, 0.71, 0.40),
    ]:  # fmt: skip
        for seed in range(2):
            config = resolved_config(optimizer={"name": optimizer, "lr": lr}, seed=seed)
            path = write_run(root, config, epochs=3, val_accuracy=validation + 0.02 * seed,
                             test_accuracy=test + 0.04 * seed)  # fmt: skip
            settings = {"optimizer.name": optimizer, "optimizer.lr": lr}
            listed.append(row_of(path, settings, seed))
    directory = SweepDirectory.named(root, "rates").path
    directory.mkdir(parents=True)
    write_results(directory / "results.csv", listed, KEYS)
    return directory


SUMMARY = """# rates

8 runs: 4 settings, 2 seeds, strategy grid; 8 finished.

Best: adam, lr=0.1, 91.00 ± 1.41 % (2 seeds; ahead of sgd, lr=0.2 by 19.00 points, \
95 % interval +11.65 to +26.35, p = 0.028 corrected for 3 comparisons).

The best setting is the one with the highest mean validation accuracy over its seeds, each run \
taken at the epoch whose weights it kept; settings with runs that diverged, failed or did not \
finish come after all others.

Runs of adam, lr=0.1: [FIRST](../../FIRST), [SECOND](../../SECOND). \
`optrun train` on its config.yaml, with another `--out`, repeats a run.

GROUPS

## All settings

SETTINGS

Figures are the mean ± standard deviation over seeds. Differences are the mean over common seeds; \
p is of a paired t-test, corrected for 3 comparisons (Holm), and is below 0.05 exactly where 0 \
lies outside of the interval. The best was chosen by the same figures, so that differences from \
it come out somewhat too large. Only chosen settings were tested, and their test figures had no \
part in choosing them.

## Warnings

- The best lr of adam is 0.1, the smallest tried; try smaller ones.
- The best lr of sgd is 0.2, the largest tried; try larger ones.
"""
HEADING = ["validation accuracy", "seeds", "difference from the best (points)", "95 % interval",
           "p", "test accuracy"]  # fmt: skip
GROUPS = [
    ["optimizer", "best setting", *HEADING, "diverged"],
    ["adam", "adam, lr=0.1", "91.00 ± 1.41 %", "2", "–", "–", "–", "62.00 ± 2.83 %", "0 of 4"],
    ["sgd", "sgd, lr=0.2", "72.00 ± 1.41 %", "2", "−19.00", "−26.35 to −11.65", "0.028",
     "42.00 ± 2.83 %", "0 of 4"],
]  # fmt: skip
SETTINGS = [
    ["setting", *HEADING],
    ["adam, lr=0.1", "91.00 ± 1.41 %", "2", "–", "–", "–", "62.00 ± 2.83 %"],
    ["adam, lr=0.2", "81.00 ± 1.41 %", "2", "−10.00", "−13.67 to −6.33", "0.028", "–"],
    ["sgd, lr=0.2", "72.00 ± 1.41 %", "2", "−19.00", "−26.35 to −11.65", "0.028",
     "42.00 ± 2.83 %"],
    ["sgd, lr=0.1", "71.00 ± 1.41 %", "2", "−20.00", "−31.02 to −8.98", "0.028", "–"],
]  # fmt: skip


def read(directory: Path) -> Comparison:
    """The comparison of a sweep, with test figures of what was chosen, also in results.csv."""
    results = read_results(directory / "results.csv")
    comparison = compare(results.rows, results.keys, "val_accuracy")
    tested = with_tests(results.rows, comparison, directory.parent.parent)
    write_results(directory / "results.csv", tested, results.keys)
    return compare(tested, results.keys, "val_accuracy")


def test_the_summary_tells_what_a_reader_asks(tmp_path: Path):
    directory = make_sweep(tmp_path)
    comparison = read(directory)
    path = write_summary(directory, comparison, "grid")
    assert comparison.leader is not None
    first, second = (row.directory for row in comparison.leader.rows)
    expected = SUMMARY.replace("FIRST", first).replace("SECOND", second)
    expected = expected.replace("GROUPS", markdown(GROUPS)).replace("SETTINGS", markdown(SETTINGS))
    assert path.read_text() == expected
    assert (path.parent / ".." / ".." / first / "summary.json").exists(), "where its link leads"


def test_results_have_test_figures_of_the_chosen_settings_alone(tmp_path: Path):
    directory = make_sweep(tmp_path)
    assert read_results(directory / "results.csv").rows[0].test["test_accuracy"] is None
    read(directory)
    tested = {
        (row.settings["optimizer.name"], row.settings["optimizer.lr"], row.seed): figure
        for row in read_results(directory / "results.csv").rows
        if (figure := row.test["test_accuracy"]) is not None
    }
    assert tested == pytest.approx(
        {("adam", 0.1, 0): 0.6, ("adam", 0.1, 1): 0.64, ("sgd", 0.2, 0): 0.4, ("sgd", 0.2, 1): 0.44}
    )
    assert "0.9523" not in (directory / "results.csv").read_text()


def test_a_metric_of_the_average_is_tested_with_the_average():
    listed = rows({(0.1,): [0.9], (0.2,): [0.8]}, ["optimizer.lr"], "average_val_accuracy")
    tests = {"test_accuracy": 0.5, "test_loss": 1.0, "average_test_accuracy": 0.75}
    listed[0] = replace(listed[0], test={**listed[0].test, **tests})
    comparison = compare(listed, ["optimizer.lr"], "average_val_accuracy")
    heading, first, _ = setting_table(comparison)
    assert heading[1] == "validation accuracy of the average"
    assert (heading[-1], first[-1]) == ("test accuracy of the average", "75.00 %")


def test_ten_settings_are_shown_and_the_baseline_among_them():
    figures: Figures = {(lr,): [lr / 100] for lr in range(1, 15)}
    comparison = compared(figures, ("optimizer.lr",), baseline={"optimizer.lr": 1})
    table = setting_table(comparison)
    assert [row[0] for row in table[1:]] == [f"lr={lr}" for lr in [*range(14, 5, -1), 1]]
    assert closing_lines(Path("runs/sweeps/rates"), comparison)[11] == "and 4 more settings"
    assert table[0][3] == "difference from the baseline (points)"
    assert [row[3] for row in table[1:3]] == ["+13.00", "+12.00"]


@pytest.mark.parametrize("has_examples", [True, False])
def test_a_function_has_no_test_set(tmp_path: Path, has_examples: bool):
    path = write_run(tmp_path, labels=False, train_loss=0.5, test_loss=0.5)
    options: dict[str, Any] = {} if has_examples else FUNCTION
    listed = [row_of(path, {"optimizer.lr": 0.1}, 0), *rows({(0.2,): ["failed"]}, KEYS[1:])]
    comparison = compare(listed, KEYS[1:], "train_loss", **options)
    comparison = compare(
        with_tests(listed, comparison, tmp_path), KEYS[1:], "train_loss", **options
    )
    directory = tmp_path / "walk"
    directory.mkdir()
    text = write_summary(directory, comparison, "grid").read_text()
    assert ("test" in text) == has_examples == ("seed" in text.partition("\n\nBest:")[2])


def test_the_end_tells_the_settings_the_findings_and_where_the_files_are():
    comparison = compared(DECIDED)
    lines = closing_lines(Path("runs/sweeps/rates"), comparison)
    assert lines[0].split("  ")[0] == "setting"
    assert [line.split("  ")[0] for line in lines[1:7]] == [s.label for s in comparison.ranked]
    assert lines[7:-1] == ["", *findings(comparison)]
    assert lines[-1] == (
        "runs/sweeps/rates/summary.md has the tables, runs/sweeps/rates/results.csv every run, "
        "runs/sweeps/rates/sweep.png the picture"
    )


def test_the_same_sweep_has_the_same_files(tmp_path: Path):
    contents = []
    for place in "ab":
        directory = make_sweep(tmp_path / place)
        summary = write_summary(directory, read(directory), "grid")
        contents.append([summary.read_bytes(), (directory / "results.csv").read_bytes()])
    assert contents[0] == contents[1]


def test_only_the_chosen_runs_are_asked_for_test_figures(tmp_path: Path):
    directory = make_sweep(tmp_path)
    comparison = read(directory)
    chosen = [group.best for group in comparison.groups]
    for setting in comparison.settings:
        for row in setting.rows if setting not in chosen else []:
            (tmp_path / row.directory / "summary.json").unlink()
    assert "62.00 ± 2.83 %" in write_summary(directory, comparison, "grid").read_text()


def test_one_setting_has_nothing_to_compare_it_with(tmp_path: Path):
    path = write_run(tmp_path, labels=False, val_loss=0.1, test_loss=0.25)
    settings = {"optimizer": {"name": "adam", "lr": 0.1}, "x": 1.0}
    keys = ("optimizer", "x")
    listed = [row_of(path, settings, 0)]
    listed = with_tests(listed, compare(listed, keys, "val_loss"), tmp_path)
    text = write_summary(tmp_path, compare(listed, keys, "val_loss"), "random").read_text()
    assert "1 run: 1 setting, 1 seed, strategy random; 1 finished." in text
    assert "| setting          | validation loss | seeds | test loss |" in text
    assert "| the only setting | 0.1             | 1     | 0.25      |" in text
    assert "lowest mean validation loss" in text
    assert "Best: the only setting, 0.1 (1 seed)." in text


def test_a_sweep_that_came_to_nothing_says_so(tmp_path: Path):
    comparison = compared({("adam", 1.0): ["failed"], ("sgd", 1.0): ["waiting"]})
    text = write_summary(tmp_path, comparison, "asha").read_text()
    assert "2 runs: 2 settings, 1 seed, strategy asha; 1 failed, 1 not begun." in text
    assert "| setting | seeds |" in text and "| adam    | 0     |" in text
    assert "optrun train" not in text


def test_paused_runs_are_counted_as_such(tmp_path: Path):
    text = write_summary(tmp_path, compared({("adam", 1.0): ["paused"]}), "asha").read_text()
    assert "1 run: 1 setting, 1 seed, strategy asha; 1 paused." in text
    assert "Settings paused early" not in text, "none of them has a figure"


PAUSED = "Settings paused early have figures of fewer epochs, and are ranked after"
CORRECTED = "corrected for 2 comparisons (Holm)"
OPTIMISTIC = "The best was chosen by the same figures"


@pytest.mark.parametrize("sentence", [CORRECTED, OPTIMISTIC])
@pytest.mark.parametrize("many", [True, False])
def test_the_summary_says_how_many_comparisons_there_were(
    tmp_path: Path, many: bool, sentence: str
):
    lrs = (0.1, 0.2, 0.3)[: 3 if many else 2]
    comparison = compared({(lr,): [0.5 - lr, 0.6 - lr] for lr in lrs}, ("optimizer.lr",))
    assert (sentence in write_summary(tmp_path, comparison, "asha").read_text()) == many


def test_the_summary_says_that_paused_settings_have_fewer_epochs(tmp_path: Path):
    listed = rows({(0.1,): [0.5], (0.2,): [0.9]}, ["optimizer.lr"])
    listed[1] = replace(listed[1], status="paused")
    comparison = compare(listed, ["optimizer.lr"], "val_accuracy")
    assert PAUSED in write_summary(tmp_path, comparison, "asha").read_text()
