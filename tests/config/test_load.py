"""The loader as a whole: what it takes, what it gives back, and that it never breaks."""

import math
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from optrun.config.choices import write_out_choices
from optrun.config.load import load, resolved
from optrun.config.schema import Config
from optrun.errors import ConfigError
from optrun.nn.activations import ACTIVATIONS
from optrun.yaml_text import to_yaml
from tests.config.conftest import BASE
from tests.config.strategies import SCHEMA, configs

FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
MINIMAL = {"name": "demo", "dataset": "mnist", "model": "linear", "optimizer": "sgd"}


@given(values=configs())
@settings(FILE, max_examples=150)
def test_a_mapping_and_its_yaml_load_alike_and_resolved_repeats_it(values, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(to_yaml(values), encoding="utf-8")
    try:
        config = load(values).config
    except ConfigError:  # values that contradict each other
        with pytest.raises(ConfigError):
            load(path)
        return
    assert load(path).config == config == write_out_choices(Config.model_validate(values))
    assert load(resolved(config)).config == config
    path.write_text(to_yaml(resolved(config)), encoding="utf-8")
    assert load(path).config == config


@given(values=configs())
@settings(FILE, max_examples=60)
def test_values_right_in_themselves_are_refused_only_for_contradictions(values):
    Config.model_validate(values)


@given(text=st.text(max_size=60))
@settings(FILE, max_examples=100)
def test_any_text_loads_or_is_refused(text, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8", errors="replace", newline="")
    with suppress(ConfigError):
        load(path)


@given(content=st.binary(max_size=30))
@settings(FILE, max_examples=50)
def test_any_bytes_load_or_are_refused(content, tmp_path):
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with suppress(ConfigError):
        load(path)


odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["sgd", "linear", "name", "5%", [], {}, [[]], {"name": None}, {"name": {}}]),
    st.lists(st.integers(-1, 3), max_size=2),
    st.dictionaries(st.sampled_from(["name", "kind", "lr", "1"]), st.integers(), max_size=2),
)


def paths(values, path=()):
    """The paths of all keys and items."""
    items = values.items() if isinstance(values, dict) else enumerate(values)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*path, key))


def parent_of(values, path):
    for part in path[:-1]:
        values = values[part]
    return values


@given(values=configs(), data=st.data(), value=odd)
@settings(FILE, max_examples=250)
def test_any_value_anywhere_loads_or_is_refused(values, data, value):
    path = data.draw(st.sampled_from(sorted(paths(values), key=str)))
    parent_of(values, path)[path[-1]] = value
    with suppress(ConfigError):
        load(values)


ALL_KEYS = set(SCHEMA["properties"]).union(
    *(part.get("properties", {}) for part in SCHEMA["$defs"].values())
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@st.composite
def slips(draw, word: str) -> str:
    """The word with a letter lost, added, changed or swapped."""
    at = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from(LETTERS))
    return draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            ]
        )
    )


@given(values=configs(), data=st.data())
@settings(FILE, max_examples=150)
def test_a_slip_in_any_key_is_told_at_its_line_with_the_right_key(values, data, tmp_path):
    known = {path[-1] for path in paths(values) if isinstance(path[-1], str)}
    tags = {"name", "kind", "r"}  # a slip in a single letter leaves nothing to recognise
    choosable = [p for p in paths(values) if p[-1] in known - tags]
    path = data.draw(st.sampled_from(sorted(choosable, key=str)))
    slip = data.draw(slips(path[-1]))
    assume(slip and slip not in ALL_KEYS)
    section = parent_of(values, path)
    changed = {slip if key == path[-1] else key: value for key, value in section.items()}
    section.clear()
    section.update(changed)
    file = tmp_path / "x.yaml"
    file.write_text(to_yaml(values), encoding="utf-8")
    lines = file.read_text(encoding="utf-8").splitlines()
    with pytest.raises(ConfigError) as caught:
        load(file)
    told = re.findall(r":(\d+):\d+: ([\w.]+): unknown key\n.*\n.*\^ (.*)", str(caught.value))
    dotted = ".".join(str(part) for part in (*path[:-1], slip))
    (line, hint) = next((line, hint) for line, key, hint in told if key == dotted)
    assert re.match(rf"\s*(- )?['\"]?{slip}", lines[int(line) - 1])
    assert f"`{path[-1]}`" in hint


def test_defaults_are_in_place():
    config = load(MINIMAL).config
    assert (config.seed, config.dtype, config.loss.name) == (0, "float32", "softmax")
    assert (config.initialization.name, config.scheduler.name) == ("xavier_uniform", "constant")
    assert config.warmup is None


