"""`optrun train` as a person meets it: what it prints, and how it ends."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from optrun.cli import main as command_line
from optrun.cli import progress
from optrun.cli.progress import LiveBar, PlainLines, ending, epoch_line, moment
from optrun.store.reading import load_run
from optrun.training.observer import Plan, Pulse

CONFIG = """\
name: small
dataset: {name: synthetic, kind: blobs, samples: 200, test_samples: 50}
model: {name: mlp, hidden: [8]}
optimizer: {name: adam, lr: 0.01, beta1: 0.8}
training: {epochs: 3, batch_size: 20}
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "small.yaml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def train(folder, monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """`optrun train` in the folder, in this process: its exit status, output and errors."""
    monkeypatch.chdir(folder)

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["optrun", "train", *arguments])
        with pytest.raises(SystemExit) as caught:
            command_line.main()
        return int(caught.value.code or 0), *capsys.readouterr()

    return command


def start(folder: Path, *arguments: str) -> subprocess.Popen:
    """The same in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "optrun", "train", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_what_a_finished_run_prints(folder):
    process = start(folder, "small.yaml")
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0
    (directory,) = (folder / "runs").iterdir()
    result, times, curves, where = out.splitlines()
    figures = r"accuracy \d+\.\d\d%, loss \d\.\d{4}"
    assert re.fullmatch(rf"best epoch \d: validation {figures}; test {figures}", result)
    assert curves == f"curves: {where}/curves.png"
    time = r"[\d.]+ m?s"
    assert re.fullmatch(
        rf"trained 3 epochs in {time}; evaluation {time}, kernels ready in {time}", times
    )
    assert where == f"runs/{directory.name}"
    lines = err.splitlines()
    assert lines[0] == "loading data"
    assert "kernels" in lines[1]
    assert lines[2] == f"{where}  51 parameters, 27 steps"
    assert [line.split("  ")[0] for line in lines[3:]] == [f"epoch {n}/3" for n in range(4)]
    assert (directory / "curves.png").exists()


def test_the_same_run_again_is_reused_by_config_or_by_directory(train):
    _, first, _ = train("small.yaml")
    directory = first.splitlines()[-1]
    for source in ("small.yaml", f"{directory}/config.yaml"):
        code, out, err = train(source)
        assert (code, out) == (0, first)
        assert err.splitlines() == [
            "loading data",
            "this run is there already; nothing needs training",
        ]


def test_overrides_leave_a_note_of_what_they_drop(train):
    code, _, err = train("small.yaml", "optimizer.name=sgd", "training.epochs=1")
    assert code == 0
    assert err.startswith("note: optimizer.name=sgd leaves out beta1 (small.yaml:4)")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_run_says_how_to_go_on(folder, train, monkeypatch, number):
    process = start(folder, "small.yaml", "training.epochs=100000", "--out", "elsewhere")
    while " 0/100000" not in (line := process.stderr.readline()):
        assert line
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert "stopping as soon as everything is saved" in err
    (directory,) = (folder / "elsewhere").iterdir()
    command = f"optrun train elsewhere/{directory.name}/config.yaml"
    assert re.fullmatch(
        rf"stopped after step [\d,]+, \d+ epochs? done; everything is saved. To go on: {command}\n",
        out,
    )
    assert load_run(directory).summary["status"] == "stopped"
    assert (directory / "curves.png").exists()
    monkeypatch.setattr(PlainLines, "pulse", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    code, _, err = train(command.removeprefix("optrun train "))
    assert code == 130
    assert "resumed after step" in err.splitlines()[2]


def test_a_diverged_run_says_where_and_why(train):
    code, out, _ = train("small.yaml", "optimizer={name: sgd, lr: 1e9}")
    assert code == 0
    assert re.match(
        r"diverged at step \d+: the loss (exploded to|became) \S+; likely cause: a learning rate "
        r"of 1e\+09 is too high for sgd here; try optimizer.lr=0.01\n",
        out,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["smal.yaml"], "small.yaml"),
        (["small.yaml", "optimizer.lr=fast"], "must be a number"),
        (["small.yaml", "optimizer.learning_rate=1"], "lr"),
        (["small.yaml", "--out", "small.yaml"], "small.yaml"),
        ([], "Missing argument"),
        (["small.yaml", "--epochs", "3"], "No such option"),
    ],
)
def test_mistakes_end_with_status_2_and_no_traceback(folder, train, arguments, message):
    code, out, err = train(*arguments)
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert out == ""
    assert not (folder / "runs").exists()


