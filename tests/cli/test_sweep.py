"""`optrun sweep` as a person meets it: what it shows beforehand, prints, and leaves behind."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import chdir
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from optrun.cli import sweep_progress
from optrun.cli.main import app
from optrun.cli.sweep_progress import LiveTable, PlainSweep
from optrun.config.load import load
from optrun.errors import UserError
from optrun.store.reading import list_runs
from optrun.sweeps.runs import RunsOf
from optrun.sweeps.space.candidates import Candidate
from optrun.sweeps.stored import Stored
from optrun.training.observer import Plan, Pulse
from optrun.training.run import run as train
from tests.sweeps.parts import configs_of, rates

CONFIG = """\
name: small
dataset: {name: synthetic, kind: blobs, samples: 200, test_samples: 50}
model: {name: mlp, hidden: [8]}
optimizer: {name: sgd, lr: 0.1}
training: {epochs: 2, batch_size: 20}
"""
SLOW = CONFIG.replace("epochs: 2", "epochs: 100_000, log_every: 1000").replace("100_000", "100000")
AXES = ("optimizer.lr=0.1,1", "seed=range(2)")


def start(folder: Path, *arguments: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "optrun", "sweep", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def sweep(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit status, output and errors of the command, without a process of its own."""
    with chdir(folder):
        done = CliRunner().invoke(app, ["sweep", *arguments])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "small.yaml").write_text(CONFIG)
    (tmp_path / "slow.yaml").write_text(SLOW)
    return tmp_path


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> tuple[Path, int, str, str]:
    """A folder in which a sweep has been carried out, and what it printed."""
    folder = tmp_path_factory.mktemp("swept")
    (folder / "small.yaml").write_text(CONFIG)
    return folder, *sweep(folder, "small.yaml", *AXES, "--workers", "2")


def test_a_sweep_leaves_runs_and_results(swept):
    folder, code, out, _ = swept
    assert code == 0
    directory = folder / "runs" / "sweeps" / "small"
    assert sorted(file.name for file in directory.glob("[!.]*")) == [
        "results.csv", "summary.md", "sweep.png", "sweep.yaml",
    ]  # fmt: skip
    rows = (directory / "results.csv").read_text().splitlines()
    assert rows[0].startswith("optimizer.lr,seed,status,epochs,best_epoch,")
    assert [row.split(",")[:3] for row in rows[1:]] == [
        ["0.1", "0", "finished"], ["0.1", "1", "finished"],
        ["1", "0", "finished"], ["1", "1", "finished"],
    ]  # fmt: skip
    assert len(list_runs(folder / "runs")) == 4
    assert out.splitlines()[-1] == (
        "runs/sweeps/small/summary.md has the tables, runs/sweeps/small/results.csv every run, "
        "runs/sweeps/small/sweep.png the picture"
    )
    assert not list((folder / "runs" / "sweeps").glob(".*"))


def test_what_it_says_on_the_way_where_there_is_no_terminal(swept):
    _, _, _, err = swept
    told = [line for line in err.splitlines() if " is in epoch " not in line]  # after 10 s without
    assert told.pop(0) == "looking at what is there"
    lines = [line for line in told if not line.startswith("getting kernels ready")]  # if it had to
    assert [line.split("  ")[0] for line in lines] == ["1/4", "2/4", "3/4", "4/4"]
    pattern = r"\d/4  finished  lr=(0\.1|1), seed [01]  validation accuracy \d+\.\d\d%"
    assert all(re.fullmatch(pattern, line) for line in lines)


def test_it_prints_every_setting_with_its_figures(swept):
    _, _, out, _ = swept
    heading, *settings, empty, verdict = out.splitlines()[:5]
    assert re.split("  +", heading)[:3] == ["setting", "validation accuracy", "seeds"]
    assert {line.split()[0] for line in settings} == {"lr=0.1", "lr=1"}
    assert all(" ± " in line for line in settings)
    best = r"Best: lr=(0\.1|1), \d+\.\d\d ± \d+\.\d\d % \(2 seeds; "
    assert empty == "" and re.match(best, verdict)