DEFAULT_STARTS = {
    "relu": ("he_uniform", 1.0),
    "leaky_relu": ("he_uniform", 1 / math.sqrt(1.0001)),
    "elu": ("he_uniform", 1.0),
    "gelu": ("he_uniform", 1.0),
    "silu": ("he_uniform", 1.0),
    "softplus": ("he_uniform", 1.0),
    "selu": ("lecun_normal", 1.0),
    "tanh": ("xavier_uniform", 1.0),
    "sigmoid": ("xavier_uniform", 1.0),
    "identity": ("xavier_uniform", 1.0),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_start_suits_the_activation_and_is_written_out(activation):
    model = {"name": "mlp", "hidden": [4], "activation": activation}
    written = resolved(load(MINIMAL | {"model": model}).config)["initialization"]
    name, gain = DEFAULT_STARTS[activation]
    assert written == {"name": name, "bias": 0.0, "gain": pytest.approx(gain, rel=1e-15)}


def test_the_start_of_leaky_relu_has_the_gain_of_its_slope():
    leaky = {"name": "leaky_relu", "slope": 0.5}
    model = {"name": "mlp", "hidden": [4], "activation": leaky}
    for override in ([], ["initialization.bias=like_weights"]):
        start = load(MINIMAL | {"model": model}, override).config.initialization
        assert (start.name, start.gain) == ("he_uniform", math.sqrt(0.8))
    named = load(MINIMAL | {"model": model}, ["initialization.name=xavier_normal"])
    assert named.config.initialization.gain == 1.0
    assert not named.notes


@pytest.mark.parametrize(
    ("dataset", "batch_size"),
    [
        ({"subset": 128}, 128),
        ({"subset": 127}, "full"),
        ({"name": "synthetic", "kind": "polynomial"}, "full"),
    ],
)
def test_the_batch_size_is_the_usual_one_or_all_there_are(dataset, batch_size):
    values = MINIMAL | {"dataset": {"name": "mnist"} | dataset}
    assert load(values).config.training.batch_size == batch_size
    given = load(values | {"training": {"batch_size": 100 if "kind" not in dataset else 5}})
    assert given.config.training.batch_size in (100, 5)


@pytest.mark.parametrize(
    "optimizer", ["lbfgs", "rprop", {"name": "sam", "base": "rprop"}], ids=["lbfgs", "rprop", "sam"]
)
def test_batches_that_mislead_an_optimizer_are_noted(optimizer):
    name = "lbfgs" if optimizer == "lbfgs" else "rprop"
    values = MINIMAL | {"optimizer": optimizer}
    (warning,) = load(values).warnings
    assert warning.path == ("training", "batch_size")
    assert warning.message == (
        f"`{name}` compares gradients of successive steps, which are of 128 other examples each "
        "time"
    )
    assert warning.hint == "`training.batch_size: full` takes all 54000 at each step"
    assert load(values, ["training.batch_size=full"]).warnings == ()


def test_python_values_are_taken_as_yaml_would_give_them():
    values = MINIMAL | {
        "model": {"name": "mlp", "hidden": (8, np.int64(4))},
        "optimizer": {"name": "sgd", "lr": np.float32(0.5)},
    }
    config = load(values).config
    assert config.model.hidden == [8, 4]
    assert config.optimizer.lr == 0.5
    assert to_yaml(resolved(config))


def test_the_given_mapping_is_left_alone():
    values = MINIMAL | {"optimizer": {"name": "adam", "beta1": 0.5}}
    load(values, ["optimizer.name=sgd"])
    assert values["optimizer"] == {"name": "adam", "beta1": 0.5}


@pytest.mark.parametrize(
    ("source", "overrides", "message"),
    [
        (MINIMAL, "optimizer.lr=0.1", 'not "optimizer.lr=0.1"'),
        (MINIMAL, {"optimizer.lr": 0.1}, "not dict"),
        (MINIMAL, 5, "not int"),
        (MINIMAL, None, "not NoneType"),
        (MINIMAL, [("optimizer.lr", 0.1)], "('optimizer.lr', 0.1) is no text"),
        (5, [], "a config is the path of a YAML file or a mapping, not int"),
        (None, [], "a config is the path of a YAML file or a mapping, not NoneType"),
    ],
)
def test_what_is_neither_a_config_nor_overrides_is_told_in_one_line(source, overrides, message):
    with pytest.raises(ConfigError) as caught:
        load(source, overrides)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert source != MINIMAL or 'a list of "key.path=value" texts' in str(caught.value)


def test_source_is_the_file_as_it_was_given(load_text):
    assert load_text(BASE).source == "x.yaml"
    assert load(MINIMAL).source == ""


SHIPPED = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_load(path):
    loaded = load(path)
    assert (loaded.notes, loaded.warnings) == ((), ())
