"""What is printed survives every encoding, closed pipes and full disks; files are always UTF-8."""

import ast
import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import optrun
from optrun.cli.output import INSTEAD, Outlet, Output, guarded, instead_of
from optrun.config.json_schema import json_schema
from optrun.errors import UserError

CONFIG = """\
name: toy
dataset: {name: function, kind: sphere}
model: point
optimizer: {name: sgd, lr: 0.1}
training: {epochs: 2}
"""
COMMANDS = """
import json, os, sys
from optrun.cli.main import main

statuses = []
for line in json.loads(sys.argv[1]):
    sys.argv = ["optrun", *(os.fsdecode(word.encode()) for word in line)]
    try:
        main()
    except SystemExit as end:
        statuses.append(end.code)
with open(1, "wb", closefd=False) as out:
    out.write(("\\n" + json.dumps(statuses)).encode("ascii"))
"""
SHORT = {
    ("--help",): 0,
    ("train", "--help"): 0,
    ("list",): 0,
    ("list", "adam"): 0,
    ("list", "nothing-λ"): 2,
    ("list", "--markdown"): 0,
    ("list", "zca_whiten", "--json"): 0,
    ("schema", "--sweep"): 0,
    ("data",): 0,
    ("check", "größe.yaml"): 0,
    ("check", "größe.yaml", "optimizer.λ=1"): 2,
}
LONG = {
    ("train", "größe.yaml", "--out", "läufe"): 0,
    ("sweep", "größe.yaml", "optimizer.lr=0.1,0.2", "--workers", "1", "--out", "läufe"): 0,
    ("sweep", "größe.yaml", "optimizer.lr=uniform(0.1,1)", "--dry-run"): 0,
    ("runs", "läufe"): 0,
    ("runs", "läufe", "--json"): 0,
    ("runs", "läufe", "--sort", "λ"): 2,
    ("plot", "läufe", "--metric", "λ"): 2,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ä"
    folder.mkdir()
    (folder / "größe.yaml").write_text(CONFIG, encoding="utf-8")
    return folder


def environment(**changes: str) -> dict[str, str]:
    names = ("PYTHONIOENCODING", "PYTHONUTF8", "LC_ALL", "LANG", "PYTHONCOERCECLOCALE")
    return {name: value for name, value in os.environ.items() if name not in names} | changes


@pytest.mark.parametrize(
    ("encoding", "changes", "lines"),
    [
        ("cp1252", {"PYTHONIOENCODING": "cp1252"}, SHORT),
        ("latin-1", {"PYTHONIOENCODING": "latin-1:strict"}, SHORT),
        ("ascii", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, SHORT | LONG),
        ("utf-8", {"PYTHONUTF8": "1"}, SHORT),
    ],
)
def test_every_command_survives_every_encoding(folder, encoding, changes, lines):
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, json.dumps(list(lines))],
        cwd=folder,
        env=environment(**changes),
        capture_output=True,
    )
    shown, errors = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert "Traceback" not in errors, errors
    assert json.loads(shown.splitlines()[-1]) == list(lines.values()), errors
    if encoding == "utf-8":
        assert "m̂ = m/(1−β₁ᵗ)" in shown
    else:
        assert "m^ = m/(1-beta1^t)" in shown
    if encoding == "cp1252":
        assert "(1-beta2)g²" in shown, "what the encoding has is left as it is"
    for path in folder.rglob("*"):
        if path.suffix in (".yaml", ".json", ".csv", ".md"):
            path.read_text(encoding="utf-8")


def test_a_schema_in_a_file_is_json_in_utf_8(folder):
    path, changes = folder / "schema.json", {"PYTHONIOENCODING": "cp1252"}
    with path.open("wb") as file:
        command = [sys.executable, "-m", "optrun", "schema"]
        subprocess.run(command, stdout=file, env=environment(**changes), check=True)
    assert json.loads(path.read_text(encoding="utf-8")) == json_schema()


@pytest.mark.parametrize(
    ("unbuffered", "line", "status"),
    [
        ("", ("list",), 0),
        ("1", ("list", "nothing"), 2),
        ("1", ("train", "größe.yaml", "optimizer.name=adam", "--out", "runs"), 0),
    ],
)
def test_a_reader_who_leaves_changes_nothing(folder, unbuffered, line, status):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "optrun", *line],
        cwd=folder,
        env=environment(PYTHONUNBUFFERED=unbuffered, PYTHONUTF8="1"),
        stdout=writing,
        stderr=writing,
    )
    os.close(writing)
    assert done.returncode == status
    if "train" not in line:
        return
    (run,) = folder.glob("runs/toy-*")
    assert json.loads((run / "summary.json").read_text(encoding="utf-8"))["status"] == "finished"
    assert (run / "curves.png").exists()


class Broken(io.RawIOBase):
    """A device that fails."""

    def __init__(self, number: int):
        self.number, self.calls = number, 0

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.calls += 1
        raise OSError(self.number, os.strerror(self.number))


def test_a_full_disk_is_told_once_and_only_of_results():
    device = Broken(errno.ENOSPC)
    output = Output(Outlet(device, is_result=True), "utf-8", is_prompt=True)
    with pytest.raises(UserError, match="the output cannot be written: No space left on device"):
        output.write("a result")
    output.write("another")
    assert device.calls == 1
    for number, is_result in ((errno.ENOSPC, False), (errno.EIO, False), (errno.EPIPE, True)):
        device = Broken(number)
        output = Output(Outlet(device, is_result), "utf-8", is_prompt=True)
        output.write("a note")
        output.write("another")
        assert device.calls == 1


def test_streams_that_are_no_files_are_left_alone():
    stream = io.StringIO()
    assert guarded(stream, True) is stream


@pytest.mark.parametrize(
    ("letters", "written"),
    [
        ("‖W‖² ≤ ½", "||W||^2 <= 1/2"),
        ("β₁ᵗ, Δ, λ, ς", "beta1^t, Delta, lambda, sigma"),
        ("naïve Straße…", "naive Stra?e..."),
        ("╭─┬╮│━╸", "+-++|--"),
        ("⠋ 日 🙂 \udcff", "* ? ? ?"),
    ],
)
def test_letters_are_replaced_by_some_that_say_the_same(letters, written):
    assert "".join(map(instead_of, letters)) == written


def test_what_is_written_instead_is_ascii():
    assert all(text.isascii() and '"' not in text for text in INSTEAD.values())


def text_calls_without_encoding(tree: ast.Module) -> list[int]:
    """The lines of calls that read or write text in whatever encoding the system has."""
    lines = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        name = call.func.id if isinstance(call.func, ast.Name) else name
        given = {keyword.arg for keyword in call.keywords}
        texts = [a.value for a in call.args if isinstance(a, ast.Constant)]
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        of_path = not (isinstance(owner, ast.Name) and owner.id in ("os", "gzip", "tarfile"))
        opens_text = name == "open" and of_path and not any("b" in str(t) for t in texts)
        if (name in ("read_text", "write_text") and owner is not None) or opens_text:
            binary = owner is not None and ast.unparse(owner) in ("archive", "pooch")
            lines += [] if "encoding" in given or binary else [call.lineno]
        if "text" in given or "universal_newlines" in given:
            lines.append(call.lineno)
    return lines


def test_every_file_is_read_and_written_in_a_stated_encoding():
    package = Path(optrun.__file__).parent
    found = {
        f"{path.relative_to(package)}:{line}"
        for path in package.rglob("*.py")
        for line in text_calls_without_encoding(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set()
