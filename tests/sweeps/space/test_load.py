"""A sweep as a whole: what is chosen for it, what is noted, and that it can be written and read."""

from pathlib import Path

import pytest

from optrun.config.load import load
from optrun.errors import ConfigError
from optrun.sweeps.space.checking import middle
from optrun.sweeps.space.load import load_sweep
from optrun.yaml_text import to_yaml
from tests.sweeps.space.conftest import BASE

WHOLE = """
set: {dataset.samples: 90, seed: 4}
grid:
  training.epochs: range(1, 3)
  model.hidden: [[4], [4, 2]]
zip: {training.log_every: [5, 6], dtype: [float32, float64]}
each:
  - {set: {optimizer: sgd}, grid: {optimizer.lr: logspace(1e-2, 1, 3)}}
  - {set: {optimizer: {name: adam, beta1: 0.8}}}
seeds: 2
"""


def facts(sweep):
    """All that decides what a sweep does, in a form that can be compared."""
    points = [(p.number, dict(p.settings), dict(p.distributions)) for p in sweep.points]
    configs = [sweep.configs(middle(point)) for point in sweep.points]
    return points, configs, sweep.seeds, sweep.strategy, sweep.metric, sweep.epochs, sweep.keys


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["training.epochs=5,6", "optimizer.clipping.by_norm=1.0", "sweep.metric=train_loss"],
        ["seed=9,3,7", "loss=softmax,{name: hinge}", "sweep.name=other"],
    ],
)
def test_what_is_written_is_the_same_sweep(sweep_of, overrides, tmp_path_factory):
    sweep = sweep_of(WHOLE, *overrides)
    path = tmp_path_factory.mktemp("elsewhere") / "sweep.yaml"
    path.write_text(to_yaml(sweep.written()))
    again = load_sweep(path)
    assert facts(again) == facts(sweep)
    assert again.name == sweep.name
    assert to_yaml(again.written()) == path.read_text()


@pytest.mark.usefixtures("folder")
def test_a_config_with_axes_is_written_as_a_sweep_too():
    sweep = load_sweep(Path("base.yaml"), ["optimizer.lr=logspace(1e-2,1,3)", "seed=range(2)"])
    assert sweep.written() == {
        "sweep": {
            "name": "demo",
            "base": {
                "name": "demo",
                "dataset": {"name": "synthetic", "kind": "moons"},
                "model": {"name": "mlp", "hidden": [8]},
                "optimizer": {"name": "sgd", "lr": 0.1},
            },
            "grid": {"optimizer.lr": "logspace(1e-2,1,3)"},
            "seeds": [0, 1],
            "strategy": {"name": "grid"},
            "metric": "val_accuracy",
        }
    }


def test_what_is_drawn_is_written_as_it_was(sweep_of):
    sweep = sweep_of(
        "strategy: {name: random, samples: 3}\nrandom: {optimizer.lr: uniform(0.1, 1)}",
        "model.activation=choice(relu, {name: tanh})",
        "model.hidden=choice([8],[4,2])",
    )
    Path("y.yaml").write_text(to_yaml(sweep.written()))
    again = load_sweep(Path("y.yaml"))
    assert facts(again) == facts(sweep)
    assert to_yaml(again.written()) == Path("y.yaml").read_text()
    known = sweep.strategy.candidates(sweep.points, sweep.epochs)
    assert [again.configs(c) for c in known] == [sweep.configs(c) for c in known]


def test_a_draw_that_cannot_be_run_is_an_error(sweep_of):
    sweep = sweep_of("strategy: random\nrandom: {optimizer.lr: uniform(0.1, 1)}")
    with pytest.raises(ConfigError, match=r"optimizer.lr: must be greater than 0, not -1.0"):
        sweep.configs(sweep.points[0].candidate(0, {"optimizer.lr": -1.0}))


def test_the_base_may_be_written_out(sweep_of):
    base = "".join(f"    {line}\n" for line in BASE.splitlines())
    written = sweep_of("seeds: 2", head=f"sweep:\n  base:\n{base}")
    assert facts(written) == facts(sweep_of("seeds: 2"))


