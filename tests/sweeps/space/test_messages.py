"""What is said about every mistake in a sweep file, word for word."""

from pathlib import Path
from textwrap import dedent

import pytest

from optrun.sweeps.strategies.table import STRATEGIES
from tests.sweeps.space.conftest import BASE, HEAD

LISTS = "must be a list of values such as [0.1, 0.01], or logspace(1e-3, 1, 4)"
SEEDS = "must be how many there are, a list such as [0, 1, 2], or range(5)"


def test_all_problems_are_told_at_once_in_the_order_of_the_files(complaint):
    Path("base.yaml").write_text(BASE + "seed: -1\n", encoding="utf-8")
    text = complaint(
        """
        set: {model.hiden: [3]}
        grid:
          optimizer.lr: [0.1, -1]
          model.hidden: [64, 32]
        zip: {a: [1, 2], b: [1]}
        seeds: many
        strategy: xyzw
        """
    )
    names = ", ".join(STRATEGIES)
    assert text == dedent(
        f"""\
        base.yaml:5:7: seed: must be at least 0 and less than 9223372036854775808, not -1
            5 | seed: -1
              |       ^^
        x.yaml:3:9: model.hiden: unknown key
            3 |   set: {{model.hiden: [3]}}
              |         ^^^^^^^^^^^ did you mean `hidden`?
        x.yaml:5:25: optimizer.lr: must be greater than 0, not -1 (in 2 of 4 runs)
            5 |     optimizer.lr: [0.1, -1]
              |                         ^^
        x.yaml:6:19: model.hidden: takes a list, and this is an axis of 64 and 32
            6 |     model.hidden: [64, 32]
              |                   ^^^^^^^^ write [[64, 32]] for one value, [[64], [32]] for two
        x.yaml:7:23: b: has 1 value, and `a` has 2
            7 |   zip: {{a: [1, 2], b: [1]}}
              |                       ^^^ \
the lists of `zip` go together, value by value: make them equally long
        x.yaml:8:10: sweep.seeds: must be how many there are, a list such as [0, 1, 2], or \
range(5), not the text 'many'
            8 |   seeds: many
              |          ^^^^
        x.yaml:9:13: sweep.strategy: unknown name `xyzw`
            9 |   strategy: xyzw
              |             ^^^^ there are {names}
        7 problems in x.yaml"""
    )


