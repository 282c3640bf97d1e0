"""`optrun list`: every word of the vocabulary can be looked up."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optrun.cli.main import app
from optrun.columns import COLUMNS
from optrun.config.load import load, resolved
from optrun.config.schema import Config
from optrun.config.vocabulary import Slot
from optrun.errors import UserError
from optrun.listing import (
    FAMILIES,
    all_keys,
    common_fields,
    entries,
    is_same,
    names,
    show_default,
)
from tests.runs_factory import write_run

MEMBERS = [(family, name) for family, members in FAMILIES.items() for name in members]


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """A terminal as wide as docstrings."""
    monkeypatch.setenv("COLUMNS", "100")


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["list", *arguments])
    assert result.exit_code == 0, result.exception
    return result.stdout


def test_everything_is_listed_with_its_summary():
    text = " ".join(shown().split())
    for entry in entries():
        assert f" {entry.name} {' '.join(entry.summary.split())}" in text


def test_every_component_a_config_can_name_is_in_a_family():
    listed = [component for members in FAMILIES.values() for component in members.values()]
    for key in Config.model_fields:
        slot = Slot.of(Config, key)
        assert slot is not None
        assert all(section in listed for section in slot.sections())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_shows_its_members_with_all_their_fields(family):
    text, flowing = shown(family), " ".join(shown(family).split())
    members = [entry for entry in entries(family) if entry.family == family]
    common = [each.field for each in common_fields(members)]
    for entry in members:
        assert f"{entry.name}: {' '.join(entry.summary.split())}" in flowing
        part = text[text.index(f"\n{entry.name}: ") if common else 0 :].split("\n\n")[0]
        for field in entry.fields:
            usual = next((usual for usual in common if is_same(usual, field)), None)
            if usual is None:
                assert f"\n  {field.name} " in text
            elif usual != field:
                assert f"\n  {field.name:<15} default {show_default(field.default)}" in part
            else:
                assert f"\n  {field.name} " not in part


def test_what_many_datasets_have_in_common_is_told_once():
    text, plain = " ".join(shown("datasets").split()), entries("datasets")
    for name in ("subset", "label_noise", "augmentation", "test_time", "validation"):
        meaning = next(f.meaning for f in plain[0].fields if f.name == name)
        assert text.count(meaning) == 1, name


def test_whose_a_common_key_is():
    text = " ".join(shown("optimizers").split())
    assert "schedule and warmup. Not in random_search, random_local_search, lbfgs, newton" in text
    assert " adamw: Adam with weight decay apart from the gradient's moments" not in text
    text = " ".join(shown("datasets").split())
    assert "In synthetic blobs, synthetic moons, synthetic circles" in text
    assert text.count(" label_noise ") == 1


KEYS = {
    "dropout": ("regularization.dropout", "Share of activations dropped after hidden layers"),
    "l2": ("regularization.l2", "a number at least 0; default 0.0. Strength"),
    "batch_size": ("training.batch_size", "Examples per step"),
    "training.batch_size": ("training.batch_size", "Examples per step"),
    "hidden": ("model.hidden", "required (mlp)"),
    "optimizer.momentum": ("optimizer.momentum", "default 0.9 (momentum, nesterov, lars); default"),
    "by_norm": ("optimizer.clipping.by_norm", "norm"),
    "degrees": ("dataset.augmentation.N.degrees", "(rotation)"),
    "patience": ("training.early_stopping.patience", "a whole number"),
    "seeds": ("sweep.seeds", "How many seeds"),
    "eta": ("sweep.strategy.eta", "(successive_halving"),
    "optimizer": ("optimizer", "one of random_search"),
    "seed": ("seed", "a whole number"),
}


@pytest.mark.parametrize("word", KEYS)
def test_a_key_is_found_wherever_it_is(word):
    path, text = KEYS[word]
    lines = shown(word).splitlines()
    assert path in lines
    assert text in " ".join(" ".join(lines).split())


def test_every_key_of_every_component_is_found():
    paths = {key.path.rpartition(".")[2]: key for key in all_keys()}
    for entry in entries():
        assert all(field.name in paths for field in entry.fields), entry.name
    assert len({(key.path, key.takes, key.meaning) for key in all_keys()}) == len(all_keys())
    assert len(all_keys()) > 150


def paths_in(value, path=()):
    """The paths of a resolved config, with N for each place in a list."""
    items = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        items = [("N", item) for item in value]
    if path and path[-1] not in ("name", "kind", "N"):
        yield ".".join(path)
    for key, inner in items:
        yield from paths_in(inner, (*path, key))


@pytest.mark.parametrize(
    "config", sorted(Path("configs").glob("*.yaml")), ids=lambda path: path.stem
)
def test_paths_are_those_of_configs(config):
    known = {key.path for key in all_keys()}
    assert {*paths_in(resolved(load(config).config))} <= known


def test_a_component_and_a_key_of_the_same_name_are_both_shown():
    text = shown("momentum")
    assert "momentum (optimizers)" in text and "\noptimizer.momentum\n" in text
    assert "\nclipping\n" not in shown("clipping"), "its entry tells more"


def test_metrics_show_every_column_with_its_meaning():
    text = " ".join(shown("metrics").split())
    assert all(f" {column.name} {column.meaning}" in text for column in COLUMNS)
    text = shown("val_loss")
    assert "metrics.csv: a row an epoch" in text and "summary.json:" in text
    assert "steps.csv" not in text
    for word in ("metrics.csv", "summary", "steps.csv"):
        assert shown(word).startswith(word)
    (row, _) = json.loads(shown("val_loss", "--json"))
    assert row["file"] == "metrics.csv" and row["name"] == "val_loss"


def test_every_key_of_a_summary_is_explained(tmp_path):
    from optrun.store.summary import EMPTY_SUMMARY

    path = write_run(tmp_path, epochs=1)
    keys = {*EMPTY_SUMMARY, *json.loads((path / "summary.json").read_text(encoding="utf-8"))}
    assert keys == {column.name for column in COLUMNS if column.file == "summary.json"}


@pytest.mark.parametrize("width", [60, 80, 105])
@pytest.mark.parametrize("word", [None, "datasets", "adam", "lr", "metrics"])
def test_lines_fit_the_terminal(monkeypatch, width, word):
    monkeypatch.setenv("COLUMNS", str(width))
    text = shown(*([word] if word else []))
    formulas = "".join(entry.text for entry in entries(word)) if word == "adam" else ""
    long = [line for line in text.splitlines() if len(line) > width]
    assert all(line.strip() in formulas for line in long)
    assert max(map(len, text.splitlines())) > width - 25


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


def test_words_may_be_written_in_capitals():
    assert shown("ADAM") == shown("adam")


@pytest.mark.parametrize("more", ["adam", "--json"])
def test_markdown_is_of_everything(more):
    result = CliRunner().invoke(app, ["list", "--markdown", more])
    assert isinstance(result.exception, UserError)


def test_markdown_has_a_row_for_every_component():
    rows = [line for line in shown("--markdown").splitlines() if line.startswith("| `")]
    assert len(rows) == len(MEMBERS)
    assert all(row.count(" | ") == 2 for row in rows)
    assert any(row.startswith("| `momentum` |") and "`dampening: 0.0`" in row for row in rows)


@pytest.mark.parametrize(
    ("word", "hint"),
    [("adma", "`adam`"), ("optimisers", "`optimizers`"), ("drop_out", "`dropout`")],
)
def test_an_unknown_word_is_told_with_its_likes(word, hint):
    result = CliRunner().invoke(app, ["list", word])
    assert isinstance(result.exception, UserError)
    assert hint in str(result.exception)
    assert word not in names()


def test_a_word_like_no_other_is_told_what_there_is():
    result = CliRunner().invoke(app, ["list", "qqqq"])
    assert "there are datasets," in str(result.exception)
    assert str(result.exception).endswith("sections, metrics")