PULSE = Pulse(
    step=1200, epoch=3, loss=0.12345, rate=0.00098, examples_per_second=283_355, seconds_left=75
)


def test_plain_lines_speak_after_a_silence(capsys, monkeypatch):
    lines = PlainLines()
    lines.begin(Plan(Path("runs/a"), epochs=10, steps=4000, parameters=51, resumed_at=0))
    lines.pulse(PULSE)
    monkeypatch.setattr(progress, "SILENCE_SECONDS", 0.0)
    lines.pulse(PULSE)
    assert capsys.readouterr().err.splitlines() == [
        "runs/a  51 parameters, 4,000 steps",
        "epoch 3/10  step 1200  loss 0.123  lr 0.00098  283k examples/s  75.0 s left",
    ]


@pytest.mark.parametrize("width", [80, 120])
def test_the_live_bar_fits_the_terminal_and_leaves_it_tidy(width):
    bar = LiveBar()
    bar.console = Console(file=StringIO(), force_terminal=True, width=width)
    bar.bar.live.console = bar.console
    bar.begin(Plan(Path("runs/a"), epochs=200, steps=33_800, parameters=51, resumed_at=0))
    bar.pulse(PULSE)
    with bar.console.capture() as capture:
        bar.console.print(bar.bar.get_renderable())
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", capture.get()).splitlines()
    shown = next(line for line in lines if line.startswith("epoch 3/200 "))
    assert len(shown) <= width
    assert "step 1200  loss 0.123  lr 0.00098  283k examples/s" in shown
    assert re.search(r"(\d+:\d\d|-:--) left\s*$", shown)
    bar.close()
    assert not bar.bar.live.is_started


def test_lines_without_validation_or_test_figures():
    row = {
        "epoch": 7, "train_loss": 0.5, "train_accuracy": 0.75, "val_loss": None,
        "val_accuracy": None, "lr": 0.001, "seconds": 12.34,
    }  # fmt: skip
    start = {**row, "epoch": 0, "lr": None}
    assert epoch_line(start, 10, 2.3026) == ("epoch  0/10  train 0.5000   75.00%  (chance: 2.3026)")
    assert epoch_line(row, 10, 2.3026) == epoch_line(row, 10)
    assert epoch_line(row, 10) == "epoch  7/10  train 0.5000   75.00%  lr 0.001  trained 12.3 s"
    summary = {
        "status": "finished", "val_loss": None, "test_accuracy": 0.5, "test_loss": 1.0,
        "best_epoch": 2, "average_best_epoch": None, "epochs": 7,
        "seconds_train": 0.01, "seconds_eval": 2, "seconds_compile": 345.6,
        "reason": "early stopping: val_loss has not improved in 5 epochs",
    }  # fmt: skip
    assert ending(Path("runs/a"), summary) == [
        "best epoch 2: test accuracy 50.00%, loss 1.0000",
        "trained 7 epochs in 10 ms; evaluation 2.0 s, kernels ready in 346 s",
        "early stopping: val_loss has not improved in 5 epochs",
        "runs/a",
    ]


def test_a_run_without_labels_and_rates_speaks_of_losses_only(folder, train):
    (folder / "curve.yaml").write_text(
        "name: curve\n"
        "dataset: {name: synthetic, kind: polynomial}\n"
        "model: linear\n"
        "optimizer: random_search\n"
        "training: {epochs: 2, batch_size: full}\n"
    )
    code, out, err = train("curve.yaml")
    assert code == 0
    number, time = r"\d+\.\d{4}", r"[\d.]+ m?s"
    begun, *_, done = err.splitlines()[3:]
    assert re.fullmatch(rf"epoch 0/2  train {number}  val {number}  \(chance: {number}\)", begun)
    assert re.fullmatch(rf"epoch 2/2  train {number}  val {number}  trained {time}", done)
    result = out.splitlines()[0]
    assert re.fullmatch(rf"best epoch \d: validation loss {number}; test loss {number}", result)
    pulse = Pulse(step=2, epoch=1, loss=0.5, rate=None, examples_per_second=100, seconds_left=1)
    assert moment(pulse) == "step 2  loss 0.5  100 examples/s"
