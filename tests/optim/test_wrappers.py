"""SAM, Lookahead and schedule-free rules: which weights are stepped from, and which are shown."""

import numpy as np
import pytest

from tests.programs import make_config, make_program, train_all
from tests.toys import toy_data, toy_weights

NORMALIZED = {"name": "mlp", "hidden": [5, 4], "normalization": "batch"}


def program_of(optimizer: dict, epochs: int = 3, **sections):
    training = {"epochs": epochs, "batch_size": "full", "best_by": "last"}
    config = make_config(optimizer=optimizer, training=training, **sections)
    return make_program(config, *toy_data())


def test_running_statistics_of_sam_are_those_of_the_first_gradient():
    base = {"name": "sgd", "lr": 0.3}
    plain = program_of(base, 1, model=NORMALIZED)
    sam = program_of({"name": "sam", "rho": 0.5, "base": base}, 1, model=NORMALIZED)
    train_all(plain)
    train_all(sam)
    count = plain.parameters.gradient.size
    ours, theirs = sam.parameters.weights, plain.parameters.weights
    np.testing.assert_array_equal(ours[count:], theirs[count:])
    assert np.abs(ours[:count] - theirs[:count]).max() > 1e-3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sam_comes_back_to_the_bit(dtype):
    still = {"name": "sgd", "lr": 1e-30}
    regularization = {"dropout": 0.3, "adversarial": {"epsilon": 0.1}}
    sections = {"model": NORMALIZED, "dtype": dtype, "regularization": regularization}
    plain = program_of(still, **sections)
    sam = program_of({"name": "sam", "rho": 2.0, "base": still}, **sections)
    count = sam.parameters.gradient.size
    for program in (plain, sam):
        program.parameters.weights[:count] = toy_weights(count)  # which no step so small changes
        train_all(program)
    np.testing.assert_array_equal(sam.parameters.weights[:count], toy_weights(count).astype(dtype))
    np.testing.assert_array_equal(sam.parameters.weights, plain.parameters.weights)


def test_lookahead_shows_the_weights_of_the_last_synchronisation():
    def trained(epochs: int):
        section = {"name": "lookahead", "every": 5, "base": {"name": "adam", "lr": 0.05}}
        program = program_of(section, epochs, model=NORMALIZED)
        start = program.parameters.weights.copy()
        train_all(program)
        count = program.parameters.gradient.size
        shown = program.evaluation_weights(epochs)
        return start[:count], program.parameters.weights[:count], shown[:count]

    start, _, before = trained(4)
    np.testing.assert_array_equal(before, start)
    _, at_5, shown_at_5 = trained(5)
    np.testing.assert_array_equal(shown_at_5, at_5)
    _, at_8, shown_at_8 = trained(8)
    np.testing.assert_array_equal(shown_at_8, at_5)
    assert np.abs(at_8 - at_5).max() > 1e-3


@pytest.mark.parametrize("name", ["schedule_free_sgd", "schedule_free_adamw"])
def test_schedule_free_rules_show_the_mean_of_their_fast_points(name):
    """With r = 0 and a constant rate all steps count alike."""
    program = program_of({"name": name, "lr": 0.1}, 12, model=NORMALIZED)
    count, fast = program.parameters.gradient.size, []
    np.testing.assert_array_equal(program.evaluation_weights(0), program.parameters.weights)
    for step in range(12):
        program.run(step, 1, program.epoch(step), np.inf)
        fast.append(np.concatenate(list(slots(program))))
    shown, weights = program.evaluation_weights(12), program.parameters.weights
    np.testing.assert_allclose(shown[:count], np.mean(fast, axis=0), rtol=1e-12, atol=1e-14)
    between = 0.1 * fast[-1] + 0.9 * shown[:count]
    np.testing.assert_allclose(weights[:count], between, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "optimizer",
    [
        {"name": "lookahead", "every": 4, "base": {"name": "sgd", "lr": 0.3}},
        {"name": "schedule_free_sgd", "lr": 0.3},
    ],
)
@pytest.mark.parametrize("regularization", [{}, {"dropout": 0.5}])
def test_running_statistics_are_those_of_the_weights_shown(optimizer, regularization):
    """In full batches, what normalization in training makes of the whole training set."""
    program = program_of(optimizer, 10, model=NORMALIZED, regularization=regularization)
    train_all(program)
    shown, weights = program.evaluation_weights(10), program.parameters.weights
    parts, (x, _) = program.named_weights(shown), toy_data()
    z = x @ parts["layers.0.weight"]
    expected = np.stack([z.mean(axis=0), z.var(axis=0, ddof=1)])
    np.testing.assert_allclose(parts["layers.0.running"], expected, rtol=1e-12)
    trained = program.named_weights(weights)["layers.0.running"]
    assert np.abs(trained - expected).max() > 1e-3
    start = program_of(optimizer, 10, model=NORMALIZED)
    np.testing.assert_array_equal(start.evaluation_weights(0), start.parameters.weights)


def slots(program):
    """The first row of every block's state."""
    for block in program.places.blocks:
        size = block["rows"] * block["columns"]
        yield program.parameters.state[block["state"] :][:size].copy()