def test_results_have_test_figures_of_the_best_setting(swept):
    folder, *_ = swept
    with (folder / "runs/sweeps/small/results.csv").open() as file:
        rows = list(csv.DictReader(file))
    tested = {row["optimizer.lr"] for row in rows if row["test_accuracy"]}
    assert len(tested) == 1
    for row in rows:
        summary = json.loads((folder / "runs" / row["directory"] / "summary.json").read_text())
        if row["optimizer.lr"] in tested:
            assert float(row["test_accuracy"]) == summary["test_accuracy"]


def test_the_best_run_has_its_curves_drawn(swept):
    folder, *_ = swept
    assert len(list(folder.glob("runs/small-*/curves.png"))) == 1


def test_all_runs_of_the_best_setting_have_their_curves_drawn_if_asked(swept, tmp_path):
    folder, *_ = swept
    subprocess.run(["cp", "-r", *map(str, folder.iterdir()), str(tmp_path)], check=True)
    code, _, _ = sweep(tmp_path, "small.yaml", *AXES, "--curves")
    drawn = [path.parent.name for path in tmp_path.glob("runs/small-*/curves.png")]
    summary = (tmp_path / "runs/sweeps/small/summary.md").read_text()
    assert code == 0 and len(drawn) == 2 and all(f"[{name}]" in summary for name in drawn)


def test_a_baseline_can_be_named(swept, tmp_path):
    folder, *_ = swept
    subprocess.run(["cp", "-r", *map(str, folder.iterdir()), str(tmp_path)], check=True)
    named = "sweep.baseline={optimizer.lr: 0.1}"
    code, out, _ = sweep(tmp_path, "small.yaml", *AXES, named)
    assert code == 0 and "difference from the baseline" in out
    again = sweep(tmp_path, "runs/sweeps/small/sweep.yaml")
    assert again[:2] == (0, out), "its sweep.yaml names it too"


def test_again_it_does_nothing(swept):
    folder, _, first, _ = swept
    before = (folder / "runs/sweeps/small/results.csv").read_bytes()
    code, out, err = sweep(folder, "small.yaml", *AXES)
    assert (code, out) == (0, first)
    assert err == "looking at what is there\n"
    assert (folder / "runs/sweeps/small/results.csv").read_bytes() == before


def test_its_sweep_yaml_repeats_it(swept, tmp_path):
    folder, *_ = swept
    code, out, _ = sweep(
        tmp_path, str(folder / "runs/sweeps/small/sweep.yaml"), "--dry-run", "--json",
        "--out", str(folder / "runs"),
    )  # fmt: skip
    found = json.loads(out)
    assert (code, found["name"], found["most_runs"]) == (0, "small", 4)
    assert [run["status"] for run in found["runs"]] == ["finished"] * 4


def test_a_wider_sweep_adds_what_is_missing_and_keeps_the_narrow_one(swept, tmp_path):
    folder, *_ = swept
    (tmp_path / "runs").mkdir()
    subprocess.run(["cp", "-r", *map(str, folder.iterdir()), str(tmp_path)], check=True)
    code, _, err = sweep(tmp_path, "small.yaml", "optimizer.lr=0.1,1,0.5", "seed=range(2)")
    assert code == 0
    told = [line for line in err.splitlines() if " is in epoch " not in line]  # after 10 s without
    note, *_, fifth, sixth = told
    assert note == (
        "note: the results of another sweep named small were put into runs/sweeps/small/earlier-1; "
        "sweep.name=... keeps both apart"
    )
    assert [line.split("  ")[0] for line in (fifth, sixth)] == ["5/6", "6/6"]
    assert len(told) == 4
    directory = tmp_path / "runs/sweeps/small"
    assert len((directory / "results.csv").read_text().splitlines()) == 7
    narrow = directory / "earlier-1"
    assert len((narrow / "results.csv").read_text().splitlines()) == 5
    assert (narrow / "sweep.yaml").exists()