@pytest.mark.parametrize(
    ("lines", "message", "marked", "hint"),
    [
        ("grid: {optimizer.lr: 0.1}", f"{LISTS}, not 0.1", "0.1", "a single value stands under"),
        ("grid: {optimizer.lr: }", "is empty", "optimizer.lr", "give it a list of values such as"),
        ("grid: {optimizer.lr: []}", f"{LISTS}, not an empty list", "[]", ""),
        (
            "grid: {optimizer.lr: {a: 1}}",
            f"{LISTS}, not a section",
            "{a: 1}",
            "write dotted keys, such as `optimizer.lr.a:`",
        ),
        (
            "grid: {optimizer.lr: uniform(0, 1)}",
            "`uniform` draws values: it belongs under `random`",
            "uniform(0, 1)",
            "",
        ),
        (
            "grid: {optimizer.lr: logspce(1e-4, 1, 3)}",
            "there is no function `logspce`",
            "logspce(1e-4, 1, 3)",
            "did you mean `logspace` or `linspace`?",
        ),
        (
            "grid: {optimizer.lr: logspace(-4, 0, 9)}",
            "`logspace` takes its two ends, not exponents: both are above 0",
            "logspace(-4, 0, 9)",
            "write logspace(0.0001, 1, 9)",
        ),
        (
            "grid: {optimizer.lr: linspace(-1, 1, 5)}",
            "must be greater than 0, not -1.0 (in 3 of 5 runs)",
            "linspace(-1, 1, 5)",
            "",
        ),
        (
            "grid: {optimizer.lr: [0.1, 'range(1, 3)']}",
            "must be a number greater than 0, not the text 'range(1, 3)' (in 1 of 2 runs)",
            "'range(1, 3)'",
            "a function stands alone, not among other values",
        ),
        (
            "random: {optimizer.lr: logspace(0.1, 1, 3)}",
            "`logspace` lists values: it belongs under `grid`",
            "logspace(0.1, 1, 3)",
            "write loguniform(low, high), such as loguniform(1e-4, 1), or a list to choose from",
        ),
        (
            "random: {optimizer.lr: 3}",
            "must be a list to choose from, or a distribution such as loguniform(1e-4, 1), not 3",
            "3",
            "a single value stands under `set`",
        ),
        (
            "random: {optimizer.lr: uniform(2, 1)}",
            "`uniform` takes the lower number first",
            "uniform(2, 1)",
            "write uniform(low, high), such as uniform(0, 0.5)",
        ),
        (
            "set: {optimizer.lr: [0.1, 0.01]}\nseeds: 2",
            "must be a number greater than 0, not a list of 2",
            "[0.1, 0.01]",
            "to try each of them, write the list under `grid`",
        ),
        (
            "set: {optimizer.lr: range(1, 3)}\nseeds: 2",
            "must be a number greater than 0, not the text 'range(1, 3)'",
            "range(1, 3)",
            "to try its values, write it under `grid`, or `random` where it draws",
        ),
        (
            "grid: {training.epochs: linspace(1, 5, 3)}",
            "must be a whole number at least 0, not 1.0",
            "linspace(1, 5, 3)",
            "range(first, end, step) gives whole numbers",
        ),
        (
            "grid: {optimizer.lr: range(1000000)}",
            "these are 1000000 values",
            "range(1000000)",
            "take 10000 at most",
        ),
    ],
)
def test_values_of_a_key(complaint, lines, message, marked, hint):
    text = complaint(lines)
    key = lines.split("{")[1].split(":")[0]
    column = f"  {lines}".index(marked) + 1
    head, excerpt, below, total = text.split("\n")
    assert head == f"x.yaml:3:{column}: {key}: {message}"
    assert excerpt == f"    3 |   {lines.splitlines()[0]}"
    assert below.startswith(f"      | {' ' * (column - 1)}{'^' * len(marked)} {hint}".rstrip())
    assert total == "1 problem in x.yaml"


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("grid: {optimizer.lr: logspace(1e-4, 1, 9}", "3:24"),
        ("grid:\n  optimizer.lr: logspace(1e-4, 1, 9", "4:19: optimizer.lr"),
        ("random:\n  optimizer.lr: loguniform(1e-4, 1", "4:19: optimizer.lr"),
        ("seeds: range(5", "3:10: sweep.seeds"),
    ],
)
def test_a_call_is_closed(complaint, lines, place):
    text = complaint(lines)
    assert text.startswith(f"x.yaml:{place}: the bracket is not closed\n")
    assert text.endswith("1 problem in x.yaml")


def test_a_call_may_go_on_in_the_next_line(sweep_of):
    sweep = sweep_of("grid:\n  optimizer.lr: logspace(0.1,\n    10, 3)")
    assert [point.settings["optimizer.lr"] for point in sweep.points] == [0.1, 1, 10]


@pytest.mark.parametrize("lines", ["set: {optimizer.lr: [1, 2]}", "set: {optimizer.lr: range(3)}"])
def test_that_nothing_varies_is_not_told_beside_a_mistake(complaint, lines):
    assert complaint(lines).endswith("1 problem in x.yaml")


@pytest.mark.parametrize(
    ("values", "message", "hint"),
    [
        ("[8, 4]", "8 and 4", "write [[8, 4]] for one value, [[8], [4]] for two"),
        (
            "[8, 4, 2]",
            "8 and 4 and 2",
            "write [[8, 4, 2]] for one value, [[8], [4], [2]] for three",
        ),
        (
            "[8, 4, 2, 1]",
            "4 values",
            "write brackets around all values for one value, around each for several",
        ),
        (
            "\n    - 8\n    - 4",
            "2 values",
            "write brackets around all values for one value, around each for two",
        ),
    ],
)
@pytest.mark.parametrize("section", ["grid", "zip"])
def test_parts_of_a_list_are_not_taken_for_it(complaint, section, values, message, hint):
    text = complaint(f"{section}:\n  model.hidden: {values}")
    assert f"model.hidden: takes a list, and this is an axis of {message}\n" in text
    assert hint in text
    assert text.endswith("1 problem in x.yaml")


