"""Axes on the command line: what is an axis, what is one value, and what the file still says."""

from pathlib import Path

import pytest

from optrun.errors import ConfigError
from optrun.sweeps.space.load import load_sweep


def of_config(*overrides: str):
    return load_sweep(Path("base.yaml"), ["sweep.seeds=2", *overrides])


def refused(*overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_sweep(Path("base.yaml"), overrides)
    return str(caught.value)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("override", "values"),
    [
        ("optimizer.lr=0.1,0.2", [0.1, 0.2]),
        ("optimizer.lr = 1, 3e-4", [1, 3e-4]),
        ("optimizer.lr=logspace(1e-2,1,3)", [0.01, 0.1, 1]),
        ("optimizer.lr=linspace(1, 2, 3)", [1, 1.5, 2]),
        ("training.epochs=range(1,3)", [1, 2]),
        ("model.hidden=[64],[32, 16]", [[64], [32, 16]]),
        (
            "optimizer={name: sgd, lr: 0.5},{name: adam}",
            [{"name": "sgd", "lr": 0.5}, {"name": "adam"}],
        ),
        ("optimizer=sgd,{name: adam}", ["sgd", {"name": "adam"}]),
        ("model=linear,{name: mlp, hidden: [3, 2]}", ["linear", {"name": "mlp", "hidden": [3, 2]}]),
        ("training.early_stopping=null,{}", [None, {}]),
        ("dataset.preprocessing=[],[center]", [[], ["center"]]),
    ],
)
def test_axes(override, values):
    sweep = of_config(override)
    key = override.split("=")[0].strip()
    assert [point.settings for point in sweep.points] == [{key: value} for value in values]
    assert sweep.keys == (key,)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "override",
    [
        "model.hidden=[64, 32]",
        "optimizer={name: adam, lr: 0.5}",
        "optimizer=adam",
        "optimizer.lr=0.3",
        "warmup={name: linear, duration: 5%}",
        "dataset.preprocessing=[center, standardize]",
        "name=other",
        "seed=7",
    ],
)
def test_one_value_for_all_runs(override):
    from optrun.config.load import load

    sweep = of_config(override)
    (point,) = sweep.points
    assert (dict(point.settings), sweep.keys) == ({}, ())
    (expected, *_), first = [load("base.yaml", [override]).config], sweep.seeds[0]
    assert sweep.configs(point.candidate(0, {})) == [
        expected.model_copy(update={"seed": first + further}) for further in (0, 1)
    ]


@pytest.mark.usefixtures("folder")
def test_the_command_of_the_readme():
    axes = ["optimizer.lr=logspace(1e-4,1,9)", "optimizer.name=sgd,adam", "seed=range(5)"]
    sweep = load_sweep(Path("base.yaml"), axes)
    assert (len(sweep.points), sweep.seeds, sweep.name) == (18, (0, 1, 2, 3, 4), "demo")
    assert sweep.keys == ("optimizer.lr", "optimizer.name")


def test_an_axis_takes_the_place_of_what_the_file_says(sweep_of):
    lines = "grid: {optimizer.lr: [1, 2], training.epochs: [3]}\nset: {model.hidden: [5]}"
    sweep = sweep_of(lines, "optimizer.lr=3,4,5", "model.hidden=[2],[3]")
    assert sweep.keys == ("optimizer.lr", "training.epochs", "model.hidden")
    assert [tuple(p.settings.values()) for p in sweep.points][:3] == [
        (3, 3, [2]),
        (3, 3, [3]),
        (4, 3, [2]),
    ]


def test_a_value_takes_the_place_of_an_axis(sweep_of):
    sweep = sweep_of("grid: {optimizer.lr: [1, 2], training.epochs: [3, 4]}", "optimizer.lr=5")
    assert [dict(point.settings) for point in sweep.points] == [
        {"training.epochs": 3},
        {"training.epochs": 4},
    ]
    assert sweep.configs(sweep.points[0].candidate(0, {}))[0].optimizer.lr == 5