def test_a_dry_run_tells_what_there_is_and_writes_nothing(swept):
    folder, *_ = swept
    before = sorted(folder.rglob("*"))
    code, out, err = sweep(
        folder, "small.yaml", "optimizer.lr=0.1,2", "--dry-run", "--workers", "2"
    )
    assert (code, err) == (0, "")
    *table, totals, time_left = out.splitlines()
    assert [line.split() for line in table] == [
        ["optimizer.lr", "seed", "state"],
        ["0.1", "0", "finished"],
        ["2", "0", "new"],
    ]
    assert totals == "2 runs, 1 of them there already"
    assert time_left == "less than a second with 2 workers"
    assert sorted(folder.rglob("*")) == before


def test_a_distribution_makes_a_random_search_of_so_many_samples(folder):
    axis = "optimizer.lr=loguniform(0.1,1)"
    code, out, err = sweep(folder, "small.yaml", axis, "--samples", "3", "--dry-run", "--json")
    assert (code, err) == (0, "")
    rates = {run["settings"]["optimizer.lr"] for run in json.loads(out)["runs"]}
    assert len(rates) == 3 and all(0.1 <= rate <= 1 for rate in rates)


def test_a_dry_run_of_a_search_says_what_it_chooses_from(folder):
    code, out, _ = sweep(
        folder, "small.yaml", "optimizer.lr=loguniform(1e-4,1)", "optimizer.name=sgd,adam",
        "seed=range(2)", "sweep.strategy={name: tpe, samples: 5, startup: 1}", "--dry-run",
    )  # fmt: skip
    assert code == 0
    *table, totals, _ = out.splitlines()
    assert [line.split() for line in table] == [
        ["optimizer.lr", "optimizer.name", "seed", "state"],
        ["loguniform(0.0001,", "1)", "sgd", "0,", "1", "as", "it", "goes"],
        ["loguniform(0.0001,", "1)", "adam", "0,", "1", "as", "it", "goes"],
    ]
    assert totals == "20 runs at most, chosen as the search goes"
    assert not (folder / "runs").exists()


def test_a_dry_run_fetches_nothing(folder):
    (folder / "mnist.yaml").write_text("name: m\ndataset: mnist\nmodel: linear\noptimizer: sgd\n")
    code, out, _ = sweep(
        folder, "mnist.yaml", "optimizer.lr=0.1,1", "--dry-run", "--data-dir", "nowhere"
    )
    assert code == 0
    assert out.splitlines()[-1] == (
        "mnist is not on this machine yet, so neither what is there nor the time is known: "
        "optrun data fetch mnist"
    )
    assert not (folder / "nowhere").exists()


def test_ctrl_c_saves_and_the_same_command_goes_on(folder):
    process = start(folder, "slow.yaml", *AXES, "--workers", "2", start_new_session=True)
    wait_until_training(folder)
    os.killpg(process.pid, signal.SIGINT)  # as terminals do: to the workers as well
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopping as soon as all runs are saved; once more stops at once" in err
    assert out == "stopped: 0 of 4 runs done; the same command goes on from here\n"
    begun = [row for row in list_runs(folder / "runs") if row.status == "stopped"]
    assert len(begun) == 2
    rows = (folder / "runs/sweeps/small/results.csv").read_text().splitlines()
    assert sorted(row.split(",")[2] for row in rows[1:]) == ["paused"] * 2 + ["waiting"] * 2
    _, out, _ = sweep(folder, "slow.yaml", *AXES, "--dry-run", "--json")
    assert sum((run["epochs"] or 0) > 0 for run in json.loads(out)["runs"]) == 2


def test_a_second_ctrl_c_stops_at_once(folder):
    process = start(folder, "slow.yaml", *AXES, "--workers", "2", start_new_session=True)
    wait_until_training(folder)
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    with pytest.raises(ProcessLookupError):
        while True:  # nobody of the family survives it for long
            os.killpg(process.pid, 0)
            time.sleep(0.05)


