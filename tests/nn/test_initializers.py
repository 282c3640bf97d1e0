"""Initializers: moments and bounds over a million draws, orthogonality, sparsity, gains."""

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from optrun.nn.activations import ACTIVATIONS, Identity
from optrun.nn.initializers import INITIALIZERS
from optrun.numerics.streams import Purpose, stream
from tests.programs import make_config, make_program
from tests.toys import toy_data

FAN_IN, FAN_OUT = 2000, 500
BOTH = FAN_IN + FAN_OUT
CUT = stats.truncnorm(-2, 2, scale=0.05)
GAUSSIAN, FLAT = 3.0, 1.8

# section: (fields, mean, variance, kurtosis, greatest absolute value)
DRAWS = {
    "zeros": ({}, 0, 0, None, 0),
    "constant": ({"value": -0.25}, -0.25, 0, None, 0.25),
    "normal": ({"std": 0.05}, 0, 0.05**2, GAUSSIAN, None),
    "truncated_normal": ({"std": 0.05}, 0, CUT.var(), 3 + CUT.stats("k"), 0.1),
    "uniform": ({"r": 0.3}, 0, 0.3**2 / 3, FLAT, 0.3),
    "xavier_normal": ({}, 0, 2 / BOTH, GAUSSIAN, None),
    "xavier_uniform": ({}, 0, 2 / BOTH, FLAT, np.sqrt(6 / BOTH)),
    "he_normal": ({}, 0, 2 / FAN_IN, GAUSSIAN, None),
    "he_uniform": ({}, 0, 2 / FAN_IN, FLAT, np.sqrt(6 / FAN_IN)),
    "lecun_normal": ({}, 0, 1 / FAN_IN, GAUSSIAN, None),
    "lecun_uniform": ({}, 0, 1 / FAN_IN, FLAT, np.sqrt(3 / FAN_IN)),
    "sparse": ({"sparsity": 0.3, "std": 0.05}, 0, 0.7 * 0.05**2, GAUSSIAN / 0.7, None),
    "orthogonal": ({}, 0, 1 / FAN_IN, GAUSSIAN, None),
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Two threads of BLAS that wait for each other on a busy machine cost ten times the work."""
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def draw(name, fields, fan_in=FAN_IN, fan_out=FAN_OUT, index=0, follower=None):
    random = stream(3, Purpose.START, index)
    initializer = INITIALIZERS[name](**fields)
    return initializer.factor(follower or Identity()) * initializer.draw(random, fan_in, fan_out)


def test_every_initializer_is_drawn():
    assert set(DRAWS) == set(INITIALIZERS)


@pytest.mark.parametrize("name", DRAWS)
def test_moments_and_bounds(name):
    fields, mean, variance, kurtosis, bound = DRAWS[name]
    weights = draw(name, fields)
    assert weights.shape == (FAN_IN, FAN_OUT)
    assert weights.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance) / 1000)
    assert weights.var() == pytest.approx(variance, rel=0.01)
    if kurtosis is not None:
        fourth = np.mean((weights - weights.mean()) ** 4) / weights.var() ** 2
        assert fourth == pytest.approx(kurtosis, rel=0.02)
    if bound is not None:
        assert np.abs(weights).max() == pytest.approx(bound, rel=1e-3)
        assert np.abs(weights).max() <= bound


@pytest.mark.parametrize("cut", [0.5, 3.0, 12.0])
def test_truncation_follows_the_cut(cut):
    weights = draw("truncated_normal", {"std": 2.0, "cut": cut}) / 2.0
    assert np.abs(weights).max() <= cut
    assert weights.var() == pytest.approx(stats.truncnorm(-cut, cut).var(), rel=0.01)


@pytest.mark.parametrize(("fan_in", "fan_out"), [(1000, 1000), (60, 20), (20, 60), (1, 5), (5, 1)])
@pytest.mark.parametrize("gain", [1.0, 1.5])
def test_orthogonal_weights_keep_lengths(fan_in, fan_out, gain):
    w = draw("orthogonal", {"gain": gain}, fan_in, fan_out)
    product = w.T @ w if fan_in >= fan_out else w @ w.T
    assert w.shape == (fan_in, fan_out)
    np.testing.assert_allclose(product, gain**2 * np.eye(min(w.shape)), atol=1e-12)


def test_orthogonal_weights_favour_no_direction():
    """The trace of an evenly drawn orthogonal matrix has the moments of N(0, 1)."""
    traces = np.array([np.trace(draw("orthogonal", {}, 5, 5, i)) for i in range(4000)])
    moments = [np.mean(traces**power) for power in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.25)


@pytest.mark.parametrize(("sparsity", "zeros"), [(0.0, 0), (0.3, 15), (0.31, 16), (0.99, 50)])
def test_each_input_loses_its_share_of_weights_at_random(sparsity, zeros):
    cut = draw("sparse", {"sparsity": sparsity}, 2000, 50) == 0
    np.testing.assert_array_equal(cut.sum(axis=1), zeros)
    assert np.abs(cut.mean(axis=0) - zeros / 50).max() < 0.05


SEED_TABLE = {"identity": 1, "sigmoid": 4, "tanh": 1}
RECTIFIERS = {"relu": np.sqrt(2), "leaky_relu": np.sqrt(2 / 1.0001)}
UNKNOWN = {"elu", "softplus", "silu", "gelu"}


def test_every_activation_has_a_gain_or_is_known_to_have_none():
    assert {*SEED_TABLE, *RECTIFIERS, *UNKNOWN} == set(ACTIVATIONS)
    assert {name for name, kind in ACTIVATIONS.items() if kind().gain() is None} == UNKNOWN


@pytest.mark.parametrize(("activation", "gain"), [*SEED_TABLE.items(), *RECTIFIERS.items()])
@pytest.mark.parametrize("name", ["xavier_normal", "xavier_uniform", "orthogonal"])
def test_gain_by_activation(name, activation, gain):
    plain = draw(name, {}, 30, 20)
    np.testing.assert_allclose(draw(name, {"gain": 2.5}, 30, 20), 2.5 * plain)
    followed = draw(name, {"gain": "auto"}, 30, 20, follower=ACTIVATIONS[activation]())
    np.testing.assert_allclose(followed, gain * plain)


def test_the_last_layer_has_no_activation_to_make_up_for():
    model = {"name": "mlp", "hidden": [5, 4], "activation": "sigmoid"}
    plain, gained = (
        make_program(
            make_config(model=model, initialization={"name": "xavier_normal", "gain": gain}),
            *toy_data(),
        )
        for gain in (1.0, "auto")
    )
    start = plain.named_weights(plain.parameters.weights)
    for key, w in gained.named_weights(gained.parameters.weights).items():
        np.testing.assert_allclose(w, start[key] * (1 if "layers.2" in key else 4))


def test_threads_do_not_change_the_bits():
    config = make_config(
        model={"name": "mlp", "hidden": [700]}, initialization={"name": "orthogonal"}
    )
    starts = []
    for threads in (1, 2):
        with threadpool_limits(limits=threads, user_api="blas"):
            program = make_program(config, *toy_data(features=1500))
            starts.append(program.parameters.weights)
    np.testing.assert_array_equal(*starts)


@pytest.mark.parametrize("name", DRAWS)
def test_biases_start_where_they_are_told(name):
    section = {"name": name, "bias": 0.5, **DRAWS[name][0]}
    program = make_program(make_config(initialization=section), *toy_data())
    for key, value in program.named_weights(program.parameters.weights).items():
        if key.endswith("bias"):
            np.testing.assert_array_equal(value, 0.5)
