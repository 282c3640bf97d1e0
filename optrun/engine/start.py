"""Where the weights of a run start."""

from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from optrun.data.prepare import Data
from optrun.engine.layout import Layout, named_parts
from optrun.nn.activations import Identity
from optrun.nn.initializers import Initializer
from optrun.numerics.streams import Purpose, stream

if TYPE_CHECKING:
    from optrun.config.schema import Config


def draw_start(config: "Config", data: Data, layout: Layout, dtype: np.dtype) -> np.ndarray:
    """Initial weights; a layer's draw depends on the seed and its index, not on other layers.

    They are drawn in float64 and rounded, so a float32 run starts where a float64 run does; with
    one thread, for the bits of a decomposition depend on how many there are. Gains start at 1, or
    at the length of the vector that they scale; running statistics at mean 0 and variance 1.
    """
    initializer = config.initialization
    if initializer is None:
        return config.dataset.start().astype(dtype)
    flat = np.zeros(layout.total, dtype)
    for name, part in named_parts(layout.places, flat).items():
        _, number, kind = name.split(".")
        index = int(number)
        if kind == "weight":
            part[:] = draw_matrix(config, initializer, layout, index)
        elif kind == "bias":
            part[:] = initializer.bias
        elif kind == "gain":
            part[:] = start_of_gain(layout, index, flat)
        elif kind == "running":
            part[1] = 1
    return flat


def draw_matrix(
    config: "Config", initializer: Initializer, layout: Layout, index: int
) -> np.ndarray:
    """The weights of a layer, (fan_in, fan_out), float64."""
    layers = layout.places.layers
    fan_in, fan_out = int(layers[index]["fan_in"]), int(layers[index]["fan_out"])
    is_last = index == layers.size - 1
    follower = Identity() if is_last else config.model.nonlinearity()
    random = stream(config.seed, Purpose.START, index)
    with threadpool_limits(limits=1, user_api="blas"):
        draw = initializer.draw(random, fan_in, fan_out)
    return initializer.factor(follower) * draw


def start_of_gain(layout: Layout, index: int, flat: np.ndarray) -> np.ndarray | float:
    """1, or the lengths of the columns of a reparametrized matrix, which leave it as it is."""
    layer = layout.places.layers[index]
    if not layer["reparametrized"]:
        return 1.0
    w = flat[layer["weight"] :][: layer["fan_in"] * layer["fan_out"]].astype(np.float64)
    return np.sqrt((w.reshape(layer["fan_in"], -1) ** 2).sum(axis=0))
