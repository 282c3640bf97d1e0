"""What the loader says about mistakes, word for word."""

import re
from textwrap import dedent

import pytest

from optrun.config.load import load
from optrun.errors import ConfigError
from tests.config.conftest import BASE


def test_every_problem_of_a_file_is_told_at_once_in_the_order_of_its_lines(complaint):
    text = """\
    name: demo
    dataset: {name: mnist, kind: moons}
    model: {name: mpl, hidden: [8]}
    optimizer:
      name: sgd
      lr: abc
      momentm: 0.9
    scheduler: {name: step}
    training:
      batch_size: ful
    regularization: {dropout: 1.5}
    """
    assert complaint(text) == dedent(
        """\
        x.yaml:2:24: dataset.kind: unknown key
            2 | dataset: {name: mnist, kind: moons}
              |                        ^^^^ `kind` belongs to synthetic, function; mnist has \
validation, subset, label_noise, preprocessing, augmentation, test_time, custom_files
        x.yaml:3:15: model.name: unknown name `mpl`
            3 | model: {name: mpl, hidden: [8]}
              |               ^^^ did you mean `mlp`? There are point, linear, mlp
        x.yaml:6:7: optimizer.lr: must be a number greater than 0, not the text 'abc'
            6 |   lr: abc
              |       ^^^
        x.yaml:7:3: optimizer.momentm: unknown key
            7 |   momentm: 0.9
              |   ^^^^^^^ known here: lr, clipping
        x.yaml:8:1: scheduler.every: required, but missing
            8 | scheduler: {name: step}
              | ^^^^^^^^^ add `every:` with a duration such as "500 steps", "2 epochs" or "10%"
        x.yaml:10:15: training.batch_size: must be a whole number at least 1 or `full`, \
not the text 'ful'
           10 |   batch_size: ful
              |               ^^^ did you mean `full`?
        x.yaml:11:27: regularization.dropout: must be a number at least 0 and less than 1 or \
a list of at least 1, each item a number at least 0 and less than 1, not 1.5
           11 | regularization: {dropout: 1.5}
              |                           ^^^
        7 problems in x.yaml"""
    )


FINITE = "infinity and NaN are not allowed: write a finite number"
CASES = [
    ("lr: 0.1", "x.yaml:5:1: lr: unknown key", "`lr` belongs under `optimizer`"),
    ("epochs: 3", "x.yaml:5:1: epochs: unknown key", "`epochs` belongs under `training`"),
    ("training: {seed: 3}", "training.seed: unknown key", "`seed` belongs at the top level"),
    (
        "training: {patience: 3}",
        "training.patience: unknown key",
        "`patience` belongs under `training.early_stopping`",
    ),
    (
        "loss: {name: hinge, delta: 1}",
        "loss.delta: unknown key",
        "remove it: the margin is 1",
    ),
    ("loss: {name: hinge, scale: 1}", "loss.scale: unknown key", "no keys are known here"),
    ("loss: hinje", "x.yaml:5:7: loss: unknown name `hinje`", "did you mean `hinge`?"),
    ("loss: 3", "loss: must be one of softmax, hinge, squared_hinge, mse, not 3", ""),
    ("loss: {}", "loss.name: required, but missing", "add `name:` with one of softmax, hinge"),
    ("loss: {name: 3}", "loss.name: must be one of softmax, hinge, squared_hinge, mse, not 3", ""),
    ("loss: {name: }", "loss.name: is empty", "give it one of softmax, hinge"),
    (
        "loss:",
        "x.yaml:5:1: loss: is empty",
        "^ remove it or give it one of softmax, hinge, squared_hinge, mse",
    ),
    (
        "training:",
        "x.yaml:5:1: training: is empty",
        "remove it or give it a section with epochs,",
    ),
    ("training: {epochs: }", "training.epochs: is empty", "give it a whole number at least 0"),
    (
        "warmup:",
        "x.yaml:5:1: warmup: is empty",
        "write `null` for none, or give it one of constant, linear, exponential",
    ),
    (
        "training: {best_by: }",
        "training.best_by: is empty",
        "^ remove it or give it one of val_accuracy, val_loss, average_val_accuracy, "
        "average_val_loss, last",
    ),
    ("warmup: cosine", "warmup: unknown name `cosine`", "There are constant, linear, exponential"),
    (
        "warmup: {name: 3, duration: 5%}",
        "warmup.name: must be one of constant, linear, exponential, not 3",
        "",
    ),
    ("seed: -1", "seed: must be at least 0 and less than 9223372036854775808, not -1", ""),
    ("seed: true", "seed: must be a whole number at least 0", ""),
    ("seed: 1.0", "not 1.0", "write 1"),
    ("seed: 1_000", "not the text '1_000'", "write 1000, without underscores"),
    ("seed: '12'", "not the text '12'", "write 12, without quotes"),
    ("dtype: float46", "dtype: must be one of float32, float64", "did you mean `float64`"),
    ("regularization: {l2: -1}", "regularization.l2: must be at least 0, not -1", ""),
    ("regularization: {l2: .inf}", "l2: must be a number at least 0, not inf", FINITE),
    ("regularization: {l2: inf}", "l2: must be a number at least 0, not inf", FINITE),
    ("regularization: {l2: -Infinity}", "l2: must be a number at least 0, not -Inf", FINITE),
    ("regularization: {l2: nan}", "l2: must be a number at least 0, not nan", FINITE),
    ("regularization: {l2: .nan}", "l2: must be a number at least 0, not nan", FINITE),
    ("regularization: {l2: true}", "l2: must be a number at least 0, not true", ""),
    ("regularization: {l2: [1]}", "l2: must be a number at least 0, not a list of 1", ""),
    ("regularization: {l2: {a: 1}}", "l2: must be a number at least 0, not a section", ""),
    ("regularization: {include_bias: on}", "true or false, not the text 'on'", "write `true`"),
    (
        "regularization: {dropout: [0.1, x]}",
        "x.yaml:5:33: regularization.dropout.1: must be a number at least 0 and less than 1",
        "",
    ),
    (
        "warmup: {name: linear, duration: 5 seconds}",
        "warmup.duration: not a duration",
        "",
    ),
    ("training: [1]", "training: must be a section with epochs", ""),
    ("'<<': {a: 1}", "<<: unknown key", "YAML merges are not read: write the keys out"),
]


