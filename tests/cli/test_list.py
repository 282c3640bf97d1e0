"""`optrun list`: every word of the vocabulary can be looked up."""

import json

import pytest
from typer.testing import CliRunner

from optrun.cli.main import app
from optrun.config.schema import Config
from optrun.config.vocabulary import Slot
from optrun.errors import UserError
from optrun.listing import FAMILIES, entries, names

MEMBERS = [(family, name) for family, members in FAMILIES.items() for name in members]


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["list", *arguments])
    assert result.exit_code == 0, result.exception
    return result.stdout


def test_everything_is_listed_with_its_summary():
    text = shown()
    for entry in entries():
        assert f"{entry.name:<22}{entry.summary}" in text


def test_every_component_a_config_can_name_is_in_a_family():
    listed = [component for members in FAMILIES.values() for component in members.values()]
    for key in Config.model_fields:
        slot = Slot.of(Config, key)
        assert slot is not None
        assert all(section in listed for section in slot.sections())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_shows_its_members_with_all_their_fields(family):
    text = shown(family)
    for entry in entries(family):
        assert f"{entry.name}: {entry.summary}" in text
        assert all(f"\n  {field.name} " in text for field in entry.fields)


@pytest.mark.parametrize(("family", "name"), MEMBERS)
def test_a_component_shows_its_whole_docstring(family, name):
    text = shown(name)
    assert f"{name} ({family})" in text
    assert all(entry.text in text for entry in entries(name))


def test_a_field_shows_what_it_takes_its_default_and_its_meaning():
    adamw, mlp = (" ".join(shown(name).split()) for name in ("adamw", "mlp"))
    assert "weight_decay a number at least 0; default 0.01. λ, the share of lr" in adamw
    assert "lr a number greater than 0; default 0.001. Learning rate, before schedule" in adamw
    assert "hidden a list of at least 1, each item a whole number at least 1; required." in mlp


def test_a_default_that_depends_on_the_dataset_is_not_called_null():
    config = " ".join(shown("config").split())
    assert "loss one of softmax, hinge, squared_hinge, mse. What training makes small. D" in config
    assert "warmup one of constant, linear, exponential; default null. How the" in config


def test_a_name_of_several_families_shows_all_of_them():
    text = shown("linear")
    for family in ("models", "schedulers", "warmups"):
        assert f"linear ({family})" in text


def test_synthetic_shows_all_kinds_and_a_kind_itself():
    assert shown("synthetic").count("(datasets)") == len(entries("synthetic")) > 1
    assert shown("moons").startswith("synthetic moons (datasets)")


def test_json():
    (adam,) = json.loads(shown("adam", "--json"))
    assert (adam["family"], adam["name"]) == ("optimizers", "adam")
    beta1 = next(field for field in adam["fields"] if field["name"] == "beta1")
    assert (beta1["default"], beta1["required"]) == (0.9, False)
    assert len(json.loads(shown("--json"))) == len(MEMBERS)


def test_markdown_has_a_row_for_every_component():
    rows = [line for line in shown("--markdown").splitlines() if line.startswith("| `")]
    assert len(rows) == len(MEMBERS)
    assert all(row.count(" | ") == 2 for row in rows)
    assert any(row.startswith("| `momentum` |") and "`dampening: 0.0`" in row for row in rows)


@pytest.mark.parametrize(("word", "hint"), [("adma", "`adam`"), ("optimizer", "`optimizers`")])
def test_an_unknown_word_is_told_with_its_likes(word, hint):
    result = CliRunner().invoke(app, ["list", word])
    assert isinstance(result.exception, UserError)
    assert hint in str(result.exception)
    assert word not in names()
