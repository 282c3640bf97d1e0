"""Overrides: where they write, what they leave out, and how their mistakes are told."""

from textwrap import dedent

import pytest

from optrun.config.load import load, resolved
from optrun.config.vocabulary import value_at
from optrun.errors import ConfigError
from tests.config.conftest import BASE

ADAM = BASE.replace("{name: sgd, lr: 0.1}", "\n  name: adam\n  lr: 0.1\n  beta1: 0.8\n")


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("optimizer.lr=3e-4", "optimizer.lr", 3e-4),
        ("optimizer.lr = 1", "optimizer.lr", 1.0),
        ("seed=7", "seed", 7),
        ("name=on", "name", "on"),
        ("model.hidden=[16, 4]", "model.hidden", [16, 4]),
        ("model.hidden.0=16", "model.hidden", [16]),
        ("model.hidden.1=4", "model.hidden", [8, 4]),
        ("model.activation=tanh", "model.activation", {"name": "tanh"}),
        ("model.activation.name=tanh", "model.activation", {"name": "tanh"}),
        ("model=linear", "model", {"name": "linear"}),
        ("loss.name=hinge", "loss", {"name": "hinge"}),
        ("dataset.preprocessing.0=center", "dataset.preprocessing", [{"name": "center"}]),
        ("training.early_stopping.patience=3", "training.early_stopping.patience", 3),
        ("training.early_stopping={}", "training.early_stopping.patience", 5),
        ("warmup={name: linear, duration: 5%}", "warmup.duration", 0.05),
        ("initialization.bias=0.5", "initialization.name", "he_uniform"),
        ("loss.label_smoothing=0.1", "loss.name", "softmax"),
        ("loss.label_smoothing=0.1", "loss.label_smoothing", 0.1),
        ("optimizer={name: adam, lr: .5}", "optimizer.lr", 0.5),
    ],
)
def test_where_an_override_writes(load_text, override, path, value):
    values = resolved(load_text(BASE, override).config)
    assert value_at(values, tuple(path.split("."))) == value


def test_an_override_of_a_default_that_no_dataset_of_its_own_objective_has_is_told_as_that():
    values = {"name": "a", "model": "point", "optimizer": "sgd"}
    values["dataset"] = {"name": "function", "kind": "sphere"}
    with pytest.raises(ConfigError) as caught:
        load(values, ["loss.label_smoothing=0.1"])
    assert "loss: dataset `function` is a loss itself" in str(caught.value)
    assert str(caught.value).endswith("1 problem in the config")


def test_an_override_beside_a_broken_dataset_descends_into_the_usual_default(complaint):
    text = complaint(BASE.replace("moons", "mons"), "loss.label_smoothing=0.1")
    assert "dataset.kind: unknown name `mons`" in text
    assert text.endswith("1 problem in x.yaml")


def test_the_base_of_a_wrapper_is_renamed_like_an_optimizer(load_text):
    text = BASE.replace("{name: sgd, lr: 0.1}", "{name: sam, base: {name: adam, beta1: 0.8}}")
    loaded = load_text(text, "optimizer.base.name=sgd", "optimizer.base.lr=0.3")
    assert resolved(loaded.config)["optimizer"]["base"]["lr"] == 0.3
    assert loaded.notes == (
        "optimizer.base.name=sgd leaves out beta1 (x.yaml:4), which sgd does not have",
    )


@pytest.mark.parametrize("loss", ["loss: softmax", "loss: {name: softmax}", "loss:", ""])
def test_a_component_written_in_any_way_can_be_renamed(load_text, loss):
    assert load_text(f"{BASE}{loss}\n", "loss.name=hinge").config.loss.name == "hinge"


def test_overrides_apply_in_order_and_the_rest_stays(load_text):
    config = load_text(BASE, "optimizer.name=momentum", "optimizer.momentum=0.5").config
    assert (config.optimizer.lr, config.optimizer.momentum) == (0.1, 0.5)


def test_a_list_that_only_the_defaults_have_is_changed_from_its_default():
    values = {"name": "a", "dataset": "mnist", "model": "linear", "optimizer": "sgd"}
    steps = load(values, ["dataset.preprocessing.1=center"]).config.dataset.preprocessing
    assert [step.name for step in steps] == ["rescale", "center"]


def test_another_component_keeps_what_it_also_has_and_says_what_it_leaves_out(load_text):
    loaded = load_text(ADAM, "optimizer.name=sgd")
    assert resolved(loaded.config)["optimizer"] == {"name": "sgd", "lr": 0.1, "clipping": None}
    assert loaded.notes == (
        "optimizer.name=sgd leaves out beta1 (x.yaml:7), which sgd does not have",
    )


