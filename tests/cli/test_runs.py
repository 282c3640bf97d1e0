"""`optrun runs`."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from optrun.cli import runs
from optrun.errors import RunError, UserError
from optrun.store.reading import list_runs
from optrun.sweep.directory import SweepDirectory
from optrun.sweep.results.rows import row_of, write_results
from tests.runs_factory import resolved_config, write_run

app = typer.Typer()
app.command("runs")(runs.runs)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_run(tmp_path, resolved_config(name="first"), epochs=2, val_accuracy=0.5)
    write_run(tmp_path, resolved_config(name="[red]second"), epochs=9, val_accuracy=0.8,
              val_loss=0.25, started="2024-05-02T00:00:00", seconds_train=12.34)  # fmt: skip
    write_run(tmp_path, resolved_config(name="third"), epochs=3, status="running",
              validation=False, started="2024-05-03T00:00:00")  # fmt: skip
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "summary.json").write_text("{")
    return tmp_path


def output(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def names(*arguments: str) -> list[str]:
    return [row["name"] for row in json.loads(output(*arguments, "--json"))]


def test_the_table_has_a_line_a_run(root: Path):
    heading, *lines = output(str(root)).splitlines()
    assert heading.split()[:4] == ["name", "id", "status", "started"]
    assert [line.split()[0] for line in lines] == ["first", "[red]second", "third", "broken"]
    assert all(word in lines[1] for word in ("finished", "9", "0.25", "80.00%", "12.3 s"))
    assert "interrupted" in lines[2] and "unreadable" in lines[3]


def test_json_has_all_columns_unrounded(root: Path):
    row = json.loads(output(str(root), "--json"))[1]
    assert row["seconds_train"] == 12.34 and row["val_loss"] == 0.25
    assert row["test_accuracy"] is None
    assert Path(row["directory"]).parent == root


def table(root: Path, width: int) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(runs.table_of(list_runs(root), width))
    return console.export_text().splitlines()


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
@pytest.mark.parametrize("name", ["short", "a-name-that-is-long-" * 4])
def test_a_narrow_table_breaks_no_id_and_no_status(tmp_path: Path, width: int, name: str):
    configs = [resolved_config(name=name, optimizer__lr=lr) for lr in (0.1, 0.01)]
    paths = [write_run(tmp_path, configs[0], epochs=2, status="running")]
    paths += [write_run(tmp_path, configs[1], epochs=2, test_accuracy=0.5)]
    heading, *lines = table(tmp_path, width)
    assert len(lines) == 2 and max(map(len, [heading, *lines])) <= width
    text = "\n".join(lines)
    assert all(path.name[-16:] in text for path in paths)
    assert "interrupted" in text and "finished" in text
    assert "lr=0.1" in text and "lr=0.01" in text
    assert ("…" in text) == (width < 160 and name != "short")
    assert ("train time" in heading) == (width > 110)


def test_the_year_is_shown_where_it_tells(root: Path):
    assert "05-02 00:00" in table(root, 200)[2]
    write_run(root, resolved_config(name="later"), started="2025-01-01T10:00:00")
    assert "2024-05-02 " in table(root, 200)[2]


def test_runs_are_told_apart_by_their_settings(tmp_path: Path):
    for seed in range(2):
        write_run(tmp_path, resolved_config(seed=seed, training__log_every=seed + 1), epochs=1)
    heading, *lines = output(str(tmp_path)).splitlines()
    assert heading.rstrip().endswith("differs")
    assert sorted(line.split()[-1] for line in lines) == ["seed=0", "seed=1"]


def test_a_run_itself_is_a_table_of_one(tmp_path: Path):
    path = write_run(tmp_path, epochs=1)
    _, line = output(str(path)).splitlines()
    assert path.name[-16:] in line


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("started", ["first", "[red]second", "third", "broken"]),
        ("val_accuracy", ["[red]second", "first", "third", "broken"]),
        ("val acc", ["[red]second", "first", "third", "broken"]),
        ("epochs", ["first", "third", "[red]second", "broken"]),
        ("name", ["[red]second", "broken", "first", "third"]),
    ],
)
def test_runs_are_sorted_by_a_column(root: Path, column: str, expected: list[str]):
    assert names(str(root), "--sort", column) == expected


def test_an_unknown_column_names_the_nearest(root: Path):
    result = CliRunner().invoke(app, [str(root), "--sort", "val_acuracy"])
    assert isinstance(result.exception, UserError)
    assert "did you mean val_accuracy?" in str(result.exception)
    assert "started, epochs, train loss (train_loss), val loss (val_loss), val acc" in str(
        result.exception
    )
    assert "directory" not in str(result.exception)


def test_a_column_like_no_other_is_told_in_one_sentence(root: Path):
    result = CliRunner().invoke(app, [str(root), "--sort", "foo"])
    assert str(result.exception).startswith("no column is called foo; there are name, id, status,")


def test_an_empty_root_says_so(tmp_path: Path):
    assert output(str(tmp_path)) == f"No runs in {tmp_path} yet.\n"
    assert json.loads(output(str(tmp_path), "--json")) == []


def make_sweep(root: Path, name: str, paths: list[Path]) -> SweepDirectory:
    """A sweep's directory, with these runs in its results."""
    directory = SweepDirectory.named(root, name)
    directory.path.mkdir(parents=True)
    directory.spec.write_text("sweep: {}")
    rows = [row_of(path, {"x": i}, 0) for i, path in enumerate(paths)]
    write_results(directory.results, rows, ["x"])
    return directory


