"""The program: start, order, evaluation, and the bits they must keep."""

import hashlib

import numpy as np
import pytest

from optrun.engine.program import EVALUATION_ROWS
from optrun.numerics.products import rows_at_once
from optrun.numerics.streams import Purpose, stream
from tests import reference
from tests.programs import make_config, make_program, train_all
from tests.toys import toy_data

CHANGED = "the bits of runs have changed: raise NUMERICS in optrun/training/run.py"

# What the streams give; drawn by NumPy's generators, which keep these bits within a version.
DRAWS = {
    Purpose.SPLIT: 0.878843,
    Purpose.SUBSET: 0.228066,
    Purpose.SYNTHETIC: 0.273630,
    Purpose.SYNTHETIC_TEST: 0.060903,
    Purpose.START: 0.882919,
    Purpose.ORDER: 0.128941,
    Purpose.DROPOUT: 0.577956,
    Purpose.LABEL_NOISE: 0.310794,
    Purpose.AUGMENTATION: 0.497178,
    Purpose.GRADIENT_NOISE: 0.288869,
    Purpose.SEARCH: 0.822934,
    Purpose.PROBE: 0.261598,
    Purpose.START_OF_BIASES: 0.929127,
}


def digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()[:12]


def test_every_purpose_keeps_its_stream():
    drawn = {purpose: stream(3, purpose, 2).random() for purpose in Purpose}
    assert drawn == pytest.approx(DRAWS, abs=1e-6), CHANGED


def test_the_start_and_the_order_use_the_streams_made_for_them():
    program = make_program(make_config(initialization={"name": "normal", "std": 1.0}), *toy_data())
    named = program.named_weights(program.parameters.weights)
    for layer in range(3):
        w = named[f"layers.{layer}.weight"]
        expected = stream(0, Purpose.START, layer).standard_normal(w.shape)
        np.testing.assert_array_equal(w, expected, err_msg=CHANGED)
    for epoch in range(3):
        expected = stream(0, Purpose.ORDER, epoch).permutation(30)
        np.testing.assert_array_equal(program.epoch(epoch).order, expected, err_msg=CHANGED)


def test_the_start_in_float32_is_the_rounded_start_in_float64():
    exact, rounded = (
        make_program(make_config(dtype=dtype), *toy_data()).parameters.weights
        for dtype in ("float64", "float32")
    )
    np.testing.assert_array_equal(exact.astype(np.float32), rounded)


def test_biases_start_where_they_are_told():
    section = {"name": "he_normal", "bias": 0.25}
    program = make_program(make_config(initialization=section), *toy_data())
    for name, values in program.named_weights(program.parameters.weights).items():
        assert (values == 0.25).all() == name.endswith("bias")


def test_epochs_see_every_example_once_in_other_orders():
    program = make_program(make_config(), *toy_data())
    orders = [program.epoch(epoch).order for epoch in range(3)]
    for order in orders:
        assert sorted(order) == list(range(30))
    assert len({tuple(order) for order in orders}) == 3


@pytest.mark.parametrize("rows", [1, *(EVALUATION_ROWS + i for i in (-1, 0, 1)), 2500])
def test_evaluation_looks_at_every_row(rows):
    x, y = toy_data(n=rows, classes=1 if rows == 1 else 3)
    program = make_program(make_config(training={"epochs": 0, "batch_size": "full"}), x, y)
    weights = program.named_weights(program.parameters.weights)
    loss, _, _ = reference.objective(weights, x, y, {"name": "tanh"}, "softmax", {})
    h = np.tanh(x @ weights["layers.0.weight"] + weights["layers.0.bias"])
    h = np.tanh(h @ weights["layers.1.weight"] + weights["layers.1.bias"])
    scores = h @ weights["layers.2.weight"] + weights["layers.2.bias"]
    measured = program.evaluate(program.data.train, program.parameters.weights)
    assert measured == pytest.approx((loss, np.mean(scores.argmax(axis=1) == y)), rel=1e-12)


def test_products_in_pieces_train_alike(monkeypatch):
    x, y = toy_data(n=90)
    config = make_config(training={"epochs": 1, "batch_size": 30})
    weights = []
    for small in (float("inf"), 400):
        monkeypatch.setattr("optrun.engine.compiler.small_product", lambda small=small: small)
        program = make_program(config, x, y)
        assert program.numbers.small == small
        program.run(0, program.steps_per_epoch, program.epoch(0), np.inf)
        weights.append(program.parameters.weights)
    assert rows_at_once(30, weights_of_layer(program, 0), 3, 400) < 30
    np.testing.assert_allclose(*weights, rtol=1e-12, atol=1e-14)


def weights_of_layer(program, index: int) -> int:
    return program.named_weights(program.parameters.weights)[f"layers.{index}.weight"].size


def test_denormals_are_flushed_while_training():
    """A weight whose step is denormal stands still; with denormals it would move."""
    program = make_program(make_config(optimizer={"name": "momentum", "lr": 1.0}), *toy_data())
    program.parameters.weights[:] = 0.0
    program.parameters.state[:] = 1e-310
    program.data.train.storage[:] = 0.0
    program.rates[:] = 1.0
    train_all(program)
    first_layer = program.named_weights(program.parameters.weights)["layers.0.weight"]
    assert not first_layer.any()
