"""Averages of the weights against PyTorch's, running statistics of normalization included."""

import json

import numpy as np
import pytest

from optrun.optim.averaging import AVERAGES, SWA
from optrun.optim.schedule import Length
from tests.programs import make_config, make_program, train_all
from tests.torch_reference import averages
from tests.toys import toy_data, toy_weights

STORED = json.loads(averages.FILE.read_text())


def program_of(section: dict, dtype: str, epochs: int, batch_size: int | str = "full"):
    config = make_config(
        dtype=dtype,
        model={
            "name": "mlp",
            "hidden": averages.HIDDEN,
            "activation": "tanh",
            "normalization": "batch",
        },
        optimizer={"name": "sgd", "lr": averages.LR},
        averaging=section,
        training={"epochs": epochs, "batch_size": batch_size, "best_by": "last"},
    )
    program = make_program(config, *toy_data())
    count = program.parameters.gradient.size
    program.parameters.weights[:count] = toy_weights(count)
    return program


def trained(section: dict, dtype: str):
    program = program_of(section, dtype, averages.STEPS)
    train_all(program)
    return program.parameters


def test_every_average_is_compared_with_pytorch():
    assert {section["name"] for section, _, _ in averages.CASES.values()} == set(AVERAGES)


@pytest.mark.parametrize("case", averages.CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)])
def test_averages_equal_pytorch(case, dtype, tolerance):
    parameters = trained(averages.CASES[case][0], dtype)
    expected = np.array(STORED[case])
    distance = np.linalg.norm(parameters.average - expected) / np.linalg.norm(expected)
    assert parameters.average.dtype == dtype
    assert distance <= tolerance
    assert np.linalg.norm(parameters.weights - expected) > 10 * tolerance


@pytest.mark.parametrize("case", averages.CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-4)])
def test_statistics_of_an_average_equal_pytorch_s_update_bn(case, dtype, tolerance):
    average = program_of(averages.CASES[case][0], dtype, averages.STEPS)
    train_all(average)
    in_batches = program_of(averages.CASES[case][0], dtype, 1, averages.BATCH)
    before = average.parameters.average.copy()
    recomputed = in_batches.with_own_statistics(before)
    expected = np.array(STORED[f"{case} {averages.RECOMPUTED}"])
    assert np.linalg.norm(recomputed - expected) <= tolerance * np.linalg.norm(expected)
    np.testing.assert_array_equal(average.parameters.average, before)
    assert np.linalg.norm(before - expected) > 10 * tolerance * np.linalg.norm(expected)


def test_averaging_changes_nothing_about_training():
    weights = trained(averages.CASES["ema"][0], "float32").weights
    np.testing.assert_array_equal(weights, trained(averages.CASES["swa"][0], "float32").weights)


@pytest.mark.parametrize(
    ("start", "every", "key"),
    [("100%", "1 steps", "start"), ("50%", "6 steps", "every"), ("50%", "5 steps", None)],
)
def test_swa_says_when_it_would_average_nothing(start, every, key):
    section = SWA(start=start, every=every)
    assert set(section.problems(Length(5, 10))) == ({key} if key else set())
    if key is None:
        np.testing.assert_array_equal(section.shares(10, Length(5, 10)), [0] * 9 + [1])
