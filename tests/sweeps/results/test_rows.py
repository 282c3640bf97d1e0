"""results.csv: rows from run directories, and back from the file what was written."""

import csv
import json
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optrun.errors import RunError
from optrun.metrics import EVALUATED, TESTED
from optrun.store.reading import load_run
from optrun.store.run_directory import RunDirectory
from optrun.sweeps.results.rows import (
    FIXED,
    ResultRow,
    read_results,
    row_of,
    row_without_figures,
    with_test_figures,
    write_results,
)
from tests.runs_factory import write_run

BEST = {"train_loss": 0.4, "train_accuracy": 0.9, "val_loss": 0.5, "val_accuracy": 0.8,
        "average_train_loss": 0.3, "average_train_accuracy": 0.95, "average_val_loss": 0.45,
        "average_val_accuracy": 0.85}  # fmt: skip
FIGURES = dict.fromkeys(EVALUATED) | {
    "train_loss": 0.1 + 0.2, "train_accuracy": 1.0, "val_loss": 1e-300,
}  # fmt: skip
ROW = ResultRow(
    settings={"optimizer.name": "adam", "optimizer.lr": 1e-05, "model.hidden": [64, 32]},
    seed=3,
    status="finished",
    epochs=5,
    best_epoch=2,
    average_best_epoch=3,
    best=FIGURES,
    final=FIGURES | {"val_loss": 0.5},
    test=dict.fromkeys(TESTED) | {"test_accuracy": 0.75},
    id="3f9c2a7d10",
    directory="toy-3f9c2a7d10",
    reason=None,
)
HEADING = ",".join(FIXED)
KEYS = ("optimizer.name", "optimizer.lr", "model.hidden")


def test_the_file_is_plain_csv(tmp_path: Path):
    other = replace(
        ROW, settings={"optimizer.name": "sgd"}, status="diverged", reason='loss "nan", at once'
    )
    write_results(tmp_path / "results.csv", [ROW, other], KEYS)
    heading, first, second = (tmp_path / "results.csv").read_text().splitlines()
    assert heading == (
        "optimizer.name,optimizer.lr,model.hidden,seed,status,epochs,best_epoch,"
        "average_best_epoch,"
        "best_train_loss,best_train_accuracy,best_val_loss,best_val_accuracy,"
        "best_average_train_loss,best_average_train_accuracy,best_average_val_loss,"
        "best_average_val_accuracy,"
        "final_train_loss,final_train_accuracy,final_val_loss,final_val_accuracy,"
        "final_average_train_loss,final_average_train_accuracy,final_average_val_loss,"
        "final_average_val_accuracy,"
        "test_loss,test_accuracy,average_test_loss,average_test_accuracy,"
        "id,directory,reason"
    )
    figures = "0.30000000000000004,1.0,1e-300,,,,,,0.30000000000000004,1.0,0.5,,,,,,,0.75,,"
    assert first == (f'adam,1e-05,"[64, 32]",3,finished,5,2,3,{figures},3f9c2a7d10,toy-3f9c2a7d10,')
    assert second.startswith(f"sgd,,,3,diverged,5,2,3,{figures}")
    assert second.endswith(',"loss ""nan"", at once"')


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
written = texts | st.sampled_from(["1", "1e-3", "true", "null", "", " ", "[1]", "NaN", '"a"'])
values = st.recursive(
    plain | written, lambda v: st.lists(v, max_size=3) | st.dictionaries(texts, v, max_size=3)
)
figures = st.fixed_dictionaries(
    dict.fromkeys(EVALUATED, st.none() | st.floats(allow_nan=False, allow_infinity=False))
)
counts = st.none() | st.integers(0, 10**6)
rows = st.builds(
    ResultRow,
    settings=st.dictionaries(st.sampled_from(KEYS), values),
    seed=st.integers(0, 2**63),
    status=st.sampled_from(["finished", "diverged", "failed", "paused", "waiting"]),
    epochs=counts,
    best_epoch=counts,
    average_best_epoch=counts,
    best=figures,
    final=figures,
    test=st.fixed_dictionaries(dict.fromkeys(TESTED, st.none() | st.floats(0, 1))),
    id=st.sampled_from(["3f9c2a7d10", "1234567890", "12345e6789"]),
    directory=st.text("a-é\"', 1", min_size=1, max_size=8),
    reason=st.none() | st.text("a-é\"', 1", min_size=1, max_size=8),
)