@pytest.mark.parametrize(
    ("lines", "overrides", "seeds"),
    [
        ("seeds: 3", ["seed=7"], (7, 8, 9)),
        ("set: {seed: 4}\nseeds: 2", [], (4, 5)),
        ("seeds: 3", ["seed=5,2"], (5, 2)),
        ("seeds: [9, 8]", ["seed=range(2)"], (0, 1)),
        ("seeds: [9, 8]", ["sweep.seeds=3"], (0, 1, 2)),
        ("seeds: 2", ["sweep.seeds=range(4, 6)"], (4, 5)),
        ("seeds: 2", ["sweep.seeds=4,5"], (4, 5)),
        ("seeds: 2", ["sweep.seeds=[4, 5]"], (4, 5)),
        ("grid: {seed: range(2)}", [], (0, 1)),
        ("grid: {seed: [3, 4]}", ["seed=1,2"], (1, 2)),
    ],
)
def test_seeds(sweep_of, lines, overrides, seeds):
    sweep = sweep_of(lines, *overrides)
    assert sweep.seeds == seeds
    configs = sweep.configs(sweep.points[0].candidate(0, {}))
    assert tuple(config.seed for config in configs) == seeds
    assert (sweep.keys, len(sweep.points)) == ((), 1)


def test_changes_to_the_sweep_itself(sweep_of):
    sweep = sweep_of(
        "seeds: 2", "sweep.name=other", "sweep.metric=val_loss", "sweep.strategy.name=grid"
    )
    assert (sweep.name, sweep.metric, sweep.strategy.name) == ("other", "val_loss", "grid")


def test_draws_and_the_strategy_of_a_plain_config(folder):
    sweep = of_config(
        "optimizer.lr=loguniform(1e-3,1)",
        "model.hidden=choice([64],[32,16])",
        "sweep.strategy=random",
        "sweep.strategy.samples=3",
    )
    assert list(sweep.points[0].distributions) == ["optimizer.lr", "model.hidden"]
    assert sweep.strategy.samples == 3


DRAWN = "optimizer.lr=loguniform(1e-3,1)"


@pytest.mark.parametrize(
    ("lines", "overrides", "samples", "name", "drawn"),
    [
        ("", [DRAWN], None, "random", 20),
        ("", [DRAWN], 7, "random", 7),
        ("", [DRAWN, "sweep.strategy.samples=5"], None, "random", 5),
        ("", [DRAWN, "sweep.strategy=tpe"], 31, "tpe", 31),
        ("", [DRAWN, "sweep.strategy.name=asha", "training.epochs=9"], 4, "asha", 4),
        ("random: {optimizer.lr: uniform(0.1, 1)}", [], None, "random", 20),
        ("each: [{random: {optimizer.lr: uniform(0.1, 1)}}]", [], 6, "random", 6),
        ("strategy: {name: random, samples: 9}", [DRAWN], None, "random", 9),
        ("strategy: {name: random, samples: 9}", [DRAWN], 3, "random", 3),
        ("grid: {optimizer.lr: [1, 2]}", [], None, "grid", None),
    ],
)
def test_what_is_drawn_makes_a_random_search(sweep_of, lines, overrides, samples, name, drawn):
    sweep = sweep_of(f"seeds: 2\n{lines}", *overrides, samples=samples)
    assert (sweep.strategy.name, getattr(sweep.strategy, "samples", None)) == (name, drawn)
    told = [note for note in sweep.notes if "--samples says how often" in note]
    assert len(told) == (drawn == 20)
    assert sweep.written()["sweep"]["strategy"]["name"] == name


@pytest.mark.parametrize(
    ("lines", "overrides", "message"),
    [
        ("", ["optimizer.lr=1,2"], "everything is listed, so there is nothing to draw\n"),
        ("strategy: grid", [DRAWN], "sweep.strategy.samples: unknown key"),
        ("strategy: hyperband", [DRAWN], "sweep.strategy.samples: unknown key"),
        ("", [DRAWN, "sweep.strategy.samples=5"], "is given again by --samples 3"),
        ("strategy: {name: asha}", ["optimizer.lr=1,2"], "leave `samples` out"),
    ],
)
def test_samples_where_they_mean_nothing(complaint, lines, overrides, message):
    text = complaint(f"seeds: 2\n{lines}", "training.epochs=9", *overrides, samples=3)
    assert message in text
    assert text.endswith("1 problem in x.yaml")


