"""Activations: values and derivatives against PyTorch, at the ends of the number range too."""

import json
import math

import numpy as np
import pytest

from optrun.nn.activations import ACTIVATIONS
from tests import reference
from tests.kernels import call
from tests.torch_reference import activations

STORED = json.loads(activations.FILE.read_text())


def evaluate(section: dict, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """φ and φ′ as the kernels compute them."""
    activation = ACTIVATIONS[section["name"]](**section)
    h, a, d = np.array(activation.hyper(), np.float64), np.full_like(z, np.nan), np.ones_like(z)
    call(activation.forward, z, a, h)
    call(activation.backward, z, a, d, h)
    return a, d


def bend(section: dict, z: np.ndarray, d: np.ndarray, r: np.ndarray) -> np.ndarray:
    """φ″·d·r as the kernel computes it."""
    activation = ACTIVATIONS[section["name"]](**section)
    h, out = np.array(activation.hyper(), np.float64), np.zeros_like(z)
    call(activation.curve, z, evaluate(section, z)[0], d, r, out, h)
    return out


def test_every_activation_is_compared():
    assert {section["name"] for section in activations.SECTIONS} == set(ACTIVATIONS)


@pytest.mark.parametrize("section", activations.SECTIONS, ids=activations.key)
@pytest.mark.parametrize(
    ("dtype", "rtol", "atol"), [("float64", 1e-12, 1e-15), ("float32", 2e-6, 1e-7)]
)
def test_values_and_derivatives_equal_pytorch(section, dtype, rtol, atol):
    z = np.array(activations.VALUES, dtype)
    a, d = evaluate(section, z)
    expected = np.array(STORED[activations.key(section)])
    np.testing.assert_allclose(np.concatenate([a, d]), expected[: 2 * z.size], rtol, atol)
    bends = bend(section, z, np.ones_like(z), np.ones_like(z))
    np.testing.assert_allclose(bends, expected[2 * z.size :], 10 * rtol, 10 * atol)


@pytest.mark.parametrize("section", activations.SECTIONS, ids=activations.key)
def test_the_numpy_twin_equals_pytorch_too(section):
    z, o = np.array(activations.VALUES), ACTIVATIONS[section["name"]](**section).model_dump()
    phi, slope = reference.ACTIVATIONS[section["name"]]
    expected = STORED[activations.key(section)][: 2 * z.size]
    got = np.concatenate([phi(z, o), slope(z, o)])
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("section", activations.SECTIONS, ids=activations.key)
def test_the_bend_equals_central_differences_of_the_slope(section):
    """At values away from the kinks."""
    z = np.array([-6.0, -2.5, -0.7, -0.01, 0.01, 0.4, 1.3, 2.7, 8.0])
    d, r = np.cos(z), np.sin(3 * z) + 2
    slopes = [evaluate(section, z + step)[1] for step in (1e-5, -1e-5)]
    numeric = (slopes[0] - slopes[1]) / 2e-5 * d * r
    np.testing.assert_allclose(bend(section, z, d, r), numeric, rtol=1e-8, atol=1e-9)


def test_bends_are_added_to_what_is_there():
    z, h, out = np.array([-1.0, 2.0]), np.zeros(0), np.array([10.0, 20.0])
    kernel = ACTIVATIONS["gelu"].curve
    call(kernel, z, z, np.ones(2), np.ones(2), out, h)
    added = bend({"name": "gelu"}, z, np.ones(2), np.ones(2))
    np.testing.assert_array_equal(out, np.array([10.0, 20.0]) + added)


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