def test_where_a_number_or_a_list_fits_the_items_of_an_axis_are_numbers(sweep_of):
    sweep = sweep_of("grid: {regularization.dropout: [0.1, [0.2]]}")
    assert [p.settings["regularization.dropout"] for p in sweep.points] == [0.1, [0.2]]


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        ("set: {dtype: 1}\ngrid: {dtype: [1]}", ["4:10: dtype: is decided twice ^^^^^ x.yaml:3"]),
        (
            "zip: {dtype: [1]}\nrandom: {dtype: [1]}",
            ["4:12: dtype: is decided twice ^^^^^ x.yaml:3"],
        ),
        (
            "grid: {model.hidden: [[1]]}\n"
            "each: [{set: {model.hidden: [1]}}, {each: [{grid: {model . hidden: [[1]]}}]}]",
            [
                "4:17: model.hidden: is decided twice ^^^^^^^^^^^^ x.yaml:3",
                "4:54: model.hidden: is decided twice ^^^^^^^^^^^^^^ x.yaml:3",
            ],
        ),
        ("grid: {seed: [1, 2]}\nseeds: 3", ["3:10: seed: is decided twice ^^^^ x.yaml:4"]),
        (
            "set: {seed: 3}\nseeds: [1, 2]",
            ["4:10: sweep.seeds: the seed is decided twice ^^^^^^ x.yaml:3"],
        ),
    ],
)
def test_a_key_is_decided_once(complaint, lines, places):
    text = complaint(lines)
    for place in places:
        head, below = place.split(" twice ")
        after = text.split(f"x.yaml:{head} twice\n")[1].split("\n")[1]
        assert after.endswith(f" {below} decides it too: keep one of the two")
    assert text.count("twice") == len(places)


def test_alternatives_may_decide_what_others_do(sweep_of):
    sweep_of("each: [{set: {optimizer.lr: 1}}, {grid: {optimizer.lr: [2]}}]")


@pytest.mark.parametrize(
    ("lines", "key", "hint"),
    [
        ("grid: {name: [a, b]}", "name", "remove it, or set it once for all runs"),
        ("each: [{set: {name: a}}, {}]", "name", "the sweep's own name is `sweep.name`"),
    ],
)
def test_the_name_is_no_axis(complaint, lines, key, hint):
    text = complaint(lines)
    assert "name: changes no result, so it is no axis" in text
    assert hint in text


@pytest.mark.parametrize(
    "lines",
    [
        "zip: {seed: [1, 2]}",
        "random: {seed: [1, 2]}",
        "each: [{set: {seed: 1}}]",
        "grid: {seed: 1}",
    ],
)
def test_the_seed_is_an_axis_of_its_own(complaint, lines):
    text = complaint(f"{lines}\ngrid: {{optimizer.lr: [1, 2]}}" if "grid" not in lines else lines)
    assert "seed: is no axis here\n" in text
    assert "write `seeds:` beside `base:`; every candidate is trained with each of them" in text


