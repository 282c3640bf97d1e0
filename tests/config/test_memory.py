"""Runs that no memory holds are refused at the field that is too large, and others are not."""

import gc
import os
import tracemalloc

import numpy as np
import pytest

from optrun.config import memory
from optrun.config.checks import sizes
from optrun.config.load import load
from optrun.config.memory import (
    UNKNOWN_MACHINE,
    Need,
    Part,
    at_its_peak,
    memory_parts,
    physical_memory,
)
from optrun.config.schema import Config
from optrun.data.prepare import prepare
from optrun.engine.compiler import compile_program
from optrun.engine.program import Program
from optrun.errors import ConfigError

CONFIG = {
    "name": "demo",
    "dataset": {"name": "synthetic", "kind": "blobs", "samples": 2000, "features": 3},
    "model": {"name": "mlp", "hidden": [8]},
    "optimizer": "adam",
}
LINEAR = {**CONFIG, "model": "linear"}


@pytest.fixture
def sixteen_gigabytes(monkeypatch):
    monkeypatch.setattr(sizes, "physical_memory", lambda: 16e9)


@pytest.mark.usefixtures("sixteen_gigabytes")
@pytest.mark.parametrize(
    ("config", "overrides", "path", "gigabytes"),
    [
        (CONFIG, ["model.hidden=[100000000]"], "model.hidden", "773 GB"),
        (CONFIG, ["model.hidden=[8,9223372036854775807]"], "model.hidden", ""),
        (CONFIG, ["optimizer=newton", "model.hidden=[4000000000,4000000000]"], "model.hidden", ""),
        (CONFIG, ["dataset.samples=500000000"], "dataset.samples", "32 GB"),
        (CONFIG, ["dataset.test_samples=1000000000000"], "dataset.test_samples", "64,000 GB"),
        (CONFIG, ["dataset.features=1000000000"], "dataset.features", ""),
        (LINEAR, ["dataset.samples=1000000", "dataset.features=300000"], "dataset.samples", ""),
        (
            {**CONFIG, "model": "point"},
            [
                "dataset={name: synthetic, kind: quadratic}",
                "dataset.spectrum=[{count: 200000, low: 0.0, high: 1.0}]",
            ],
            "dataset.spectrum",
            "",
        ),
        (
            CONFIG,
            ["dataset.samples=50000000", "model.hidden=[500]", "training.batch_size=full"],
            "training.batch_size",
            "",
        ),
    ],
)
def test_what_cannot_fit_is_refused_at_its_field(config, overrides, path, gigabytes):
    with pytest.raises(ConfigError) as caught:
        load(config, overrides)
    text = str(caught.value)
    assert f"{path}: the run needs at least {gigabytes}" in text
    assert "this machine has 16 GB" in text
    assert text.endswith("1 problem in the config")


@pytest.mark.usefixtures("sixteen_gigabytes")
@pytest.mark.parametrize(
    "overrides",
    [["dataset=mnist", "model.hidden=[4096,4096]"], ["dataset=cifar10", "model.hidden=[30000]"]],
)
def test_a_large_run_that_fits_is_taken(overrides):
    load(CONFIG, overrides)


def test_the_machine_s_memory_is_asked_for_and_guessed_where_it_is_not_told(monkeypatch):
    assert 1e8 < physical_memory() < 1e14
    monkeypatch.setattr(memory, "CONTAINER_LIMITS", ())
    monkeypatch.delattr(os, "sysconf")
    assert physical_memory() == UNKNOWN_MACHINE


@pytest.mark.parametrize(
    ("content", "expected"),
    [("max\n", UNKNOWN_MACHINE), ("3000000000\n", 3e9), ("", UNKNOWN_MACHINE)],
)
def test_a_container_may_have_less_than_the_machine(content, expected, monkeypatch, tmp_path):
    limit = tmp_path / "memory.max"
    limit.write_text(content)
    monkeypatch.setattr(memory, "CONTAINER_LIMITS", (tmp_path / "absent", limit))
    monkeypatch.delattr(os, "sysconf")
    assert physical_memory() == expected


HALVES = {
    "data and Hessian": (
        ["dataset.samples=15000000", "optimizer=newton", "model.hidden=[1500]"],
        ("what `newton` keeps of", "the examples"),
    ),
    "data and weights": (
        ["dataset.samples=10000000", "model.hidden=[8000,2000]"],
        ("weights, gradient and optimizer state", "the examples"),
    ),
    "weights and batch": (
        ["model.hidden=[8000,2000]", "training.batch_size=4000", "dataset.samples=20000"],
        ("weights, gradient and optimizer state", "a training batch in all layers"),
    ),
}


@pytest.mark.parametrize(("overrides", "largest"), HALVES.values(), ids=HALVES)
def test_what_fits_only_part_by_part_is_refused(overrides, largest, monkeypatch):
    config = load(CONFIG, overrides).config
    need = needed(config)
    limit = 1.1 * need.parts[0][2]
    assert need.total > 1.3 * limit
    monkeypatch.setattr(sizes, "physical_memory", lambda: limit)
    with pytest.raises(ConfigError) as caught:
        load(CONFIG, overrides)
    for what in largest:
        assert f" GB for {what}" in str(caught.value)


