"""Signals of the layers, against a forward pass in NumPy and its differences."""

import numpy as np
import pytest

from optrun.engine.signals import measure_signals
from tests.programs import make_config, make_program
from tests.toys import toy_data, toy_weights

STEP = 1e-6
BATCH = 8


def start(**model):
    """A program at made-up weights."""
    sections = {"model": {"name": "mlp", "hidden": [5, 4], "activation": "tanh"} | model}
    program = make_program(make_config(**sections), *toy_data())
    program.parameters.weights[:] = toy_weights(program.parameters.weights.size)
    return program


def forward(weights, x, y, normalized, nudges=(0.0, 0.0, 0.0)):
    """(outputs of every layer, loss), `nudges` being added to z of each layer."""
    outputs = [x]
    for layer, nudge in enumerate(nudges):
        part = {name: weights.get(f"layers.{layer}.{name}") for name in ("weight", "gain", "shift")}
        z = outputs[-1] @ part["weight"] + weights.get(f"layers.{layer}.bias", 0.0) + nudge
        if layer < 2 and normalized:
            z = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5) * part["gain"] + part["shift"]
        outputs.append(np.tanh(z) if layer < 2 else z)
    log_p = outputs[-1] - np.log(np.exp(outputs[-1]).sum(axis=1, keepdims=True))
    return outputs[1:], -log_p[np.arange(len(y)), y].mean()


@pytest.mark.parametrize("normalization", [None, "batch"])
def test_signals_are_those_of_numpy(normalization):
    program = start(normalization=normalization)
    weights = program.named_weights(program.parameters.weights.copy())
    rows = program.epoch(0).order[:BATCH]
    x, y = (part[rows] for part in toy_data())
    outputs, _ = forward(weights, x, y, normalization)

    def slope(change):
        return (change(STEP) - change(-STEP)) / (2 * STEP)

    for layer, signal in enumerate(measure_signals(program)):
        h, w = outputs[layer], weights[f"layers.{layer}.weight"]
        assert (signal.mean, signal.std) == pytest.approx((h.mean(), h.std()), rel=1e-12)

        def nudged(step, place, layer=layer, h=h):
            nudge = np.zeros(h.shape)
            nudge[place] = step
            nudges = [nudge if index == layer else 0.0 for index in range(3)]
            return forward(weights, x, y, normalization, nudges)[1]

        def moved(step, place, layer=layer, w=w):
            changed = w.copy()
            changed[place] += step
            altered = weights | {f"layers.{layer}.weight": changed}
            return forward(altered, x, y, normalization)[1]

        back = [slope(lambda s, at=at: nudged(s, at)) for at in np.ndindex(h.shape)]
        gradient = [slope(lambda s, at=at: moved(s, at)) for at in np.ndindex(w.shape)]
        assert signal.backward_std == pytest.approx(BATCH * np.std(back), rel=1e-6)
        assert signal.gradient_std == pytest.approx(np.std(gradient), rel=1e-6)
