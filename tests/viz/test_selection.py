"""Which runs are drawn: by directory, pattern and sweep, and picked by their settings."""

from pathlib import Path
from typing import Any

import pytest

from optrun.errors import RunError, UserError
from optrun.viz.selection import MOST_SETTINGS, select
from tests.runs_factory import SGD, resolved_config, write_run
from tests.viz.test_sweep import LR, NAME, make, written


def run_of(root: Path, **settings: Any) -> Path:
    return write_run(root, resolved_config(**settings), epochs=1)


def names(*named: Any, **options: Any) -> list[str]:
    return [run.path.name for run in select(list(named), **options).runs]


def test_patterns_and_directories_are_runs_each_once(tmp_path: Path):
    paths = sorted(run_of(tmp_path, seed=seed) for seed in range(3))
    expected = [path.name for path in paths]
    assert names(f"{tmp_path}/glyphs-*", paths[0]) == expected
    assert sorted(names(*reversed(paths))) == expected


def test_what_is_no_run_is_left_out_of_several(tmp_path: Path):
    path = run_of(tmp_path)
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "picture.png").touch()
    said: list[str] = []
    assert names(*sorted(tmp_path.iterdir()), warn=said.append) == [path.name]
    assert said == [f"left out, as not a run: {tmp_path / 'picture.png'}, {tmp_path / 'sweeps'}"]


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ([], "no run is named; give run directories, such as runs/"),
        (["nothing-*"], "nothing matches .*nothing-\\*"),
        (["rate"], "there is no run .*rate.*; or the sweep rates\\?"),
        (["sweeps"], "sweeps is not a run directory"),
    ],
)
def test_what_is_not_there_is_refused(tmp_path: Path, named: list[str], says: str):
    written(make(tmp_path, [{LR: 0.1}], [[0.5]]))
    with pytest.raises(UserError, match=says):
        select([tmp_path / name if name != "rate" else name for name in named], root=tmp_path)


# Sweeps


def grid(root: Path, rates: int, **options: Any) -> Path:
    """A sweep of two optimizers; each run has a directory of its own."""
    points = [{NAME: name, LR: 0.1 / 2**i} for name in ("adam", "sgd") for i in range(rates)]
    values = [[(i + 1) / 100] for i in range(len(points))]
    directory = written(make(root, points, values, **options))
    text = (directory / "results.csv").read_text()
    shared = next(root.glob("glyphs-*")).name
    for point in points:
        optimizer = {**SGD, "name": point[NAME], "lr": point[LR]}
        text = text.replace(shared, run_of(root, optimizer=optimizer).name, 1)
    (directory / "results.csv").write_text(text)
    return directory


def settings(selection: Any) -> list[tuple[str, float]]:
    return [(r.config["optimizer"]["name"], r.config["optimizer"]["lr"]) for r in selection.runs]


def test_of_a_small_sweep_all_settings_are_drawn(tmp_path: Path):
    found = select([grid(tmp_path, 2)])
    assert sorted(settings(found)) == [("adam", 0.05), ("adam", 0.1), ("sgd", 0.05), ("sgd", 0.1)]
    assert (found.metric, found.notes) == ("val_accuracy", [])


def test_of_a_large_sweep_the_best_of_each_group_is_drawn(tmp_path: Path):
    directory = grid(tmp_path, 6)
    found = select(["rates"], root=tmp_path)
    assert settings(found) == [("sgd", 0.1 / 32), ("adam", 0.1 / 32)]
    assert found.notes == [
        "rates: 2 of 12 settings, the best of each optimizer by validation accuracy; "
        "--all draws all"
    ]
    assert len(select([directory], every=True).runs) == 12
    assert len(select([], sweep="rates", root=tmp_path, every=True).runs) == 12


