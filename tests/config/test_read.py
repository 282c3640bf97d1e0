"""Files that are no configs at all."""

import os
from pathlib import Path

import pytest

from optrun.config.load import load
from optrun.errors import ConfigError
from optrun.store.files import MOST_BYTES


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refusal(path: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path)
    return str(caught.value)


def test_an_absent_file_names_its_likes():
    Path("mnist_mlp.yaml").touch()
    Path("other.txt").touch()
    assert refusal("mnist_mpl.yaml") == "mnist_mpl.yaml: no such file; did you mean mnist_mlp.yaml?"


def test_an_absent_folder_is_named():
    assert refusal("nowhere/a.yaml") == (
        "nowhere/a.yaml: no such file, nor is there a directory nowhere"
    )


def test_a_directory_is_refused_and_a_run_directory_points_to_its_config():
    Path("run").mkdir()
    assert refusal("run") == "run: is a directory, not a config file"
    Path("run/config.yaml").touch()
    assert refusal("run") == "run: is a directory; did you mean run/config.yaml?"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "x.yaml: the file is empty"),
        (b"# only a comment\n", "x.yaml: the file is empty"),
        (b"\n- a\n- b\n", "x.yaml:2:1: a config is made of `key: value` lines"),
        (b"word", "x.yaml:1:1: a config is made of `key: value` lines"),
        (b"name: demo\nloss: caf\xe9\n", "x.yaml:2:10: the file is not UTF-8 text"),
        (b"a: 1\n---\nb: 2\n", "x.yaml:2:1: a second document begins here"),
        (b"a: [1,\n", "x.yaml:2:1: the bracket is not closed"),
    ],
)
def test_what_is_no_config(content, message):
    Path("x.yaml").write_bytes(content)
    assert refusal("x.yaml").startswith(message)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm():
    lines = ["name: demo", "dataset: mnist", "model: linear", "optimizer: sgd", "seed: -1"]
    Path("x.yaml").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert refusal("x.yaml").startswith("x.yaml:5:7: seed:")


def test_pipes_devices_and_what_is_too_large_are_refused_at_once():
    os.mkfifo("pipe.yaml")
    Path("endless.yaml").symlink_to("/dev/zero")
    for path in ("pipe.yaml", "endless.yaml"):
        assert refusal(path) == f"{path}: cannot be read: it is not a regular file"
    Path("large.yaml").write_bytes(b"#" * (MOST_BYTES + 1))
    assert (
        refusal("large.yaml") == "large.yaml: has more than 1,000,000 bytes, which no config needs"
    )


@pytest.mark.parametrize("path", ["x" * 5000, "~nouser/a.yaml"])
def test_paths_that_cannot_be_are_refused(path):
    assert refusal(path).startswith(path[:20])
