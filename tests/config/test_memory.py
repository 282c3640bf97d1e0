"""Runs that no memory holds are refused at the field that is too large, and others are not."""

import os

import numpy as np
import pytest

from optrun.config.checks import optimizers, sizes
from optrun.config.load import load
from optrun.config.memory import UNKNOWN_MACHINE, memory_needed, physical_memory
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
    for checks in (sizes, optimizers):
        monkeypatch.setattr(checks, "physical_memory", lambda: 16e9)


@pytest.mark.usefixtures("sixteen_gigabytes")
@pytest.mark.parametrize(
    ("config", "overrides", "path", "gigabytes"),
    [
        (CONFIG, ["model.hidden=[100000000]"], "model.hidden", "770 GB"),
        (CONFIG, ["model.hidden=[8,9223372036854775807]"], "model.hidden", ""),
        (CONFIG, ["optimizer=newton", "model.hidden=[4000000000,4000000000]"], "model.hidden", ""),
        (CONFIG, ["dataset.samples=500000000"], "dataset.samples", "22 GB"),
        (CONFIG, ["dataset.test_samples=1000000000000"], "dataset.test_samples", "44,000 GB"),
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
    monkeypatch.delattr(os, "sysconf")
    assert physical_memory() == UNKNOWN_MACHINE


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("extra", [[], ["regularization.dropout=0.5", "optimizer=sgd"]])
def test_the_estimate_is_what_the_arrays_of_a_program_take(dtype, extra):
    config = load(CONFIG, [f"dtype={dtype}", *extra]).config
    program = compile_program(config, prepare(config.dataset, config.seed, dtype))
    raw = config.dataset.load(config.seed)
    drawn = [raw.train_x, raw.test_x, raw.train_y, raw.test_y]
    kept = [] if dtype == "float64" else [program.examples.storage, program.test_examples.storage]
    expected = sum(array.nbytes for array in drawn + kept) + nbytes(program)
    estimate = sum(
        size
        for _, size in memory_needed(
            config.dataset,
            config.model,
            config.optimizer,
            config.regularization,
            config.training,
            config.averaging,
            config.dtype,
        )
    )
    assert estimate == expected


def nbytes(program: Program) -> int:
    """Of a program, and of what a trainer copies of it: chosen weights, and an epoch's first."""
    parameters = program.parameters
    copies = [parameters.weights, parameters.weights, parameters.average]
    arrays = [*parameters, *copies, *program.work, *program.evaluation_work, program.rates]
    return sum(np.asarray(array).nbytes for array in arrays)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("steps", "features", "room"),
    [("standardize", 3, 0), ("sample_mean", 3, 0), ("zca_whiten", 3, 18), ("pca_two", 2, 18)],
)
def test_what_preprocessing_leaves_is_counted(dtype, steps, features, room):
    step = "{name: pca_whiten, components: 2}" if steps == "pca_two" else steps
    config = load(CONFIG, [f"dtype={dtype}", f"dataset.preprocessing=[{step}]"]).config
    data = prepare(config.dataset, config.seed, dtype)
    stored = (data.train.storage, data.test.storage)
    expected = 0 if steps == "standardize" else sum(array.nbytes for array in stored)
    sizes = memory_needed(
        config.dataset,
        config.model,
        config.optimizer,
        config.regularization,
        config.training,
        config.averaging,
        config.dtype,
    )
    assert data.features == features
    assert dict(sizes)["dataset", "preprocessing"] == expected + 8 * room
