"""A run directory: its config, its lock, its files."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from optrun.errors import RunError
from optrun.metrics import EPOCH_COLUMNS
from optrun.store.reading import list_runs
from optrun.store.run_directory import FORMAT, RunDirectory
from optrun.store.summary import EMPTY_SUMMARY
from tests.runs_factory import resolved_config
from tests.training.runs import same_results, train

HOLD = (
    "import sys, time; from pathlib import Path; from optrun.store.run_directory import "
    "RunDirectory\n"
    "with RunDirectory(Path(sys.argv[1])).lock(): print('held', flush=True); time.sleep(60)\n"
)


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    made = RunDirectory.named(tmp_path / "runs", "mnist", "0123456789")
    made.create()
    return made


@pytest.fixture
def holder(directory: RunDirectory):
    """Another process that holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory.path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout and process.stdout.readline() == "held\n"
    with process:
        yield process
        process.kill()


def test_it_is_named_by_name_and_id(directory: RunDirectory, tmp_path: Path):
    assert directory.path == tmp_path / "runs" / "mnist-0123456789"
    assert directory.path.is_dir()
    directory.create()


def test_a_place_that_cannot_be_a_directory_is_told(tmp_path: Path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        RunDirectory(tmp_path / "runs" / "x").create()


def test_the_config_reads_back_in_its_order(directory: RunDirectory):
    config = resolved_config() | {"a": "1e-3", "b": "on", "c": [], "d": 1e-5, "e": "10%", "f": "é"}
    directory.write_config(config)
    read = directory.read_config()
    assert read == config
    assert list(read) == list(config) and list(read["optimizer"]) == list(config["optimizer"])
    text = (directory.path / "config.yaml").read_text(encoding="utf-8")
    assert "optrun train" in text.splitlines()[0]
    assert "hidden: [64]\n" in text
    assert "a: '1e-3'\n" in text


@pytest.mark.parametrize("text", ["", "- 1", "a: [", "a: !!python/object:os.system {}"])
def test_a_damaged_config_names_the_file(directory: RunDirectory, text: str):
    (directory.path / "config.yaml").write_text(text)
    with pytest.raises(RunError, match=r"config\.yaml is damaged"):
        directory.read_config()


def test_shared_values_are_written_out(directory: RunDirectory):
    shared = {"name": "relu"}
    directory.write_config({"a": shared, "b": shared})
    assert "&" not in (directory.path / "config.yaml").read_text()
    assert yaml.safe_load((directory.path / "config.yaml").read_text()) == {
        "a": shared,
        "b": shared,
    }


def test_nobody_else_writes_while_the_lock_is_held(
    directory: RunDirectory, holder: subprocess.Popen
):
    assert directory.is_locked()
    with (
        pytest.raises(RunError, match=rf"another process \(pid {holder.pid}\)"),
        directory.lock(),
    ):
        pass
    assert directory.is_locked()


def test_the_lock_of_a_killed_process_is_free(directory: RunDirectory, holder: subprocess.Popen):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert not directory.is_locked()
    with directory.lock():
        assert (directory.path / ".writer").read_text() == str(os.getpid())
        assert directory.is_locked()
    assert not directory.is_locked()


def test_looking_at_the_lock_makes_no_file(directory: RunDirectory):
    assert not directory.is_locked()
    assert not list(directory.path.iterdir())


def test_taking_the_lock_clears_what_a_killed_writer_left(directory: RunDirectory):
    dead = subprocess.Popen(["true"])
    dead.wait()
    for file in ("best", "npz"), ("curves", "png"), ("summary", "json"):
        name, suffix = file
        (directory.path / f".{name}.{dead.pid}-0a1b2c3d.tmp.{suffix}").write_bytes(b"half")
    living = directory.path / f".curves.{os.getpid()}-0a1b2c3d.tmp.png"
    living.write_bytes(b"half")
    with directory.lock():
        left = {path.name for path in directory.path.iterdir()}
    assert left == {".writer", living.name}
    assert list(directory.path.iterdir()) == [living]


@pytest.mark.parametrize("removed", [".writer", ".lock"])
def test_removing_a_file_does_not_free_the_lock(
    directory: RunDirectory, holder: subprocess.Popen, removed: str
):
    (directory.path / removed).unlink(missing_ok=True)
    assert directory.is_locked()
    with pytest.raises(RunError, match="another process"), directory.lock():
        pass


def test_where_folders_cannot_be_locked_a_file_is(directory: RunDirectory, monkeypatch):
    monkeypatch.setattr("optrun.store.lock.lock_of_folder", lambda *_: None)
    with directory.lock():
        assert directory.is_locked()
        with pytest.raises(RunError, match="another process"), directory.lock():
            pass
    assert not directory.is_locked()


def test_a_lock_is_of_the_folder_that_is_there_now(directory: RunDirectory, monkeypatch):
    import fcntl

    real, replaced = fcntl.flock, []

    def replace_first(descriptor: int, operation: int) -> None:
        if not replaced:
            replaced.append(directory.path.rename(directory.path.with_name("old")))
            directory.create()
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", replace_first)
    with directory.lock():
        assert directory.is_locked()
        assert not RunDirectory(replaced[0]).is_locked()


def test_an_exception_in_the_block_frees_the_lock(directory: RunDirectory):
    with pytest.raises(ZeroDivisionError), directory.lock():
        raise ZeroDivisionError
    assert not directory.is_locked()


def test_a_summary_carries_the_format_and_reads_back_with_all_its_keys(directory: RunDirectory):
    directory.write_summary({"status": "running", "epochs": 3, "test_loss": float("nan")})
    text = (directory.path / "summary.json").read_text(encoding="utf-8")
    assert json.loads(text) == {
        "status": "running", "epochs": 3, "test_loss": None, "format": FORMAT,
    }  # fmt: skip
    assert directory.read_summary() == EMPTY_SUMMARY | {"status": "running", "epochs": 3}


WHOLE = {"status": "finished", "format": FORMAT, "epochs": 3, "val_loss": 0.5}


@pytest.mark.parametrize(
    "change",
    [
        {"status": None}, {"status": 1}, {"status": "no such"}, {"format": None}, {"format": "1"},
        {"epochs": -1}, {"epochs": 1.5}, {"epochs": True}, {"epochs": 10**30}, {"epochs": [1]},
        {"val_loss": "much"}, {"val_loss": {}}, {"val_loss": 10**400}, {"name": ["x"]},
        {"started": "yesterday"}, {"started": 5}, {"reason": {"a": 1}},
    ],
    ids=str,
)  # fmt: skip
def test_a_summary_that_no_run_has_is_damaged(directory: RunDirectory, change: dict):
    (directory.path / "summary.json").write_text(json.dumps(WHOLE | change))
    with pytest.raises(RunError, match=r"summary\.json is damaged"):
        directory.read_summary()
    (row,) = list_runs(directory.path.parent)
    assert row.status == "unreadable"


def test_a_newer_format_asks_for_an_upgrade(directory: RunDirectory):
    newer = f'{{"status": "finished", "optrun": "9.1", "format": {FORMAT + 1}}}'
    (directory.path / "summary.json").write_text(newer)
    with pytest.raises(RunError, match=r"optrun 9\.1 in format 2; .*upgrade"):
        directory.read_summary()


def test_checkpoint_best_and_environment_come_back(directory: RunDirectory):
    assert not directory.has_checkpoint() and not directory.has_best()
    directory.save_checkpoint({"step": 5, "state": np.ones(3, np.float32)})
    directory.save_best({"layers.0.bias": np.zeros(2)})
    directory.write_environment({"python": "3.11"})
    assert directory.has_checkpoint() and directory.has_best()
    assert directory.load_checkpoint()["state"].dtype == np.float32
    assert directory.load_best()["layers.0.bias"].shape == (2,)
    assert directory.read_environment() == {"python": "3.11"}


@pytest.mark.parametrize("name", ["../../x", "/tmp/x", "x.py", ".writer"])
def test_files_from_elsewhere_have_the_names_of_a_run_s(directory: RunDirectory, name: str):
    with pytest.raises(RunError, match=f"a run has no file named '{name}'"):
        directory.write_all({"metrics.csv": b"", name: b""})
    assert not list(directory.path.iterdir())


def test_a_link_in_the_place_of_the_writer_s_note_is_not_written_through(directory: RunDirectory):
    elsewhere = directory.path.with_name("elsewhere")
    elsewhere.write_text("mine")
    (directory.path / ".writer").symlink_to(elsewhere)
    with directory.lock():
        pass
    assert elsewhere.read_text() == "mine"


def test_the_tables_have_their_columns(directory: RunDirectory):
    with directory.open_metrics() as table:
        table.append([{"epoch": 0, "step": 0}])
    with directory.open_steps() as table:
        mark = table.mark()
        table.append([{"step": 1, "epoch": 0.5}])
    assert list(directory.read_metrics()) == list(EPOCH_COLUMNS)
    assert directory.read_metrics()["epoch"].dtype == "int64"
    assert directory.read_steps()["epoch"].tolist() == [0.5]
    directory.open_steps(mark).close()
    assert len(directory.read_steps()) == 0


def test_a_run_brought_in_from_elsewhere_can_be_taken_up_wherever_that_breaks_off(
    tmp_path, monkeypatch
):
    elsewhere = train(tmp_path / "elsewhere", "training.epochs=6").path
    files = RunDirectory(elsewhere).read_all()
    assert {"checkpoint.npz", "metrics.csv", "steps.csv", "environment.json"} <= files.keys()
    for count in range(len(files) + 1):
        written: list[str] = []

        def write(path, content, count=count, written=written):
            if len(written) < count:
                written.append(path.name)
                path.write_bytes(content)

        monkeypatch.setattr("optrun.store.run_directory.write_bytes", write)
        here = RunDirectory(tmp_path / f"here-{count}" / elsewhere.name)
        here.create()
        here.write_all(files)
        monkeypatch.undo()
        assert same_results(train(here.path.parent, "training.epochs=6").path, elsewhere)
