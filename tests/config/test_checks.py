"""Contradictions between fields: each is told, at the key to change, naming the other."""

from functools import wraps

import pytest

from optrun.config import checks
from optrun.config.checks import sizes
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
        "scheduler: changes nothing for `rprop`, which looks at the rate of the first step only",
    ),
    (
        BASE.replace("name: sgd, lr: 0.1", "name: sam, base: rprop") + "scheduler: cosine",
        "scheduler: changes nothing for `rprop`, which looks at the rate of the first step only",
    ),
    (
        BASE.replace("name: sgd, lr: 0.1", "name: random_search")
        + "warmup: {name: linear, duration: 5%}",
        "warmup: is not for `random_search`, which has no learning rate",
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
    (
        with_data(subset=100) + "training: {batch_size: 128}",
        "training.batch_size: 128 is more than the 100 examples",
    ),
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
        BASE + "scheduler: {name: cyclic, min: 0.10000001, up: 2 epochs}",
        "scheduler.min: 0.10000001 is above `optimizer.lr` 0.1",
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
        BASE + "initialization: {name: pretrained, run: runs/gone}",
        "x.yaml:5:41: initialization.run: there is no run runs/gone",
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
    (
        with_data(validation=0) + "averaging: ema\ntraining: {best_by: average_val_loss}",
        "training.best_by: `average_val_loss` needs validation data",
    ),
    (
        BASE + "training: {best_by: average_val_loss}",
        "training.best_by: `average_val_loss` needs averaged weights, and `averaging` is off",
    ),
    (
        BASE + "scheduler: {name: plateau, watch: average_train_loss}",
        "scheduler.watch: `average_train_loss` needs averaged weights, and `averaging` is off",
    ),
    (
        with_data(validation=0)
        + "averaging: ema\nscheduler: {name: plateau, watch: average_val_loss}",
        "scheduler.watch: `average_val_loss` needs validation data",
    ),
]


SPHERE = BASE.replace(MOONS, "dataset: {name: function, kind: sphere}").replace(
    "{name: mlp, hidden: [8]}", "point"
)
"""One example, no validation data, two parameters."""


def with_optimizer(text: str) -> str:
    return BASE.replace("{name: sgd, lr: 0.1}", text)


def with_mlp(extra: str) -> str:
    return BASE.replace("hidden: [8]", f"hidden: [8], {extra}")


L1 = "regularization: {l1: {strength: 0.1, proximal: true}}"