@pytest.mark.usefixtures("folder")
def test_a_mistake_in_the_samples_points_at_the_option(complaint):
    text = complaint("strategy: grid", DRAWN, samples=3)
    assert text.startswith("--samples 3: sweep.strategy.samples: unknown key")
    assert "| --samples 3\n" in text and "| ^^^^^^^^^ " in text


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("override", "message", "marked", "hint"),
    [
        (
            "model.hidden=64,32",
            "model.hidden: takes a list, and this is an axis of 64 and 32",
            "64,32",
            "write [64,32] for one value, [64],[32] for two",
        ),
        (
            "optimizer.lr=[0.1,0.01]",
            "optimizer.lr: must be a number greater than 0, not a list of 2",
            "[0.1,0.01]",
            "to try each of them, write optimizer.lr=0.1,0.01",
        ),
        (
            "optimizer.lr=logspace(1,2)",
            "optimizer.lr: `logspace` takes three numbers",
            "logspace(1,2)",
            "write logspace(first, last, count), such as logspace(1e-4, 1, 9)",
        ),
        (
            "optimizer.lr=logspac(1,2,3)",
            "there is no function `logspac`",
            "logspac(1,2,3)",
            "did you mean `logspace` or `linspace`?",
        ),
        (
            "optimizer.lr=0.1,range(3)",
            "optimizer.lr: must be a number greater than 0, not the text 'range(3)' "
            "(in 2 of 4 runs)",
            "range(3)",
            "a function stands alone, not among other values",
        ),
        ("model.hidden=[64", "the list is not closed: a `,` or `]` is missing", "[", ""),
        (
            "optimizer.lr=",
            "optimizer.lr: is empty",
            "optimizer.lr",
            "remove it or give it a number",
        ),
        ("optimizer.rl=1,2", "optimizer.rl: unknown key", "optimizer.rl", "did you mean `lr`?"),
        ("optimizer", "not an override", "optimizer", "write it as key.path=value"),
        ("optimizer.lr=0.1,", "a value is missing after the comma", ",", "write another value"),
        (
            "optimizer.lr=0,001",
            "is a decimal comma meant?",
            "0,001",
            "write 0.001, with a point; a comma separates values",
        ),
        ("optimizer.lr=,2", "a value is missing before the comma", ",", ""),
        ("optimizer.lr=logspace(1e-4,1,9", "the bracket is not closed", "l", ""),
        ("seed=range(5", "the bracket is not closed", "r", ""),
        ("name=a,b", "name: changes no result, so it is no axis", "name", "remove it, or set it"),
        (
            "optimizer=sgd,{name: adm}",
            "optimizer.name: unknown name `adm` (in 2 of 4 runs)",
            "adm",
            "did you mean `adam`",
        ),
        (
            "sweep.grid.optimizer.lr=1",
            "`sweep.grid.optimizer.lr` is not changed like this",
            "sweep.grid.optimizer.lr",
            "there are sweep.name, sweep.seeds, sweep.strategy, sweep.metric, sweep.baseline; an",
        ),
        ("sweep=1", "`sweep` is not changed like this", "sweep", "there are sweep.name"),
        ("seed=1,x", "sweep.seeds.1: must be a whole number", "x", ""),
        ("seed=uniform(0,1)", "sweep.seeds: `uniform` gives no seeds", "uniform(0,1)", "write how"),
    ],
)
def test_mistakes_point_into_the_override(override, message, marked, hint):
    more = [] if override.startswith("seed") else ["sweep.seeds=2"]
    head, excerpt, below, total = refused(override, *more).split("\n")
    assert head.startswith(f'override "{override}": {message}')
    assert excerpt == f"      | {override}"
    start = override.rindex(marked) if "=" + marked in override else override.index(marked)
    assert below.startswith(f"      | {' ' * start}{'^' * len(marked)} {hint}".rstrip())
    assert total == "1 problem in base.yaml"


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("first", "second", "key"),
    [
        ("optimizer.lr=1,2", "optimizer.lr=3", "optimizer.lr"),
        ("optimizer.lr=1", "optimizer.lr=range(1,3)", "optimizer.lr"),
        ("seed=1,2", "sweep.seeds=3", "sweep.seeds"),
        ("sweep.seeds=3", "sweep.seeds=4", "sweep.seeds"),
    ],
)
def test_the_command_line_decides_once(first, second, key):
    text = refused(first, second, "training.epochs=1,2")
    assert f'override "{first}": {key}: is given again by override "{second}"' in text
    assert text.endswith("1 problem in base.yaml")


