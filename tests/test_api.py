"""optrun from Python."""

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import optrun
from optrun import ConfigError, RunError, UserError
from optrun.frames import SweepResults
from tests.runs_factory import resolved_config, write_run

CONFIG = {
    "name": "api",
    "dataset": {
        "name": "synthetic",
        "kind": "glyphs",
        "samples": 300,
        "test_samples": 100,
        "preprocessing": ["rescale", "standardize"],
    },
    "model": {"name": "mlp", "hidden": [8]},
    "optimizer": "adam",
    "training": {"epochs": 2, "batch_size": 50, "log_every": 1},
}

BOWL = {
    "name": "bowl",
    "dataset": {"name": "function", "kind": "sphere", "start": [3.0, 4.0]},
    "model": "point",
    "optimizer": "sgd",
    "training": {"epochs": 1, "batch_size": "full"},
}


def test_train_returns_what_load_run_returns(tmp_path):
    run = optrun.train(CONFIG, overrides=["optimizer.lr=0.01"], out=tmp_path)
    again = optrun.load_run(run.path)
    assert run.path.parent == tmp_path
    assert (run.path / "curves.png").exists()
    assert again.config == run.config
    assert again.config["optimizer"]["lr"] == 0.01
    assert again.summary == run.summary
    pd.testing.assert_frame_equal(again.metrics, run.metrics)
    pd.testing.assert_frame_equal(again.steps, run.steps)
    assert {name: weights.shape for name, weights in run.weights.items()} == {
        "layers.0.weight": (784, 8),
        "layers.0.bias": (8,),
        "layers.1.weight": (8, 10),
        "layers.1.bias": (10,),
    }


def test_a_path_and_a_mapping_are_the_same_run(tmp_path):
    from_mapping = optrun.train(CONFIG, out=tmp_path / "a")
    from_path = optrun.train(from_mapping.path / "config.yaml", out=tmp_path / "b")
    assert from_path.path.name == from_mapping.path.name
    for name, weights in from_mapping.weights.items():
        np.testing.assert_array_equal(weights, from_path.weights[name])


def test_load_data_gives_the_splits_as_the_model_sees_them(tmp_path):
    data = optrun.load_data(CONFIG)
    assert data.train.x.shape == (270, 784)
    assert data.train.x.dtype == np.float32
    assert data.validation.x.shape == (30, 784)
    assert data.test.y.shape == (100,)
    assert np.abs(data.train.x).max() == 10
    usual = data.train.x[:, np.abs(data.train.x).max(axis=0) < 10]  # nothing is cut off
    deviations = usual.std(axis=0)
    np.testing.assert_allclose(usual.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(deviations[deviations > 0.5], 1, atol=1e-4)


def test_the_reported_accuracy_is_that_of_the_weights_on_the_data(tmp_path):
    run = optrun.train(CONFIG, ["dtype=float64"], out=tmp_path)
    data, w = optrun.load_data(CONFIG, ["dtype=float64"]), run.weights
    for split, name in ((data.train, "train"), (data.validation, "val"), (data.test, "test")):
        h = np.maximum(split.x @ w["layers.0.weight"] + w["layers.0.bias"], 0)
        scores = h @ w["layers.1.weight"] + w["layers.1.bias"]
        accuracy = np.mean(scores.argmax(axis=1) == split.y)
        assert run.summary[f"{name}_accuracy"] == pytest.approx(accuracy)


def test_ctrl_c_reaches_the_caller_after_saving(tmp_path, monkeypatch):
    from optrun.training import trainer

    real = trainer.Trainer.pause

    def interrupted(self):
        self.interrupt._asked = self.progress.step > 3
        real(self)

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "pause", interrupted)
        with pytest.raises(KeyboardInterrupt):
            optrun.train(CONFIG, out=tmp_path)
    (directory,) = tmp_path.iterdir()
    assert optrun.load_run(directory).summary["status"] == "stopped"
    assert optrun.train(CONFIG, out=tmp_path).summary["status"] == "finished"


