"""Reading runs back, sound ones and broken ones."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from optrun.errors import RunError
from optrun.store.reading import list_runs, load_run
from optrun.store.run_directory import RunDirectory
from tests.runs_factory import resolved_config, write_run


def test_a_run_reads_back_whole(tmp_path: Path):
    path = write_run(tmp_path, epochs=3, test_accuracy=0.9)
    run = load_run(str(path))
    assert run.path == path
    assert run.config == resolved_config()
    assert run.metrics["epoch"].tolist() == [0, 1, 2, 3]
    assert run.metrics["lr"].isna().tolist() == [True, False, False, False]
    assert run.steps["step"].iloc[-1] == 300
    assert run.summary["test_accuracy"] == 0.9
    np.testing.assert_array_equal(run.weights["layers.0.weight"], np.eye(3))


def test_a_run_that_has_just_begun_has_no_rows_and_no_weights(tmp_path: Path):
    directory = RunDirectory(tmp_path / "new")
    directory.create()
    directory.write_config({"name": "new"})
    directory.write_summary({"status": "running"})
    run = load_run(directory.path)
    assert len(run.metrics) == len(run.steps) == 0 and "val_loss" in run.metrics
    assert run.weights == {}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("glyphs-mpl-{id}", "did you mean .*glyphs-mlp-{id}"),
        ("glyphs-mlp", "did you mean .*glyphs-mlp-{id}"),
        ("nothing-like-it-at-all", "there is no run [^;]*$"),
        ("other/x", "there is no directory .*other"),
        (".", r"is not a run directory.* holds 1 of them, write .*/\*"),
        ("glyphs-mlp-{id}/config.yaml", "is a file; give the run's directory, .*{id}$"),
        ("mine.yaml", "is a config, not a run; `optrun train .*mine.yaml`"),
        ("curves.png", "is a file, not a run"),
    ],
)
def test_what_is_no_run_is_told_with_the_run_meant(tmp_path: Path, asked: str, says: str):
    path = write_run(tmp_path, epochs=0)
    run = path.name[-16:]
    (tmp_path / "mine.yaml").touch()
    (tmp_path / "curves.png").touch()
    with pytest.raises(RunError, match=says.format(id=run)):
        load_run(tmp_path / asked.format(id=run))


INSIDES = ("pickle", "pandas", "numpy", "codec", "Expecting", "dtype", "token", "zip")


@pytest.mark.parametrize("content", [b"", b"\x00\xff[\n\x01,\n", b"{", b"a: [1\n", b"1,2\n3\n"])
@pytest.mark.parametrize("name", ["metrics.csv", "steps.csv", "summary.json", "best.npz"])
def test_a_damaged_file_is_named_with_the_way_out(tmp_path: Path, name: str, content: bytes):
    path = write_run(tmp_path, epochs=1)
    (path / name).write_bytes(content)
    with pytest.raises(RunError, match=rf"{name} is damaged: ") as caught:
        load_run(path)
    message = str(caught.value)
    assert message.endswith(f"; delete the directory {path} to train the run again")
    assert not [word for word in INSIDES if word in message.partition("damaged")[2]]
    assert "\n" not in message


@pytest.mark.parametrize("content", [b"\x00\xff[\n", b"a: [1\n", b"a: b: c\n"])
def test_a_damaged_config_is_named_with_the_way_out(tmp_path: Path, content: bytes):
    path = write_run(tmp_path, epochs=1)
    (path / "config.yaml").write_bytes(content)
    with pytest.raises(RunError, match=r"config\.yaml is damaged: it is not \w+.* delete the dir"):
        load_run(path)


def test_runs_are_listed_by_their_start_and_broken_ones_hide_none(tmp_path: Path):
    second = write_run(tmp_path, resolved_config(seed=1), epochs=1, started="2024-06-02T00:00:00")
    first = write_run(tmp_path, resolved_config(seed=2), epochs=2, started="2024-06-01T00:00:00")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.yaml").write_text("name: x")
    (tmp_path / "unrelated").mkdir()
    (tmp_path / ".gitkeep").touch()
    rows = list_runs(tmp_path)
    assert [row.directory for row in rows] == [first, second, tmp_path / "broken"]
    assert [row.status for row in rows] == ["finished", "finished", "unreadable"]
    assert rows[0].name == "glyphs-mlp" and rows[0].id == first.name[-16:]
    assert rows[0].epochs == 2 and rows[0].seconds_train == 1.0
    assert rows[0].val_loss == load_run(first).summary["val_loss"]


def test_a_running_run_that_nobody_writes_was_interrupted(tmp_path: Path):
    path = write_run(tmp_path, status="running", epochs=1)
    assert list_runs(tmp_path)[0].status == "interrupted"
    with RunDirectory(path).lock():
        assert list_runs(tmp_path)[0].status == "running"
    assert list_runs(tmp_path)[0].status == "interrupted"


def test_an_absent_root_is_told(tmp_path: Path):
    with pytest.raises(RunError, match=r"no directory .*absent"):
        list_runs(tmp_path / "absent")


def test_reading_and_drawing_never_import_numba(tmp_path: Path):
    path = write_run(tmp_path, epochs=1)
    code = (
        "import sys; from optrun.store.reading import load_run; "
        "from optrun.viz.curves import draw_curves; from optrun.viz.compare import compare\n"
        f"load_run({str(path)!r}); draw_curves({str(path)!r})\n"
        f"compare([{str(path)!r}], out={str(tmp_path / 'x.png')!r})\n"
        "print([m for m in ('numba', 'scipy', 'matplotlib.pyplot') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]" and done.stderr == ""


def test_a_run_that_did_not_end_shows_what_its_table_holds(tmp_path: Path):
    nothing = dict.fromkeys(["val_loss", "val_accuracy", "seconds_train"])
    path = write_run(tmp_path, status="running", epochs=3, **nothing)
    summary = RunDirectory(path).read_summary() | {"epochs": None}
    RunDirectory(path).write_summary(summary)
    last = load_run(path).metrics.iloc[-1]
    (row,) = list_runs(tmp_path)
    assert (row.status, row.epochs) == ("interrupted", 3)
    assert (row.val_loss, row.val_accuracy) == (last["val_loss"], last["val_accuracy"])
    assert row.seconds_train == last["seconds"]


def test_a_run_itself_is_listed_alone(tmp_path: Path):
    paths = [write_run(tmp_path, resolved_config(seed=seed), epochs=1) for seed in range(2)]
    assert [row.directory for row in list_runs(paths[1])] == [paths[1]]