def needed(config: Config) -> Need:
    return at_its_peak(parts(config))


def parts(config: Config) -> list[Part]:
    return memory_parts(
        config.dataset,
        config.model,
        config.optimizer,
        config.regularization,
        config.training,
        config.averaging,
        config.dtype,
    )


GLYPHS = "dataset={name: synthetic, kind: glyphs, samples: 3000, preprocessing: [%s]}"
MEASURED = {
    "examples": ["dataset.samples=10000", "dataset.features=200"],
    "weights": [
        "model.hidden=[2000,1000]",
        "averaging=ema",
        "optimizer={name: lookahead, base: adam}",
    ],
    "batch": ["training.batch_size=full", "dataset.samples=5000", "model.hidden=[300,300]"],
    "dropout": [
        "training.batch_size=full",
        "dataset.samples=5000",
        "model.hidden=[300]",
        "regularization.dropout=0.5",
    ],
    "whitening": [GLYPHS % "rescale, zca_whiten"],
    "two copies": [GLYPHS % "contrast_normalize, pca_whiten"],
    "steps": ["training={epochs: 100000, batch_size: 30}"],
    "Hessian": ["dtype=float64", "optimizer=newton", "model.hidden=[150]"],
    "factors": ["dtype=float64", "optimizer=kfac", "model.hidden=[300]", "dataset.features=300"],
}


@pytest.mark.parametrize("overrides", MEASURED.values(), ids=MEASURED)
def test_the_estimate_is_near_what_is_allocated_at_most(overrides):
    config = load(CONFIG, overrides).config
    begin(config)  # compiles and imports
    gc.collect()
    tracemalloc.start()
    try:
        begin(config)
        truth = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert truth > 6e6
    # the workspace of LAPACK is estimated, but not traced
    assert 0.8 < needed(config).total / truth < 1.35


def begin(config: Config) -> None:
    """What a run allocates until the end of its first step and evaluation."""
    data = prepare(config.dataset, config.seed, config.dtype)
    program = compile_program(config, data)
    kept = copied(program)
    program.run(0, 1, program.epoch(0), np.inf)
    program.evaluate(data.test, program.evaluation_weights(0))
    del kept


def copied(program: Program) -> list[np.ndarray]:
    """What a trainer copies of a program: chosen weights, an epoch's first, the rates."""
    parameters = program.parameters
    arrays = (parameters.weights, parameters.weights, parameters.average, program.rates)
    return [array.copy() for array in arrays]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "extra", [[], ["regularization.dropout=0.5", "optimizer=sgd"], ["averaging=swa"]]
)
def test_what_is_held_in_training_is_what_the_arrays_take(dtype, extra):
    config = load(CONFIG, [f"dtype={dtype}", *extra]).config
    program = compile_program(config, prepare(config.dataset, config.seed, dtype))
    examples, data = (program.examples, program.test_examples), program.data
    rows = [data.train.indices, data.validation.indices, data.test.indices]
    arrays = [
        *(array for part in examples for array in (part.storage, part.labels, part.values)),
        *rows, data.train.indices, data.train.indices,
        *program.parameters, *program.work, *program.evaluation_work,
        *program.curves, *copied(program),
    ]  # fmt: skip
    expected = sum(np.asarray(array).nbytes for array in arrays)
    assert sum(part.training for part in parts(config)) == expected


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("steps", "features", "room"),
    [("standardize", 3, 0), ("sample_mean", 3, 0), ("zca_whiten", 3, 36), ("pca_two", 2, 36)],
)
def test_what_preprocessing_leaves_is_counted(dtype, steps, features, room):
    step = "{name: pca_whiten, components: 2}" if steps == "pca_two" else steps
    config = load(CONFIG, [f"dtype={dtype}", f"dataset.preprocessing=[{step}]"]).config
    data = prepare(config.dataset, config.seed, dtype)
    stored = (data.train.storage, data.test.storage)
    left = 0 if steps == "standardize" else sum(array.nbytes for array in stored)
    (part,) = (part for part in parts(config) if part.path == ("dataset", "preprocessing"))
    assert data.features == features
    assert (part.loading, part.training) == (left + 8 * room, left)


def test_the_random_changes_of_an_epoch_are_counted():
    steps = "[rotation, brightness, erasing, mixup]"
    dataset = f"dataset={{name: synthetic, kind: glyphs, samples: 700, augmentation: {steps}}}"
    config = load(CONFIG, [dataset]).config
    program = compile_program(config, prepare(config.dataset, config.seed, config.dtype))
    views = program.epoch(0).views
    (part,) = (part for part in parts(config) if part.path == ("dataset", "augmentation"))
    drawn = sum(array.nbytes for array in views[1:] if isinstance(array, np.ndarray))
    assert part.training == drawn
