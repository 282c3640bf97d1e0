"""Initializers: moments and bounds over a million draws."""

import numpy as np
import pytest

from optrun.nn.initializers import INITIALIZERS
from optrun.numerics.streams import Purpose, stream

FAN_IN, FAN_OUT = 2000, 500
VARIANCE = {
    "zeros": 0.0,
    "normal": 0.05**2,
    "xavier_normal": 2 / (FAN_IN + FAN_OUT),
    "xavier_uniform": 2 / (FAN_IN + FAN_OUT),
    "he_normal": 2 / FAN_IN,
    "he_uniform": 2 / FAN_IN,
}


@pytest.mark.parametrize("name", INITIALIZERS)
def test_mean_variance_and_shape(name):
    fields = {"std": 0.05} if name == "normal" else {}
    draw = INITIALIZERS[name](**fields).draw(stream(3, Purpose.START), FAN_IN, FAN_OUT)
    assert draw.shape == (FAN_IN, FAN_OUT)
    std = np.sqrt(VARIANCE[name])
    assert draw.mean() == pytest.approx(0, abs=4 * std / 1000)
    assert draw.var() == pytest.approx(VARIANCE[name], rel=0.01)
    if name.endswith("uniform"):
        assert np.abs(draw).max() == pytest.approx(np.sqrt(3) * std, rel=1e-3)
        assert np.abs(draw).max() <= np.sqrt(3) * std
    elif std:
        kurtosis = np.mean((draw / std) ** 4)
        assert kurtosis == pytest.approx(3, rel=0.02)
