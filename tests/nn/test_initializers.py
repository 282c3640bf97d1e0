"""Initializers: moments and bounds over a million draws, orthogonality, sparsity, gains."""

import json

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from optrun.nn.activations import ACTIVATIONS, Identity
from optrun.nn.initializers import INITIALIZERS
from optrun.numerics.streams import Purpose, stream
from tests.programs import make_config, make_program
from tests.torch_reference import starts
from tests.toys import toy_data

STORED = json.loads(starts.FILE.read_text())
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


GAINED = [name for name, kind in INITIALIZERS.items() if "gain" in kind.model_fields]
SEED_TABLE = {"identity": 1, "sigmoid": 4, "tanh": 1, "selu": 1}
RECTIFIERS = {"relu": np.sqrt(2), "leaky_relu": np.sqrt(2 / 1.0001)}
UNKNOWN = {"elu", "softplus", "silu", "gelu"}


def test_every_activation_has_a_gain_or_is_known_to_have_none():
    assert {*SEED_TABLE, *RECTIFIERS, *UNKNOWN} == set(ACTIVATIONS)
    assert {name for name, kind in ACTIVATIONS.items() if kind().gain() is None} == UNKNOWN


def test_whatever_scales_a_variance_by_a_layer_s_size_has_a_gain():
    families = ("xavier", "he", "lecun")
    scaling = {f"{family}_{shape}" for family in families for shape in ("normal", "uniform")}
    assert {*GAINED} == {"orthogonal", *scaling}


@pytest.mark.parametrize(("activation", "gain"), [*SEED_TABLE.items(), *RECTIFIERS.items()])
@pytest.mark.parametrize("name", GAINED)
def test_gain_by_activation(name, activation, gain):
    plain = draw(name, {}, 30, 20)
    np.testing.assert_allclose(draw(name, {"gain": 2.5}, 30, 20), 2.5 * plain)
    followed = draw(name, {"gain": "auto"}, 30, 20, follower=ACTIVATIONS[activation]())
    of_relu = np.sqrt(2) if name.startswith("he_") else 1
    np.testing.assert_allclose(followed, gain / of_relu * plain)


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


def named_start(bias, initialization=None, seed=0, **sections):
    """The initial weights of a network of 6000-40-30 and 3 outputs."""
    start = (initialization or {"name": "lecun_uniform"}) | {"bias": bias}
    model = {"name": "mlp", "hidden": [40, 30]} | sections
    config = make_config(model=model, initialization=start, seed=seed)
    program = make_program(config, *toy_data(features=6000))
    return program.named_weights(program.parameters.weights)


@pytest.mark.parametrize("bias", [0.5, "like_weights"])
@pytest.mark.parametrize("name", ["lecun_uniform", "orthogonal", "sparse"])
def test_how_biases_start_changes_no_weight(name, bias):
    section = {"name": name, **DRAWS[name][0]}
    plain, other = named_start(0.0, section), named_start(bias, section)
    for key, value in plain.items():
        assert np.array_equal(value, other[key]) == key.endswith("weight"), key


@pytest.mark.parametrize("name", sorted({*INITIALIZERS} - {"orthogonal", "sparse"}))
def test_biases_like_weights_have_their_distribution(name):
    """Of many seeds' biases of one layer, against the weights of the same layers."""
    section = {"name": name, **DRAWS[name][0]}
    starts = [named_start("like_weights", section, seed) for seed in range(15)]
    biases = np.concatenate([start["layers.1.bias"] for start in starts])
    weights = np.concatenate([start["layers.1.weight"].ravel() for start in starts])
    if INITIALIZERS[name](**DRAWS[name][0]).constant() is None:
        assert np.unique(biases).size == biases.size == 450
        assert stats.ks_2samp(biases, weights).pvalue > 0.01
    else:
        np.testing.assert_array_equal(np.unique(biases), np.unique(weights))


@pytest.mark.parametrize("name", starts.CASES)
def test_weights_are_distributed_as_pytorch_s(name):
    section, _ = starts.CASES[name]
    fields = {key: value for key, value in section.items() if key != "name"}
    weights = draw(section["name"], fields, starts.FAN_IN, starts.FAN_OUT)
    quantiles = np.quantile(weights, starts.SHARES)
    np.testing.assert_allclose(quantiles, STORED[name], atol=0.015 * weights.std())


def test_biases_like_weights_are_distributed_as_pytorch_s():
    section, _ = starts.CASES["Linear"]
    biases = STORED["biases of Linear"]
    bound = 1 / np.sqrt(starts.FAN_IN)
    expected = stats.uniform(-bound, 2 * bound).ppf(starts.SHARES)
    np.testing.assert_allclose(biases, expected, atol=0.02 * bound)
    model = {"name": "mlp", "hidden": [starts.FAN_OUT]}
    config = make_config(model=model, initialization=section)
    program = make_program(config, *toy_data(features=starts.FAN_IN))
    drawn = program.named_weights(program.parameters.weights)["layers.0.bias"]
    np.testing.assert_allclose(np.quantile(drawn, starts.SHARES), biases, atol=0.1 * bound)


def test_the_start_of_pytorch_s_linear_layers():
    """Weights and biases ~ U(−1/√fan_in, 1/√fan_in)."""
    section = {"name": "lecun_uniform", "gain": 0.5773502691896258}
    starts = [named_start("like_weights", section, seed) for seed in range(15)]
    for layer, fan_in in enumerate([6000, 40, 30]):
        for part in ("weight", "bias"):
            drawn = np.concatenate([start[f"layers.{layer}.{part}"].ravel() for start in starts])
            bound = 1 / np.sqrt(fan_in)
            assert np.abs(drawn).max() <= bound * (1 + 1e-12)
            assert stats.kstest(drawn, "uniform", (-bound, 2 * bound)).pvalue > 0.01


def test_biases_change_no_weight_that_random_search_draws():
    tried = []
    for bias in (0.0, "like_weights"):
        config = make_config(
            optimizer={"name": "random_search"}, initialization={"name": "he_normal", "bias": bias}
        )
        program = make_program(config, *toy_data())
        drawn = program.objective.draw(stream(0, Purpose.SEARCH, 1))
        tried.append({name: part.copy() for name, part in program.named_weights(drawn).items()})
    for key, value in tried[0].items():
        assert np.array_equal(value, tried[1][key]) == key.endswith("weight"), key
