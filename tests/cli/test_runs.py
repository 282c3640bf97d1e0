"""`optrun runs`."""

import io
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from optrun.cli import runs
from optrun.cli.runs_table import columns_of, table_of
from optrun.errors import RunError, UserError
from optrun.sweeps.directory import SweepDirectory
from optrun.sweeps.listing import runs_in, tell_apart
from optrun.sweeps.results.rows import row_of, write_results
from tests.runs_factory import resolved_config, write_run

OPTIMIZER = ["adam,", "lr=0.01,", "beta1=0.9,", "eps=1e-08,", "clipping=none"]

app = typer.Typer()
app.command("runs")(runs.runs)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_run(tmp_path, resolved_config(name="first"), epochs=2, val_accuracy=0.5)
    write_run(tmp_path, resolved_config(name="[red]second"), epochs=9, val_accuracy=0.8,
              val_loss=0.25, started="2024-05-02T12:00:00", seconds_train=12.34)  # fmt: skip
    write_run(tmp_path, resolved_config(name="third"), epochs=3, status="running",
              validation=False, started="2024-05-03T12:00:00")  # fmt: skip
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
    assert heading.split()[:4] == ["name", "settings", "status", "epochs"]
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
    found = runs_in(root)
    tell_apart(found)
    console.print(table_of(columns_of(found), width))
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
    assert "05-02 12:00" in table(root, 200)[2]
    write_run(root, resolved_config(name="later"), started="2025-07-01T10:00:00")
    assert "2024-05-02 " in table(root, 200)[2]