@pytest.mark.parametrize(
    "part", ["zip: {training.epochs: [1]}", "each: [{set: {training.epochs: 1}}]"]
)
def test_what_pairs_and_alternatives_decide_is_not_replaced(complaint, part):
    text = complaint(part, "training.epochs=1,2")
    assert "x.yaml:3:" in text
    assert "training.epochs: is decided twice" in text
    assert 'override "training.epochs=1,2" decides it too: keep one of the two' in text


@pytest.mark.usefixtures("folder")
def test_a_config_without_axes_is_no_sweep():
    assert refused() == (
        "base.yaml: nothing varies, so there is nothing to compare\n"
        '      | name an axis: optimizer.lr=0.1,0.01 or "optimizer.lr=logspace(1e-4,1,9)"\n'
        "1 problem in base.yaml"
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "override",
    ["optimizer.lr=", "optimizer.lr=0.1,", "seed=range(5", "optimizer.lr=[0.1,0.01]", "lr=0.1"],
)
def test_that_nothing_varies_is_not_told_beside_a_mistake(override):
    text = refused(override)
    assert text.startswith(f'override "{override}": ')
    assert text.endswith("1 problem in base.yaml")


@pytest.mark.usefixtures("folder")
def test_advice_on_the_strategy_and_the_metric_is_as_it_is_typed():
    text = refused("optimizer.lr=uniform(0.1,1)", "sweep.strategy=grid")
    assert 'override "sweep.strategy=grid": sweep.strategy: `optimizer.lr` is drawn' in text
    assert 'choose "sweep.strategy={name: random, samples: 20}"\n' in text
    assert "choose sweep.strategy=grid\n" in refused("optimizer.lr=1,2", "sweep.strategy=random")
    text = refused("dataset.validation=0,0.1")
    assert "write sweep.metric=train_loss, which all have" in text


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("strategy=tpe", "sweep.strategy=tpe"),
        ("strategy.samples=9", "sweep.strategy.samples=9"),
        ("strategy={name: tpe}", '"sweep.strategy={name: tpe}"'),
        ("seeds=2", "sweep.seeds=2"),
        ("seeds = range(2)", '"sweep.seeds=range(2)"'),
        ("metric=val_loss", "sweep.metric=val_loss"),
        ("baseline={optimizer.lr: 1}", '"sweep.baseline={optimizer.lr: 1}"'),
    ],
)
def test_a_key_of_the_sweep_is_written_with_its_section(override, meant):
    key = override.split("=")[0].rstrip()
    head, _, below, total = refused(override, "optimizer.lr=1,2").split("\n")
    assert head.endswith(f": `{key}` is a key of the sweep, not of its config")
    assert below.split("^ ")[1] == f"write {meant}"
    assert total == "1 problem in base.yaml"


def test_a_name_that_is_not_the_sweeps_is_noted(sweep_of):
    sweep = sweep_of("seeds: 2", "name=other")
    assert (sweep.name, sweep.notes) == (
        "x",
        ("name=other names the runs; sweep.name=other names the sweep",),
    )
    assert of_config("name=other").notes == ()