EXACT = [
    # sizes
    (
        with_data(samples=1000000000),
        "x.yaml:2:50: dataset.samples: the run needs at least 48 GB of memory: 48 GB for the "
        "examples",
        "this machine has 16 GB: write a smaller number",
    ),
    # models
    (
        BASE.replace("{name: mlp, hidden: [8]}", "point"),
        "x.yaml:3:8: model.name: `point` looks at no features, and dataset `synthetic` has some",
        "take `linear` or `mlp`",
    ),
    (
        SPHERE.replace("point", "linear"),
        "x.yaml:3:8: model.name: dataset `function` has no features for a model",
        "take `model: point`",
    ),
    (SPHERE + "loss: hinge", "x.yaml:5:7: loss: dataset `function` is a loss itself", "remove it"),
    (
        SPHERE + "initialization: zeros",
        "x.yaml:5:17: initialization: dataset `function` says itself where to start",
        "set `dataset.start`",
    ),
    (
        SPHERE.replace("name: function, kind: sphere", "name: synthetic, kind: quadratic")
        + "initialization: zeros",
        "x.yaml:5:17: initialization: dataset `synthetic` says itself where to start",
        "remove it",
    ),
    (
        BASE.replace("moons", "polynomial") + "loss: hinge",
        "x.yaml:5:7: loss.name: `hinge` needs class labels, and `dataset` gives numbers to predict",
        "take `mse`",
    ),
    (
        with_data(augmentation="[mixup]") + "loss: hinge",
        "x.yaml:5:7: loss.name: `hinge` needs one class an example, and `mixup` mixes them",
        "take `softmax` or `mse`, or remove `mixup`",
    ),
    (
        with_mlp("normalization: batch") + "training: {batch_size: 1}",
        "x.yaml:5:24: training.batch_size: a batch of 1 has no variance for "
        "`model.normalization: batch`",
        "write at least 2, or take `layer`",
    ),
    (
        with_mlp("normalization: batch") + "training: {batch_size: 77}",
        "x.yaml:5:24: training.batch_size: 77 leaves 1 of the 540 examples for the last batch of "
        "an epoch, which has no variance for `model.normalization: batch`",
        "write another number, or `drop_last: true`",
    ),
    (
        with_mlp("normalization: weight") + "initialization: zeros",
        "x.yaml:5:17: initialization: weights that may all be 0 have no direction for "
        "`model.normalization: weight`",
        "take another, such as `he_normal`",
    ),
    (
        with_mlp("normalization: weight") + "regularization: {max_norm: 3}",
        "x.yaml:5:28: regularization.max_norm: has no effect with `model.normalization: weight`, "
        "which sets lengths by itself",
        "remove one of the two",
    ),
    (
        SPHERE + "regularization: {dropout: 0.1}",
        "x.yaml:5:27: regularization.dropout: acts after hidden layers, and model `point` has none",
        "remove it",
    ),
    (
        SPHERE + "regularization: {input_dropout: 0.1}",
        "x.yaml:5:33: regularization.input_dropout: acts on inputs, and model `point` looks at "
        "none",
        "remove it",
    ),
    (
        SPHERE + "regularization: {l2: 0.1}",
        "x.yaml:5:22: regularization.l2: acts on weights, and the parameters of model `point` are "
        "a bias",
        "remove it, or add `include_bias: true`",
    ),
    (
        SPHERE + "regularization: {max_norm: 0.1, include_bias: true}",
        "x.yaml:5:28: regularization.max_norm: acts on weights, and the parameters of model "
        "`point` are a bias",
        "remove it",
    ),
    (
        BASE + "regularization: {l2: 0.1, elastic: {strength: 0.1}}",
        "x.yaml:5:36: regularization.elastic: stands for both `l1` and `l2`, which are given too",
        "remove it, or the two",
    ),
    # optimizers
    (
        with_optimizer("random_search") + "linear_scaling: 32",
        "x.yaml:5:17: linear_scaling: scales a learning rate, and `random_search` has none",
        "remove it",
    ),
    (
        with_optimizer("schedule_free_sgd") + "regularization: {max_norm: 3}",
        "x.yaml:5:28: regularization.max_norm: does not last: `schedule_free_sgd` makes the "
        "weights anew at every step",
        "remove it, or take another optimizer",
    ),
    (
        with_optimizer("{name: sam, base: schedule_free_sgd}") + "averaging: ema",
        "x.yaml:5:12: averaging: `schedule_free_sgd` is an average by itself, and this one would "
        "be of other points",
        "remove it",
    ),
    (
        with_optimizer("{name: lookahead, base: schedule_free_sgd}"),
        "x.yaml:4:36: optimizer.base.name: `schedule_free_sgd` has slow weights of its own, and "
        "goes on from them",
        "",
    ),
    (
        with_optimizer("{name: lookahead, base: {name: rprop, lr: 100}}"),
        "x.yaml:4:54: optimizer.base.lr: 100, the first step size, is not between 1e-06 and 50",
        "",
    ),
    (
        with_optimizer("newton") + L1,
        "x.yaml:5:48: regularization.l1.proximal: acts after single gradient steps, which `newton` "
        "does not take",
        "write `proximal: false`, or take another optimizer",
    ),
    (
        with_optimizer("schedule_free_sgd")
        + "regularization: {elastic: {strength: 0.1, proximal: true}}",
        "x.yaml:5:53: regularization.elastic.proximal: does not last: `schedule_free_sgd` computes "
        "the weights from its state at every step",
        "write `proximal: false`, or take another optimizer",
    ),
    (
        with_optimizer("{name: sam, base: rprop}") + L1,
        "x.yaml:5:48: regularization.l1.proximal: follows the learning rate, and `rprop` looks at "
        "the rate of the first step only",
        "write `proximal: false`, or take another optimizer",
    ),
    (
        with_optimizer("{name: lookahead, base: adam}") + L1,
        "x.yaml:5:48: regularization.l1.proximal: makes no weight 0 with `lookahead`, whose slow "
        "weights are averages",
        "write `proximal: false`, or take the `base` optimizer alone",
    ),
    (
        with_mlp("normalization: weight") + L1,
        "x.yaml:5:48: regularization.l1.proximal: may set all weights of a unit to 0, which "
        "`weight` divides by",
        "write `proximal: false`, or another `model.normalization`",
    ),
    (
        with_optimizer("lbfgs")
        + "regularization: {gradient_noise: {}}\ntraining: {batch_size: full}",
        "x.yaml:5:34: regularization.gradient_noise: acts on single gradient steps, which `lbfgs` "
        "does not take",
        "remove it, or take another optimizer",
    ),
    (
        with_optimizer("newton").replace("[8]", "[3000, 3000]"),
        "x.yaml:4:12: optimizer.name: the run needs at least 731,920 GB of memory: 731,919 "
        "GB for what `newton` keeps of 9,018,002 parameters",
        "this machine has 16 GB: take a smaller model, or `adam`",
    ),
    (
        with_optimizer("random_local_search").replace("[8]", "[8], normalization: batch"),
        "x.yaml:3:48: model.normalization: gathers statistics of weights that "
        "`random_local_search` tries and leaves",
        "take `layer`, or another optimizer",
    ),
    (
        with_optimizer("newton").replace("[8]", "[8], normalization: layer"),
        "x.yaml:3:48: model.normalization: `newton` knows no second derivatives through "
        "normalization",
        "remove it, or take another optimizer",
    ),
    (
        with_optimizer("adahessian") + "loss: hinge",
        "x.yaml:5:7: loss.name: the second derivative of `hinge` is 0, and `adahessian` follows it",
        "take `squared_hinge` or `softmax`",
    ),
    (
        with_optimizer("kfac") + "loss: squared_hinge",
        "x.yaml:5:7: loss.name: `squared_hinge` is no likelihood's: take `softmax` or `mse`",
        "`kfac` needs a likelihood; another optimizer may not",
    ),
    (
        with_optimizer("kfac") + "loss: {name: softmax, confidence_penalty: 0.1}",
        "x.yaml:5:43: loss.confidence_penalty: makes the loss another than a likelihood's: write 0",
        "`kfac` needs a likelihood; another optimizer may not",
    ),
    (
        SPHERE.replace("{name: sgd, lr: 0.1}", "kfac"),
        "x.yaml:4:12: optimizer.name: `kfac` needs a model's likelihood, and `dataset` has no "
        "model",
        "take `newton`, which knows its second derivatives",
    ),
    (
        SPHERE.replace("{name: sgd, lr: 0.1}", "random_search"),
        "x.yaml:4:12: optimizer.name: `random_search` draws weights as `initialization` does, and "
        "`dataset` says itself where to start",
        "take `random_local_search`",
    ),
    (
        with_optimizer("random_search") + "initialization: {name: constant, value: 1}",
        "x.yaml:5:17: initialization: gives `random_search` the same weights at every try",
        "take another, such as `normal`",
    ),
    (
        BASE + "initialization: {name: pretrained, run: runs/none}",
        "x.yaml:5:41: initialization.run: there is no run runs/none: there is no directory runs",
        "",
    ),
    # times
    (
        BASE + "scheduler: {name: cosine, over: 11 epochs}",
        "x.yaml:5:33: scheduler.over: `11 epochs` is longer than the 50 steps (10 epochs) that "
        "`training.epochs` leaves for it",
        'shorten it, or give it as a share of the run such as "10%"',
    ),
    (
        BASE + "warmup: {name: linear, duration: 51 steps}",
        "x.yaml:5:34: warmup.duration: `51 steps` is longer than the 50 steps (10 epochs) that "
        "`training.epochs` leaves for it",
        'shorten it, or give it as a share of the run such as "10%"',
    ),
    (
        BASE + "linear_scaling: 512\nscheduler: {name: cosine, min: 0.05}",
        "x.yaml:6:32: scheduler.min: 0.05 is above `optimizer.lr` after `linear_scaling`, 0.025, "
        "from where the rate falls",
        "write a smaller number",
    ),
    (
        with_optimizer("{name: sam, base: {name: sgd, lr: 0.1}}")
        + "scheduler: {name: linear, min: 0.2}",
        "x.yaml:5:32: scheduler.min: 0.2 is above `optimizer.base.lr` 0.1, from where the rate "
        "falls",
        "write a smaller number",
    ),
    (
        BASE + "warmup: {name: linear, duration: 1 epochs}\nscheduler: one_cycle",
        "x.yaml:5:9: warmup: `one_cycle` begins with a climb of its own: the rate would reach 0.1, "
        "fall to 0.004 and climb again",
        "remove `warmup`, as the climb's length is `scheduler.up`",
    ),
    (
        BASE + "warmup: {name: linear, duration: 1 epochs}\nscheduler: warmup_stable_decay",
        "x.yaml:5:9: warmup: `warmup_stable_decay` begins with a climb of its own: the rate would "
        "reach 0.1, fall to 0.05 and climb again",
        "remove `warmup`, as the climb's length is `scheduler.warmup`, or write "
        "`scheduler.warmup: 0`",
    ),
    (
        BASE + "warmup: {name: exponential, duration: 10%}\n"
        "scheduler: {name: cyclic, min: 0.01, up: 1 epochs}",
        "x.yaml:5:9: warmup: `cyclic` begins with a climb of its own: the rate would reach 0.1, "
        "fall to 0.01 and climb again",
        "remove `warmup`, as the climb's length is `scheduler.up`",
    ),
    (
        BASE + "scheduler: {name: exponential, gamma: 0.5}",
        "x.yaml:5:39: scheduler.gamma: the rate falls to 2e-15 of itself over the 50 steps of the "
        "schedule",
        "count it in epochs, `every: 1 epochs`, or write `gamma: 0.912011`, which ends at 1%",
    ),
    (
        BASE + "scheduler: {name: natural_exponential, beta: 1}",
        "x.yaml:5:46: scheduler.beta: the rate falls to 5e-22 of itself over the 50 steps of the "
        "schedule",
        "`beta: 0.0921` ends at 1% of it",
    ),
    (
        BASE + "scheduler: {name: inverse_time, beta: 1e9}",
        "x.yaml:5:39: scheduler.beta: the rate falls to 2e-11 of itself over the 50 steps of the "
        "schedule",
        "`beta: 1.98` ends at 1% of it",
    ),
    (
        BASE + "scheduler: {name: step, every: 1 steps}",
        "x.yaml:5:12: scheduler.gamma: the rate falls to 1e-49 of itself over the 50 steps of the "
        "schedule",
        "`gamma: 0.9103` ends at 1% of it",
    ),
    (
        with_optimizer("lbfgs") + "linear_scaling: 32\ntraining: {batch_size: full}",
        "x.yaml:5:17: linear_scaling: is for gradients that more examples make less noisy, and "
        "steps of `lbfgs` do not grow with the batch",
        "remove it",
    ),
    (
        with_optimizer("{name: lookahead, base: sgd, every: 51}"),
        "x.yaml:4:48: optimizer.every: 51 steps are more than the 50 of the run: the slow weights "
        "stay",
        "write a smaller number, or train longer",
    ),
    (
        BASE + "averaging: {name: swa, start: 50 steps}",
        "x.yaml:5:31: averaging.start: `50 steps` leaves none of the 50 steps to average",
        "shorten it, or train longer",
    ),
    (
        BASE + "averaging: {name: swa, start: 40 steps, every: 11 steps}",
        "x.yaml:5:48: averaging.every: `11 steps` is longer than the 10 steps after `start`",
        "shorten it, or train longer",
    ),
    # choosing
    (
        with_data(validation=0) + "training: {best_by: val_loss}",
        "x.yaml:5:21: training.best_by: `val_loss` needs validation data, and "
        "`dataset.validation` is 0",
        "set examples aside with `dataset.validation: 0.1`, or take `last`",
    ),
    (
        SPHERE + "training: {early_stopping: {}}",
        "x.yaml:5:28: training.early_stopping: needs validation data, and `dataset` has one "
        "example only",
        "remove it",
    ),
    (
        BASE.replace("moons", "polynomial") + "training: {best_by: val_accuracy}",
        "x.yaml:5:21: training.best_by: `val_accuracy` needs class labels, and `dataset` gives "
        "numbers to predict",
        "take `val_loss`",
    ),
    (
        with_data(validation=0) + "scheduler: plateau",
        "x.yaml:5:12: scheduler.watch: `val_loss` needs validation data, and "
        "`dataset.validation` is 0",
        "set examples aside with `dataset.validation: 0.1`, or watch `train_loss`",
    ),
    (
        SPHERE + "scheduler: plateau",
        "x.yaml:5:12: scheduler.watch: `val_loss` needs validation data, and `dataset` has one "
        "example only",
        "watch `train_loss`",
    ),
    (
        BASE.replace("moons", "polynomial") + "scheduler: {name: plateau, watch: train_accuracy}",
        "x.yaml:5:35: scheduler.watch: `train_accuracy` needs class labels, and `dataset` gives "
        "numbers to predict",
        "watch a loss",
    ),
    (
        BASE + "scheduler: {name: plateau, watch: val_accuracy}\ntraining: {early_stopping: {}}",
        "x.yaml:5:12: scheduler.patience: with 10 the rate is never cut: "
        "`training.early_stopping.patience` 5 ends the run before",
        "write a smaller number, or stop later",
    ),
]


