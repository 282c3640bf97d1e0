"""The parts of the benchmarks that are no measurement: choosing, statistics, what is printed."""

import json
import math
import os
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

import optrun
from optrun.training.observer import Pulse
from tests.benchmarks import __main__ as command_line
from tests.benchmarks import machine, report, results, startup, suite, sweeps, timing, worker_memory
from tests.benchmarks.claims import CLAIMS, STARTS, Claim
from tests.benchmarks.denormals import CHUNK, step_seconds
from tests.benchmarks.first_step import DONE, FirstStep

ROOT = Path(__file__).parents[2]
ROWS = [
    {"case": "linear", "threads": 1, "peer_min_s": 0.123456, "bound": "speedup ≥ 2", "holds": True},
    {"case": "MLP", "threads": 2, "peer_min_s": 12345.6},
    {"case": "slow", "threads": 2, "peer_min_s": 1.0, "bound": "speedup ≥ 2", "holds": False},
]


# Choosing


@pytest.mark.parametrize(
    ("wanted", "selected"),
    [
        ([], list(suite.NAMES)),
        (["memory"], ["memory"]),
        (["startup", "epoch", "startup"], ["epoch", "startup"]),
        (["results", "memory"], ["memory", "results"]),
    ],
)
def test_what_is_named_is_run_once_and_nothing_named_is_everything(wanted, selected):
    assert suite.select(wanted) == selected


def test_an_unknown_name_ends_with_2_and_the_names_there_are(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "epoch", "speed"])
    with pytest.raises(SystemExit) as caught:
        command_line.main()
    told = capsys.readouterr().err
    assert caught.value.code == 2
    assert "'speed'" in told
    assert all(name in told for name in (*suite.NAMES, *suite.ON_REQUEST))


@pytest.mark.parametrize("name", [*suite.NAMES, *suite.ON_REQUEST])
def test_every_name_is_a_module(name):
    assert find_spec(f"tests.benchmarks.{name}")


def test_choosing_loads_neither_numpy_nor_torch():
    script = (
        "import sys, tests.benchmarks.__main__\n"
        "print([name for name in ('numpy', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "[]\n")


# The environment


def test_what_slows_only_us_is_taken_out_before_anything_is_measured(monkeypatch):
    started = []
    monkeypatch.setattr(os, "execve", lambda *arguments: started.append(arguments))
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "tests.benchmarks", "--json"])
    machine.undistort()
    [(program, arguments, environment)] = started
    assert program == sys.executable
    assert arguments == [sys.executable, "-m", "tests.benchmarks", "--json"]
    assert not set(environment) & set(machine.DISTORTING)
    removed = "OPENBLAS_CORETYPE=Haswell, PYTHONDONTWRITEBYTECODE=1"
    assert environment[machine.REMOVED] == removed


def test_an_environment_like_a_user_s_starts_nothing_anew(monkeypatch):
    monkeypatch.setattr(os, "execve", pytest.fail)
    for name in machine.DISTORTING:
        monkeypatch.delenv(name, raising=False)
    machine.undistort()


# Statistics


def test_contenders_take_turns():
    calls = []

    def run(name: str, seconds: float) -> float:
        calls.append(name)
        return seconds

    contenders = {"a": partial(run, "a", 1.0), "b": partial(run, "b", 2.0)}
    taken = timing.take_turns(contenders, rounds=3)
    assert "".join(calls) == "ababab"
    assert taken == {"a": [1.0] * 3, "b": [2.0] * 3}


@pytest.mark.parametrize(
    ("disturbance", "expected"),
    [
        ([1, 1, 1, 1, 1], 2.0),
        ([1, 9, 1, 5, 3], 2.0),  # slow rounds, for both alike
    ],
)
def test_a_ratio_is_taken_within_rounds(disturbance, expected):
    ours = [0.5 * factor for factor in disturbance]
    theirs = [1.0 * factor for factor in disturbance]
    assert timing.ratio(theirs, ours) == expected


