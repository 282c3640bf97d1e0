"""Where the weights of a run start."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from optrun.engine.layout import named_parts
from optrun.nn.activations import Identity
from optrun.nn.initializers import Initializer
from optrun.nn.network import Places
from optrun.nn.pretrained import Pretrained
from optrun.numerics.blas import one_thread
from optrun.numerics.streams import Purpose, stream

if TYPE_CHECKING:
    from optrun.config.schema import Config


def draw_start(
    config: "Config",
    places: Places,
    total: int,
    random_for: Callable[[int], np.random.Generator] | None = None,
) -> np.ndarray:
    """Initial weights, and running statistics behind them, (total,).

    A layer's draw depends on the seed and its index, not on other layers, unless `random_for` gives
    another generator for each. They are drawn in float64 and rounded, so a float32 run starts where
    a float64 run does; with one thread, for the bits of a decomposition depend on how many there
    are. Gains start at 1, or at the length of the vector that they scale; running statistics at
    mean 0 and variance 1. What is taken from another run is not drawn.
    """
    start = config.initialization
    if start is None:
        return config.objective.start_point().astype(config.dtype)
    taken = start.weights if isinstance(start, Pretrained) else {}
    initializer = start.otherwise if isinstance(start, Pretrained) else start
    random_for = random_for or (lambda index: stream(config.seed, Purpose.START, index))
    flat = np.zeros(total, config.dtype)
    for name, part in named_parts(places, flat).items():
        _, number, kind = name.split(".")
        index = int(number)
        if name in taken:
            part[:] = taken[name]
        elif kind == "weight":
            part[:] = draw_matrix(config, initializer, places.layers, index, random_for(index))
        elif kind == "bias":
            part[:] = initializer.bias
        elif kind == "gain":
            part[:] = start_of_gain(places.layers[index], flat)
        elif kind == "running":
            part[1] = 1
    return flat


def draw_matrix(
    config: "Config",
    initializer: Initializer,
    layers: np.ndarray,
    index: int,
    random: np.random.Generator,
) -> np.ndarray:
    """The weights of a layer, (fan_in, fan_out), float64."""
    fan_in, fan_out = int(layers[index]["fan_in"]), int(layers[index]["fan_out"])
    is_last = index == layers.size - 1
    follower = Identity() if is_last else config.model.nonlinearity()
    with one_thread():
        draw = initializer.draw(random, fan_in, fan_out)
    draw *= initializer.factor(follower)
    return draw


def start_of_gain(layer: np.void, flat: np.ndarray) -> np.ndarray | float:
    """1, or the lengths of the columns of a reparametrized matrix, which leave it as it is."""
    if not layer["reparametrized"]:
        return 1.0
    w = flat[layer["weight"] :][: layer["fan_in"] * layer["fan_out"]].astype(np.float64)
    return np.sqrt((w.reshape(layer["fan_in"], -1) ** 2).sum(axis=0))