@pytest.mark.parametrize(
    ("zone", "shown"),
    [("UTC", "05-02 12:00"), ("XXX-05:30", "05-02 17:30"), ("XXX+13", "05-01 23")],
)
def test_times_are_local(root: Path, zone: str, shown: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert shown in table(root, 200)[2]
        (row,) = json.loads(output(str(root), "--json", "--where", "status=finished", "--limit=1"))
        assert row["started"] == "2024-05-02T12:00:00", "JSON has what is stored"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_runs_are_told_apart_by_their_settings(tmp_path: Path):
    for seed in range(2):
        write_run(tmp_path, resolved_config(seed=seed, training__log_every=seed + 1), epochs=1)
    write_run(tmp_path, resolved_config(name="other", optimizer__lr=9.0), epochs=1)
    _, *lines = output(str(tmp_path)).splitlines()
    assert sorted(line.split()[1] for line in lines) == ["-", "seed=0", "seed=1"]


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
    assert "epochs, train loss (train_loss), val loss (val_loss), val acc" in str(result.exception)
    assert "directory" not in str(result.exception)


def test_a_column_like_no_other_is_told_in_one_sentence(root: Path):
    result = CliRunner().invoke(app, [str(root), "--sort", "foo"])
    told = "no column to sort by is called foo; there are name, status, epochs,"
    assert str(result.exception).startswith(told)


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
    assert row == alone | {"settings": {"x": 2}, "sweep": "rates"}


@pytest.fixture
def swept(tmp_path: Path) -> Path:
    """A sweep of which run 1 did best on validation, and another run; all have test figures."""
    paths = [
        write_run(tmp_path, resolved_config(seed=i), val_accuracy=0.5 + i / 10, test_accuracy=0.91)
        for i in range(2)
    ]
    make_sweep(tmp_path, "rates", paths)
    write_run(tmp_path, resolved_config(name="single"), test_accuracy=0.92)
    return tmp_path


def sees(*arguments: str) -> dict[str, list[float | None]]:
    """The test accuracies that are listed, by name, in order of the seed."""
    rows = json.loads(output(*arguments, "--sort", "seed", "--json"))
    seen: dict[str, list[float | None]] = {}
    for row in rows:
        assert (row["test_loss"] is None) or row["test_accuracy"] is not None
        seen.setdefault(row["name"], []).append(row["test_accuracy"])
    return seen


def test_the_candidates_of_a_sweep_have_no_test_figures(swept: Path):
    assert sees(str(swept)) == {"glyphs-mlp": [None, None], "single": [0.92]}
    assert sees(str(swept), "--sweep", "rates") == {"glyphs-mlp": [None, None]}
    assert sees(str(swept / "sweeps" / "rates")) == {"glyphs-mlp": [None, None]}
    candidate = next(path for path in swept.glob("glyphs-mlp-*"))
    assert sees(str(candidate)) == {"glyphs-mlp": [None]}
    text = output(str(swept))
    assert "91.00%" not in text and "92.00%" in text
    assert "test" not in output(str(swept), "--sweep", "rates")


def test_those_of_an_earlier_sweep_have_none_either(swept: Path):
    directory = SweepDirectory.named(swept, "rates")
    (directory.path / "earlier-1").mkdir()
    for file in (directory.results, directory.spec):
        file.rename(directory.path / "earlier-1" / file.name)
    assert sees(str(swept))["glyphs-mlp"] == [None, None]
    assert sees(str(directory.path / "earlier-1")) == {"glyphs-mlp": [None, None]}


def test_the_setting_that_a_sweep_chose_has_test_figures_once_it_is_over(swept: Path):
    directory = SweepDirectory.named(swept, "rates")
    directory.spec.write_text("sweep: {metric: val_accuracy}")
    assert sees(str(swept))["glyphs-mlp"] == [None, None], "it has no summary yet"
    directory.summary.write_text("# rates")
    assert sees(str(swept))["glyphs-mlp"] == [None, 0.91]
    assert sees(str(swept), "--sweep", "rates") == {"glyphs-mlp": [None, 0.91]}
    paths = [*sorted(swept.glob("glyphs-mlp-*")), swept / "not-begun-0123456789"]
    write_results(directory.results, [row_of(p, {"x": i}, 0) for i, p in enumerate(paths)], ["x"])
    assert sees(str(swept))["glyphs-mlp"] == [None, None], "there is more to be done"


def test_results_of_another_version_hide_test_figures_too(swept: Path):
    file = SweepDirectory.named(swept, "rates").results
    file.write_text(file.read_text().replace("status", "state"))
    assert sees(str(swept)) == {"glyphs-mlp": [None, None], "single": [0.92]}


def test_a_damaged_sweep_does_not_keep_runs_from_being_listed(swept: Path):
    SweepDirectory.named(swept, "rates").results.write_text("nonsense")
    assert len(names(str(swept))) == 3


@pytest.mark.parametrize("path", ["sweeps/rates", "sweeps/rates/"])
def test_the_directory_of_a_sweep_lists_its_runs(swept: Path, path: str):
    in_it = output(str(swept), "--sweep", "rates")
    assert output(f"{swept}/{path}") == in_it
    assert output(str(swept), "--sweep", f"{swept}/{path}") == in_it


def test_the_folder_of_sweeps_names_them(swept: Path):
    make_sweep(swept, "others", [])
    result = CliRunner().invoke(app, [str(swept / "sweeps")])
    assert isinstance(result.exception, RunError)
    assert str(result.exception) == (
        f"{swept}/sweeps holds sweeps, not runs; write {swept}/sweeps/others, or --sweep others; "
        "there are others, rates"
    )


def test_several_places_are_listed_together_and_each_run_once(swept: Path):
    single = next(swept.glob("single-*"))
    assert names(str(single), str(swept / "sweeps" / "rates"), str(single)) == [
        "single",
        "glyphs-mlp",
        "glyphs-mlp",
    ]
    result = CliRunner().invoke(app, [str(swept), str(single), "--sweep", "rates"])
    assert "--sweep rates takes one folder of runs, and 2 are given" in str(result.exception)


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """Two rates with three seeds each, of which one diverged, and a run of another name."""
    for lr, accuracies in ((0.1, (0.5, 0.6, 0.7)), (0.01, (0.8, 0.9, None))):
        for seed, accuracy in enumerate(accuracies):
            ended: dict = {} if accuracy else {"status": "diverged", "diverged_step": 250}
            config = resolved_config(name="rates", optimizer__lr=lr, seed=seed)
            write_run(tmp_path, config, epochs=2, val_accuracy=accuracy, val_loss=1.0, **ended)
    again = resolved_config(name="rates", optimizer__lr=0.1, training__log_every=1)
    write_run(tmp_path, again, val_accuracy=0.4, val_loss=1.0, started="2025-01-01T00:00:00")
    write_run(tmp_path, resolved_config(name="single"), val_accuracy=0.25)
    return tmp_path


def test_runs_by_setting_have_the_mean_and_deviation_over_seeds(seeds: Path):
    lines = output(str(seeds), "--name", "rates", "--by-setting").splitlines()
    assert [line.split() for line in lines] == [
        ["name", "settings", "n", "val", "loss", "val", "acc", "others"],
        ["rates", "lr=0.01", "2", "1", "±", "0", "85.00", "±", "7.07", "%", "1", "diverged"],
        ["rates", "lr=0.1", "3", "1", "±", "0", "56.67", "±", "15.28", "%", "-"],
    ]


def test_by_setting_as_json_sorted_and_cut(seeds: Path):
    rows = json.loads(output(str(seeds), "--by-setting", "--json"))
    assert [(row["name"], row["settings"], row["n"]) for row in rows] == [
        ("rates", {"optimizer.lr": 0.01}, 2),
        ("rates", {"optimizer.lr": 0.1}, 3),
        ("single", {}, 1),
    ]
    first = rows[1]
    figures = [0.4, 0.6, 0.7]  # of two runs with seed 0 the later one counts
    assert first["figures"]["val_accuracy"] == {
        "mean": statistics.fmean(figures),
        "std": statistics.stdev(figures),
        "n": 3,
    }
    assert (first["seeds"], first["statuses"]) == ([0, 1, 2], {"finished": 3})
    assert not any("test" in figure for figure in first["figures"])
    text = output(str(seeds), "--by-setting", "--sort", "val_accuracy", "--limit", "2", "--json")
    assert [row["settings"] for row in json.loads(text)] == [row["settings"] for row in rows[:2]]
    text = output(str(seeds), "--by-setting", "--sort", "name", "--limit", "1", "--json")
    assert json.loads(text) == rows[:1]
    for wrong, message in (
        (("--columns", "name"), "not with --by-setting"),
        (("--sort", "test_accuracy"), "There are name, train loss"),
    ):
        result = CliRunner().invoke(app, [str(seeds), "--by-setting", *wrong])
        assert message in str(result.exception)


def test_runs_are_sorted_by_a_setting(seeds: Path):
    text = output(str(seeds), "--name", "rates", "--sort", "lr", "--columns", "optimizer.lr")
    rates = [float(line) for line in text.splitlines()[1:]]
    assert rates == sorted(rates) and len({*rates}) == 2


def test_a_config_is_no_run(tmp_path: Path):
    (tmp_path / "x.yaml").write_text("name: x")
    result = CliRunner().invoke(app, [str(tmp_path / "x.yaml")])
    assert "is a config, not a run; `optrun train" in str(result.exception)


@pytest.mark.parametrize(
    ("conditions", "count"),
    [
        (["optimizer.lr=0.1"], 4),
        (["optimizer.lr=1e-2"], 3),
        (["lr=0.01", "status=diverged"], 1),
        (["optimizer=adam"], 8),
        (["optimizer.name=sgd"], 0),
        (["model.hidden=[64]", "seed=1"], 2),
        (["dataset.subset=null"], 8),
        (["val acc=0.25"], 1),
        (["name=single"], 1),
    ],
)
def test_conditions(seeds: Path, conditions: list[str], count: int):
    options = [word for condition in conditions for word in ("--where", condition)]
    assert len(names(str(seeds), *options)) == count


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--where", "lr"], "--where lr is no condition; write key=value"),
        (
            ["--where", "optimizer.lt=1"],
            "no column or setting is called optimizer.lt; did you mean",
        ),
        (["--where", "name2=1"], "did you mean `name`"),
        (["--columns", "name,epoch"], "did you mean `epochs`"),
        (["--columns", " , "], "names no column; there are name,"),
        (["--columns", "l"], "no column or setting is called l"),
        (["--name", "rate"], "no run here is named rate; did you mean `rates`?"),
    ],
)
def test_mistakes_in_choosing_are_told_with_what_there_is(seeds: Path, options, message: str):
    result = CliRunner().invoke(app, [str(seeds), *options])
    assert isinstance(result.exception, UserError)
    assert message in str(result.exception)