def test_a_ratio_withstands_a_round_that_slows_one_side():
    assert timing.ratio([2.0, 2.0, 50.0], [1.0, 1.0, 1.0]) == 2.0


def test_a_duel_tells_fastest_median_and_speedup():
    assert timing.duel("optrun", [1.0, 2.0, 4.0], "peer", [3.0, 6.0, 8.0]) == {
        "optrun_min_s": 1.0,
        "optrun_median_s": 2.0,
        "peer_min_s": 3.0,
        "peer_median_s": 6.0,
        "speedup": 3.0,
    }


@pytest.mark.parametrize(
    ("promise", "figure", "holds"),
    [
        (suite.at_least, 1.9, False),
        (suite.at_least, 2.0, True),
        (suite.at_most, 2.0, True),
        (suite.at_most, 2.1, False),
    ],
)
def test_a_bound_holds_up_to_itself(promise, figure, holds):
    row = promise("speedup", {"case": "linear", "speedup": figure}, 2)
    assert row["holds"] is holds
    assert row["bound"] in ("speedup ≥ 2", "speedup ≤ 2")
    assert (row["case"], row["speedup"]) == ("linear", figure)


def test_the_chunks_of_an_epoch_are_its_steps():
    runs = []
    program = SimpleNamespace(
        steps_per_epoch=2 * CHUNK + 3,
        epoch=lambda index: f"batches of {index}",
        run=lambda step, count, epoch, limit: runs.append((step, count, epoch)),
    )
    assert len(step_seconds(program, epoch=4)) == 3
    begin, batches = 4 * program.steps_per_epoch, "batches of 4"
    assert runs == [
        (begin, CHUNK, batches),
        (begin + CHUNK, CHUNK, batches),
        (begin + 2 * CHUNK, 3, batches),
    ]


def test_starts_are_summed_up_by_their_medians():
    row = startup.figures("warm", [(1.0, 2.0), (0.5, 4.0), (0.9, 2.5)])
    assert row == {
        "case": "warm",
        "runs": 3,
        "first_step_min_s": 0.5,
        "first_step_s": 0.9,
        "end_s": 2.5,
    }


def test_overhead_is_what_work_does_not_explain():
    # two workers share 100 runs more: 50 each, of 30 ms of work and 20 ms besides
    assert sweeps.overhead_a_run(50 * 0.05, 100 * 0.03, 100, 2) == pytest.approx(0.02)


@pytest.mark.parametrize("python", [None, "/no/python"])
def test_tuners_are_measured_from_few_trials_and_ray_only_where_it_is(monkeypatch, capsys, python):
    started, per_trial = [], {"memory": 0.01, "journal": 0.02, "sqlite": 0.03, "ray_trials": 2.0}

    def run(command, **_):
        python, _, module, trials, _workers, *storage = command
        started.append(python)
        clock[0] += 1.5 + int(trials) * per_trial[storage[0] if storage else module.split(".")[-1]]

    clock = [0.0]
    monkeypatch.setattr(sweeps.subprocess, "run", run)
    monkeypatch.setattr(sweeps, "perf_counter", lambda: clock[0])
    monkeypatch.delenv(sweeps.RAY, raising=False)
    if python:
        monkeypatch.setenv(sweeps.RAY, python)
    rows = list(sweeps.measure_tuners(ours_s=4.5, ours_ms=10.0))
    assert [row["peer_ms_a_trial"] for row in rows] == pytest.approx(
        [10, 20, 30, 2000][: len(rows)]
    )
    assert [row["peer_s"] for row in rows] == pytest.approx([3.5, 5.5, 7.5, 401.5][: len(rows)])
    assert [row["holds"] for row in rows] == [False, True, True, True][: len(rows)]
    assert len(rows) == (4 if python else 3)
    assert (python in started) == bool(python)
    assert ("Ray Tune is left out" in capsys.readouterr().err) == (not python)


