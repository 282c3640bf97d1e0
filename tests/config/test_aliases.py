"""What people write who know other libraries: what they are told, and that it can be written."""

from collections import Counter

import pytest

from optrun.component import Section
from optrun.config.aliases import KEYS, NAMES, SHORTHANDS, folded
from optrun.config.load import load
from optrun.config.schema import Config
from optrun.config.suggestions import is_valid
from optrun.config.vocabulary import Slot, sections_with
from optrun.errors import ConfigError
from optrun.sweeps.space.load import load_sweep
from optrun.sweeps.space.schema import SweepFile
from tests.config.conftest import BASE
from tests.config.mutations import places

SECTIONS: tuple[type[Section], ...] = tuple(
    dict.fromkeys(section for root in (Config, SweepFile) for _, section in places(root, ()))
)
ALL_KEYS = {key for section in SECTIONS for key in section.model_fields}

ON_TOP = [
    ("lr: 0.1", "`lr` belongs under `optimizer`"),
    ("learning_rate: 0.1", "`learning_rate` is `optimizer.lr` here"),
    ("epochs: 5", "`epochs` belongs under `training`"),
    ("batch_size: 5", "`batch_size` belongs under `training`"),
    ("Batch-Size: 5", "`batch_size` belongs under `training`"),
    ("Seed: 5", "write `seed`"),
    ("hidden_layer_sizes: [8]", "`hidden_layer_sizes` is `model.hidden` here"),
    ("alpha: 0.1", "`alpha` is `regularization.l2` here"),
    ("max_iter: 9", "`max_iter` is `training.epochs` here"),
    ("learning_rate_init: 0.1", "`learning_rate_init` is `optimizer.lr` here"),
    ("n_iter_no_change: 3", "`n_iter_no_change` is `training.early_stopping.patience` here"),
    ("random_state: 1", "`random_state` is `seed` here"),
    ("solver: adam", "`solver` is `optimizer` here"),
    ("weight_decay: 0.1", "`weight_decay` is `regularization.l2` here"),
    ("validation_split: 0.1", "`validation_split` is `dataset.validation` here"),
    ("device: cuda", "runs use the CPU, so there is nothing to choose: remove it"),
    ("num_workers: 4", "runs use the CPU, so there is nothing to choose: remove it"),
    ("gpu: 0", "runs use the CPU, so there is nothing to choose: remove it"),
    ("data_dir: /data", "remove it: `--data-dir` or OPTRUN_DATA_DIR says where datasets are"),
    ("dropout: 0.5", "`dropout` belongs under `regularization`"),
    ("criterion: hinge", "`criterion` is `loss` here"),
    ("warmup: 5", "write `{name: linear, duration: 5 epochs}` or "
     "`{name: linear, duration: 5 steps}`"),
    ("warmup: 0.05", "write `{name: linear, duration: 0.05}` or "
     "`{name: linear, duration: 0.05 epochs}`"),
    ("warmup: 3 epochs", "write `{name: linear, duration: 3 epochs}`"),
    ("warmup: true", "write `{name: linear, duration: 5 epochs}`, or `duration: 500 steps`"),
    ("warmup: false", "write `null` for none"),
    ("warmup: 0", "write `null` for none"),
    ("training: {early_stopping: 5}", "write `{patience: 5}`"),
    ("training: {early_stopping: true}", "write `{}` for its defaults"),
    ("regularization: 0.01", "write `{l2: 0.01}`"),
    ("averaging: 0.99", "write `{name: ema, decay: 0.99}`"),
    ("scheduler: StepLR", "`StepLR` is `step` here, such as `{name: step, every: 10 epochs}`; "
     "`step_size` is `every`"),
    ("scheduler: CosineAnnealingLR", "`CosineAnnealingLR` is `cosine` here; `T_max` is `over`, "
     "`eta_min` is `min`"),
    ("scheduler: sgdr", "`sgdr` is `warm_restarts` here, such as "
     "`{name: warm_restarts, period: 25%}`; `T_0` is `period`, `T_mult` is `t_mult`"),
    ("scheduler: triangular", "`triangular` is `cyclic` here, such as "
     "`{name: cyclic, min: 0.001, up: 10%}`; `base_lr` is `min`, `max_lr` is `optimizer.lr`"),
    ("scheduler: ReduceLROnPlateau", "`ReduceLROnPlateau` is `plateau` here"),
    ("scheduler: LambdaLR", "schedules of one's own are not read: `piecewise` takes any steps of "
     "the rate; there are constant, step"),
    ("scheduler: {name: cosine, warmup: 5}", "write `warmup: {name: linear, duration: 5 epochs}`; "
     "steps are `duration: 500 steps`"),
    ("scheduler: {name: cosine, T_max: 50%}", "`T_max` is `over` here"),
    ("scheduler: {name: step, every: 5%, step_size: 5}", "`step_size` is `every` here"),
    ("loss: cross_entropy", "`cross_entropy` is `softmax` here"),
    ("loss: CrossEntropyLoss", "`CrossEntropyLoss` is `softmax` here"),
    ("loss: nll", "`nll` is `softmax` here"),
    ("loss: svm", "`svm` is `hinge` here"),
    ("loss: MSELoss", "`MSELoss` is `mse` here"),
    ("loss: L1Loss", "only `mse` compares numbers; there are softmax, hinge, squared_hinge, mse"),
    ("initialization: kaiming", "`kaiming` is `he_normal` here, or `he_uniform`"),
    ("initialization: GlorotUniform", "`GlorotUniform` is `xavier_uniform` here, or "
     "`xavier_normal`"),
    ("initialization: HeNormal", "write `he_normal`"),
    ("initialization: glorot_normal", "`glorot_normal` is `xavier_normal` here"),
    ("dtype: fp16", "there are float32 and float64"),
    ("dtype: double", "write `float64`"),
    ("training: {best_by: val_acc}", "write `val_accuracy`"),
    ("'<<': {a: 1}", "YAML merges are not read: write the keys out, or vary one config by "
     "overrides and sweeps"),
    ("regularization: {l2: '0,001'}", "write 0.001, with a point"),
    ("seed: '1,000'", "write 1000, without the comma"),
]  # fmt: skip
"""A fifth line of a config, and the hint."""

