"""The JSON Schema that editors use says what the loader says."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from optrun.config.json_schema import json_schema
from optrun.config.load import load, resolved
from tests.config.strategies import configs
from tests.config.test_load import MINIMAL, SHIPPED

VALIDATOR = Draft202012Validator(json_schema())


def test_it_is_a_schema_of_its_draft():
    Draft202012Validator.check_schema(json_schema())
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json_schema()["title"] == "optrun config"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_are_valid(path: Path):
    VALIDATOR.validate(resolved(load(path).config))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_configs_are_the_same_for_readers_of_yaml_1_1(path: Path):
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    VALIDATOR.validate(values)
    assert load(values).config == load(path).config


@given(values=configs())
@settings(max_examples=50, deadline=None)
def test_what_it_describes_it_accepts(values):
    VALIDATOR.validate(values)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"loss": "hinge"},
        {"loss": {"name": "hinge"}},
        {"dataset": {"name": "synthetic", "kind": "moons"}},
        {"scheduler": {"name": "step", "every": "2 epochs"}},
        {"warmup": {"name": "linear", "duration": 0.1}},
        {"warmup": None},
        {"loss": None},
        {"training": {"batch_size": None}},
        {"optimizer": {"name": "sam", "base": "sgd"}},
        {"optimizer": {"name": "lookahead", "base": {"name": "adam", "lr": 0.1}}},
    ],
)
def test_valid_for_both(change):
    VALIDATOR.validate(MINIMAL | change)
    load(MINIMAL | change)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"name": "a b"},
        {"los": "hinge"},
        {"loss": "hinje"},
        {"loss": {}},
        {"optimizer": {"lr": 0.1}},
        {"optimizer": {"name": "sgd", "momentum": 0.9}},
        {"optimizer": {"name": "sgd", "lr": "0.1"}},
        {"dataset": {"name": "synthetic"}},
        {"dataset": {"name": "synthetic", "kind": "noons"}},
        {"scheduler": {"name": "step", "every": "2 weeks"}},
        {"scheduler": "step"},
        {"warmup": "linear"},
        {"optimizer": "sam"},
        {"optimizer": {"name": "sam", "base": {"lr": 0.1}}},
        {"optimizer": {"name": "sam", "base": {"name": "lookahead", "base": "sgd"}}},
        {"dataset": "synthetic"},
        {"training": None},
    ],
)
def test_invalid_for_both(change):
    assert not VALIDATOR.is_valid(MINIMAL | change)
    with pytest.raises(Exception, match="problem"):
        load(MINIMAL | change)


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        ({"loss": "hinje"}, "$.loss", "'hinje' is not one of ['softmax', 'hinge', "),
        ({"loss": {"name": "hinje"}}, "$.loss.name", "'hinje' is not one of"),
        ({"loss": 3}, "$.loss", "3 is not of type 'object'"),
        ({"training": {"best_by": "acc"}}, "$.training.best_by", "'acc' is not one of ['val_acc"),
        ({"optimizer": {"name": "sam"}}, "$.optimizer", "'base' is a required property"),
        ({"optimizer": {"name": "sam", "base": "sam"}}, "$.optimizer.base", "'sam' is not one of"),
        (
            {"optimizer": {"name": "sam", "base": {"name": "sgd", "lr": -1}}},
            "$.optimizer.base.lr",
            "-1 is less than or equal to the minimum of 0",
        ),
        (
            {"optimizer": {"name": "sam", "base": {"name": "sgd", "rho": 1}}},
            "$.optimizer.base",
            "('rho' was unexpected)",
        ),
        ({"optimizer": {"name": "sgd", "lr": "0.1"}}, "$.optimizer.lr", "'0.1' is not of type"),
        ({"optimizer": {"name": "sgd", "rho": 1}}, "$.optimizer", "('rho' was unexpected)"),
        (
            {"dataset": {"name": "synthetic", "kind": "moons", "noise": -1}},
            "$.dataset.noise",
            "-1 is less than the minimum of 0",
        ),
        (
            {"training": {"early_stopping": {"patience": 0}}},
            "$.training.early_stopping.patience",
            "0 is less than the minimum",
        ),
    ],
)
def test_an_error_is_about_the_component_that_is_named(change, place, message):
    (error,) = VALIDATOR.iter_errors(MINIMAL | change)
    assert error.json_path == place
    assert message in error.message


@pytest.mark.parametrize("key", MINIMAL)
def test_a_missing_key_is_invalid_for_both(key):
    values = {other: value for other, value in MINIMAL.items() if other != key}
    assert not VALIDATOR.is_valid(values)
    with pytest.raises(Exception, match="required, but missing"):
        load(values)