def test_a_large_sweep_of_one_group_has_its_best(tmp_path: Path):
    directory = written(
        make(tmp_path, [{LR: 0.1 / 2**i} for i in range(12)], [[i / 12] for i in range(12)])
    )
    (note,) = select([directory]).notes
    assert note.startswith(f"rates: {MOST_SETTINGS} of 12 settings, the best by validation acc")


def test_a_sweep_is_narrowed_before_its_best_are_chosen(tmp_path: Path):
    found = select([grid(tmp_path, 6)], where=["optimizer=adam"])
    assert len(found.runs) == 6 and not found.notes
    assert {name for name, _ in settings(found)} == {"adam"}


def test_only_the_runs_of_a_sweep_are_kept(tmp_path: Path):
    directory = grid(tmp_path, 2)
    run_of(tmp_path, training__epochs=99)
    assert len(names(f"{tmp_path}/glyphs-*")) == 6  # 4, and those that `make` made
    assert len(names(f"{tmp_path}/glyphs-*", sweep="rates", root=tmp_path)) == 4
    other = run_of(tmp_path / "other")
    with pytest.raises(UserError, match="none of the 1 runs named belongs to the sweep rates"):
        select([other], sweep=directory)
    with pytest.raises(RunError, match=r"is named absent; there are rates"):
        select([], sweep="absent", root=tmp_path)


def test_a_sweep_that_has_not_begun_says_so(tmp_path: Path):
    directory = written(make(tmp_path, [{LR: 0.1}], [["waiting"]]))
    with pytest.raises(RunError, match=r"no run of the sweep rates has begun; `optrun sweep .*"):
        select([directory])


# Settings


@pytest.mark.parametrize(
    ("where", "seeds"),
    [
        (["seed=1"], [1]),
        (["lr=1e-3"], [0, 1]),
        (["optimizer.lr=0.001", "seed=0"], [0]),
        (["optimizer=sgd"], [2]),
        (["optimizer.name=sgd"], [2]),
        (["model=mlp"], [0, 1, 2]),
        (["hidden=[64]"], [0, 1, 2]),
    ],
)
def test_runs_are_picked_by_their_settings(tmp_path: Path, where: list[str], seeds: list[int]):
    paths = [run_of(tmp_path, seed=0), run_of(tmp_path, seed=1), run_of(tmp_path, seed=2,
             optimizer=SGD)]  # fmt: skip
    assert [run.config["seed"] for run in select(paths, where=where).runs] == seeds


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("seed", "--where is seed; write it as key=value"),
        ("sed=1", r"no run has a setting sed; did you mean seed\?"),
        ("seed=7", "no run has seed=7; seed is 0 or 1 here"),
    ],
)
def test_a_setting_that_no_run_has_is_refused(tmp_path: Path, where: str, says: str):
    paths = [run_of(tmp_path, seed=seed) for seed in range(2)]
    with pytest.raises(UserError, match=says):
        select(paths, where=[where])


def test_runs_that_differ_from_most_in_something_else_are_named(tmp_path: Path):
    paths = [
        run_of(tmp_path, optimizer={**SGD, "name": name, "momentum": i})
        for i, name in enumerate(("sgd", "momentum", "nesterov", "adagrad"))
    ]
    assert not select(paths).exceptions
    old = run_of(tmp_path, training__epochs=50, training__batch_size=32)
    (note,) = select([*paths, old]).exceptions
    assert note == (
        f"{old} differs from most runs in epochs and batch_size; --where training.epochs=10 "
        "leaves it out"
    )
    kept = select([*paths, old], where=["training.epochs=10"])
    assert len(kept.runs) == 4 and not kept.exceptions


def test_a_baseline_and_its_variants_are_no_exceptions(tmp_path: Path):
    changes: list[dict[str, Any]] = [
        {}, {"regularization__dropout": 0.5}, {"optimizer__lr": 0.1}, {"training__epochs": 8},
    ]  # fmt: skip
    assert not select([run_of(tmp_path, **change) for change in changes]).exceptions
