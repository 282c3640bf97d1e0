"""summary.md and what is said at the end, word for word."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import ttest_rel

from optrun.sweep.directory import SweepDirectory
from optrun.sweep.results.comparison import Comparison, compare
from optrun.sweep.results.findings import findings
from optrun.sweep.results.report import closing_lines, write_summary
from optrun.sweep.results.rows import read_results, row_of, write_results
from optrun.sweep.space.candidates import Point
from optrun.sweep.space.distributions import Uniform
from tests.runs_factory import resolved_config, write_run
from tests.sweep.results.rows import Figures, rows

KEYS = ("optimizer.name", "optimizer.lr")
DECIDED: Figures = {("adam", 0.1): [0.5, 0.51, 0.5], ("adam", 0.2): [0.9, 0.91, 0.9],
                    ("adam", 0.3): [0.4, 0.4, 0.4], ("sgd", 0.1): [0.5, 0.5, 0.5],
                    ("sgd", 0.2): [0.8, 0.8, 0.81], ("sgd", 0.3): [0.6, 0.6, 0.6]}  # fmt: skip


def compared(figures: Figures, keys: tuple[str, ...] = KEYS, **options: Any) -> Comparison:
    metric = options.pop("metric", "val_accuracy")
    return compare(rows(figures, keys, metric), keys, metric, **options)


def p_of(first: list[float], second: list[float]) -> str:
    return f"p = {ttest_rel(first, second).pvalue:.2g}"


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        (
            DECIDED,
            "Winner: adam, lr=0.2 (90.33 ± 0.58 %), ahead of sgd, lr=0.2 (80.33 ± 0.58 %) (paired "
            f"t-test on common seeds, n = 3, {p_of([0.9, 0.91, 0.9], [0.8, 0.8, 0.81])}).",
        ),
        (
            {("adam", 0.1): [0.9, 0.7, 0.8], ("sgd", 0.2): [0.7, 0.8, 0.8]},
            "No winner: adam, lr=0.1 (80.00 ± 10.00 %) and sgd, lr=0.2 (76.67 ± 5.77 %) overlap "
            "too much between seeds to be told apart (paired t-test on common seeds, n = 3, "
            f"{p_of([0.9, 0.7, 0.8], [0.7, 0.8, 0.8])}).",
        ),
        (
            {("adam", 0.1): [0.75], ("sgd", 0.2): [0.5]},
            "No winner: adam, lr=0.1 (75.00 %) leads sgd, lr=0.2 (50.00 %), but one seed cannot "
            "tell whether it would again (n = 1, so no p). Train more seeds: `seeds: 5` in the "
            'sweep, or `"seed=range(5)"` on the command line.',
        ),
        (
            {("adam", 0.1): [0.75], ("sgd", 0.2): [0.75]},
            "No winner: adam, lr=0.1 (75.00 %) does as well as sgd, lr=0.2 (75.00 %), but one "
            "seed cannot tell whether it would again (n = 1, so no p). Train more seeds: "
            '`seeds: 5` in the sweep, or `"seed=range(5)"` on the command line.',
        ),
        (
            {("adam", 0.1): [0.75, 0.5], ("sgd", 0.2): [0.5, 0.25]},
            "Winner: adam, lr=0.1 (62.50 ± 17.68 %), ahead of sgd, lr=0.2 (37.50 ± 17.68 %) "
            "(paired t-test on common seeds, n = 2, p < 0.001).",
        ),
        (
            {("adam", 0.1): [0.75, 0.5], ("sgd", 0.2): [0.75, 0.5]},
            "No winner: adam, lr=0.1 (62.50 ± 17.68 %) and sgd, lr=0.2 (62.50 ± 17.68 %) overlap "
            "too much between seeds to be told apart (paired t-test on common seeds, n = 2, "
            "p = 1).",
        ),
        (
            {("adam", 0.1): [0.5, "diverged"], ("sgd", 0.2): ["diverged", 0.25]},
            "No winner: adam, lr=0.1 (50.00 %) leads sgd, lr=0.2 (25.00 %), but they have no seed "
            "in common (n = 0, so no p) and cannot be compared.",
        ),
        (
            {("adam", 0.1): [0.5, 0.5, "failed"], ("sgd", 0.2): [0.25, "failed", "diverged"]},
            "No winner: adam, lr=0.1 (50.00 ± 0.00 %) leads sgd, lr=0.2 (25.00 %), but one seed "
            "cannot tell whether it would again (n = 1, so no p). Train more seeds: `seeds: 5` in "
            'the sweep, or `"seed=range(5)"` on the command line.',
        ),
        (
            {("adam", 0.1): [0.5, 0.25, "waiting"], ("sgd", 0.2): [0.75, 0.5, "failed"]},
            "No winner: adam, lr=0.1 (37.50 ± 17.68 %) is chosen because fewer of its runs "
            "diverged or failed; where both have a figure, sgd, lr=0.2 (62.50 ± 17.68 %) does "
            "better (paired t-test on common seeds, n = 2, p < 0.001).",
        ),
        (
            {("adam", 0.1): [0.5, 0.5], ("sgd", 0.2): [0.9, "diverged"]},
            "No winner: adam, lr=0.1 (50.00 ± 0.00 %) has no rival that was trained as far.",
        ),
        (
            {("adam", 0.1): ["diverged"], ("sgd", 0.1): ["failed"]},
            "No winner: no run came to a validation accuracy.",
        ),
    ],
)
def test_the_verdict(figures: Figures, says: str):
    assert findings(compared(figures))[0] == says


def test_the_verdict_on_losses_takes_the_lower():
    figures: Figures = {(0.1,): [0.31, 0.32, 0.33], (0.2,): [0.51, 0.52, 0.53], (0.3,): [1e3] * 3}
    says = findings(compared(figures, ("optimizer.lr",), metric="val_loss"))[0]
    assert says == (
        "Winner: lr=0.1 (0.32 ± 0.01), ahead of lr=0.2 (0.52 ± 0.01) "
        "(paired t-test on common seeds, n = 3, p < 0.001)."
    )


@pytest.mark.parametrize(
    ("figures", "options", "warnings"),
    [
        (DECIDED, {}, []),
        (
            {("adam", 0.01): [0.9], ("adam", 0.001): [0.8], ("sgd", 0.1): [0.7],
             ("sgd", 1.0): [0.6], ("sgd", 10.0): ["diverged"]},
            {},
            ["The best optimizer.lr of adam is 0.01, the largest tried; try larger ones.",
             "The best optimizer.lr of sgd is 0.1, the smallest tried; try smaller ones.",
             "1 of 5 runs diverged: sgd 1."],
        ),
        (
            {(name, lr): [lr] for name in ("adam", "sgd", "lion") for lr in (0.1, 0.2)},
            {},
            ["The best optimizer.lr of adam, sgd and lion is 0.2, the largest tried; "
             "try larger ones."],
        ),
        (
            {("adam", 0.1): [0.8], ("adam", 0.297): [0.9], ("adam", 0.3): [0.7]},
            {"points": [Point(0, {"optimizer.name": "adam"}, {"optimizer.lr": Uniform(0.1, 0.3)})]},
            ["The best optimizer.lr is 0.297, close to the upper end of its range, 0.3; "
             "try larger ones."],
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
            ["There is no validation data: settings are chosen by their training loss, which does "
             "not tell how they do on other data."],
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

Winner: adam, lr=0.1 (91.00 ± 1.41 %), ahead of sgd, lr=0.2 (72.00 ± 1.41 %) (paired t-test on \
common seeds, n = 2, p < 0.001).

Runs of adam, lr=0.1: [FIRST](../../FIRST), [SECOND](../../SECOND). \
`optrun train` on its config.yaml, with another `--out`, repeats a run.

| optimizer.name | best setting | validation accuracy | n | test           | diverged |
|----------------|--------------|---------------------|---|----------------|----------|
| adam           | adam, lr=0.1 | 91.00 ± 1.41 %      | 2 | 62.00 ± 2.83 % | 0 of 4   |
| sgd            | sgd, lr=0.2  | 72.00 ± 1.41 %      | 2 | 42.00 ± 2.83 % | 0 of 4   |

The best setting has the highest validation accuracy, taken of each run at the epoch that it \
chose itself. Figures are the mean ± standard deviation over n seeds. Test figures are those of \
the setting chosen, and had no part in choosing it.

## Warnings

- The best optimizer.lr of adam is 0.1, the smallest tried; try smaller ones.
- The best optimizer.lr of sgd is 0.2, the largest tried; try larger ones.
"""