@pytest.mark.parametrize(
    ("lines", "message", "hint"),
    [
        ("seeds: 0", f"sweep.seeds: {SEEDS}, not 0", ""),
        ("seeds: 1.5", f"sweep.seeds: {SEEDS}, not 1.5", ""),
        ("seeds: [1, x]", "sweep.seeds.1: must be a whole number at least 0", ""),
        ("seeds: [1, 1]", "sweep.seeds: a seed is given twice", ""),
        ("seeds: []", "sweep.seeds: there is no seed", "write how many there are, a list"),
        ("seeds: range(-1, 2)", "sweep.seeds: a seed is at least 0", ""),
        ("seeds: range(2, 2)", "sweep.seeds: this range holds no number", "write range(5)"),
        ("seeds: linspace(0, 1, 2)", "sweep.seeds: `linspace` gives no seeds", "or range(5)"),
        ("metric: acc", "sweep.metric: must be one of val_accuracy, val_loss, train_loss", ""),
        (
            "baseline: {optimizer.lr: 3}\ngrid: {optimizer.lr: [1, 2]}",
            "sweep.baseline: no setting of the sweep has these values",
            "write values that are listed, such as `{optimizer.lr: 1}`",
        ),
        ("baseline: sgd\nseeds: 2", "sweep.baseline: must be a section, not the text 'sgd'", ""),
        ("name: a/b\nseeds: 2", "sweep.name: must begin with a letter or digit", ""),
        ("grd: {}\nseeds: 2", "sweep.grd: unknown key", "did you mean `grid`?"),
        (
            "optimizer.lr: 3\nseeds: 2",
            "unknown key",
            "`optimizer.lr` belongs under `set` or `grid`",
        ),
        ("each: [{optimizer: sgd}]", "unknown key", "`optimizer` belongs under `set` or `grid`"),
        ("grid: [1]", "sweep.grid: must be a section, not a list of 1", "write dotted keys below"),
        ("each: {}", "sweep.each: must be a list, each item a section with set", ""),
        ("each: [3]", "sweep.each.0: must be a section with set, grid, zip, random, each", ""),
        (
            "grid: {.a: [1, 2]}",
            ".a: is no key",
            "write it as in an override, such as `optimizer.lr`",
        ),
        (
            "grid: {a: range(101), b: range(100)}",
            "sweep: comes to 10100 combinations",
            "10000 are the most; draw them with `random`",
        ),
        (
            "seeds: 1",
            "nothing varies, so there is nothing to compare",
            "add an axis: `grid: {optimizer.lr: [0.1, 0.01]}`, or `seeds: 3`",
        ),
        (
            "grid: {dataset.validation: [0, 0.1]}",
            "sweep.metric: is needed, for the runs are not chosen alike: 1 by train_loss and 1 by "
            "val_accuracy",
            "write `metric: train_loss`, which all have",
        ),
        (
            "grid: {training.best_by: [val_loss, val_accuracy]}",
            "sweep.metric: is needed",
            "write `metric: val_accuracy`, which all have",
        ),
        (
            "grid: {dataset.validation: [0, 0.1]}\nmetric: val_loss",
            "sweep.metric: `val_loss` needs validation data, and 1 of 2 combinations have none",
            "take `train_loss`",
        ),
        (
            "set: {dataset: {name: synthetic, kind: polynomial}}\nmetric: val_accuracy\nseeds: 2",
            "sweep.metric: `val_accuracy` needs class labels, and there are none",
            "take `val_loss`",
        ),
        (
            "grid: {averaging: [null, ema]}\nmetric: average_val_loss",
            "sweep.metric: `average_val_loss` needs `averaging`, and 1 of 2 combinations have none",
            "take `val_loss`",
        ),
        (
            "set: {averaging: ema}\ngrid: {dataset.validation: [0, 0.1]}\n"
            "metric: average_val_accuracy",
            "sweep.metric: `average_val_accuracy` needs validation data",
            "take `average_train_loss`",
        ),
        (
            "set: {averaging: ema}\ngrid: {dataset.validation: [0, 0.1]}",
            "sweep.metric: is needed, for the runs are not chosen alike: 1 by average_train_loss",
            "write `metric: average_train_loss`, which all have",
        ),
    ],
)
def test_the_sweep_itself(complaint, lines, message, hint):
    text = complaint(lines)
    assert message in text
    assert hint in text
    assert text.endswith("1 problem in x.yaml")


@pytest.mark.parametrize(
    ("base", "message", "hint"),
    [
        ("bas.yaml", "sweep.base: bas.yaml: no such file", "did you mean base.yaml"),
        ("3", "sweep.base: must be the path of a config, or the config itself, not 3", ""),
        ("", "sweep.base: is empty", "give it the path of a config, or the config itself"),
        ("x.yaml", "sweep.base: x.yaml is a sweep itself", "name a config"),
        ("empty.yaml", "sweep.base: empty.yaml: the file is empty", ""),
        ("torn.yaml", "torn.yaml:1:4: the bracket is not closed", ""),
        ("{name: a}", "dataset: required, but missing", "add `dataset:` with one of mnist"),
    ],
)
def test_the_base(complaint, base, message, hint):
    Path("empty.yaml").write_text("")
    Path("torn.yaml").write_text("a: [1,\n")
    text = complaint("seeds: 2", head=f"sweep:\n  base: {base}\n")
    assert message.split(":1:4")[0] in text
    assert message.split(": ")[-1] in text
    assert hint in text


def test_a_base_that_is_missing(complaint):
    text = complaint("seeds: 2", head="sweep:\n")
    assert "sweep.base: required, but missing" in text
    assert "give it the path of a config, or the config itself" in text


@pytest.mark.parametrize("block", ["3", "", "[a]"])
def test_a_sweep_that_is_no_section(complaint, block):
    text = complaint("", head=f"sweep: {block}\n")
    assert text.startswith("x.yaml:1:")
    assert text.endswith("1 problem in x.yaml")


def test_a_sweep_file_holds_nothing_else(complaint):
    text = complaint("seeds: 2\n", head=f"optimizer: adam\n{HEAD}")
    assert "x.yaml:1:1: optimizer: unknown key" in text
    assert "a sweep file holds `sweep:` alone; changes to the config go under `sweep.set`" in text


def test_problems_of_a_base_written_out_stand_where_they_are(complaint):
    head = "sweep:\n  base:\n    name: a\n    name: b\n    optimizer: sgd\n    model: lnear\n"
    text = complaint("seeds: 2\n", head=f"{head}    dataset: mnist\n")
    assert "x.yaml:4:5: name: the key is given twice" in text
    assert "x.yaml:6:12: model: unknown name `lnear`" in text
    assert text.endswith("2 problems in x.yaml")