@pytest.fixture
def sixteen_gigabytes(monkeypatch):
    monkeypatch.setattr(sizes, "physical_memory", lambda: 16e9)


DOUBTS = [
    (
        BASE + "warmup: {name: linear, duration: 0.5%}",
        "x.yaml:5:34: warning: warmup.duration: `0.5%` comes to 0 of 50 steps: there is no warmup",
        "write at least `1 steps`, or remove `warmup`",
    ),
    (
        BASE + "scheduler: {name: warmup_stable_decay, warmup: 0.05 epochs}",
        "x.yaml:5:48: warning: scheduler.warmup: `0.05 epochs` comes to 0 of 50 steps, and is "
        "left out",
        "write at least `1 steps`, or 0",
    ),
    (
        BASE + "averaging: {name: swa, start: 0.5%}",
        "x.yaml:5:31: warning: averaging.start: `0.5%` comes to 0 of 50 steps: weights are "
        "averaged from the first on",
        "write at least `1 steps`, or 0",
    ),
    (
        BASE + "averaging: {name: swa, every: 0.05 epochs}",
        "x.yaml:5:31: warning: averaging.every: `0.05 epochs` comes to 0 of 50 steps, and is "
        "taken as 1",
        "write `1 steps`",
    ),
    (
        BASE + "scheduler: {name: exponential, gamma: 0.7}",
        "x.yaml:5:39: warning: scheduler.gamma: the rate falls to 3e-08 of itself over the 50 "
        "steps of the schedule",
        "count it in epochs, `every: 1 epochs`, or write `gamma: 0.912011`, which ends at 1%",
    ),
    (
        BASE + "linear_scaling: 1",
        "x.yaml:5:17: warning: linear_scaling: multiplies the rate by 128, for a batch of 128",
        "rates were not found to scale beyond 64 times: set `optimizer.lr` by itself",
    ),
    (
        BASE + "training: {epochs: 5, early_stopping: {}}",
        "x.yaml:5:39: warning: training.early_stopping.patience: with 5 a run of 5 epochs is never "
        "stopped",
        "write a smaller number",
    ),
    (
        BASE + "scheduler: plateau",
        "x.yaml:5:12: warning: scheduler.patience: with 10 the rate of 10 epochs is never cut",
        "write a smaller number, or train longer",
    ),
    (
        with_optimizer("rprop") + "training: {batch_size: 32}",
        "x.yaml:5:24: warning: training.batch_size: `rprop` compares gradients of successive "
        "steps, which are of 32 other examples each time",
        "`training.batch_size: full` takes all 540 at each step",
    ),
    (
        with_optimizer("lbfgs") + "training: {batch_size: full}\nregularization: {dropout: 0.1}",
        "x.yaml:6:17: warning: regularization: `lbfgs` compares gradients of successive steps, and "
        "dropout makes each of them one of another objective",
        "remove it, or take another optimizer",
    ),
    (
        with_glyphs("augmentation: [shift]").replace("{name: sgd, lr: 0.1}", "rprop")
        + "training: {batch_size: full}",
        "x.yaml:2:56: warning: dataset.augmentation: `rprop` compares gradients of successive "
        "steps, and augmentation makes each of them one of another objective",
        "remove it, or take another optimizer",
    ),
    (
        with_optimizer("{name: newton, damping: 0.01}"),
        "x.yaml:4:36: warning: optimizer.damping: `newton` climbs where a network's loss is curved "
        "downwards",
        "a damping of 0.1 or more, or a model without hidden layers, keeps it going down",
    ),
    (
        with_glyphs("subset: 100, preprocessing: [zca_whiten]") + "training: {batch_size: 50}",
        "x.yaml:2:71: warning: dataset.preprocessing.0: `zca_whiten` sees 100 training examples of "
        "784 features, too few to tell all directions apart",
        "other examples are blown up in the rest unless `eps` is large",
    ),
]