def exactly(row: ResultRow) -> str:
    return json.dumps(asdict(row), sort_keys=True)


@settings(deadline=None, max_examples=40)
@given(st.lists(rows, max_size=5))
def test_what_was_written_is_read_back(tmp_path_factory, rows: list[ResultRow]):
    path = tmp_path_factory.mktemp("results") / "results.csv"
    write_results(path, rows, KEYS)
    results = read_results(path)
    assert results.keys == KEYS
    assert list(map(exactly, results.rows)) == list(map(exactly, rows))


def test_a_thousand_rows_take_milliseconds(tmp_path: Path):
    path = tmp_path / "results.csv"
    many = [replace(ROW, seed=seed) for seed in range(1000)]

    def seconds() -> float:
        begun = time.perf_counter()
        write_results(path, many, KEYS)
        read_results(path)
        return time.perf_counter() - begun

    assert min(seconds() for _ in range(3)) < 0.2  # 25 ms where nothing else runs


def test_a_row_has_the_chosen_epoch_and_the_last(tmp_path: Path):
    path = write_run(tmp_path, epochs=4, best_epoch=2, average_best_epoch=3, test_accuracy=0.7,
                     **BEST)  # fmt: skip
    row = row_of(path, {"optimizer.lr": 0.001}, 5)
    last = load_run(path).metrics.iloc[-1]
    assert row.best == BEST
    assert row.final == {
        name: last[name] if np.isfinite(last[name]) else None for name in EVALUATED
    }
    assert (row.status, row.epochs, row.best_epoch, row.seed) == ("finished", 4, 2, 5)
    assert row.average_best_epoch == 3
    assert row.id == load_run(path).summary["id"] and tmp_path / row.directory == path
    assert row.settings == {"optimizer.lr": 0.001} and row.reason is None


@pytest.mark.parametrize(
    ("summary", "status", "reason"),
    [
        ({"status": "stopped", "reason": "stopped on request"}, "paused", None),
        ({"status": "stopped", "reason": "paused after epoch 2 of 4"}, "paused", None),
        ({"status": "diverged", "reason": "loss is nan"}, "diverged", "loss is nan"),
        (
            {"status": "failed", "reason": "OSError: a\n b", "epochs": None},
            "failed",
            "OSError: a b",
        ),
        ({"status": "running", "epochs": None}, "paused", None),
    ],
)
def test_runs_that_did_not_finish_have_what_they_came_to(
    tmp_path: Path, summary: dict[str, Any], status: str, reason: str | None
):
    path = write_run(tmp_path, epochs=3)
    files = RunDirectory(path)
    files.write_summary(files.read_summary() | summary)
    row = row_of(path, {}, 0)
    assert (row.status, row.epochs, row.reason) == (status, 3, reason)
    assert row.final["val_loss"] == load_run(path).metrics["val_loss"].iloc[-1]


def test_a_diverged_run_has_no_best_figures_for_they_are_of_a_barely_trained_model(tmp_path: Path):
    path = write_run(tmp_path, epochs=2, status="diverged", diverged_step=250)
    assert RunDirectory(path).read_summary()["val_accuracy"] is not None
    row = row_of(path, {}, 0)
    assert set(row.best.values()) == {None} and row.best_epoch is None
    assert row.final["val_loss"] is not None and row.epochs is not None


def test_figures_that_are_not_finite_are_absent(tmp_path: Path):
    path = write_run(tmp_path, epochs=2, status="diverged", diverged_step=250, validation=False)
    table = (path / "metrics.csv").read_text().splitlines()
    table[-1] = table[-1].replace(repr(row_of(path, {}, 0).final["train_loss"]), "inf")
    (path / "metrics.csv").write_text("\n".join(table) + "\n")
    row = row_of(path, {}, 0)
    assert row.final["train_loss"] is None and row.final["val_loss"] is None
    assert row.final["train_accuracy"] is not None