@pytest.mark.parametrize(("line", "message", "hint"), CASES)
def test_a_line_that_is_wrong(complaint, line, message, hint):
    text = complaint(BASE + line)
    assert message in text
    assert hint in text
    assert text.endswith("1 problem in x.yaml")


@pytest.mark.parametrize(
    ("old", "new", "message", "hint"),
    [
        ("kind: moons", "kind: noons", "dataset.kind: unknown name `noons`", "`moons`"),
        (
            "dataset: {name: synthetic, kind: moons}",
            "dataset: synthetic",
            "x.yaml:2:1: dataset.kind: required, but missing",
            "add `kind:` with one of blobs, moons, circles, spirals",
        ),
        (
            "optimizer: {name: sgd, lr: 0.1}",
            "",
            "x.yaml: optimizer: required, but missing",
            "add `optimizer:` with one of random_search, random_local_search, lbfgs, newton",
        ),
        (
            "name: sgd",
            "name: sgd, momentum: 0.9",
            "optimizer.momentum: unknown key",
            "write `optimizer.name: momentum`; Nesterov's is `nesterov`",
        ),
        (
            "name: sgd",
            "name: sgd, centered: true",
            "optimizer.centered: unknown key",
            "`centered` belongs to rmsprop; sgd has lr, clipping",
        ),
        (
            "name: mlp, ",
            "name: linear, ",
            "model.hidden: unknown key",
            "`hidden` belongs to mlp; linear has no keys of its own",
        ),
        ("[8]", "8", "model.hidden: must be a list of at least 1", "write [8]"),
        ("[8]", "[]", "not an empty list", ""),
        ("[8]", "[8, 2.5]", "model.hidden.1: must be a whole number at least 1, not 2.5", ""),
        ("lr: 0.1", "lr: 1e999", "lr: must be a number greater than 0, not inf", ""),
        ("lr: 0.1", f"lr: 1{'0' * 390}", "optimizer.lr: the number is too large", ""),
        ("lr: 0.1", "lr: 0", "optimizer.lr: must be greater than 0, not 0", ""),
        (
            "name: sgd",
            "name: momentum, momentum: 1.0",
            "optimizer.momentum: must be at least 0 and less than 1, not 1.0",
            "",
        ),
        (
            "name: sgd",
            "name: nesterov, momentum: -0.1",
            "optimizer.momentum: must be at least 0 and less than 1, not -0.1",
            "",
        ),
        (
            "name: sgd, lr: 0.1",
            "name: sam, base: {name: sgdd, lr: 0.1}",
            "optimizer.base.name: unknown name `sgdd`",
            "did you mean `sgd` or `asgd`?",
        ),
        (
            "name: sgd, lr: 0.1",
            "name: sam, base: {name: momentum, momentum: 2}",
            "optimizer.base.momentum: must be at least 0 and less than 1, not 2",
            "",
        ),
        (
            "name: sgd, lr: 0.1",
            "name: lookahead, lr: 1, base: sgd",
            "optimizer.lr: unknown key",
            "`lr` belongs under `optimizer.base`",
        ),
        (
            "name: sgd, lr: 0.1",
            "name: random_search, lr: 1",
            "optimizer.lr: unknown key",
            "`lr` belongs to random_local_search, lbfgs, newton, adahessian, kfac, sgd, momentum, "
            "nesterov, asgd, adagrad, rmsprop, adadelta and 14 more; random_search has no keys",
        ),
        (
            "name: sgd, lr: 0.1",
            "name: sam",
            "optimizer.base: required, but missing",
            "add `base:` with one of sgd, momentum, nesterov",
        ),
        ("name: demo", "name: a/b", "name: must begin with a letter or digit", ""),
        ("name: demo", "name: 3", "name: must be a text, not 3", 'write "3", in quotes'),
        (
            "kind: moons",
            "kind: moons, preprocessing: [center, scale]",
            "dataset.preprocessing.1: unknown name `scale`",
            "`rescale`",
        ),
        (
            "kind: moons",
            "kind: moons, subset: few",
            "a whole number at least 1 or a section with per_class, not the text 'few'",
            "",
        ),
        (
            "name: sgd, lr: 0.1",
            "name: sam, base: {name: lookahead, base: sgd}",
            "x.yaml:4:37: optimizer.base.name: `lookahead` cannot stand here",
            "there are sgd, momentum, nesterov, asgd",
        ),
        (
            "name: sgd, lr: 0.1",
            "name: lookahead, base: lbfgs",
            "x.yaml:4:36: optimizer.base: `lbfgs` cannot stand here",
            "there are sgd, momentum, nesterov, asgd",
        ),
        (
            "name: demo",
            f"name: {'n' * 201}",
            "name: is too long for the name of a directory: 201 bytes, where 200 are the most",
            "",
        ),
        (
            "hidden: [8]",
            "hidden: [8]}\ninitialization: {name: pretrained, run: ' '",
            "initialization.run: must be a text that is not blank, not the text ' '",
            "",
        ),
        (
            "lr: 0.1",
            "lr: 0.1, clipping: {}",
            "optimizer.clipping: give `by_norm: b`",
            "",
        ),
        (
            "lr: 0.1",
            "lr: 0.1, clipping: {by_value: [1, 2, 3]}",
            "by_value: must be a list of 2, each item a number, not a list of 3",
            "",
        ),
    ],
)
def test_a_part_that_is_wrong(complaint, old, new, message, hint):
    text = complaint(BASE.replace(old, new))
    assert message in text
    assert hint in text
    assert text.endswith("1 problem in x.yaml")