def test_what_a_prompt_shows_is_a_line(tmp_path):
    run, data = optrun.train(CONFIG, out=tmp_path), optrun.load_data(CONFIG)
    accuracy = f"{run.summary['test_accuracy']:.2%}"
    assert repr(run) == f"Run({str(run.path)!r}: finished, test accuracy {accuracy})"
    assert repr(data) == (
        "Data(train=Split(270 × 784), validation=Split(30 × 784), test=Split(100 × 784), "
        "outputs=10)"
    )
    run = optrun.train(BOWL, out=tmp_path)
    assert repr(run).endswith(": finished)")  # a function has no test


def test_signals_shrink_from_a_start_that_is_too_small():
    small = {"initialization": {"name": "normal", "std": 0.01}}
    deep = CONFIG | {"model": {"name": "mlp", "hidden": [100] * 4, "activation": "tanh"}} | small
    table = optrun.signals(deep)
    assert list(table.columns) == ["mean", "std", "backward_std", "gradient_std"]
    assert table.index.name == "layer" and len(table) == 5
    # 100 inputs of deviation s make a sum of deviation 0.01·√100·s, forward and backward alike
    np.testing.assert_allclose(table["std"][1:4] / table["std"][:3].to_numpy(), 0.1, rtol=0.15)
    back = table["backward_std"].to_numpy()
    np.testing.assert_allclose(back[:3] / back[1:4], 0.1, rtol=0.15)
    fitting = optrun.signals(deep, ["initialization=xavier_normal"])
    assert fitting["std"][3] > 0.2


def test_signals_of_a_point_are_those_of_its_coordinates():
    (signal,) = optrun.signals(BOWL).to_numpy()
    np.testing.assert_allclose(signal, [3.5, 0.5, 1.0, 1.0], rtol=1e-6)  # the gradient is (6, 8)


def test_errors_are_of_one_family(tmp_path):
    with pytest.raises(ConfigError, match="unknown key"):
        optrun.train(CONFIG | {"optimiser": "sgd"}, out=tmp_path)
    with pytest.raises(RunError):
        optrun.load_run(tmp_path / "nothing")
    assert issubclass(ConfigError, UserError) and issubclass(RunError, UserError)
    assert not list(tmp_path.iterdir())


def test_progress_is_told_only_if_asked_for(tmp_path, capsys):
    optrun.train(CONFIG, out=tmp_path)
    assert capsys.readouterr() == ("", "")
    optrun.train(CONFIG, ["seed=1"], out=tmp_path, progress=True)
    assert "epoch 2/2" in capsys.readouterr().err


def test_what_overrides_leave_out_is_warned_of(tmp_path):
    config = CONFIG | {"optimizer": {"name": "adam", "beta1": 0.8}}
    with pytest.warns(UserWarning, match="leaves out beta1"):
        optrun.train(config, ["optimizer.name=sgd"], out=tmp_path)


TOY = {
    "name": "toy",
    "dataset": {"name": "synthetic", "kind": "moons", "samples": 120, "test_samples": 30},
    "model": "linear",
    "optimizer": {"name": "sgd", "lr": 0.1},
    "training": {"epochs": 2, "batch_size": 30},
}
AXES = ["optimizer.lr=0.01,0.1,1", "seed=0,1"]


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> tuple[Path, SweepResults]:
    out = tmp_path_factory.mktemp("swept")
    return out, optrun.sweep(TOY, [*AXES, "sweep.name=rates"], workers=1, out=out)


def test_a_sweep_returns_what_load_sweep_returns(swept):
    out, found = swept
    assert found.path == out / "sweeps" / "rates" and found.name == "rates"
    assert {"results.csv", "summary.md", "sweep.png"} <= {
        file.name for file in found.path.iterdir()
    }
    for again in (optrun.load_sweep(found.path), optrun.load_sweep("rates", out=out)):
        pd.testing.assert_frame_equal(again.results, found.results)
        pd.testing.assert_frame_equal(again.settings, found.settings)
        assert repr(again) == repr(found)


