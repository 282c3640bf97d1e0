"""Augmentation in a run: who sees it, and what it depends on."""

import numpy as np
import pytest

from optrun.data.augmentation.steps import AUGMENTATION
from optrun.data.augmentation.views import Views
from optrun.data.prepare import prepare
from optrun.engine.compiler import compile_program
from optrun.engine.program import Program
from tests.programs import make_config

GLYPHS = {"name": "synthetic", "kind": "glyphs", "samples": 60, "test_samples": 30}
GREY = [name for name in AUGMENTATION if name not in ("saturation", "hue")]
LIST = ["horizontal_flip", "random_crop", "rotation", "gaussian_noise", "erasing", "mixup"]


def make(augmentation: list, optimizer: str = "sgd", **dataset) -> Program:
    config = make_config(
        dataset={**GLYPHS, "augmentation": augmentation, **dataset},
        optimizer=optimizer, model="linear",
        training={"epochs": 2, "batch_size": 16, "best_by": "last"},
    )  # fmt: skip
    return compile_program(config, prepare(config.dataset, config.seed, config.dtype))


def equal(one: Views, other: Views) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_views_depend_on_seed_and_epoch_and_on_no_optimizer():
    sgd, adam = make(LIST), make(LIST, optimizer="adam")
    for epoch in (0, 1):
        assert equal(sgd.epoch(epoch).views, adam.epoch(epoch).views)
    assert not equal(sgd.epoch(0).views, sgd.epoch(1).views)
    other = compile_program(sgd.config.model_copy(update={"seed": 1}), sgd.data)
    assert not equal(sgd.epoch(0).views, other.epoch(0).views)


def test_training_sees_augmented_examples_and_evaluation_the_stored_ones():
    plain, augmented = make([]), make(LIST)
    for split in ("train", "validation", "test"):
        measured = (
            program.evaluate(getattr(program.data, split), plain.parameters.weights)
            for program in (plain, augmented)
        )
        assert len(set(measured)) == 1
    losses = []
    for program in (plain, augmented):
        program.run(0, 1, program.epoch(0), np.inf)
        losses.append(program.record.loss[0])
    assert losses[0] != losses[1]


@pytest.mark.parametrize("name", GREY)
def test_a_chunk_may_begin_anywhere_in_an_epoch(name):
    whole, stepwise = make([name]), make([name])
    whole.run(0, whole.steps_per_epoch, whole.epoch(0), np.inf)
    for step in range(stepwise.steps_per_epoch):
        stepwise.run(step, 1, stepwise.epoch(0), np.inf)
    np.testing.assert_array_equal(whole.parameters.weights, stepwise.parameters.weights)


def test_mixed_targets_share_an_example_between_two_labels():
    program = make([{"name": "mixup", "alpha": 1.0}])
    epoch = program.epoch(0)
    program.run(0, 3, epoch, np.inf)
    targets, rows = program.work.targets, epoch.order[32:48]
    labels = program.data.train.targets[rows]
    share = epoch.views.shares[32]
    assert share != epoch.views.shares[0]
    expected = share * np.eye(10)[labels] + (1 - share) * np.eye(10)[np.roll(labels, -1)]
    np.testing.assert_allclose(targets, expected, rtol=1e-12)


def test_a_driver_sees_the_views_of_its_batch():
    rule, driver = make(LIST), make(LIST, optimizer="lbfgs")
    rule.run(0, 3, rule.epoch(0), np.inf)
    driver.objective.begin(driver.epoch(0), 32, 3)
    np.testing.assert_array_equal(rule.work.h, driver.work.h)
    np.testing.assert_array_equal(rule.work.targets, driver.work.targets)


def test_the_scores_of_five_crops_are_averaged():
    program, plain = make([], test_time="five_crops"), make([])
    data, weights = program.data, program.parameters.weights
    w, b = program.named_weights(weights).values()
    padded = np.pad(data.validation.x.reshape(-1, 28, 28), ((0, 0), (4, 4), (4, 4)))
    corners = [(4, 4), (0, 0), (0, 8), (8, 0), (8, 8)]
    crops = [padded[:, y : y + 28, x : x + 28].reshape(-1, 784) for y, x in corners]
    scores = np.mean([crop @ w + b for crop in crops], axis=0)
    accuracy = np.mean(scores.argmax(axis=1) == data.validation.y)
    norms = np.log(np.exp(scores).sum(axis=1))
    loss = np.mean(norms - scores[np.arange(len(scores)), data.validation.y])
    measured = program.evaluate(data.validation, weights)
    assert measured == pytest.approx((loss, accuracy), rel=1e-9)
    assert program.evaluate(data.train, weights) == plain.evaluate(data.train, weights)