def test_only_the_runs_of_a_sweep_that_have_begun(root: Path):
    third, first = (next(root.glob(f"{name}-*")) for name in ("third", "first"))
    make_sweep(root, "rates", [third, root / "not-begun-0123456789", first])
    assert names(str(root), "--sweep", "rates", "--sort", "name") == ["first", "third"]
    assert names(str(root), "--sweep", "rates", "--sort", "val_accuracy") == ["first", "third"]
    _, *lines = output(str(root), "--sweep", "rates").splitlines()
    assert [line.split()[0] for line in lines] == ["first", "third"]
    assert "interrupted" in lines[1], "the state of now, not of when results were written"
    (row, _) = json.loads(output(str(root), "--sweep", "rates", "--json"))
    alone = json.loads(output(str(root), "--json"))[0]
    del alone["test_accuracy"], alone["test_loss"]
    assert row == alone | {"settings": {"x": 2}, "seed": 0}


def test_a_sweeps_runs_have_no_test_figures(tmp_path: Path):
    paths = [write_run(tmp_path, resolved_config(seed=i), test_accuracy=0.123456) for i in range(2)]
    make_sweep(tmp_path, "rates", paths)
    assert "12.35%" in output(str(tmp_path)) and "test acc" in output(str(tmp_path))
    for form in ([], ["--json"]):
        text = output(str(tmp_path), "--sweep", "rates", *form)
        assert (
            "12.35%" not in text
            and "0.123456" not in text
            and "test acc" not in text
            and "test_" not in text.replace(str(tmp_path), "")
        )


@pytest.mark.parametrize("column", ["test_accuracy", "test acc", "test_loss", "test loss"])
def test_a_sweeps_runs_cannot_be_sorted_by_test_figures(root: Path, column: str):
    make_sweep(root, "rates", [next(root.glob("first-*"))])
    assert len(names(str(root), "--sort", column)) == 4, "without a sweep they can"
    result = CliRunner().invoke(app, [str(root), "--sweep", "rates", "--sort", column])
    assert isinstance(result.exception, UserError)
    assert str(result.exception) == (
        f"a sweep's runs are not sorted by {column}: test figures are for the setting chosen, and "
        "the sweep's summary.md has them; sort by val_accuracy or val_loss"
    )


def test_a_column_that_a_sweep_lacks_is_not_offered(root: Path):
    make_sweep(root, "rates", [next(root.glob("first-*"))])
    result = CliRunner().invoke(app, [str(root), "--sweep", "rates", "--sort", "foo"])
    assert isinstance(result.exception, UserError) and "test" not in str(result.exception)


def test_a_sweeps_run_that_was_stopped_is_called_as_in_its_results(tmp_path: Path):
    path = write_run(tmp_path, epochs=2, status="stopped")
    make_sweep(tmp_path, "rates", [path])
    (row,) = json.loads(output(str(tmp_path), "--sweep", "rates", "--json"))
    assert row["status"] == "paused"


def test_a_sweeps_diverged_run_has_no_figure_to_be_sorted_by(tmp_path: Path):
    well = write_run(tmp_path, resolved_config(name="well"), val_accuracy=0.5)
    diverged = write_run(tmp_path, resolved_config(name="diverged"), epochs=2, status="diverged",
                         diverged_step=250, val_accuracy=0.9)  # fmt: skip
    make_sweep(tmp_path, "rates", [diverged, well])
    text = output(str(tmp_path), "--sweep", "rates", "--sort", "val_accuracy", "--json")
    assert [row["val_accuracy"] for row in json.loads(text)] == [0.5, None]


def test_a_sweeps_run_that_was_deleted_since_is_not_hidden(root: Path):
    path = write_run(root, resolved_config(name="gone"))
    make_sweep(root, "rates", [path])
    for file in path.iterdir():
        file.unlink()
    path.rmdir()
    (row,) = json.loads(output(str(root), "--sweep", "rates", "--json"))
    assert (row["name"], row["status"]) == (path.name, "unreadable")


def test_a_sweep_of_which_nothing_has_begun_says_so(root: Path):
    make_sweep(root, "rates", [root / "not-begun-0123456789"])
    assert output(str(root), "--sweep", "rates") == f"No runs of rates in {root} yet.\n"


def test_an_unknown_sweep_names_those_that_there_are(root: Path):
    for name in ("rates", "optimizers"):
        make_sweep(root, name, [])
    result = CliRunner().invoke(app, [str(root), "--sweep", "rate"])
    assert isinstance(result.exception, RunError)
    assert str(result.exception) == (
        f"no sweep in {root}/sweeps is named rate; there are optimizers, rates"
    )


def test_the_commands_import_nothing_heavy():
    code = (
        "import sys; import optrun.cli.plot, optrun.cli.runs; "
        "print([m for m in ('numba', 'pandas', 'matplotlib', 'numpy', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