def read(directory: Path) -> Comparison:
    results = read_results(directory / "results.csv")
    return compare(results.rows, results.keys, "val_accuracy")


def test_the_summary_tells_what_a_reader_asks(tmp_path: Path):
    directory = make_sweep(tmp_path)
    comparison = read(directory)
    path = write_summary(directory, comparison, "grid")
    assert comparison.leader is not None
    first, second = (row.directory for row in comparison.leader.rows)
    assert path.read_text() == SUMMARY.replace("FIRST", first).replace("SECOND", second)
    assert (path.parent / ".." / ".." / first / "summary.json").exists(), "where its link leads"
    assert "0.9523" not in (directory / "results.csv").read_text()


def test_the_end_tells_the_findings_and_where_the_files_are():
    comparison = compared(DECIDED)
    lines = closing_lines(Path("runs/sweeps/rates"), comparison)
    assert lines[:-1] == findings(comparison)
    assert lines[-1] == (
        "runs/sweeps/rates/summary.md has the table, runs/sweeps/rates/results.csv every run, "
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


def test_one_setting_has_no_rival_and_no_column_for_its_group(tmp_path: Path):
    path = write_run(tmp_path, labels=False, val_loss=0.1, test_loss=0.25)
    settings = {"optimizer": {"name": "adam", "lr": 0.1}, "x": 1.0}
    comparison = compare([row_of(path, settings, 0)], ("optimizer", "x"), "val_loss")
    directory = SweepDirectory.named(tmp_path, "one").path
    directory.mkdir(parents=True)
    text = write_summary(directory, comparison, "random").read_text()
    assert "1 run: 1 setting, 1 seed, strategy random; 1 finished." in text
    assert "| best setting     | validation loss | n | test      | diverged |" in text
    assert "| the only setting | 0.1             | 1 | loss 0.25 | 0 of 1   |" in text
    assert "lowest validation loss" in text
    assert "the only setting (0.1) has no rival" in text


def test_a_sweep_that_came_to_nothing_says_so(tmp_path: Path):
    comparison = compared({("adam", 1.0): ["failed"], ("sgd", 1.0): ["waiting"]})
    text = write_summary(tmp_path, comparison, "asha").read_text()
    assert "2 runs: 2 settings, 1 seed, strategy asha; 1 failed, 1 not begun." in text
    assert "| adam           | none         | –                   | 0 | –    | 0 of 1   |" in text
    assert "optrun train" not in text


def test_paused_runs_are_counted_as_such(tmp_path: Path):
    text = write_summary(tmp_path, compared({("adam", 1.0): ["paused"]}), "asha").read_text()
    assert "1 run: 1 setting, 1 seed, strategy asha; 1 paused." in text
    assert "Settings paused early" not in text, "none of them has a figure"


PAUSED = "Settings paused early have figures of fewer epochs, and are ranked after"
UNCORRECTED = "The paired test is between the two best of 3 settings, and not corrected"


@pytest.mark.parametrize("sentence", [PAUSED, UNCORRECTED])
@pytest.mark.parametrize("many", [True, False])
def test_the_summary_says_what_its_figures_do_not_allow(tmp_path: Path, many: bool, sentence: str):
    lrs = (0.1, 0.2, 0.3)[: 3 if many else 2]
    listed = rows({(lr,): [0.5 - lr, 0.6 - lr] for lr in lrs}, ["optimizer.lr"])
    for row in listed:
        lr = row.settings["optimizer.lr"]
        write_run(tmp_path, resolved_config(optimizer__lr=lr, seed=row.seed))
    if many:
        listed[-1] = replace(listed[-1], status="paused")
    directories = sorted(path.name for path in tmp_path.iterdir())
    listed = [replace(r, directory=d) for r, d in zip(listed, directories, strict=True)]
    comparison = compare(listed, ["optimizer.lr"], "val_accuracy")
    directory = SweepDirectory.named(tmp_path, "many").path
    directory.mkdir(parents=True)
    text = write_summary(directory, comparison, "asha").read_text()
    assert (sentence in text) == many