def test_a_word_that_ends_several_keys_is_written_in_full(tmp_path: Path):
    config = resolved_config()
    config["warmup"] = {"name": "linear", "lr": 1}
    write_run(tmp_path, config)
    result = CliRunner().invoke(app, [str(tmp_path), "--columns", "lr"])
    assert str(result.exception) == "lr may be optimizer.lr or warmup.lr; write one in full"


def test_nothing_that_meets_the_conditions_is_not_nothing_yet(seeds: Path):
    text = output(str(seeds), "--where", "status=failed")
    assert text == f"No runs in {seeds} are like that.\n"
    assert output(str(seeds), "--where", "status=failed", "--by-setting") == text


def test_columns_are_those_asked_for(seeds: Path):
    options = ["--columns", "lr, seed,val acc,optimizer", "--where", "lr=0.01", "--sort", "seed"]
    assert [line.split() for line in output(str(seeds), *options).splitlines()] == [
        ["lr", "seed", "val", "acc", "optimizer"],
        ["0.01", "0", "80.00%", *OPTIMIZER],
        ["0.01", "1", "90.00%", *OPTIMIZER],
        ["0.01", "2", "-", *OPTIMIZER],
    ]
    row = json.loads(output(str(seeds), *options, "--json"))[0]
    assert list(row) == ["lr", "seed", "val acc", "optimizer"]
    assert (row["lr"], row["val acc"]) == (0.01, 0.8)


def test_the_limit_keeps_the_latest_or_the_first_of_those_sorted(root: Path):
    assert names(str(root), "--limit", "1", "--where", "epochs=9") == ["[red]second"]
    assert names(str(root), "--limit", "2", "--sort", "val_accuracy") == ["[red]second", "first"]
    finished = ["--where", "status=finished"]
    assert names(str(root), "--limit", "1", *finished) == ["[red]second"]


def test_what_sorted_and_cut_runs_differ_in_is_still_told(seeds: Path):
    (_, line) = output(str(seeds), "--sort", "val_accuracy", "--limit", "1").splitlines()
    assert "lr=0.01" in line


def test_long_settings_take_several_lines_and_lose_nothing(tmp_path: Path):
    for lr in (0.1, 0.01):
        config = resolved_config(
            seed=int(1 / lr),
            optimizer__lr=lr,
            optimizer__beta1=0.9 + lr / 10,
            model__hidden=[64, int(1 / lr)],
            regularization__l2=lr / 3,
        )
        write_run(tmp_path, config)
    lines = table(tmp_path, 80)
    assert max(map(len, lines)) <= 80 and "…" not in "".join(lines)
    found = runs_in(tmp_path)
    tell_apart(found)
    settings = "".join("".join(line[12:].split("finished")[0].split()) for line in lines[1:])
    assert all(run.differs.replace(" ", "") in settings for run in found)


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
