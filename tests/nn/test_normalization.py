"""Normalization: what it puts out, passes back and remembers, against PyTorch and differences."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

from optrun.nn.normalization import NORMALIZATIONS, reparametrize, unreparametrize
from tests.kernels import call
from tests.torch_reference import normalization
from tests.torch_reference.normalization import RATE, ROWS, STEPS, UNITS, inputs, slopes

STORED = json.loads(normalization.FILE.read_text())
EACH = pytest.mark.parametrize("section", normalization.SECTIONS, ids=normalization.key)
BOTH = pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-11), ("float32", 2e-4)])


class Layer(NamedTuple):
    """The arrays that a normalization of `units` values works on, as a run starts them."""

    section: dict[str, Any]
    gain: np.ndarray
    shift: np.ndarray
    running: np.ndarray
    kept: np.ndarray

    @classmethod
    def of(cls, section: dict[str, Any], rows: int, units: int, dtype: str = "float64") -> "Layer":
        kind = NORMALIZATIONS[section["name"]]
        return cls(
            section,
            gain=np.ones(units, dtype),
            shift=np.zeros(units if kind.shifts else 0, dtype),
            running=np.repeat([0, 1], units if kind.keeps_statistics else 0).astype(dtype),
            kept=np.full(2 * max(rows, units) + 3, np.nan, dtype),
        )

    def forward(self, z: np.ndarray, training: bool = True) -> np.ndarray:
        """What comes out for z."""
        kind, y = NORMALIZATIONS[self.section["name"]](**self.section), np.full_like(z, np.nan)
        call(
            kind.normalize, z, y, self.gain, self.shift, self.running, self.kept,
            np.array(kind.hyper()), training,
        )  # fmt: skip
        return y

    def backward(self, z: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """∂L/∂z, ∂L/∂gain and ∂L/∂shift, given d = ∂L/∂y."""
        kind, d = NORMALIZATIONS[self.section["name"]](**self.section), d.copy()
        dgain, dshift = np.full_like(self.gain, np.nan), np.full_like(self.shift, np.nan)
        h = np.array(kind.hyper())
        call(kind.denormalize, z, d, self.gain, dgain, dshift, self.kept, h)
        return d, dgain, dshift


def test_every_normalization_is_compared():
    compared = {section["name"] for section in normalization.SECTIONS} | {normalization.WEIGHT}
    assert compared == set(NORMALIZATIONS)
    of_weights = {name for name, kind in NORMALIZATIONS.items() if kind.of_weights}
    assert of_weights == {normalization.WEIGHT}


@EACH
@BOTH
def test_steps_and_evaluation_equal_pytorch(section, dtype, rtol):
    """Outputs, gradients, what gain and shift become, and the running statistics."""
    layer, record = Layer.of(section, ROWS, UNITS, dtype), []
    for step in range(STEPS):
        z = inputs(step).astype(dtype)
        y = layer.forward(z)
        d, dgain, dshift = layer.backward(z, slopes(step).astype(dtype))
        layer.gain[:] -= RATE * dgain
        layer.shift[:] -= RATE * dshift
        parts = (y, d, layer.gain, layer.shift, layer.running)
        record += [part.ravel().copy() for part in parts]
    statistics = record[-1]
    record.append(layer.forward(inputs(STEPS).astype(dtype), training=False).ravel())
    expected = STORED[normalization.key(section)]
    np.testing.assert_allclose(np.concatenate(record), expected, rtol, atol=rtol / 100)
    np.testing.assert_array_equal(layer.running, statistics)


@BOTH
def test_steps_of_weight_normalization_equal_pytorch(dtype, rtol):
    v, gain = inputs(0).astype(dtype), normalization.GAIN.astype(dtype)
    w, dgain, record = np.full_like(v, np.nan), np.full_like(gain, np.nan), []
    for step in range(STEPS):
        reparametrize(v, gain, w)
        d = slopes(step).astype(dtype)
        unreparametrize(v, gain, d, dgain)
        v -= RATE * d
        gain -= RATE * dgain
        record += [part.ravel().copy() for part in (w, v, gain)]
    expected = STORED[normalization.WEIGHT]
    np.testing.assert_allclose(np.concatenate(record), expected, rtol, atol=rtol / 100)


@EACH
def test_gradients_equal_central_differences(section):
    layer = Layer.of(section, ROWS, UNITS)
    z, d = inputs(1), slopes(1)
    layer.gain[:] = 1 + 0.3 * np.sin(np.arange(UNITS))
    layer.shift[:] = np.cos(np.arange(layer.shift.size))
    layer.forward(z)
    gradients = layer.backward(z, d)
    for variable, gradient in zip((z, layer.gain, layer.shift), gradients, strict=True):
        numeric = differences(lambda: (d * layer.forward(z)).sum(), variable)
        np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-8)


def test_gradients_through_weight_normalization_equal_central_differences():
    v, gain, d = inputs(1), normalization.GAIN.copy(), slopes(1)
    w, dv, dgain = np.empty_like(v), d.copy(), np.empty_like(gain)

    def value() -> float:
        reparametrize(v, gain, w)
        return (d * w).sum()

    unreparametrize(v, gain, dv, dgain)
    for variable, gradient in ((v, dv), (gain, dgain)):
        np.testing.assert_allclose(gradient, differences(value, variable), rtol=1e-6, atol=1e-8)


def differences(value: Callable[[], float], variable: np.ndarray) -> np.ndarray:
    """The central differences of `value()` in every entry of an array that it depends on."""
    result, flat = np.empty_like(variable), variable.reshape(-1)
    for i in range(flat.size):
        middle, ends = flat[i], []
        for step in (1e-6, -1e-6):
            flat[i] = middle + step
            ends.append(value())
        flat[i] = middle
        result.flat[i] = (ends[0] - ends[1]) / 2e-6
    return result


@EACH
def test_a_bias_before_it_is_dropped_if_it_changes_nothing(section):
    layer, bias = Layer.of(section, ROWS, UNITS), np.arange(UNITS)
    without, shifted = layer.forward(inputs(0)), layer.forward(inputs(0) + bias)
    unchanged = np.allclose(without, shifted, rtol=1e-10)
    assert unchanged == NORMALIZATIONS[section["name"]].drops_bias


def test_weights_start_as_they_were_when_the_gain_is_their_length():
    v = inputs(0)
    w, gain = np.empty_like(v), np.linalg.norm(v, axis=0)
    reparametrize(v, gain, w)
    np.testing.assert_allclose(w, v, rtol=1e-14)
    reparametrize(v, 3 * np.ones(UNITS), w)
    np.testing.assert_allclose(np.linalg.norm(w, axis=0), 3.0, rtol=1e-14)


@pytest.mark.parametrize(("name", "shape"), [("batch", (20_000, 3)), ("layer", (3, 20_000))])
def test_float32_keeps_a_small_variance_beside_a_large_mean(name, shape):
    """Many values of 1000 ± 1, of which squares less the squared mean would leave nothing."""
    z = 1000 + np.sin(np.arange(60_000.0)).reshape(shape)
    got = Layer.of({"name": name}, *shape, "float32").forward(z.astype(np.float32))
    exact = Layer.of({"name": name}, *shape).forward(z.astype(np.float32).astype(np.float64))
    np.testing.assert_allclose(got, exact, atol=2e-4)


@EACH
def test_a_nan_passes_through(section):
    z = inputs(0)
    z[2, 1] = np.nan
    assert np.isnan(Layer.of(section, ROWS, UNITS).forward(z)[2, 1])