# Results


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.title)
def test_every_claim_compares_what_can_be_trained(claim):
    assert set(claim.figures) <= set(results.FIGURES)
    sweep = results.sweep_of(claim, claim.seeds)
    assert len(sweep.points) == len(claim.settings)
    assert len(sweep.seeds) == claim.seeds > 1


def test_claims_are_told_apart():
    assert len({claim.title for claim in CLAIMS}) == len(CLAIMS)


def test_every_shipped_config_is_measured():
    configs = {path.stem for path in (ROOT / "configs").glob("*.yaml")}
    configs |= {f"experiments/{path.stem}" for path in (ROOT / "configs/experiments").iterdir()}
    assert {claim.config for claim in CLAIMS} == configs


def test_a_claim_is_measured_over_seeds_and_told_as_a_difference_from_the_first(tmp_path):
    settings = {
        "degree 2": {},
        "degree 1": {"dataset.degree": 1},
        "degree 9": {"dataset.degree": 9},
    }
    claim = Claim("experiments/polynomial", ("train_loss", "test_loss"), settings)
    rows = list(results.rows_of(claim, 3, tmp_path))
    assert [(row["setting"], row["figure"]) for row in rows] == [
        (setting, figure) for setting in settings for figure in claim.figures
    ]
    fitted = {row["setting"]: row for row in rows if row["figure"] == "train_loss"}
    for path in tmp_path.glob("polynomial-*"):
        run = optrun.load_run(path)
        degree, seed = run.config["dataset"]["degree"], run.config["seed"]
        assert fitted[f"degree {degree}"]["values"][seed] == run.summary["train_loss"]
    assert len(list(tmp_path.glob("polynomial-*"))) == 9
    gains = np.subtract(fitted["degree 1"]["values"], fitted["degree 2"]["values"])
    half = 4.302653 * gains.std(ddof=1) / np.sqrt(3)  # Student's t, 97.5 %, 2 degrees of freedom
    low, high = gains.mean() - half, gains.mean() + half
    assert (
        fitted["degree 1"]["less_the_first"] == f"{gains.mean():+.3g} ({low:+.3g} to {high:+.3g})"
    )
    assert "less_the_first" not in fitted["degree 2"]
    assert shown(rows)[0] == [
        "case",
        "setting",
        "figure",
        "seeds",
        "mean",
        "median",
        "diverged",
        "less the first",
    ]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "claim",
    [claim for claim in STARTS if results.dataset_of(claim) == "synthetic"],
    ids=lambda claim: claim.config,
)
def test_an_offline_config_starts_near_the_loss_of_a_guess(claim, seed, tmp_path):
    (setting,) = claim.settings.values()
    overrides = [f"{key}={value}" for key, value in setting.items()]
    run = optrun.train(results.config_file(claim), [*overrides, f"seed={seed}"], out=tmp_path)
    assert results.FIGURES["start_against_chance"](run) == pytest.approx(1, abs=results.OFF_CHANCE)


def test_every_classifier_is_among_the_starts():
    configs = {claim.config for claim in CLAIMS}
    assert configs - {claim.config for claim in STARTS} == {
        "experiments/polynomial",
        "experiments/noisy_quadratic",
    }


def test_accuracies_are_told_in_per_cent_and_diverged_runs_left_out():
    values = [0.9, math.nan, 0.92]
    assert results.spread([0.9, 0.92], "test_accuracy") == "91.00 ± 1.41 %"
    assert results.spread([], "test_loss") == "–"
    assert results.difference(values, [0.8, 0.8, 0.82], "test_accuracy") == "+10 (+10 to +10)"
    assert results.difference([0.5], [0.25], "test_loss") == "+0.25"
    assert results.difference([math.nan], [0.25], "test_loss") == ""