@pytest.mark.parametrize(("text", "message", "hint"), DOUBTS)
def test_a_warning_word_for_word(load_text, text, message, hint):
    ((head, _, below),) = [line.splitlines() for line in load_text(text).told()]
    assert head == message
    assert below.lstrip(" |^") == hint


@pytest.mark.parametrize(
    "text",
    [
        BASE + "warmup: {name: linear, duration: 0 steps}",
        BASE + "warmup: {name: linear, duration: 2%}\nscheduler: cosine",
        BASE + "scheduler: {name: warmup_stable_decay, warmup: 0}",
        BASE + "warmup: {name: linear, duration: 10%}\n"
        "scheduler: {name: warmup_stable_decay, warmup: 0}",
        BASE + "averaging: {name: swa, start: 0, every: 1 steps}",
        BASE + "scheduler: {name: exponential, gamma: 0.76}",
        BASE + "scheduler: {name: exponential, gamma: 0.5, every: 1 epochs}",
        BASE + "linear_scaling: 2",
        BASE + "training: {epochs: 6, early_stopping: {}}",
        BASE + "training: {epochs: 0, early_stopping: {}}\nscheduler: plateau",
        BASE + "scheduler: plateau\ntraining: {epochs: 13}",
        with_optimizer("{name: newton}").replace("{name: mlp, hidden: [8]}", "linear"),
    ],
)
def test_the_edge_of_a_doubt_is_none(load_text, text):
    assert list(load_text(text).told()) == []


