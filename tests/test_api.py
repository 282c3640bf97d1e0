"""optrun from Python."""

import inspect

import numpy as np
import pandas as pd
import pytest

import optrun
from optrun import ConfigError, RunError, UserError

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
        self.interrupt.requested = self.progress.step > 3
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
    assert repr(run).endswith(f": finished, test loss {run.summary['test_loss']:.4g})")


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


@pytest.mark.parametrize("name", ["train", "load_run", "load_data", "signals"])
def test_public_functions_are_documented_and_typed(name):
    function = getattr(optrun, name)
    assert "Raises:" in inspect.getdoc(function)
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not p.empty for p in signature.parameters.values())