def wait_until_training(folder: Path) -> None:
    deadline = time.monotonic() + 60
    while len(list(folder.glob("runs/small-*/checkpoint.npz"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_failed_run_is_told_and_the_others_are_done(folder):
    broken = train(load(folder / "small.yaml").config, folder / "runs")
    (broken / "summary.json").write_text("{")
    code, out, err = sweep(folder, "small.yaml", "optimizer.lr=0.1,1,2", "--workers", "1")
    assert code == 1
    assert f"failed: lr=0.1, seed 0: runs/{broken.name}/summary.json is damaged" in err
    assert err.count("finished") == 2
    assert (broken / "summary.json").read_text() == "{"
    assert f"1 run of 3 failed, {broken.name}: " in out
    code, out, err = sweep(folder, "small.yaml", "optimizer.lr=0.1,3", "--fail-fast")
    assert code == 1
    assert out.startswith("stopped at the first failure, 1 of 2 runs done\n")
    assert "finished" not in err


def test_an_engine_that_there_is_not(folder):
    for engine in ("ray://there", "dask://there", "dask"):
        says = f"--engine is {engine}; write local, or dask://host:port of a scheduler"
        with pytest.raises(UserError, match=re.escape(says)):
            sweep(folder, "small.yaml", *AXES, "--engine", engine, "--dry-run")


def test_json_is_for_dry_runs(folder):
    with pytest.raises(UserError, match="--json goes with --dry-run"):
        sweep(folder, "small.yaml", *AXES, "--json")


# What is shown


@pytest.fixture
def runs(tmp_path):
    runs_of = RunsOf(configs_of(0), lambda config: "", tmp_path)
    return [run for point in rates(3) for run in runs_of(point.candidate(0, {}))]


def finished(accuracy: float) -> Stored:
    return Stored("finished", 4, None, {"val_accuracy": accuracy})


def test_the_live_table(runs, monkeypatch, tmp_path):
    screen = Console(file=StringIO(), width=100, force_terminal=True)
    monkeypatch.setattr(sweep_progress, "Console", lambda stderr: screen)
    table = LiveTable(3, ["optimizer.lr"], "val_accuracy")
    try:
        table.note("what was there is elsewhere")
        table.begun(runs[0])
        table.settled(runs[0], finished(0.5))
        table.begun(runs[1])
        table.progress(runs[1], Plan(tmp_path, 4, 40, 10, 0))
        table.progress(runs[1], Pulse(20, 3, 0.25, 0.1, 1000.0, 1.0))
        table.begun(runs[2])
        plain = Console(file=StringIO(), width=100)
        plain.print(table.picture())
        text = plain.file.getvalue()  # type: ignore[attr-defined]
    finally:
        table.close()
    assert "note: what was there is elsewhere" in screen.file.getvalue()  # type: ignore[attr-defined]
    head, best, *running = [line.rstrip() for line in text.splitlines()]
    assert re.fullmatch(r"━+ +1 of 3 runs done  [\d.]+ m?s left", head)
    assert best == "best validation accuracy 50.00% (lr=0.1, seed 0)"
    assert [line.split() for line in running] == [
        ["lr=0.2,", "seed", "0", "epoch", "3/4", "loss", "0.25"],
        ["lr=0.3,", "seed", "0", "waiting"],
    ]


def test_troubles_are_lines_of_their_own(runs, capsys):
    plain = PlainSweep(3, ["optimizer.lr"], "val_accuracy")
    plain.begun(runs[0])
    plain.again(runs[0], "its process was ended by SIGKILL")
    plain.begun(runs[0])
    plain.settled(runs[0], Stored("failed", reason="no luck"))
    plain.begun(runs[1])
    plain.elsewhere(runs[1])
    plain.settled(runs[1], Stored("diverged", 2, "the loss exploded", {"val_accuracy": 0.5}))
    plain.settled(runs[2], finished(0.75), reused=True)
    assert capsys.readouterr().err.splitlines() == [
        "again: lr=0.1, seed 0: its process was ended by SIGKILL",
        "failed: lr=0.1, seed 0: no luck",
        "1/3  failed  lr=0.1, seed 0",
        "waiting: lr=0.2, seed 0 is being run by another process",
        "2/3  diverged  lr=0.2, seed 0",
    ]
    assert plain.counts() == "3 of 3 runs done, 1 diverged, 1 failed, 1 were there"
    assert plain.failed() == 1
    assert plain.best_so_far() == "best validation accuracy 75.00% (lr=0.3, seed 0)"


@pytest.mark.parametrize(
    ("metric", "best"),
    [("val_accuracy", "lr=0.2"), ("val_loss", "lr=0.3"), ("train_loss", "lr=0.1")],
)
def test_the_best_so_far_is_the_highest_accuracy_or_the_lowest_loss(runs, metric, best):
    watcher = PlainSweep(3, ["optimizer.lr"], metric)
    figures = [(0.5, 3.0, 1.0), (0.75, 2.0, 2.0), (0.25, 1.0, 3.0)]
    for run, (accuracy, val_loss, train_loss) in zip(runs, figures, strict=True):
        stored = Stored(
            "finished",
            4,
            None,
            {"val_accuracy": accuracy, "val_loss": val_loss, "train_loss": train_loss},
        )
        watcher.settled(run, stored)
    assert f"({best}, seed 0)" in watcher.best_so_far()


def test_sections_of_one_name_are_told_apart(folder, tmp_path, capsys):
    sections = [{"name": "adam", "lr": 0.01}, {"name": "adam", "lr": 0.1}]
    runs_of = RunsOf(configs_of(0), lambda config: "", tmp_path)
    watcher = PlainSweep(2, ["optimizer"], "val_loss")
    for number, section in enumerate(sections):
        (run,) = runs_of(Candidate((number, 0), {"optimizer": section}))
        assert watcher.label(run) == f"adam, optimizer.lr={section['lr']}, seed 0"
    (folder / "sections.yaml").write_text(
        f"sweep: {json.dumps({'base': 'small.yaml', 'grid': {'optimizer': sections}})}"
    )
    _, out, _ = sweep(folder, "sections.yaml", "--dry-run")
    assert [line.split("  ")[0] for line in out.splitlines()[1:3]] == [
        "adam, lr=0.01", "adam, lr=0.1"
    ]  # fmt: skip


def test_a_diverged_run_is_never_the_best(runs):
    watcher = PlainSweep(3, ["optimizer.lr"], "val_loss")
    watcher.settled(runs[0], Stored("diverged", 1, "", {"val_loss": 0.1}))
    assert watcher.best_so_far() == ""


def test_no_time_is_promised_where_runs_are_paused(runs):
    watcher = PlainSweep(3, ["optimizer.lr"], "val_loss")
    watcher.begun(runs[0])
    watcher.settled(runs[0], finished(0.5))
    assert watcher.time_left()
    watcher.settled(runs[1], Stored("stopped", 1))
    assert not watcher.time_left()


def test_the_time_left_counts_what_runs_have_done(runs, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(sweep_progress, "monotonic", lambda: now[0])
    watcher = PlainSweep(3, ["optimizer.lr"], "val_loss")
    for run in runs[:2]:
        watcher.begun(run)
    now[0] = 110.0
    assert not watcher.time_left()
    for run in runs[:2]:
        watcher.progress(run, Pulse(20, 3, 0.25, 0.1, 1000.0, 1.0))  # in the third of 4 epochs
    assert watcher.time_left() == "20.0 s left"
    watcher.settled(runs[0], finished(0.5))
    assert watcher.time_left() == "10.0 s left"
    for run in runs:
        watcher.settled(run, finished(0.5))
    assert not watcher.time_left()