@pytest.mark.parametrize(
    ("clipping", "column", "message", "hint"),
    [
        ("{by_value: 1}", 54, "must be a list of 2, each item a number, not 1", "write [-1, 1]"),
        ("{by_value: -0.5}", 54, "must be a list of 2", "write [-0.5, 0.5]"),
        ("{by_value: [2, 1]}", 54, "`by_value: [a, b]` needs a below b", ""),
    ],
)
def test_clipping_by_value(complaint, clipping, column, message, hint):
    text = complaint(BASE.replace("lr: 0.1", f"lr: 0.1, clipping: {clipping}"))
    assert f"x.yaml:4:{column}: optimizer.clipping.by_value: {message}" in text
    assert text.splitlines()[2].endswith(f"^ {hint}".rstrip())


def test_a_mistake_of_clipping_in_an_override_is_told_there(complaint):
    lines = complaint(BASE, "optimizer.clipping.by_value=[2,1]").splitlines()
    assert lines[1:3] == ["      | optimizer.clipping.by_value=[2,1]", f"      | {' ' * 28}^^^^^"]


def test_messages_never_show_the_validator_s_own_words(complaint):
    lines = "\n".join(line for line, _, _ in CASES if line.startswith(("seed: -1", "warmup: c")))
    text = complaint(BASE + lines)
    for word in ("Input", "pydantic", "literal", "constrained", "tag", "Extra"):
        assert word not in text


def test_a_duplicate_key_is_told_beside_other_problems(complaint):
    text = complaint(BASE + "seed: -1\nseed: 2\nlos: hinge\n")
    assert "x.yaml:5:7: seed: must be" in text
    assert "x.yaml:6:1: seed: the key is given twice" in text
    assert "it stands in line 5 already" in text
    assert "x.yaml:7:1: los: unknown key" in text


FULL = (
    "training: {epochs: 1.5, batch_size: fulll, log_every: 0, best_by: acc, "
    "early_stopping: {patience: 0}}\n"
)
WRONG_IN_FULL = ["epochs", "batch_size", "log_every", "best_by", "early_stopping.patience"]


