"""`optrun data`: what lies where, and fetching."""

import gzip
import json

import pytest
from typer.testing import CliRunner

from optrun.cli.data import app
from optrun.data.cifar10 import Cifar10
from optrun.data.mnist import Mnist
from optrun.errors import DataError, UserError
from tests.datasets import published, write_cifar10, write_mnist


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTRUN_DATA_DIR", str(tmp_path / "environment"))
    monkeypatch.setattr(Mnist, "mirrors", ("http://127.0.0.1:9/",))


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_listing_says_what_is_where(monkeypatch, tmp_path):
    place = write_mnist(tmp_path)
    lines = run("--data-dir", tmp_path).stdout.splitlines()
    assert lines[0].split() == ["mnist", "4", "files", "changed", str(place)]
    row = json.loads(run("--data-dir", tmp_path, "--json").stdout)[0]
    assert (row["present"], row["verified"], row["changed"]) == (True, False, list(Mnist.files))
    monkeypatch.setattr(Mnist, "checksums", published(Mnist, tmp_path)["checksums"])
    lines = run("--data-dir", tmp_path).stdout.splitlines()
    assert lines[0].split() == ["mnist", "verified", str(place)]
    assert lines[1].split() == [
        "cifar10",
        "6",
        "files",
        "missing",
        f"{place.parent}/cifar-10-batches-bin",
    ]
    (place / Mnist.files[1]).write_bytes(b"cut off")
    assert "1 file damaged" in run("--data-dir", tmp_path).stdout
    row = json.loads(run("--data-dir", tmp_path, "--json").stdout)[0]
    assert (row["present"], row["damaged"]) == (False, [Mnist.files[1]])
    (place / Mnist.files[1]).unlink()
    assert "1 file missing" in run("--data-dir", tmp_path).stdout


def test_the_listing_is_json_on_request(tmp_path):
    rows = json.loads(run("--json").stdout)
    assert [row["dataset"] for row in rows] == ["mnist", "cifar10"]
    assert rows[0] == {
        "dataset": "mnist",
        "folder": str(tmp_path / "environment" / "mnist"),
        "present": False,
        "verified": False,
        "reordered": False,
        "missing": list(Mnist.files),
        "damaged": [],
        "changed": [],
        "problem": None,
    }


def test_the_listing_says_what_cannot_be_read_and_what_is_in_another_order(monkeypatch, tmp_path):
    place = write_mnist(tmp_path)
    labels = place / Mnist.files[1]
    labels.write_bytes(labels.read_bytes()[:-1] + b"\x0a")
    assert "mnist     not readable " in run("--data-dir", tmp_path).stdout
    assert "the label 10" in json.loads(run("--data-dir", tmp_path, "--json").stdout)[0]["problem"]
    write_cifar10(tmp_path)
    known = published(Cifar10, tmp_path)
    monkeypatch.setattr(Cifar10, "examples", known["examples"])
    assert "cifar10   verified, in another order " in run("--data-dir", tmp_path).stdout
    assert json.loads(run("--data-dir", tmp_path, "--json").stdout)[1]["reordered"]


@pytest.mark.parametrize(
    "order", [["--data-dir", "{}", "fetch", "mnist"], ["fetch", "mnist", "--data-dir", "{}"]]
)
def test_fetch_checks_what_is_there(order, monkeypatch, tmp_path):
    place = write_mnist(tmp_path)
    arguments = [word.format(tmp_path) for word in order]
    assert "SHA-256" in str(run(*arguments).exception)
    monkeypatch.setattr(Mnist, "checksums", published(Mnist, tmp_path)["checksums"])
    result = run(*arguments)
    assert result.exit_code == 0
    assert result.stdout == f"MNIST is in {place}: 60000 training and 10000 test images, verified\n"
    (place / Mnist.files[1]).write_bytes(gzip.compress(b""))
    assert isinstance(run(*arguments).exception, DataError)


def test_fetch_offline_fails_with_the_error(tmp_path):
    assert "no connection" in str(run("fetch", "mnist").exception)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mnits", "did you mean `mnist`?"),
        ("imagenet", "there are mnist, cifar10"),
        ("synthetic", "no files to fetch"),
    ],
)
def test_other_names_are_refused(name, text):
    exception = run("fetch", name).exception
    assert isinstance(exception, UserError)
    assert text in str(exception)
