"""Starting from another run's weights: what is taken, what is refused, and whose run it is."""

import shutil

import numpy as np
import pytest

from optrun.config.load import load
from optrun.engine.layout import lay_out
from optrun.errors import ConfigError
from optrun.nn.models import MLP
from optrun.nn.pretrained import Pretrained
from optrun.store.files import write_arrays
from optrun.store.reading import load_run
from tests.training.runs import train

NORMALIZATIONS = ["null", "batch", "layer", "rms", "weight"]
DEEP = "model.hidden=[16, 8]"


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A trained network 2-16-8-3 with batch normalization."""
    out = tmp_path_factory.mktemp("source")
    return train(out, DEEP, "model.normalization=batch", "training.epochs=1")


def begin(out, run, *overrides, layers="null", otherwise="he_normal", epochs=0):
    """A run of no epochs, unless told, from the weights of another."""
    section = f"{{name: pretrained, run: '{run}', layers: {layers}, otherwise: {otherwise}}}"
    return train(out, f"training.epochs={epochs}", *overrides, f"initialization={section}")


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_everything_of_the_run_is_taken(tmp_path, normalization):
    change = [DEEP, f"model.normalization={normalization}"]
    trained = train(tmp_path, *change, "training.epochs=1")
    begun = begin(tmp_path, trained.path, *change)
    assert begun.weights.keys() == trained.weights.keys()
    for name, part in trained.weights.items():
        np.testing.assert_array_equal(begun.weights[name], part, err_msg=name)
    assert begun.summary["test_loss"] == trained.summary["test_loss"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layers", [[0], [1, 2], [2, 0]], ids=str)
def test_other_layers_are_drawn_as_without_pretraining(tmp_path, source, layers, dtype):
    change = [DEEP, "model.normalization=batch", f"dtype={dtype}"]
    otherwise = "{name: orthogonal, gain: auto, bias: 0.5}"
    begun = begin(tmp_path, source.path, *change, layers=layers, otherwise=otherwise)
    drawn = train(tmp_path, *change, f"initialization={otherwise}", "training.epochs=0")
    for name, part in begun.weights.items():
        expected = source if int(name.split(".")[1]) in layers else drawn
        np.testing.assert_array_equal(part, expected.weights[name], err_msg=name)
        assert part.dtype == dtype


@pytest.mark.parametrize("activation", ["relu", "tanh", "selu"])
@pytest.mark.parametrize("optimizer", ["sgd", "random_search"])
def test_by_default_other_layers_are_drawn_as_without_pretraining(tmp_path, activation, optimizer):
    change = [DEEP, f"model.activation={activation}", f"optimizer={optimizer}", "training.epochs=0"]
    plain = train(tmp_path, *change)
    section = f"{{name: pretrained, run: '{plain.path}', layers: [0]}}"
    begun = train(tmp_path, *change, f"initialization={section}", "seed=1")
    drawn = train(tmp_path, *change, "seed=1")
    assert begun.config["initialization"]["otherwise"] == plain.config["initialization"]
    for name, part in begun.weights.items():
        expected = plain if name.startswith("layers.0") else drawn
        np.testing.assert_array_equal(part, expected.weights[name], err_msg=name)


def test_averages_of_the_run_are_left_aside(tmp_path):
    trained = train(tmp_path, "averaging={name: ema, decay: 0.5}")
    begun = begin(tmp_path, trained.path)
    assert any(name.startswith("average.") for name in trained.weights)
    np.testing.assert_array_equal(
        begun.weights["layers.0.weight"], trained.weights["layers.0.weight"]
    )


def test_a_search_draws_only_what_is_not_taken(tmp_path):
    source = train(tmp_path, DEEP, "model.normalization=layer", "training.epochs=1")
    change = [DEEP, "model.normalization=layer", "optimizer=random_search"]
    change += ["regularization.dropout=0", "training.best_by=last"]
    for still in ("zeros", "{name: constant, value: 1}"):
        with pytest.raises(ConfigError, match=r"initialization\.otherwise: gives `random_search`"):
            begin(tmp_path, source.path, *change, layers=[0, 1], otherwise=still)
    begun = begin(tmp_path, source.path, *change, layers=[0, 1], epochs=2)
    for name, part in begun.weights.items():
        if not name.startswith("layers.2"):
            np.testing.assert_array_equal(part, source.weights[name], err_msg=name)
    assert (begun.weights["layers.2.weight"] != source.weights["layers.2.weight"]).all()
    with pytest.raises(ConfigError, match="`random_search` the same weights at every try"):
        begin(tmp_path, source.path, *change)


SAME = "take a run with the same `model.hidden` and `model.normalization`"


@pytest.mark.parametrize(
    ("hidden", "normalization", "layers", "message", "hint"),
    [
        (
            [16, 5], "batch", None,
            "layer 1 of {run} has weight (16, 8), gain (8,), shift (8,), running (2, 8), and this "
            "model's has weight (16, 5), gain (5,), shift (5,), running (2, 5)",
            [0],
        ),
        (
            [9, 5], "batch", [2],
            "layer 2 of {run} has weight (8, 3), and this model's has weight (5, 3)", [],
        ),
        (
            [16, 8], None, None,
            "layer 0 of {run} has gain (16,), shift (16,), running (2, 16), and this model's has "
            "bias (16,)",
            [2],
        ),
        (
            [16, 8], "layer", [0, 2],
            "layer 0 of {run} has running (2, 16), and this model's has bias (16,)", [2],
        ),
        ([16, 8, 3], "batch", [0, 3], "{run} has no layer 3", [0, 1]),
        ([16], "batch", [0, 2], "this model has no layer 2; its layers are 0, 1", [0]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_what_to_write(
    source, hidden, normalization, layers, message, hint
):
    start = Pretrained(run=str(source.path), layers=layers)
    model = MLP.model_validate({"hidden": hidden, "normalization": normalization})
    told = start.misfit(lay_out(model, 2, 3, False, None).parts())
    write = f"write `layers: {hint}` to take what fits, and draw the others" if hint else SAME
    assert told == (message.format(run=source.path), write)


def test_a_misfit_is_refused_at_its_place_before_training(tmp_path, source):
    expected = (
        rf"initialization\.run: layer 0 of {source.path} has weight \(2, 16\), and this model's "
        r"has weight \(784, 16\)(.|\n)*write `layers: \[1\]`"
    )
    change = [DEEP, "model.normalization=batch", "dataset={name: synthetic, kind: glyphs}"]
    with pytest.raises(ConfigError, match=expected):
        begin(tmp_path, source.path, *change, "loss=hinge", layers=[0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("layers", ["[]", "[-1]", "[0.5]", "0"])
def test_layers_are_a_list_of_whole_numbers(tmp_path, source, layers):
    with pytest.raises(ConfigError, match=r"initialization\.layers"):
        begin(tmp_path, source.path, layers=layers)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda run: shutil.rmtree(run), "there is no run"),
        (lambda run: (run / "best.npz").unlink(), "has saved no weights; train it to its end"),
        (lambda run: (run / "best.npz").write_bytes(b"half"), r"best\.npz is damaged"),
        (
            lambda run: np.savez(run / "best.npz", **{"layers.0.weight": np.array([print])}),
            r"best\.npz is damaged",  # it holds a pickle, which is not opened
        ),
    ],
    ids=["gone", "unfinished", "damaged", "pickled"],
)
def test_a_run_that_cannot_be_read_is_told(tmp_path, source, damage, message):
    run = tmp_path / "from"
    shutil.copytree(source.path, run)
    damage(run)
    with pytest.raises(ConfigError, match=rf"initialization\.run: .*{message}"):
        begin(tmp_path, run, DEEP, "model.normalization=batch")


def test_a_run_is_found_from_home_and_from_where_one_stands(tmp_path, source, monkeypatch):
    home = tmp_path / "home"
    shutil.copytree(source.path, home / "runs" / "first")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.chdir(home)
    for run in ("~/runs/first", "runs/first", "./runs/first/"):
        begun = begin(tmp_path / "out", run, DEEP, "model.normalization=batch")
        np.testing.assert_array_equal(
            begun.weights["layers.0.weight"], source.weights["layers.0.weight"]
        )


@pytest.mark.parametrize(("layers", "changed"), [("null", True), ("[0]", False), ("[1]", True)])
def test_the_weights_taken_are_part_of_a_run_s_identity(tmp_path, source, layers, changed):
    run, change = tmp_path / "from", [DEEP, "model.normalization=batch"]
    shutil.copytree(source.path, run)
    first = begin(tmp_path / "out", run, *change, layers=layers)
    write_arrays(run / "best.npz", source.weights)
    assert begin(tmp_path / "out", run, *change, layers=layers).path == first.path
    moved = {"layers.1.weight": np.nextafter(source.weights["layers.1.weight"], np.float32(9))}
    write_arrays(run / "best.npz", source.weights | moved)
    again = begin(tmp_path / "out", run, *change, layers=layers)
    assert (again.path != first.path) == changed


def test_a_stored_config_is_the_same_run(tmp_path, source):
    begun = begin(tmp_path, source.path, DEEP, "model.normalization=batch")
    config = load(begun.path / "config.yaml").config
    assert config.initialization == Pretrained(
        run=str(source.path), otherwise={"name": "he_normal"}
    )
    assert load_run(begun.path).config == config.model_dump(mode="json")


@pytest.mark.parametrize(
    ("otherwise", "normalization", "place"),
    [
        ("{name: orthogonal, gain: auto}", "batch", r"otherwise\.gain: `auto` knows no gain"),
        ("zeros", "weight", "otherwise: weights that may all be 0"),
    ],
)
def test_what_draws_the_others_is_checked_if_there_are_others(
    tmp_path, otherwise, normalization, place
):
    change = [f"model.normalization={normalization}", "model.activation=gelu"]
    run = train(tmp_path, *change, "training.epochs=0").path
    begin(tmp_path, run, *change, otherwise=otherwise)
    with pytest.raises(ConfigError, match=rf"initialization\.{place}"):
        begin(tmp_path, run, *change, layers=[0], otherwise=otherwise)


@pytest.mark.parametrize("optimizer", ["schedule_free_sgd", "{name: lookahead, base: momentum}"])
def test_statistics_computed_for_the_weights_shown_are_taken_too(tmp_path, optimizer):
    change = [DEEP, "model.normalization=batch", f"optimizer={optimizer}"]
    trained = train(tmp_path, *change, "training.epochs=2")
    begun = begin(tmp_path, trained.path, *change)
    assert trained.summary["best_epoch"] > 0
    assert begun.summary["val_loss"] == trained.summary["val_loss"]
    assert begun.summary["test_loss"] == trained.summary["test_loss"]