def test_a_run_not_begun_is_waiting(tmp_path: Path):
    row = row_of(tmp_path / "toy-b-3f9c2a7d10", {"a": 1}, 2)
    assert (row.status, row.id, row.directory) == ("waiting", "3f9c2a7d10", "toy-b-3f9c2a7d10")
    assert row.epochs is None and set(row.best.values()) == {None}


def test_a_run_that_left_no_word_has_the_reason_given(tmp_path: Path):
    row = row_without_figures(tmp_path / "toy-3f9c2a7d10", {"a": 1}, 2, "failed", "killed twice")
    assert (row.status, row.reason, row.epochs) == ("failed", "killed twice", None)


def test_a_repeated_run_gives_the_same_bytes(tmp_path: Path):
    for place, seconds in (("a", 1.0), ("b", 9.0)):
        path = write_run(tmp_path / place, started=f"2024-05-0{seconds:.0f}", seconds_train=seconds,
                         peak_memory_mb=100 * seconds, test_accuracy=0.123456)  # fmt: skip
        write_results(tmp_path / place / "results.csv", [row_of(path, {}, 0)], ())
    texts = [(tmp_path / place / "results.csv").read_bytes() for place in "ab"]
    assert texts[0] == texts[1]
    assert b"0.123456" not in texts[0], "test figures are for what is chosen"
    header = next(csv.reader(texts[0].decode().splitlines()))
    assert not [name for name in header if "second" in name]


def test_only_finished_runs_have_test_figures(tmp_path: Path):
    path = write_run(tmp_path, test_accuracy=0.7, test_loss=0.4, average_test_accuracy=0.8)
    row = row_of(path, {}, 0)
    expected = dict(zip(TESTED, (0.4, 0.7, None, 0.8), strict=True))
    assert with_test_figures(row, tmp_path) == replace(row, test=expected)
    paused = replace(row, status="paused")
    assert with_test_figures(paused, tmp_path) is paused


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it does not have the columns"),
        (b"a,b\n1,2\n", "it does not have the columns"),
        (f"{HEADING}\n1,finished\n".encode(), "a line has 2 fields instead of 28"),
        (f"{HEADING}\n{'x,' * 27}\n".encode(), "could not convert"),
        (b"\xff", "it is not text"),
    ],
)
def test_a_damaged_file_says_what_to_do(tmp_path: Path, content: bytes, says: str):
    path = tmp_path / "results.csv"
    path.write_bytes(content)
    with pytest.raises(RunError) as error:
        read_results(path)
    assert str(error.value).startswith(f"{path} is damaged: {says}")
    assert str(error.value).endswith("; start the sweep again, which writes it anew")


def test_an_absent_file_is_named(tmp_path: Path):
    with pytest.raises(RunError, match=r"results\.csv does not exist"):
        read_results(tmp_path / "results.csv")


def test_a_damaged_run_is_named(tmp_path: Path):
    path = write_run(tmp_path)
    (path / "summary.json").write_text(json.dumps({"format": 99, "status": "finished"}))
    with pytest.raises(RunError, match="upgrade it"):
        row_of(path, {}, 0)


def test_a_row_is_read_without_pandas():
    code = (
        "import sys; import optrun.sweeps.results.rows; "
        "print([m for m in ('numba', 'pandas', 'matplotlib', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A0", "+1+1", "-2+3", "@SUM(1)"])
def test_no_text_is_a_formula_to_a_spreadsheet(tmp_path: Path, text: str):
    row = row_without_figures(tmp_path / "toy-3f9c2a7d10", {"a": text}, 0, "failed", text)
    write_results(tmp_path / "results.csv", [row], ["a"])
    table = (tmp_path / "results.csv").read_text(encoding="utf-8").splitlines()
    fields = list(csv.reader(table))[1]
    assert not any(field.startswith(("=", "+", "-", "@")) for field in fields)
    assert read_results(tmp_path / "results.csv").rows[0].settings == {"a": text}