def test_a_kind_is_changed_like_a_name(load_text):
    text = BASE.replace("kind: moons", "kind: spirals, turns: 2, samples: 90, noise: 0")
    loaded = load_text(text, "dataset.kind=moons", "training.batch_size=full")
    assert (loaded.config.dataset.samples, loaded.config.dataset.noise) == (90, 0.0)
    assert loaded.notes == (
        "dataset.kind=moons leaves out turns (x.yaml:2), which moons does not have",
    )


def test_leaving_a_family_of_kinds_leaves_out_the_kind(load_text):
    loaded = load_text(BASE, "dataset.name=mnist")
    assert "leaves out kind (x.yaml:2)" in loaded.notes[0]


def test_replacing_a_whole_section_is_noted(load_text):
    loaded = load_text(ADAM, "optimizer=sgd")
    assert loaded.config.optimizer.lr == 0.01
    assert loaded.notes == (
        "optimizer=sgd replaces the whole section (x.yaml:4); "
        "`optimizer.name=` would keep the keys they share",
    )


def test_the_same_name_again_leaves_nothing_out(load_text, complaint):
    assert load_text(ADAM, "optimizer.name=adam").notes == ()
    assert "beta3: unknown key" in complaint(ADAM.replace("beta1", "beta3"), "optimizer.name=sgd")


def test_a_key_given_explicitly_is_never_left_out(complaint):
    text = complaint(ADAM, "optimizer.beta1=0.5", "optimizer.name=sgd")
    assert text == dedent(
        """\
        override "optimizer.beta1=0.5": optimizer.beta1: unknown key
              | optimizer.beta1=0.5
              | ^^^^^^^^^^^^^^^ `beta1` belongs to adahessian, adam, adamw, adamax, nadam, \
radam, adabelief, lion, lamb, muon, schedule_free_adamw; sgd has lr, clipping
        1 problem in x.yaml"""
    )


@pytest.mark.parametrize("later", ["optimizer.lr=2", "optimizer.lr=", "optimizer=adam"])
def test_an_override_undone_by_a_later_one_is_an_error(complaint, later):
    text = complaint(BASE, "optimizer.lr=1", later)
    assert f'override "optimizer.lr=1": optimizer.lr: is given again by override "{later}"' in text


@pytest.mark.parametrize(
    ("override", "message", "marker", "hint"),
    [
        ("foo", "not an override", "^^^", "write it as key.path=value"),
        ("optimizer..lr=1", "not an override", "^" * 15, "write it as key.path=value"),
        ("=1", "not an override", "^^", "write it as key.path=value"),
        ("optmizer.lr=2", "optmizer: unknown key", "^^^^^^^^", "did you mean `optimizer`?"),
        ("optimizer.rl=2", "optimizer.rl: unknown key", "^" * 12, "did you mean `lr`?"),
        (
            "optimizer.lr=abc",
            "optimizer.lr: must be a number greater than 0, not the text 'abc'",
            " " * 13 + "^^^",
            "",
        ),
        ("optimizer.lr.x=2", "`optimizer.lr` is 0.1 and has no keys", " " * 10 + "^^", ""),
        ("loss.delta=3", "loss.delta: unknown key", "^" * 10, "known here: label_smoothing"),
        ("optimizer.name=sdg", "unknown name `sdg`", " " * 15 + "^^^", "did you mean `sgd` or"),
        ("model.hidden.5=1", "without an item `5`", " " * 13 + "^", "it has items 0 to 0; 1 adds"),
        ("dataset.preprocessing.x=center", "without an item `x`", " " * 22 + "^", "it is empty"),
        ("model.hidden=[1,", "the bracket is not closed", " " * 16 + "^", ""),
        ("training=", "training: is empty", "^" * 8, "remove it or give it a section"),
        ("warmup=", "warmup: is empty", "^" * 6, "write `null` for none"),
        ("training.epochs=", "training.epochs: is empty", "^" * 15, "a whole number at least 0"),
        ("optimizer={name: sgd, name: sgd}", "given twice", " " * 22 + "^^^^", "stands here"),
        ("training.batch_size=999", "999 is more than the 540", " " * 20 + "^^^", "`full`"),
    ],
)
def test_a_wrong_override(complaint, override, message, marker, hint):
    head, excerpt, below, count = complaint(BASE, override).splitlines()
    assert head.startswith(f'override "{override}": ')
    assert message in head
    assert excerpt == f"      | {override}"
    assert below.startswith(f"      | {marker}")
    assert hint in below
    assert count == "1 problem in x.yaml"


def test_problems_of_file_and_overrides_are_told_together_the_file_first(complaint):
    text = complaint(BASE + "seed: -1\n", "lr=1", "training.epochs=-1")
    places = [line.split(": ")[0] for line in text.splitlines() if ": " in line and "|" not in line]
    assert places == ["x.yaml:5:7", 'override "lr=1"', 'override "training.epochs=-1"']


def test_an_override_mends_the_file(load_text):
    assert load_text(BASE + "seed: -1\ntraining:\n", "seed=1", "training.epochs=2").config.seed == 1