CHANGED = [
    ("sgd, lr: 0.1", "sgd, nesterov: true", "write `optimizer.name: nesterov`, and remove "
     "`nesterov`"),
    ("sgd, lr: 0.1", "sgd, momentum: 0.9", "write `optimizer.name: momentum`; Nesterov's is "
     "`nesterov`"),
    ("sgd, lr: 0.1", "sgd, weight_decay: 0.1", "`weight_decay` is `regularization.l2` here"),
    ("sgd, lr: 0.1", "adam, weight_decay: 0.1", "`weight_decay` is `regularization.l2` here; "
     "`adamw` decays weights apart from the gradient"),
    ("sgd, lr: 0.1", "adam, betas: [0.9, 0.99]", "`betas` is `beta1` and `beta2` here, as two "
     "numbers"),
    ("sgd, lr: 0.1", "sgd, betas: [0.9, 0.99]", "`betas` is `beta1` here; `beta1` belongs to "),
    ("sgd, lr: 0.1", "adam, epsilon: 0.1", "`epsilon` is `eps` here"),
    ("sgd, lr: 0.1", "sgd, learning_rate: 1", "`learning_rate` is `lr` here"),
    ("sgd, lr: 0.1", "sgd, lr: '0,001'", "write 0.001, with a point"),
    ("sgd, lr: 0.1", "lookahead, learning_rate: 1, base: sgd", "`learning_rate` is `lr` here; "
     "`lr` belongs under `optimizer.base`"),
    ("name: sgd", "name: SGD", "write `sgd`"),
    ("name: sgd", "name: AdamW", "write `adamw`"),
    ("name: sgd", "name: nag", "`nag` is `nesterov` here"),
    ("name: sgd", "name: shampoo", "it is not among the rules; there are random_search"),
    ("synthetic, kind: moons", "MNIST", "write `mnist`"),
    ("synthetic, kind: moons", "CIFAR-10", "write `cifar10`"),
    ("synthetic, kind: moons", "cifar", "`cifar` is `cifar10` here"),
    ("synthetic, kind: moons", "moons", "`moons` is a kind of `synthetic`: write "
     "`{name: synthetic, kind: moons}`"),
    ("synthetic, kind: moons", "fashion_mnist", "it is not among the datasets; there are mnist"),
    ("kind: moons", "kind: moons, preprocessing: standardize", "write [standardize]"),
    ("kind: moons", "kind: moons, preprocessing: [normalize]", "`normalize` is `standardize` here"),
    ("[8]", "[8], activation: swish", "`swish` is `silu` here"),
    ("[8]", "[8], activation: ReLU", "write `relu`"),
    ("[8]", "[8], activation: LeakyReLU", "write `leaky_relu`"),
    ("[8]", "[8], units: 8", "`units` is `hidden` here"),
    ("[8]", "[8], lr: 8", "`lr` belongs under `optimizer`"),
    ("[8]", "[8], dropout: 0.5", "`dropout` belongs under `regularization`"),
    ("hidden: [8]", "hidden: 8, 9", "a decimal comma? numbers have a point, as in 0.001"),
]  # fmt: skip
"""A part of the config, what it is replaced by, and the hint."""


@pytest.mark.parametrize(
    ("text", "hint"),
    [(BASE + line, hint) for line, hint in ON_TOP]
    + [(BASE.replace(old, new), hint) for old, new, hint in CHANGED],
)
def test_what_was_written_and_what_is_suggested(complaint, text, hint):
    assert hint in complaint(text)


