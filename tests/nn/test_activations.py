"""Activations: values and derivatives against PyTorch, at the ends of the number range too."""

import json
import math

import numpy as np
import pytest

from optrun.engine.roles import roles
from optrun.nn.activations import ACTIVATIONS
from tests import reference
from tests.torch_reference import activations

STORED = json.loads(activations.FILE.read_text())


def evaluate(section: dict, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """φ and φ′ as the kernels compute them."""
    activation = ACTIVATIONS[section["name"]](**section)
    signatures, h = roles(z.dtype.name), np.array(activation.hyper())
    forward = activation.forward.specialize(*signatures.activate.signature.args)
    backward = activation.backward.specialize(*signatures.backpropagate.signature.args)
    a, d = np.full_like(z, np.nan), np.ones_like(z)
    forward(z, a, h)
    backward(z, a, d, h)
    return a, d


def test_every_activation_is_compared():
    assert {section["name"] for section in activations.SECTIONS} == set(ACTIVATIONS)


@pytest.mark.parametrize("section", activations.SECTIONS, ids=activations.key)
@pytest.mark.parametrize(
    ("dtype", "rtol", "atol"), [("float64", 1e-12, 1e-15), ("float32", 2e-6, 1e-7)]
)
def test_values_and_derivatives_equal_pytorch(section, dtype, rtol, atol):
    a, d = evaluate(section, np.array(activations.VALUES, dtype))
    expected = STORED[activations.key(section)]
    np.testing.assert_allclose(np.concatenate([a, d]), expected, rtol=rtol, atol=atol)


@pytest.mark.parametrize("section", activations.SECTIONS, ids=activations.key)
def test_the_numpy_twin_equals_pytorch_too(section):
    z, o = np.array(activations.VALUES), ACTIVATIONS[section["name"]](**section).model_dump()
    phi, slope = reference.ACTIVATIONS[section["name"]]
    expected = STORED[activations.key(section)]
    got = np.concatenate([phi(z, o), slope(z, o)])
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("section", activations.SECTIONS, ids=activations.key)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_nan_passes_through(section, dtype):
    a, _ = evaluate(section, np.array([0.0, np.nan], dtype))
    assert not math.isnan(a[0])
    assert math.isnan(a[1])


def test_small_values_keep_their_digits():
    """Where 1 + erf or log(1 + e^z) would have lost them all."""
    a, _ = evaluate({"name": "gelu"}, np.array([-10.0]))
    assert a[0] == pytest.approx(-10 * math.erfc(10 / math.sqrt(2)) / 2, rel=1e-13)
    a, _ = evaluate({"name": "softplus"}, np.array([-50.0]))
    assert a[0] == pytest.approx(math.exp(-50), rel=1e-13)
    a, _ = evaluate({"name": "elu"}, np.array([-1e-12]))
    assert a[0] == pytest.approx(-1e-12, rel=1e-11)


def test_a_high_threshold_does_not_overflow():
    a, d = evaluate({"name": "softplus", "threshold": 1e6}, np.array([800.0, 2000.0]))
    np.testing.assert_array_equal(a, [800.0, 2000.0])
    np.testing.assert_array_equal(d, [1.0, 1.0])
