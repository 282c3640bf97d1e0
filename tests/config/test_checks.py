"""Contradictions between fields: each is told, at the key to change, naming the other."""

import pytest

from optrun.config import checks
from tests.config.conftest import BASE

MOONS = "dataset: {name: synthetic, kind: moons}"
"""600 examples, 540 of them for training: five steps of 128 an epoch, fifty in ten epochs."""


def with_data(**changes: object) -> str:
    extra = ", ".join(f"{key}: {value}" for key, value in changes.items())
    return BASE.replace(MOONS, f"dataset: {{name: synthetic, kind: moons, {extra}}}")


def with_glyphs(extra: str) -> str:
    return BASE.replace(MOONS, f"dataset: {{name: synthetic, kind: glyphs, {extra}}}")


CASES = [
    (with_data(validation=600), "x.yaml:2:53: dataset.validation: takes 600 of the 600"),
    (with_data(validation=700), "dataset.validation: takes 700 of the 600"),
    (with_data(subset=541), "dataset.subset: asks for 541 examples, but validation leaves 540"),
    (with_data(subset="{per_class: 271}"), "dataset.subset: asks for 542"),
    (with_data(preprocessing="[rescale]"), "dataset.preprocessing.0: `rescale` divides bytes"),
    (
        with_data(preprocessing="[center, center]"),
        "x.yaml:2:65: dataset.preprocessing.1: `center` stands there twice",
    ),
    (
        with_glyphs("preprocessing: [standardize, rescale]"),
        "x.yaml:2:71: dataset.preprocessing.1: `rescale` turns bytes into numbers from 0 to 1, so",
    ),
    (with_glyphs("preprocessing: [rescale, rescale]"), "`rescale` stands there twice"),
    (
        BASE.replace("name: sgd, lr: 0.1", "name: rprop") + "scheduler: cosine",
        "scheduler: changes nothing for `rprop`",
    ),
    (
        BASE.replace("name: sgd, lr: 0.1", "name: rprop, lr: 100"),
        "optimizer.lr: 100, the first step size, is not between",
    ),
    (
        BASE + "scheduler: {name: one_cycle, up: 100%}",
        "scheduler.up: `100%` takes all of the",
    ),
    (
        BASE + "training: {epochs: 99999999999}",
        "x.yaml:5:20: training.epochs: 99999999999 epochs of 5 steps are 5e+11 steps",
    ),
    (
        BASE + "training: {batch_size: 541}",
        "x.yaml:5:24: training.batch_size: 541 is more than the 540 examples that `dataset` gives",
    ),
    (with_data(subset=100), "training.batch_size: 128 is more than the 100 examples"),
    (
        BASE + "warmup: {name: linear, duration: 11 epochs}",
        "warmup.duration: `11 epochs` is longer than the 50 steps (10 epochs) that "
        "`training.epochs` leaves",
    ),
    (
        BASE + "warmup: {name: linear, duration: 51 steps}",
        "warmup.duration: `51 steps` is longer than the 50 steps",
    ),
    (
        BASE + "scheduler: {name: cosine, over: 0 steps}",
        "scheduler.over: `0 steps` comes to 0 steps, with 50 steps for the whole schedule",
    ),
    (BASE + "scheduler: {name: step, every: 0.001}", "scheduler.every: `0.1%` comes to 0 steps"),
    (BASE + "scheduler: {name: exponential, gamma: 0.5, every: 0%}", "scheduler.every: `0%`"),
    (BASE + "scheduler: {name: step, every: 51 steps}", "scheduler.every: `51 steps` is longer"),
    (
        BASE + "warmup: {name: linear, duration: 100%}\nscheduler: cosine",
        "x.yaml:6:12: scheduler.over: there are 0 steps for it: `warmup.duration` takes the whole",
    ),
    (
        BASE
        + "warmup: {name: linear, duration: 1 epochs}\nscheduler: {name: linear, over: 46 steps}",
        "scheduler.over: `46 steps` is longer than the 45 steps (9 epochs)",
    ),
    (
        BASE.replace("name: sgd", "name: rprop, step_min: 2, step_max: 1"),
        "optimizer.step_min: 2 is above `step_max` 1",
    ),
    (
        BASE + "scheduler: {name: cosine, min: 0.2}",
        "scheduler.min: 0.2 is above `optimizer.lr` 0.1",
    ),
    (
        BASE + "scheduler: {name: piecewise, milestones: [2 epochs, 0.5, 51 steps], "
        "factors: [0.5, 0.1, 0.1]}",
        "x.yaml:5:58: scheduler.milestones.2: `51 steps` is longer than the 50 steps",
    ),
    (
        BASE + "scheduler: {name: piecewise, milestones: [0 steps], factors: [0.5]}",
        "scheduler.milestones.0: `0 steps` comes to 0 steps",
    ),
    (
        BASE
        + "scheduler: {name: piecewise, milestones: [30 steps, 6 epochs], factors: [0.5, 0.1]}",
        "x.yaml:5:53: scheduler.milestones.1: `6 epochs` (step 30) does not come after "
        "`30 steps` (step 30)",
    ),
    (
        BASE + "scheduler: {name: piecewise, milestones: [50%], factors: [0.5, 0.1]}",
        "x.yaml:5:58: scheduler.factors: gives 2, but `milestones` gives 1",
    ),
    (
        BASE + "scheduler: {name: polynomial, power: 2.0, over: 11 epochs}",
        "scheduler.over: `11 epochs` is longer than the 50 steps (10 epochs)",
    ),
    (
        BASE + "scheduler: {name: warm_restarts, period: 51 steps}",
        "scheduler.period: `51 steps` is longer",
    ),
    (
        BASE + "scheduler: {name: cyclic, min: 0.01, up: 2 epochs, down: 11 epochs}",
        "scheduler.down: `11 epochs` is longer",
    ),
    (
        BASE + "scheduler: {name: cyclic, min: 0.2, up: 2 epochs}",
        "scheduler.min: 0.2 is above `optimizer.lr` 0.1",
    ),
    (
        BASE + "scheduler: {name: cyclic, min: 0.01, up: 2 epochs, gamma: 0.9}",
        "x.yaml:5:59: scheduler.gamma: acts with `mode: exp_range` alone, and mode is `triangular`",
    ),
    (
        BASE + "scheduler: {name: cyclic, min: 0.01, up: 2 epochs, mode: exp_range}",
        "scheduler.mode: `exp_range` needs `gamma`",
    ),
    (
        BASE + "scheduler: {name: one_cycle, up: 1 steps}",
        "scheduler.up: `1 steps` comes to 1 of 50 steps, too short for a climb",
    ),
    (
        BASE + "scheduler: {name: one_cycle, up: 26 steps, three_phase: true}",
        "scheduler.up: `26 steps` up and as much down do not fit into 50 steps",
    ),
    (
        BASE + "scheduler: {name: warmup_stable_decay, warmup: 6 epochs, decay: 21 steps}",
        "scheduler.decay: its 21 steps and the 30 of `warmup` are more than the 50 there are",
    ),
    (
        BASE + "scheduler: {name: warmup_stable_decay, decay: 0}",
        "scheduler.decay: `0%` comes to 0 steps",
    ),
    (
        BASE + "scheduler: {name: inverse_sqrt, offset: 0 steps}",
        "scheduler.offset: `0 steps` comes to 0 steps",
    ),
    (
        BASE.replace("[8]", "[8], activation: gelu")
        + "initialization: {name: xavier_normal, gain: auto}",
        "x.yaml:5:45: initialization.gain: `auto` knows no gain for the activation `gelu`",
    ),
    (
        BASE + "regularization: {dropout: [0.1, 0.2]}",
        "x.yaml:5:27: regularization.dropout: gives 2 rates, but `model.hidden` gives 1 layer",
    ),
    (
        BASE.replace("{name: mlp, hidden: [8]}", "linear") + "regularization: {dropout: 0.1}",
        "regularization.dropout: acts after hidden layers, and model `linear` has none",
    ),
    (
        with_data(validation=0) + "training: {best_by: val_loss}",
        "training.best_by: `val_loss` needs validation data, and `dataset.validation` is 0",
    ),
    (
        with_data(validation=0) + "training: {early_stopping: {}}",
        "training.early_stopping: needs validation data, and `dataset.validation` is 0",
    ),
    (
        BASE + "training: {best_by: last, early_stopping: {}}",
        "training.early_stopping: has nothing to watch, for `training.best_by` is `last`",
    ),
]