@pytest.mark.parametrize(
    ("override", "hint"),
    [
        ("optimizer.learning_rate=1", "`learning_rate` is `lr` here"),
        ("learning_rate=1", "`learning_rate` is `optimizer.lr` here"),
        ("optimizer.name=Adam", "write `adam`"),
        ("scheduler={name: StepLR, step_size: 5}", "`step_size` is `every` here"),
        ("optimizer.nesterov=true", "write `optimizer.name: nesterov`"),
        ("optimizer.lr=0,001", "write 0.001, with a point"),
    ],
)
def test_overrides_are_told_the_same(complaint, override, hint):
    assert hint in complaint(BASE, override)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("parameters: {optimizer.lr: [1, 2]}", "`parameters` is `sweep.grid` here"),
        ("n_trials: 20", "write `sweep.strategy: {name: random, samples: 20}`"),
        ("seed: 3", "`seed` is `sweep.seeds` here"),
        ("metric: accuracy", "write `val_accuracy`"),
        ("strategy: bayesian", "`bayesian` is `tpe` here"),
        ("strategy: 20", "write `{name: random, samples: 20}`"),
        ("strategy: {name: tpe, n_trials: 9}", "`n_trials` is `samples` here"),
        ("grid: {optimizer.learning_rate: [1, 2]}", "`learning_rate` is `lr` here"),
        ("grid: {scheduler: [StepLR, cosine]}", "`StepLR` is `step` here"),
        ("config: base.yaml", "`config` is `sweep.base` here"),
    ],
)
def test_sweep_files_are_told_the_same(load_text, tmp_path, line, hint):
    (tmp_path / "base.yaml").write_text(BASE)
    sweep = tmp_path / "sweep.yaml"
    sweep.write_text(f"sweep:\n  base: base.yaml\n  {line}\n")
    with pytest.raises(ConfigError) as caught:
        load_sweep(sweep)
    assert hint in str(caught.value)


KEY_TARGETS = [(alias, target) for alias in KEYS for target in alias.targets]


@pytest.mark.parametrize(
    ("alias", "target"), KEY_TARGETS, ids=[f"{a.words.split()[0]} {t}" for a, t in KEY_TARGETS]
)
def test_the_target_of_a_key_exists(alias, target):
    where, colon, value = target.partition(":")
    if target.startswith(".") and colon:
        assert load({**SMALL, "optimizer": "sgd"}, [f"optimizer{where}={value}"])
    elif target.startswith("."):
        wanted = {key.removeprefix(".") for key in where.split()}
        assert any(wanted <= set(section.model_fields) for section in SECTIONS)
    else:
        *above, last = where.split(".")
        root = SweepFile if where.startswith("sweep.") else Config
        assert tuple(above) in sections_with(last, root)
        if colon and root is Config:
            assert load(SMALL, [f"{where}={value}"])
        elif colon:
            assert is_valid(slot_of(last), value)


SMALL = {
    "name": "demo",
    "dataset": {"name": "synthetic", "kind": "moons"},
    "model": "linear",
    "optimizer": "sgd",
}
NAME_TARGETS = [
    (key, target) for key, aliases in NAMES.items() for a in aliases for target in a.targets
]


def slot_of(key: str) -> Slot:
    """The slot of a config's or sweep's key, or of the items of its list."""
    found = [slot for section in SECTIONS if (slot := Slot.of(section, key))]
    named = [slot for slot in found if slot.choice or (slot.item and slot.item.choice)]
    slot = (named or found)[0]
    return slot.item if slot.item and slot.item.choice else slot


@pytest.mark.parametrize(("key", "target"), NAME_TARGETS)
def test_the_target_of_a_name_is_valid(key, target):
    assert is_valid(slot_of(key), target)


@pytest.mark.parametrize("key", SHORTHANDS)
def test_a_shorthand_stands_for_a_valid_section(key):
    filled = [
        form.replace("VALUE", value) for form in SHORTHANDS[key] for value in ("1", "0.5", "[1, 2]")
    ]
    slots = [slot for section in SECTIONS if (slot := Slot.of(section, key))]
    for form in SHORTHANDS[key]:
        values = [form.replace("VALUE", value) for value in ("1", "0.5", "[1, 2]")]
        assert any(is_valid(slot, value) for slot in slots for value in values), form
    assert filled


def test_every_alias_says_something():
    for alias in [*KEYS, *(alias for aliases in NAMES.values() for alias in aliases)]:
        assert alias.words
        assert alias.targets or alias.note


def test_no_alias_hides_a_word_of_the_vocabulary():
    """A key that some section has may be an alias at a place only, where no section has it."""
    for alias in KEYS:
        own = set(alias.words.split()) & ALL_KEYS
        assert alias.within or not own, own
    for key, aliases in NAMES.items():
        slot = slot_of(key)
        known = set(slot.choice.family) if slot.choice else set()
        rows = [{folded(word) for word in alias.words.split()} for alias in aliases]
        words = Counter(word for row in rows for word in row)
        assert not known & {word for alias in aliases for word in alias.words.split()}, key
        assert max(words.values()) == 1, (key, words.most_common(1))
