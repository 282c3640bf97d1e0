"""Runs that cannot go on are recorded so, at their step, with the likely cause and remedies."""

import re

import numpy as np
import pytest

from optrun.cli.progress import ending
from optrun.config.load import load
from optrun.store.reading import load_run
from optrun.training.run import run
from tests.training.runs import ROOT, SMALL, Spy, train

GLYPHS = (
    "dataset={name: synthetic, kind: glyphs, samples: 200, test_samples: 50, preprocessing: %s}"
)
POINT = ("model=point", "regularization={}", "initialization=null")


def of_function(text: str, lr: float, epochs: int = 300) -> tuple[str, ...]:
    schedule = f"training={{epochs: {epochs}, batch_size: full}}"
    return (f"dataset={{name: function, {text}}}", *POINT, f"optimizer={{name: sgd, lr: {lr}}}",
            schedule)  # fmt: skip


HIGH = "likely cause: a learning rate of {} is too high for sgd here; try optimizer.lr=0.01"
SCENARIOS = [
    (
        (GLYPHS % "[]", "optimizer={name: sgd, lr: 1}"),
        "likely cause: inputs as large as 255; add `rescale` or `standardize` to "
        "dataset.preprocessing",
    ),
    (
        (GLYPHS % "[center]", "optimizer={name: sgd, lr: 1}"),
        r"likely cause: inputs as large as \d+; add `rescale` or `standardize` to "
        "dataset.preprocessing",
    ),
    (
        (
            "dataset={name: synthetic, kind: blobs, samples: 200, test_samples: 50, spread: 100}",
            "optimizer={name: sgd, lr: 1}",
        ),
        r"likely cause: inputs as large as \d+; add `standardize` to dataset.preprocessing",
    ),
    ((GLYPHS % "[standardize]", "optimizer={name: sgd, lr: 1e4}"), HIGH.format(r"1e\+04")),
    ((GLYPHS % "[rescale]", "optimizer={name: sgd, lr: 1e5}"), HIGH.format(r"1e\+05")),
    (
        (GLYPHS % "[{name: zca_whiten, eps: 1e-12, clip: null}]", "optimizer={name: sgd, lr: 0.1}",
         "loss=mse"),
        r"likely cause: inputs as large as \d+, which `zca_whiten` makes of rare values; try "
        "dataset.preprocessing.0.clip=10",
    ),
    (of_function("kind: cubic, start: [1.5]", 0.1), "`cubic` has no lower bound, so the loss falls "
     "for ever; this is what it shows"),
    (of_function("kind: saddle", 0.1), "`saddle` has no lower bound, so the loss falls for ever; "
     "this is what it shows"),
    (of_function("kind: saddle", 5), HIGH.format(5)),
    (of_function("kind: rosenbrock", 1), HIGH.format(1)),
    (("optimizer={name: sgd, lr: 1e6}",), HIGH.format(r"1e\+06")),
    (
        ("optimizer={name: lookahead, base: {name: sgd, lr: 1e6}}",),
        r"likely cause: a learning rate of 1e\+06 is too high for lookahead here; try "
        "optimizer.base.lr=0.01",
    ),
    (
        ("regularization={l2: 1e4}", "optimizer={name: sgd, lr: 0.1}"),
        "likely cause: penalties of l1=0 and l2=10000 overshoot at a learning rate of 0.1; lower "
        "regularization",
    ),
    (
        ("initialization={name: normal, std: 1e30}",),
        "likely cause: the start: the weights of `normal` are too large; choose another",
    ),
    (
        (GLYPHS % "[standardize]", "optimizer={name: sgd, lr: 0.1}", "linear_scaling=1",
         "training.batch_size=180", "loss=mse"),
        "likely cause: a learning rate of 18, which `linear_scaling` made of 0.1; remove "
        "`linear_scaling`",
    ),
    (
        (GLYPHS % "[standardize]", "optimizer={name: momentum, momentum: 0.999, lr: 0.1}",
         "loss=mse", "training.epochs=50"),
        "likely cause: a momentum of 0.999 multiplies the learning rate of 0.1 by 1000; try "
        "optimizer.momentum=0.9 or optimizer.lr=0.01",
    ),
    (
        (GLYPHS % "[standardize]", "optimizer={name: sgd, lr: 0.1}", "loss=mse",
         "model.hidden=[256, 256, 256, 256]", "initialization={name: normal, std: 0.2}"),
        "likely cause: a learning rate of 0.1 is too high for sgd here; try optimizer.lr=0.01 or "
        "`warmup={name: linear, duration: 10%}` or `model.normalization=layer`",
    ),
    (
        (GLYPHS % "[standardize]", "optimizer={name: sgd, lr: 0.1}", "loss=mse",
         "model={name: mlp, hidden: [256, 256, 256, 256]}",
         "initialization={name: normal, std: 0.2}", "warmup={name: linear, duration: 10%}"),
        "likely cause: a learning rate of 0.0[0-9]+ is too high for sgd here; try "
        "optimizer.lr=0.01 or `model.normalization=layer`",
    ),
]  # fmt: skip
"""Overrides with which a run diverges, and the pattern of what is said of it."""