def test_results_are_the_runs_in_typed_columns(swept):
    _, found = swept
    results = found.results
    assert results["optimizer.lr"].tolist() == [0.01, 0.01, 0.1, 0.1, 1, 1]
    assert results["seed"].tolist() == [0, 1] * 3
    types = {"optimizer.lr": "float64", "seed": "int64", "epochs": "Int64", "best_epoch": "Int64",
             "best_val_loss": "float64", "final_val_accuracy": "float64"}  # fmt: skip
    assert {name: str(results[name].dtype) for name in types} == types
    for _, row in results.iterrows():
        run = optrun.load_run(row["path"])
        assert run.config["optimizer"]["lr"] == row["optimizer.lr"]
        assert run.summary["val_loss"] == row["best_val_loss"]
        assert run.metrics["val_accuracy"].iloc[-1] == row["final_val_accuracy"]


def test_settings_have_mean_and_deviation_over_seeds_the_best_first(swept):
    _, found = swept
    assert found.metric == "val_accuracy"
    by_rate = found.results.groupby("optimizer.lr")["best_val_accuracy"]
    settings = found.settings.set_index("optimizer.lr").sort_index()
    np.testing.assert_allclose(settings["mean"], by_rate.mean())
    np.testing.assert_allclose(settings["std"], by_rate.std())
    assert settings[["n", "diverged", "failed"]].to_numpy().tolist() == [[2, 0, 0]] * 3
    assert found.settings["mean"].is_monotonic_decreasing
    assert found.best["mean"] == found.settings["mean"].max()
    assert [r.config["seed"] for r in found.best_runs] == [0, 1]
    assert {r.config["optimizer"]["lr"] for r in found.best_runs} == {found.best["optimizer.lr"]}
    assert f"6 runs, best: lr={found.best['optimizer.lr']:g}, validation accuracy" in repr(found)


def test_a_sweep_is_a_file_or_a_mapping_of_a_sweep_too(swept, tmp_path):
    out, found = swept
    spec = {
        "sweep": {"name": "again", "base": TOY, "grid": {"optimizer.lr": (0.01, 0.1)}, "seeds": 2}
    }
    (tmp_path / "again.yaml").write_text(json.dumps(spec))
    for source in (spec, tmp_path / "again.yaml", str(tmp_path / "again.yaml")):
        again = optrun.sweep(source, workers=1, out=out)
        assert again.name == "again"
        assert again.results["id"].tolist() == found.results["id"][:4].tolist()