def test_results_on_images_that_are_not_there_are_left_out(monkeypatch, tmp_path, capsys):
    measured = []
    monkeypatch.setattr(results, "is_stored", lambda name: name == "mnist")
    monkeypatch.setattr(
        results, "rows_of", lambda claim, *rest: measured.append((claim, *rest)) or []
    )
    assert list(results.measure(seeds=2, out=tmp_path)) == []
    datasets = {results.dataset_of(claim) for claim, *_ in measured}
    assert datasets == {"mnist", "synthetic"}
    assert all(rest == [2, tmp_path] for _, *rest in measured)
    assert "cifar10_mlp is left out: it takes the real cifar10" in capsys.readouterr().err


# Measuring processes


def test_the_first_step_and_no_other_is_told(capsys):
    observer = FirstStep()
    for step in (1, 2):
        observer.pulse(Pulse(step, 1, 0.5, 0.1, 100.0, 1.0))
    assert capsys.readouterr().out == f"{DONE}\n"


def test_the_peak_is_that_of_the_command():
    held = 80_000_000
    command = [sys.executable, "-c", f"held = bytes([1]) * {held}"]
    measured = [sys.executable, "-m", "tests.benchmarks.peak", *command]
    done = subprocess.run(measured, cwd=ROOT, capture_output=True, text=True, check=True)
    assert held < int(done.stdout) < held + 40_000_000


def test_a_process_s_own_memory_is_what_it_has_written_to():
    if not Path("/proc/self/smaps_rollup").exists():
        pytest.skip("Linux only")
    held = 80_000_000
    child = f"import time; held = bytes([1]) * {held}; time.sleep(0.5)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    found = worker_memory.peaks([sys.executable, "-c", parent], ROOT, workers=1)
    assert held / 1e6 < found.own < found.proportional < held / 1e6 + 40


def test_a_failing_command_is_not_measured():
    with pytest.raises(RuntimeError, match="status 3"):
        worker_memory.peaks([sys.executable, "-c", "raise SystemExit(3)"], ROOT, workers=1)


# What is printed


def shown(rows: list[suite.Row]) -> list[list[str]]:
    """The cells of a printed table, line by line, headings first."""
    printed = StringIO()
    Console(file=printed, width=200).print(report.as_table("A title.", rows))
    title, *lines = printed.getvalue().split("\n")
    assert title == "A title."
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return [cells[0], *cells[2:]]


def test_a_table_shows_all_columns_rounded_and_leaves_out_what_a_row_lacks():
    assert shown(ROWS) == [
        ["case", "threads", "peer min s", "bound", "holds"],
        ["linear", "1", "0.123", "speedup ≥ 2", "yes"],
        ["MLP", "2", "12,346", "", ""],
        ["slow", "2", "1", "speedup ≥ 2", "NO"],
    ]


def test_names_in_brackets_are_not_taken_for_markup():
    assert shown([{"case": "by_value: [bold]"}])[1] == ["by_value: [bold]"]


def test_facts_are_told_in_words_and_unknown_ones_left_out():
    facts = {
        "cpu": "Fast 9000",
        "blas": [{"library": "openblas", "threads": 1}, {"library": "mkl", "threads": 2}],
        "thread_variables": {},
        "git_commit": None,
        "load_before": 0.123456,
    }
    assert report.as_lines(facts).split("\n") == [
        "cpu: Fast 9000",
        "blas: library=openblas threads=1; library=mkl threads=2",
        "load_before: 0.123",
    ]


def test_json_holds_everything_unrounded(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "memory", "--json"])
    monkeypatch.setattr(command_line, "undistort", lambda: None)
    monkeypatch.setattr(command_line, "describe", lambda: {"cpu": "Fast 9000"})
    monkeypatch.setattr(suite, "measure", lambda name, options: iter(ROWS))
    command_line.main()
    assert json.loads(capsys.readouterr().out) == {
        "machine": {"cpu": "Fast 9000"},
        "benchmarks": {"memory": ROWS},
    }