def test_a_problem_of_some_runs_says_in_which_it_is_first(complaint):
    text = complaint(
        """
        set: {scheduler: {name: step, every: 2 epochs}}
        grid: {optimizer.lr: [0.1, 0.2], training.epochs: [3, 1]}
        seeds: 3
        """
    )
    assert (
        "(in 6 of 12 runs, the first with optimizer.lr=0.1 training.epochs=1)\n"
        "    3 |   set: {scheduler: {name: step, every: 2 epochs}}\n"
    ) in text
    assert text.endswith("1 problem in x.yaml")


def test_twenty_problems_are_told_and_how_many_more_there_are(complaint):
    lines = "\n".join(f"  a{number}: [1, 2]" for number in range(3))
    text = complaint(f"grid:\n  optimizer.lr: {list(range(-30, 0))}\n{lines}")
    assert text.count(" | ") == 40
    assert text.endswith("33 problems in x.yaml; these are the first 20")


def test_a_file_name_that_no_directory_can_have(folder):
    from optrun.errors import ConfigError
    from optrun.sweeps.space.load import load_sweep

    Path("my sweep.yaml").write_text(f"{HEAD}  seeds: 2\n")
    with pytest.raises(ConfigError) as caught:
        load_sweep(Path("my sweep.yaml"))
    assert "no directory can be called `my sweep` after the file" in str(caught.value)
    assert "add `name:` with letters, digits" in str(caught.value)


@pytest.mark.parametrize(
    ("drawn", "message", "marked", "hint"),
    [
        ("optimizer.lr: uniform(0, 1)", "must be greater than 0, not 0", "uniform(0, 1)", ""),
        (
            "training.epochs: uniform(1, 3)",
            "must be a whole number at least 0, not 2.0",
            "uniform(1, 3)",
            "integer(low, high) gives whole numbers",
        ),
        ("optimizer.lr: [0.1, -1]", "must be greater than 0, not -1", "-1", ""),
        (
            "model.activation: choice(relu, {name: tnah})",
            "unknown name `tnah`",
            "tnah",
            "did you mean `tanh`?",
        ),
        (
            "model.hidden: choice(8, 16)",
            "takes a list, and this is an axis of 8 and 16",
            "choice(8, 16)",
            "",
        ),
    ],
)
def test_all_that_may_be_drawn_is_valid(complaint, drawn, message, marked, hint):
    text = complaint(f"strategy: random\nrandom: {{{drawn}}}")
    column = f"  random: {{{drawn}}}".index(marked) + 1
    assert text.startswith(f"x.yaml:4:{column}: ")
    assert f"{message}\n" in text
    assert f"{'^' * len(marked)} {hint}".rstrip() in text
    assert text.endswith("1 problem in x.yaml")


def test_runs_of_different_lengths_are_not_halved(complaint):
    text = complaint(
        "strategy: hyperband\ngrid: {optimizer.lr: [1, 2, 3], training.epochs: [9, 27]}"
    )
    assert (
        "x.yaml:3:13: sweep.strategy: runs of 9 to 27 epochs cannot be compared on the way" in text
    )
    assert "give all the same `training.epochs`, or take another" in text


def test_a_grid_refuses_what_is_drawn(complaint):
    text = complaint("strategy: grid\nrandom: {optimizer.lr: uniform(0.1, 1)}")
    assert text.startswith("x.yaml:3:13: sweep.strategy: `optimizer.lr` is drawn, and a ")
    assert "choose `strategy: {name: random, samples: 20}`\n" in text


@pytest.mark.parametrize("names", ["[sgd, momentum]", "[sgd, adam]"])
@pytest.mark.parametrize("key", ["optimizer", "optimizer.name"])
def test_a_key_that_some_listed_components_lack_belongs_under_each(complaint, names, key):
    text = complaint(f"grid: {{{key}: {names}, optimizer.momentum: [0.5, 0.9]}}")
    assert "optimizer.momentum: unknown key" in text
    assert "has lr, clipping; keys that only some have go under `each` of a sweep file" in text
    alone = complaint("grid: {optimizer.lr: [1, 2], optimizer.momentum: [0.5, 0.9]}")
    assert "`each`" not in alone


def test_what_the_strategy_says_stands_at_its_line(complaint):
    text = complaint("strategy: random\ngrid: {optimizer.lr: [1, 2]}")
    assert text.startswith("x.yaml:3:13: sweep.strategy: everything is listed, so")