def test_a_sweep_that_is_wrong_says_so_before_it_runs(tmp_path):
    with pytest.raises(ConfigError, match="unknown key"):
        optrun.sweep({"sweep": {"base": TOY, "gird": {}}}, out=tmp_path)
    with pytest.raises(ConfigError, match=r"the sweep holds .*object.*made of numbers, texts"):
        optrun.sweep({"sweep": {"base": TOY, "grid": {"optimizer.lr": object()}}}, out=tmp_path)
    with pytest.raises(ConfigError, match="nothing varies"):
        optrun.sweep(TOY, out=tmp_path)
    with pytest.raises(UserError, match="workers is 0"):
        optrun.sweep(TOY, AXES, workers=0, out=tmp_path)
    with pytest.raises(RunError, match=r"no sweep in .* is named absent"):
        optrun.load_sweep("absent", out=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("how", ["script", "standard input"])
def test_a_sweep_needs_no_guard_around_it(tmp_path, how):
    script = (
        f"import optrun\nprint('begun')\nfound = optrun.sweep({TOY!r}, {AXES!r}, workers=2, "
        f"out={str(tmp_path)!r})\nprint(found.results['status'].tolist())\n"
    )
    (tmp_path / "script.py").write_text(script)
    arguments = [str(tmp_path / "script.py")] if how == "script" else ["-"]
    done = subprocess.run([sys.executable, *arguments], input=script, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert done.stdout == f"begun\n{['finished'] * 6}\n" and done.stderr == ""


def test_the_subpackages_leave_the_functions_alone(swept):
    for module in ("optrun.sweeps.run", "optrun.training.run"):
        importlib.import_module(module)
    assert callable(optrun.sweep) and callable(optrun.train)


def test_load_runs_has_a_row_a_run_with_settings_and_figures(swept):
    out, found = swept
    paths = sorted(found.results["path"])
    for named in (out, f"{out}/toy-*", found.path, paths):
        runs = optrun.load_runs(named)
        assert sorted(runs["path"]) == paths
    assert list(runs.columns[:5]) == ["name", "id", "status", "seed", "optimizer.lr"]
    assert runs.columns[-1] == "path" and runs["training.epochs"].tolist() == [2] * 6
    types = {"seed": "int64", "optimizer.lr": "float64", "val_loss": "float64",
             "test_accuracy": "float64", "epochs": "int64"}  # fmt: skip
    assert {name: str(runs[name].dtype) for name in types} == types
    chosen = {run.path for run in found.best_runs}
    for _, row in runs.iterrows():
        run = optrun.load_run(row["path"])
        assert (run.config["seed"], run.summary["val_loss"]) == (row["seed"], row["val_loss"])
        shown = run.summary["test_loss"] if run.path in chosen else None
        assert row["test_loss"] == shown or (shown is None and np.isnan(row["test_loss"]))
    best = runs.groupby("optimizer.lr")["val_loss"].min()
    assert len(best) == 3


def test_load_runs_leaves_out_what_cannot_be_read(tmp_path):
    paths = [write_run(tmp_path, resolved_config(seed=seed), epochs=1) for seed in range(2)]
    (paths[0] / "summary.json").write_text("{")
    with pytest.warns(UserWarning, match=rf"left out: .*{paths[0].name}"):
        assert optrun.load_runs(tmp_path)["path"].tolist() == paths[1:]
    for named in (paths[0], tmp_path / "absent", f"{tmp_path}/x-*"):
        with pytest.raises(RunError):
            optrun.load_runs(named)


def test_plot_draws_whatever_holds_runs(swept):
    out, found = swept
    labels = ["lr=0.01 (2 seeds)", "lr=0.1 (2 seeds)", "lr=1 (2 seeds)"]
    run = found.best_runs[0]
    for given in (found, found.path, found.results, optrun.load_runs(out), f"{out}/toy-*"):
        figure = optrun.plot(given)
        assert [text.get_text() for text in figure.legends[0].get_texts()] == labels
    assert figure.axes[0].get_ylabel().startswith("validation loss")
    assert optrun.plot(found).axes[0].get_ylabel() == "validation accuracy (%)"
    for given in (run, [run], run.path, [str(run.path), run]):
        (line,) = optrun.plot(given, "train_loss").axes[0].lines
        np.testing.assert_array_equal(line.get_ydata(), run.metrics["train_loss"])


def test_a_plot_is_a_figure_that_only_its_holder_has(swept, tmp_path):
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    _, found = swept
    figure = optrun.plot(found, ["loss", "lr"], x="step", smooth=0.5, out=tmp_path / "x.png")
    assert isinstance(figure, Figure) and len(figure.axes) == 2
    assert not pyplot.get_fignums()
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("runs", "options", "says"),
    [
        ([], {}, "no run is named"),
        ("runs/absent", {}, "there is no"),
        (3, {}, "runs are directories, patterns, sweeps or tables, not 3"),
        (pd.DataFrame({"a": [1]}), {}, "no column path"),
        ("x", {"x": "time"}, "--x is time"),
        ("x", {"out": "x.jpg"}, "pictures are written as"),
    ],
)
def test_what_cannot_be_drawn_is_refused(runs, options, says):
    with pytest.raises(UserError, match=says):
        optrun.plot(runs, **options)


PUBLIC = ["train", "sweep", "load_run", "load_runs", "load_sweep", "load_data", "plot", "signals"]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_functions_are_documented_and_typed(name):
    function = getattr(optrun, name)
    assert "Raises:" in inspect.getdoc(function)
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not p.empty for p in signature.parameters.values())