def test_the_base_is_found_beside_the_sweep(folder):
    (folder / "sweeps").mkdir()
    path = folder / "sweeps" / "lr.yaml"
    path.write_text("sweep:\n  base: ../base.yaml\n  seeds: 2\n")
    assert load_sweep(path).name == "lr"
    (folder / "base.yaml").write_text(BASE.replace("sgd", "sdg"))
    with pytest.raises(ConfigError) as caught:
        load_sweep(path)
    assert f"{folder}/base.yaml:4:19: optimizer.name: unknown name `sdg`" in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "metric"),
    [
        ("", "val_accuracy"),
        ("metric: train_loss", "train_loss"),
        ("set: {training.best_by: val_loss}", "val_loss"),
        ("set: {training.best_by: last}", "val_accuracy"),
        ("set: {dataset.validation: 0}", "train_loss"),
        ("set: {dataset: {name: synthetic, kind: polynomial}}", "val_loss"),
        ("set: {averaging: ema}", "average_val_accuracy"),
        ("set: {averaging: ema, training.best_by: val_loss}", "average_val_loss"),
        ("set: {averaging: ema, training.best_by: average_val_loss}", "average_val_loss"),
        ("set: {averaging: ema, dataset.validation: 0}", "average_train_loss"),
        ("set: {averaging: ema}\nmetric: val_loss", "val_loss"),
        ("grid: {averaging: [null, ema]}", "val_accuracy"),
        ("grid: {averaging: [swa, ema]}", "average_val_accuracy"),
        ("set: {dataset: {name: synthetic, kind: polynomial}, training.best_by: last}", "val_loss"),
    ],
)
def test_what_runs_are_compared_by(sweep_of, lines, metric):
    assert sweep_of(f"{lines}\nseeds: 2").metric == metric


def test_the_longest_run_gives_the_epochs(sweep_of):
    assert sweep_of("seeds: 2").epochs == 10
    assert sweep_of("grid: {training.epochs: [3, 30, 4]}").epochs == 30


def test_combinations_that_are_the_same_run_are_run_once(sweep_of):
    sweep = sweep_of(
        """
        each:
          - grid: {optimizer.lr: logspace(1e-3, 1, 4)}
          - {set: {optimizer: sgd}, grid: {optimizer.lr: logspace(1e-2, 10, 4)}}
        """
    )
    assert [point.settings["optimizer.lr"] for point in sweep.points] == [0.001, 0.01, 0.1, 1, 10]
    assert [point.number for point in sweep.points] == [0, 1, 2, 3, 4]
    assert sweep.configs(sweep.points[4].candidate(0, {}))[0].optimizer.lr == 10
    assert sweep.notes[-1] == (
        "3 combinations of 8 are the same runs as others before and left out: "
        "the first is optimizer=sgd optimizer.lr=0.01"
    )


def test_notes_are_told_once(sweep_of):
    Path("base.yaml").write_text(BASE.replace("name: sgd", "name: momentum, momentum: 0.5"))
    sweep = sweep_of("grid: {optimizer.name: [sgd, adam], optimizer.lr: [1, 2]}")
    assert sweep.notes == (
        "optimizer.name=sgd leaves out momentum (base.yaml:4), which sgd does not have",
        "optimizer.name=adam leaves out momentum (base.yaml:4), which adam does not have",
    )
    assert sweep_of("grid: {optimizer: [sgd, adam], optimizer.lr: [1, 2]}").notes == (
        "optimizer replaces the whole section (base.yaml:4); "
        "`optimizer.name=` would keep the keys they share",
    )


def test_what_is_allowed_but_seldom_meant_is_noted(sweep_of):
    sweep = sweep_of("set: {optimizer: lbfgs, training.batch_size: 32}\nseeds: 2")
    (warning,) = sweep.warnings
    assert warning.message.startswith("`lbfgs` compares gradients of successive steps")
    assert list(sweep.told())[-1].startswith("x.yaml:")


def test_warnings_are_told_once_with_the_runs_that_they_concern(sweep_of):
    sweep = sweep_of("grid: {scheduler.name: [plateau, cosine], optimizer.lr: [0.1, 0.2, 0.3]}")
    (warning,) = sweep.warnings
    assert warning.message == (
        "with 10 the rate of 10 epochs is never cut (in 3 of 6 runs, the first with "
        "scheduler.name=plateau optimizer.lr=0.1)"
    )


def test_a_sweep_is_no_config(sweep_of):
    sweep_of("seeds: 2")
    with pytest.raises(ConfigError) as caught:
        load("x.yaml")
    assert str(caught.value) == "x.yaml: this is a sweep; `optrun sweep x.yaml` runs it"
    with pytest.raises(ConfigError) as caught:
        load({"sweep": {}})
    assert str(caught.value) == "this is a sweep, no config"


def test_two_hundred_candidates_take_well_under_a_second(folder):
    import time

    load_sweep(Path("base.yaml"), ["seed=1,2"])
    began = time.perf_counter()
    sweep = load_sweep(Path("base.yaml"), ["optimizer=sgd,adam", "optimizer.lr=linspace(1,2,100)"])
    assert len(sweep.points) == 200
    assert time.perf_counter() - began < 1


def test_a_comparison_with_and_without_averages_by_the_weights_themselves_says_so(sweep_of):
    (note,) = sweep_of("grid: {averaging: [null, ema]}").notes
    assert note.endswith("to compare averages by average_val_accuracy, give all runs `averaging`")
    assert not sweep_of("grid: {averaging: [swa, ema]}").notes