@pytest.mark.parametrize(("text", "message"), CASES)
def test_a_contradiction(complaint, text, message):
    told = complaint(text)
    assert message in told
    assert told.endswith("1 problem in x.yaml")


@pytest.mark.parametrize(
    "text",
    [
        with_data(validation=599) + "training: {batch_size: full}",
        with_data(subset=540),
        with_data(subset="{per_class: 270}"),
        with_data(validation=0) + "training: {best_by: last}",
        BASE + "training: {batch_size: 540}",
        BASE + "training: {epochs: 0}\nscheduler: cosine",
        BASE + "training: {epochs: 0}\nwarmup: {name: linear, duration: 3 epochs}",
        BASE + "warmup: {name: linear, duration: 10 epochs}",
        BASE + "warmup: {name: linear, duration: 0 steps}",
        BASE + "scheduler: {name: step, every: 50 steps}",
        BASE + "scheduler: {name: exponential, gamma: 0.5, every: 90 epochs}",
        BASE + "scheduler: {name: cosine, min: 0.1}",
        BASE
        + "scheduler: {name: piecewise, milestones: [29 steps, 6 epochs], factors: [0.5, 0.1]}",
        BASE + "scheduler: {name: natural_exponential, beta: 0.5, every: 90 epochs}",
        BASE + "scheduler: {name: inverse_time, beta: 0.5, every: 90 epochs}",
        BASE + "scheduler: {name: inverse_sqrt, offset: 90 epochs}",
        BASE + "scheduler: {name: warm_restarts, period: 50 steps, t_mult: 2}",
        BASE + "scheduler: {name: one_cycle, up: 98%}",
        BASE + "scheduler: {name: one_cycle, up: 25 steps, three_phase: true}",
        BASE + "scheduler: {name: warmup_stable_decay, warmup: 0, decay: 50 steps}",
        BASE + "scheduler: {name: warmup_stable_decay, warmup: 60%, decay: 40%}",
        BASE.replace("[8]", "[8], activation: gelu")
        + "initialization: {name: xavier_normal, gain: 1.2}",
        BASE + "initialization: {name: orthogonal, gain: auto}",
        BASE.replace("{name: mlp, hidden: [8]}", "linear")
        + "initialization: {name: xavier_normal, gain: auto}",
        BASE + "regularization: {dropout: [0.1]}",
        BASE + "training: {epochs: 20000000}",
        BASE + "initialization: {name: normal, std: 1.0e-9}",
        BASE + "initialization: zeros",
        with_data(preprocessing="[center, standardize]"),
        with_glyphs("preprocessing: [rescale, center, standardize]"),
        with_glyphs("preprocessing: [standardize]"),
        BASE.replace("{name: mlp, hidden: [8]}", "linear") + "regularization: {dropout: 0}",
    ],
)
def test_the_edge_of_a_contradiction_is_none(load_text, text):
    load_text(text)


def test_sound_sections_are_checked_beside_broken_ones(complaint):
    text = complaint(
        BASE + "training: {batch_size: 541}\nloss: hinje\nregularization: {dropout: [0.1, 0.2]}"
    )
    for message in ("training.batch_size: 541", "unknown name `hinje`", "gives 2 rates"):
        assert message in text
    assert text.endswith("3 problems in x.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            BASE.replace("{name: mlp, hidden: [8]}", "{name: linear, hidden: [10]}")
            + "regularization: {dropout: 0.1, l2: -1}",
            "regularization.dropout: acts after hidden layers",
        ),
        (
            BASE + "training: {epochs: x, batch_size: 541, early_stopping: {patience: 0}}",
            "training.batch_size: 541 is more than the 540",
        ),
        (
            with_data(validation=600) + "training: {batch_size: 601}",
            "training.batch_size: 601 is more than the 600",
        ),
        (
            BASE.replace("lr: 0.1", "lr: 0.1, momentum: 0.9") + "scheduler: {name: cosine, min: 1}",
            "scheduler.min: 1 is above",
        ),
        (
            with_data(validation=0) + "training: {best_by: last, early_stopping: {patience: 0}}",
            "training.early_stopping: needs validation data",
        ),
    ],
)
def test_a_section_is_checked_as_far_as_it_is_sound(complaint, text, message):
    assert message in complaint(text)


@pytest.mark.parametrize(
    "text",
    [
        with_data(samples=50) + "training: {batch_size: fulll}",
        with_data(samples=50, subset=0) + "training: {batch_size: 46}",
        with_data(validation=1.5) + "training: {early_stopping: {}}",
        BASE.replace("hidden: [8]", "hidden: []") + "regularization: {dropout: 0.1}",
        BASE.replace("hidden: [8], ", "").replace(", hidden: [8]", "")
        + "regularization: {dropout: [0.1, 0.1]}",
    ],
)
def test_a_contradiction_is_not_looked_for_in_what_is_unsound(complaint, text):
    assert complaint(text).endswith("1 problem in x.yaml")


def test_a_check_that_breaks_on_a_sound_config_is_not_passed_over(load_text, monkeypatch):
    def broken(model):
        yield model.no_such_attribute

    monkeypatch.setattr(checks, "CHECKS", (broken,))
    with pytest.raises(AttributeError, match="no_such_attribute"):
        load_text(BASE)