@pytest.mark.parametrize(("overrides", "told"), SCENARIOS)
def test_the_cause_and_the_remedies(tmp_path, overrides, told):
    summary = train(tmp_path, *overrides).summary
    assert summary["status"] == "diverged"
    what, _, rest = summary["reason"].partition("; ")
    assert what.startswith(("the loss exploded to", "the loss fell to", "the loss became"))
    assert re.fullmatch(told, rest), rest


@pytest.mark.parametrize(("overrides", "told"), SCENARIOS)
def test_what_is_advised_is_valid_and_not_in_the_config(tmp_path, overrides, told):
    """Every override that is advised changes the config, and makes a valid one."""
    config = load(SMALL, overrides).config
    for advised in re.findall(r"[a-z]+(?:\.\w+)*=(?:\{[^}]*\}|[\w.]+)", told.partition("; ")[2]):
        key, _, value = advised.partition("=")
        changed = config.model_dump(mode="json")
        changed = load(changed, [f"{key}={value}"]).config
        assert changed != config


def test_an_explosion_in_the_last_step_is_a_divergence(tmp_path):
    once = ["optimizer={name: sgd, lr: 1e6}", "training={epochs: 1, batch_size: full}"]
    done = train(tmp_path, *once)
    assert done.summary["status"] == "diverged"
    assert done.summary["epochs"] == 0
    assert done.summary["test_loss"] is None


def test_the_step_that_ended_a_run_is_logged_wherever_that_was_noticed(tmp_path):
    """The loss explodes in the last step of an epoch, so the evaluation after it finds out."""
    once = ["optimizer={name: sgd, lr: 1e6}", "training={epochs: 9, batch_size: 90, log_every: 9}"]
    done = train(tmp_path, *once)
    assert done.summary["status"] == "diverged"
    assert done.steps["step"].tolist() == [1, done.summary["diverged_step"]]
    broken = train(tmp_path, "optimizer={name: sgd, lr: 1e6}", "training.log_every=1000").steps
    assert len(broken) == 2
    assert broken.iloc[-1][["grad_norm", "update_ratio"]].isna().all()


def test_a_start_that_is_too_large_is_called_so(tmp_path):
    done = train(tmp_path, "initialization={name: normal, std: 1e30}", "scheduler=cosine")
    assert done.summary["status"] == "diverged"
    assert done.summary["diverged_step"] == 0
    assert "the weights of `normal` are too large" in done.summary["reason"]


def test_an_exploding_run_is_recorded_as_diverged(tmp_path):
    done = train(tmp_path, "optimizer={name: sgd, lr: 1e6}", "training.epochs=50")
    step = done.summary["diverged_step"]
    assert done.summary["status"] == "diverged"
    assert "learning rate of 1e+06 is too high for sgd" in done.summary["reason"]
    assert done.steps["step"].iloc[-1] == step == done.summary["steps"]
    last = done.steps["loss"].iloc[-1]
    assert not np.isfinite(last) or last > 1e4
    assert done.steps["loss"].iloc[:-1].le(1e4 * done.metrics["train_loss"][0]).all()
    assert done.summary["test_loss"] is None
    spy = Spy()
    train(tmp_path, "optimizer={name: sgd, lr: 1e6}", "training.epochs=50", observer=spy)
    assert spy.heard == ["reuse"]


def test_a_function_has_nothing_to_test_on(tmp_path):
    done = train(tmp_path, *of_function("kind: sphere", 0.1, epochs=3))
    summary = done.summary
    assert summary["status"] == "finished"
    assert summary["test_loss"] is summary["test_accuracy"] is None
    assert not any(re.search(r"\btest\b", line) for line in ending(done.path, summary)[:-1])


def test_a_model_that_only_overfits_has_not_diverged(tmp_path):
    """Degree 9 fits these points ever better, and misses all others by far."""
    config = load(ROOT / "configs/experiments/polynomial.yaml", ["dataset.degree=9", "seed=3"])
    done = load_run(run(config.config, tmp_path))
    assert done.summary["status"] == "finished"
    assert done.metrics["val_loss"].max() > 1e4 > done.metrics["train_loss"].max()