@pytest.mark.parametrize("other", ["training:\n", "training: {epochs: 3}\n", "training: null\n"])
@pytest.mark.parametrize("is_last", [True, False])
def test_a_repeated_section_is_judged_both_times(complaint, other, is_last):
    text = complaint(BASE + (other + FULL if is_last else FULL + other))
    line = 6 if is_last else 5
    for key in WRONG_IN_FULL:
        assert re.search(rf"x.yaml:{line}:\d+: training.{key}: must be", text)
    assert "x.yaml:6:1: training: the key is given twice" in text
    assert ("is empty" in text) == ("epochs" not in other)
    assert text.endswith(f"{6 + ('epochs' not in other)} problems in x.yaml")


def test_repeats_within_repeats_and_their_broken_scalars_are_told(complaint):
    text = complaint(BASE + "loss: softmax\nloss: {name: hinje, nam: 1, nam: !!int x}\n")
    assert "loss: the key is given twice" in text
    assert "loss.name: unknown name `hinje`" in text
    assert "loss.nam: the key is given twice" in text
    assert "`x` is not a valid int" in text


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        (
            "name: synthetic, kind: moons",
            "name: minst, validation: 1.5, subset: 0, validaton: 0",
            [
                "x.yaml:2:17: dataset.name: unknown name `minst`",
                "x.yaml:2:36: dataset.validation: not a share",
                "x.yaml:2:49: dataset.subset: must be a whole number at least 1",
                "x.yaml:2:52: dataset.validaton: unknown key",
            ],
        ),
        ("name: mlp, hidden: [8]", "name: mpl, hidden: [0]", ["model.name", "model.hidden.0"]),
        ("name: sgd, lr: 0.1", "name: sdg, lr: 0, beta1: 0.9", ["unknown name `sdg`", "lr: must"]),
        ("name: sgd, lr: 0.1", "lr: x", ["optimizer.name: required", "optimizer.lr: must be"]),
        (
            "kind: moons",
            "kind: mons, noise: -1, classes: 3, validation: -1",
            ["dataset.kind: unknown name", "dataset.noise: must be", "dataset.validation: not a"],
        ),
        (
            "dataset:",
            "warmup: {name: cosine, duration: 5 weeks}\ndataset:",
            ["warmup.name: unknown name", "warmup.duration: not a duration"],
        ),
    ],
)
def test_keys_beside_a_wrong_name_are_judged_as_far_as_they_can_be(complaint, old, new, messages):
    text = complaint(BASE.replace(old, new))
    for message in messages:
        assert message in text
    assert text.endswith(f"{len(messages)} problems in x.yaml")


def test_a_broken_scalar_is_not_also_called_empty(complaint):
    text = complaint(BASE + "seed: !!int x\n")
    assert text.endswith("1 problem in x.yaml")


@pytest.mark.parametrize(
    ("line", "path"),
    [(f"training: {{epochs: 1{'0' * 350}}}", "training.epochs"), (f"seed: {2**63}", "seed")],
)
def test_numbers_that_no_run_can_count_to(complaint, line, path):
    text = complaint(f"{BASE}scheduler: cosine\n{line}")
    assert text.startswith(f"x.yaml:6:{line.rindex(' ') + 2}: {path}: ")
    assert text.endswith("1 problem in x.yaml")


def test_a_long_line_is_cut_around_the_mistake(complaint):
    text = complaint(BASE + f"loss: {{name: hinge, {'a' * 300}: 1}}")
    assert max(len(line) for line in text.splitlines()[1:]) < 150


def test_a_mapping_gets_the_same_checks_with_its_keys_as_places():
    with pytest.raises(ConfigError) as caught:
        load({"name": "demo", "model": {"name": "mlp", "hiden": [3], "hidden": [8]}, "seed": -1})
    assert str(caught.value) == dedent(
        """\
        seed: must be at least 0 and less than 9223372036854775808, not -1
        dataset: required, but missing
              | add `dataset:` with one of mnist, cifar10, synthetic, function
        model.hiden: unknown key
              | did you mean `hidden`?
        optimizer: required, but missing
              | add `optimizer:` with one of random_search, random_local_search, lbfgs, newton, \
adahessian, kfac, sgd, momentum, nesterov, asgd, adagrad, rmsprop, adadelta, adam, adamw, adamax, \
nadam, radam, adabelief, rprop, lion, lars, lamb, adafactor, muon, schedule_free_sgd, \
schedule_free_adamw, sam, lookahead
        4 problems in the config"""
    )
