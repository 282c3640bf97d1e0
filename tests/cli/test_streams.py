"""Streams that are closed, full or gone, and texts that would command a terminal."""

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from optrun.cli.output import escaped
from optrun.store.run_directory import RunDirectory

CONFIG = """\
name: small
dataset: {name: synthetic, kind: moons, samples: 60, test_samples: 20}
model: linear
optimizer: {name: sgd, lr: 0.1}
training: {epochs: 2}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(CONFIG)
    return tmp_path


def status_of_run(folder: Path) -> str:
    (path,) = (folder / "runs").iterdir()
    return RunDirectory(path).read_summary()["status"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.parametrize(
    ("redirection", "status"),
    [("2>&-", 0), (">&-", 0), ("2>/dev/full", 0), (">/dev/full", 2), (">&- 2>&-", 0)],
)
def test_a_run_goes_to_its_end_whatever_becomes_of_its_output(folder, redirection, status):
    command = f'exec "{sys.executable}" -m optrun train small.yaml {redirection}'
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, status_of_run(folder)) == (status, "finished")
    assert "Traceback" not in done.stdout + done.stderr
    if status:
        assert done.stderr.splitlines()[-1].startswith("error: the output cannot be written")


def test_a_run_whose_terminal_is_closed_is_saved(folder):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "optrun", "train", "small.yaml", "training.epochs=1000000"],
        cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while b"/1000000" not in seen:
        seen += os.read(ours, 1000)
    os.close(ours)  # the system sends SIGHUP
    assert process.wait(60) == 128 + signal.SIGHUP
    assert status_of_run(folder) == "stopped"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("größe β ≤ 1", "größe β ≤ 1"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("a\rb\x9b2J", r"a\rb\x9b2J"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
    ],
)
def test_control_characters_are_written_out(text, shown):
    assert escaped(text) == shown


@pytest.mark.parametrize("command", ["runs", "runs --json", "plot", "train", "check"])
def test_what_files_and_arguments_hold_does_not_command_the_terminal(folder, command):
    evil = "\x1b]0;evil\x07"
    run = folder / "runs" / "planted-0123456789abcdef"
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(json.dumps({"name": evil, "seed": evil, evil: 1}))
    values = {"status": evil, "name": evil, "id": evil, "reason": evil, "format": 1}
    (run / "summary.json").write_text(json.dumps(values))
    name, *options = command.split()
    arguments = {"plot": ["runs/*"], "runs": []}.get(name, ["small.yaml", f"{evil}=1"])
    done = subprocess.run(
        [sys.executable, "-m", "optrun", name, *arguments, *options],
        cwd=folder, capture_output=True,
    )  # fmt: skip
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr
