"""What a space comes to: which combinations, in which order, and the configs they are."""

from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optrun.config.load import load
from optrun.sweeps.space.distributions import Choice, Integer, LogUniform, Uniform
from optrun.yaml_text import to_yaml


def settings_of(sweep):
    return [dict(point.settings) for point in sweep.points]


def configs_of(sweep):
    return [config for point in sweep.points for config in sweep.configs(point.candidate(0, {}))]


def test_a_grid_varies_its_last_key_fastest(sweep_of):
    sweep = sweep_of(
        "grid: {optimizer.lr: [0.1, 0.2], training.epochs: range(1, 4)}",
    )
    assert settings_of(sweep) == [
        {"optimizer.lr": lr, "training.epochs": epochs}
        for lr, epochs in product([0.1, 0.2], [1, 2, 3])
    ]
    assert [point.number for point in sweep.points] == list(range(6))
    assert sweep.keys == ("optimizer.lr", "training.epochs")


def test_each_alternative_has_rates_of_its_own(sweep_of):
    sweep = sweep_of(
        """
        each:
          - {set: {optimizer: sgd}, grid: {optimizer.lr: logspace(1e-1, 1, 2)}}
          - {set: {optimizer: {name: adam, beta1: 0.8}}, grid: {optimizer.lr: [0.01]}}
        """
    )
    assert settings_of(sweep) == [
        {"optimizer": "sgd", "optimizer.lr": 0.1},
        {"optimizer": "sgd", "optimizer.lr": 1.0},
        {"optimizer": {"name": "adam", "beta1": 0.8}, "optimizer.lr": 0.01},
    ]
    optimizers = [config.optimizer for config in configs_of(sweep)]
    assert [(o.name, o.lr) for o in optimizers] == [("sgd", 0.1), ("sgd", 1.0), ("adam", 0.01)]
    assert optimizers[-1].beta1 == 0.8
    assert sweep.keys == ("optimizer", "optimizer.lr")


def test_parts_are_combined_in_the_order_in_which_they_are_written(sweep_of):
    grid, pairs = "grid: {seed: [3], optimizer.lr: [1, 2]}", "zip: {model.hidden: [[2], [3]]}"
    each = "each: [{set: {training.epochs: 1}}, {}]"
    forth, back = sweep_of(f"{grid}\n{pairs}\n{each}"), sweep_of(f"{each}\n{pairs}\n{grid}")
    assert forth.keys == ("optimizer.lr", "model.hidden", "training.epochs")
    assert back.keys == ("training.epochs", "model.hidden", "optimizer.lr")
    assert [s["optimizer.lr"] for s in settings_of(forth)] == [1] * 4 + [2] * 4
    assert [s["optimizer.lr"] for s in settings_of(back)] == [1, 2] * 4
    assert ["training.epochs" in s for s in settings_of(forth)] == [True, False] * 4
    assert forth.seeds == back.seeds == (3,)


def test_zipped_lists_go_together(sweep_of):
    sweep = sweep_of("zip: {optimizer.lr: linspace(1, 2, 3), model.hidden: [[1], [2, 2], [3]]}")
    assert [tuple(s.values()) for s in settings_of(sweep)] == [(1, [1]), (1.5, [2, 2]), (2, [3])]


def test_alternatives_within_alternatives(sweep_of):
    sweep = sweep_of(
        """
        each:
          - set: {optimizer: sgd}
            each: [{grid: {optimizer.lr: [1, 2]}}, {set: {optimizer.lr: 3}}]
          - set: {optimizer: adam}
        """
    )
    assert [s.get("optimizer.lr") for s in settings_of(sweep)] == [1, 2, 3, None]


def test_what_is_set_for_all_does_not_vary(sweep_of):
    sweep = sweep_of("set: {model.hidden: [3, 4], optimizer: adam}\ngrid: {optimizer.lr: [1, 2]}")
    assert settings_of(sweep) == [{"optimizer.lr": 1}, {"optimizer.lr": 2}]
    assert sweep.keys == ("optimizer.lr",)
    assert {config.optimizer.name for config in configs_of(sweep)} == {"adam"}
    assert configs_of(sweep)[0].model.hidden == [3, 4]


@pytest.mark.parametrize(
    "lines",
    [
        "grid: {optimizer.lr: [0.5]}\nset: {optimizer: adam}\nseeds: 2",
        "grid: {optimizer.lr: [0.5], optimizer: [adam]}\nseeds: 2",
        "each: [{grid: {optimizer.lr: [0.5]}}]\ngrid: {optimizer: [adam]}\nseeds: 2",
    ],
)
def test_an_outer_key_is_written_first_wherever_it_stands(sweep_of, lines):
    assert {(c.optimizer.name, c.optimizer.lr) for c in configs_of(sweep_of(lines))} == {
        ("adam", 0.5)
    }


def test_lists_and_sections_are_values_of_a_grid(sweep_of):
    sweep = sweep_of(
        """
        grid:
          model.hidden: [[4], [4, 2]]
          training.early_stopping: [null, {patience: 3}]
          dataset.preprocessing:
            - [center]
            - []
        """
    )
    assert settings_of(sweep)[3] == {
        "model.hidden": [4],
        "training.early_stopping": {"patience": 3},
        "dataset.preprocessing": [],
    }
    assert len({config.model_dump_json() for config in configs_of(sweep)}) == 8


MEANT = {
    "optimizer.lr": [0.5, 1, 1e-3],
    "optimizer": ["sgd", {"name": "adam", "lr": 0.3}, {"name": "momentum", "momentum": 0.5}],
    "optimizer.clipping": [None, {"by_norm": 2.0}],
    "model": ["linear", {"name": "mlp", "hidden": [3, 2]}],
    "model.activation": ["tanh", {"name": "leaky_relu"}],
    "model.hidden.1": [5],
    "loss.name": ["hinge", "softmax"],
    "loss.label_smoothing": [0.1],
    "training.early_stopping.patience": [2, 4],
    "training.batch_size": ["full", 16],
    "dataset.kind": ["circles"],
    "dataset.preprocessing.0": ["center", "standardize"],
    "scheduler": ["cosine", {"name": "step", "every": "2 epochs"}],
    "seed": [4],
}


@st.composite
def choices(draw) -> dict[str, object]:
    """Some keys with a value each; a model without hidden layers has no keys about them."""
    keys = draw(st.lists(st.sampled_from(sorted(MEANT)), min_size=1, unique=True))
    chosen = {key: draw(st.sampled_from(MEANT[key])) for key in keys}
    if chosen.get("model") == "linear":
        chosen = {key: chosen[key] for key in chosen if not key.startswith("model.")}
    if "hinge" in chosen.values():
        chosen.pop("loss.label_smoothing", None)
    return chosen


@given(chosen=choices())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_candidate_is_the_config_that_overrides_of_train_make(chosen, sweep_of):
    seed = chosen.pop("seed", 0)
    lines = to_yaml({"grid": {key: [value] for key, value in chosen.items()}})
    sweep = sweep_of(f"{lines if chosen else ''}\nset: {{seed: {seed}}}\nseeds: 2")
    by_depth = sorted(chosen, key=lambda key: key.count("."))
    overrides = [f"{key}={as_written(chosen[key])}" for key in by_depth]
    expected = [load("base.yaml", [*overrides, f"seed={s}"]).config for s in (seed, seed + 1)]
    assert configs_of(sweep) == expected


def as_written(value) -> str:
    """The value as an override has it, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {as_written(item)}" for key, item in value.items()) + "}"
    return "null" if value is None else str(value)


def test_the_base_is_as_it_was_after_any_number_of_candidates(sweep_of):
    sweep = sweep_of("grid: {model.hidden.1: [2, 3], optimizer.clipping.by_norm: [1.0, 2.0]}")
    first, *_ = settings = configs_of(sweep)
    assert [config.model.hidden for config in settings] == [[8, 2], [8, 2], [8, 3], [8, 3]]
    assert first.optimizer.clipping.by_norm == 1.0
    assert "clipping" not in sweep.written()["sweep"]["base"]["optimizer"]


def test_what_is_drawn_is_left_open_in_the_points(sweep_of):
    sweep = sweep_of(
        """
        strategy: random
        grid: {optimizer: [sgd, adam]}
        random:
          optimizer.lr: loguniform(1e-4, 1)
          regularization.input_dropout: uniform(0, 0.5)
          training.epochs: integer(1, 8)
          model.hidden: [[4], [8, 4]]
          model.activation: choice(relu, {name: tanh})
        """
    )
    assert settings_of(sweep) == [{"optimizer": "sgd"}, {"optimizer": "adam"}]
    assert sweep.points[0].distributions == {
        "optimizer.lr": LogUniform(1e-4, 1),
        "regularization.input_dropout": Uniform(0, 0.5),
        "training.epochs": Integer(1, 8),
        "model.hidden": Choice(([4], [8, 4])),
        "model.activation": Choice(("relu", {"name": "tanh"})),
    }
    assert sweep.keys[:2] == ("optimizer", "optimizer.lr")
    assert sweep.epochs == 8
    candidate = sweep.points[1].draw(3, seed=0)
    (config,) = sweep.configs(candidate)
    drawn = candidate.settings
    assert config.optimizer.name == "adam"
    assert config.optimizer.lr == drawn["optimizer.lr"]
    assert config.training.epochs == drawn["training.epochs"]
    assert config.model.hidden == drawn["model.hidden"]


def test_an_alternative_may_draw_what_another_does_not_have(sweep_of):
    sweep = sweep_of(
        """
        strategy: random
        each:
          - set: {optimizer: momentum}
            random: {optimizer.momentum: uniform(0, 0.9)}
          - set: {optimizer: sgd}
        """
    )
    assert [list(point.distributions) for point in sweep.points] == [["optimizer.momentum"], []]
