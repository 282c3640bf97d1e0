"""Where a model's parameters lie in the flat arrays, and the room that a batch needs."""

from itertools import pairwise

import numpy as np

from optrun.nn.models import Model
from optrun.nn.network import BLOCK, LAYER, Buffers, Places
from optrun.nn.normalization import Normalization
from optrun.nn.regularization import Regularization
from optrun.optim.optimizer import Rule

ABSENT = -1


class Layout:
    """The tables of places, built layer by layer: W, then b, gain and shift as far as there are.

    Attributes:
        places: the two tables.
        parameters: how many numbers are trained, P.
        total: P and the running statistics that stand behind them.
        state: how many numbers the rule keeps.
    """

    def __init__(self, widths: list[int], normalizer: Normalization | None, include_bias: bool):
        self.parameters = 0
        self._include_bias = include_bias
        self._blocks: list[tuple[int, ...]] = []
        layers = np.zeros(len(widths) - 1, LAYER)
        for layer, (fan_in, fan_out) in zip(layers, pairwise(widths), strict=True):
            layer["fan_in"], layer["fan_out"] = fan_in, fan_out
        layers["inputs"] = np.cumsum(layers["fan_in"]) - layers["fan_in"]
        layers["outputs"] = np.cumsum(layers["fan_out"]) - layers["fan_out"]
        if normalizer:
            layers["reparametrized"] = normalizer.of_weights
            layers["normalized"][:-1] = not normalizer.of_weights
        for layer in layers:
            self._place(layer, normalizer)
        self.total = self.parameters
        layers["running"] = ABSENT
        if normalizer and normalizer.keeps_statistics:
            for layer in layers[:-1]:
                layer["running"] = self.total
                self.total += 2 * int(layer["fan_out"])
        self.places = Places(layers, np.array(self._blocks, BLOCK))
        self.state = 0

    def _place(self, layer: np.void, normalizer: Normalization | None) -> None:
        """Give a layer's parts their places."""
        normalized = normalizer if layer["normalized"] else None
        fan_in, fan_out = int(layer["fan_in"]), int(layer["fan_out"])
        has_gain = normalized is not None or layer["reparametrized"]
        layer["weight"] = self._block(fan_in, fan_out, True) if fan_in else ABSENT
        for part, is_there in (
            ("bias", not (normalized and normalized.drops_bias)),
            ("gain", has_gain),
            ("shift", normalized is not None and normalized.shifts),
        ):
            layer[part] = self._block(1, fan_out, False) if is_there else ABSENT

    def _block(self, rows: int, columns: int, is_matrix: bool) -> int:
        start = self.parameters
        penalized = is_matrix or self._include_bias
        self._blocks.append((start, rows, columns, is_matrix, penalized, 0, 0, 0))
        self.parameters += rows * columns
        return start

    def shapes(self) -> list[tuple[int, int]]:
        """(fan_in, fan_out) of every layer."""
        layers = self.places.layers
        return list(zip(layers["fan_in"].tolist(), layers["fan_out"].tolist(), strict=True))

    def parts(self) -> dict[str, tuple[int, ...]]:
        """The shapes of what `named_parts` gives, by name."""
        flat = np.broadcast_to(np.float32(0), self.total)
        return {name: part.shape for name, part in named_parts(self.places, flat).items()}

    def add_state(self, rule: Rule) -> None:
        """Give every block the room that the rule needs."""
        for block in self.places.blocks:
            slots, width = rule.state_shape(
                int(block["rows"]), int(block["columns"]), bool(block["is_matrix"])
            )
            block["state"], block["slots"], block["width"] = self.state, slots, width
            self.state += slots * width


def lay_out(
    model: Model, features: int, outputs: int, include_bias: bool, rule: Rule | None
) -> Layout:
    """The layout of a model, with the state of a rule if there is one."""
    layout = Layout(model.widths(features, outputs), model.normalizer(), include_bias)
    if rule:
        layout.add_state(rule)
    return layout


def named_parts(places: Places, flat: np.ndarray) -> dict[str, np.ndarray]:
    """A flat parameter array as `layers.0.weight` (fan_in, fan_out), `layers.0.bias`, …"""
    named = {}
    for index, layer in enumerate(places.layers):
        fan_in, fan_out = int(layer["fan_in"]), int(layer["fan_out"])
        for part, shape in (
            ("weight", (fan_in, fan_out)),
            ("bias", (fan_out,)),
            ("gain", (fan_out,)),
            ("shift", (fan_out,)),
            ("running", (2, fan_out)),
        ):
            start, size = int(layer[part]), int(np.prod(shape))
            if start != ABSENT and start + size <= flat.size:
                named[f"layers.{index}.{part}"] = flat[start : start + size].reshape(shape)
    return named


def make_buffers(shapes: dict[str, tuple[int, ...]], dtype: np.dtype) -> Buffers:
    """Room of these shapes."""
    return Buffers(**{name: np.zeros(shape, dtype) for name, shape in shapes.items()})


def training_shapes(
    layout: Layout, rows: int, regularization: Regularization, climbs: bool
) -> dict[str, tuple[int, ...]]:
    """Shapes of the buffers for a training batch.

    Args:
        climbs: whether a step comes back to the weights that it began with.
    """
    shapes = evaluation_shapes(layout, rows)
    if any(regularization.rates(layout.places.layers.size - 1)):
        shapes |= {"mask": shapes["h"], "dropped": shapes["h"]}
    spare = layout.total if climbs else layout.parameters
    if regularization.adversarial:
        spare += layout.parameters
        shapes["dx"] = (rows * int(layout.places.layers["fan_in"][0]),)
    return shapes | {"spare": (spare,)}


def evaluation_shapes(layout: Layout, rows: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the buffers for a batch of up to so many rows in evaluation."""
    layers = layout.places.layers
    nothing: tuple[int, ...] = (0,)
    outputs = (rows * int(layers["fan_out"].sum()),)
    normalized = bool(layers["normalized"].any())
    widest = 2 * max(rows, int(layers["fan_out"].max())) if normalized else 0
    return {
        "h": (rows * int(layers["fan_in"].sum()),),
        "mask": nothing,
        "dropped": nothing,
        "z": outputs,
        "y": outputs if normalized else nothing,
        "kept": (layers.size, widest),
        "d": outputs,
        "dx": nothing,
        "weights": (layout.parameters if layers["reparametrized"].any() else 0,),
        "targets": (rows, int(layers["fan_out"][-1])),
        "spare": nothing,
    }