def test_every_doubt_is_found_in_these_cases(load_text, monkeypatch):
    found = set()

    def noting(check):
        @wraps(check)
        def noted(*sections):
            for doubt in check(*sections):
                found.add(check.__name__)
                yield doubt

        return noted

    names = {check.__name__ for check in checks.DOUBTS}
    monkeypatch.setattr(checks, "DOUBTS", tuple(map(noting, checks.DOUBTS)))
    for text, *_ in DOUBTS:
        load_text(text)
    assert found == names


@pytest.mark.usefixtures("sixteen_gigabytes")
@pytest.mark.parametrize(("text", "message", "hint"), EXACT)
def test_a_contradiction_word_for_word(complaint, text, message, hint):
    head, _, below, end = complaint(text).splitlines()
    assert head == message
    assert below.lstrip(" |^") == hint
    assert end == "1 problem in x.yaml"


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
        with_data(subset=100),
        with_mlp("normalization: batch") + "training: {batch_size: 77, drop_last: true}",
        with_mlp("normalization: layer") + "training: {batch_size: 1}",
        with_mlp("normalization: weight") + "initialization: {name: constant, value: 1}",
        with_optimizer("{name: lookahead, base: sgd, every: 50}"),
        with_optimizer("{name: sam, base: schedule_free_sgd}") + "scheduler: cosine",
        with_optimizer("adahessian") + "loss: squared_hinge",
        with_optimizer("newton"),
        with_optimizer("newton") + L1.replace("true", "false"),
        with_optimizer("{name: sam, base: adam}") + L1,
        with_optimizer("random_local_search") + "initialization: zeros",
        SPHERE,
        SPHERE + "regularization: {l2: 0.1, include_bias: true}",
        SPHERE + "scheduler: {name: plateau, watch: train_loss}",
        BASE + "linear_scaling: 32\nscheduler: {name: cosine, min: 0.4}",
        BASE + "averaging: {name: swa, start: 49 steps}",
        BASE + "averaging: ema\ntraining: {best_by: average_val_accuracy, early_stopping: {}}",
        BASE + "averaging: ema\nscheduler: {name: plateau, watch: average_val_accuracy}",
        BASE + "scheduler: plateau\ntraining: {early_stopping: {}}",
        BASE + "scheduler: {name: plateau, patience: 4}\n"
        "training: {best_by: val_loss, early_stopping: {}}",
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


@pytest.mark.usefixtures("sixteen_gigabytes")
def test_every_check_finds_something_in_these_cases(complaint, monkeypatch):
    found = set()

    def noting(check):
        @wraps(check)
        def noted(*sections):
            for contradiction in check(*sections):
                found.add(check.__name__)
                yield contradiction

        return noted

    names = {check.__name__ for check in checks.CHECKS}
    monkeypatch.setattr(checks, "CHECKS", tuple(map(noting, checks.CHECKS)))
    for text, *_ in [*EXACT, *CASES]:
        complaint(text)
    assert found == names


def test_a_check_that_breaks_on_a_sound_config_is_not_passed_over(load_text, monkeypatch):
    def broken(model):
        yield model.no_such_attribute

    monkeypatch.setattr(checks, "CHECKS", (broken,))
    with pytest.raises(AttributeError, match="no_such_attribute"):
        load_text(BASE)
