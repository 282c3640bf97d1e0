"""Where the weights of a run start."""

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
    random: np.random.Generator | None = None,
) -> np.ndarray:
    """Initial weights, and running statistics behind them, (total,).

    A layer's draw depends on the seed and its index, not on other layers, unless `random` draws
    all of them. Weights do not depend on how biases start. They are drawn in float64 and rounded,
    so a float32 run starts where a float64 run does; with one thread, for the bits of a
    decomposition depend on how many there are. Gains start at 1, or at the length of the vector
    that they scale; running statistics at mean 0 and variance 1. What is taken from another run is
    not drawn.
    """
    start = config.initialization
    if start is None:
        return config.objective.start_point().astype(config.dtype)
    taken = start.weights if isinstance(start, Pretrained) else {}
    initializer = start.otherwise if isinstance(start, Pretrained) else start
    assert initializer, "choices are written out"

    def draw(index: int, purpose: Purpose) -> np.ndarray:
        generator = random or stream(config.seed, purpose, index)
        return draw_matrix(config, initializer, places.layers, index, generator)

    flat = np.zeros(total, config.dtype)
    parts = named_parts(places, flat)
    for name in sorted(parts, key=is_bias):  # biases last, after all weights that `random` draws
        part, index, kind = parts[name], int(name.split(".")[1]), name.split(".")[2]
        if name in taken:
            part[:] = taken[name]
        elif kind == "weight":
            part[:] = draw(index, Purpose.START)
        elif kind == "bias":
            like_weights = initializer.bias == "like_weights"
            part[:] = draw(index, Purpose.START_OF_BIASES)[0] if like_weights else initializer.bias
        elif kind == "gain":
            part[:] = start_of_gain(places.layers[index], flat)
        elif kind == "running":
            part[1] = 1
    return flat


def is_bias(name: str) -> bool:
    """Whether `layers.0.bias` or the like is the part's name."""
    return name.endswith(".bias")


def draw_matrix(
    config: "Config",
    initializer: Initializer,
    layers: np.ndarray,
    index: int,
    random: np.random.Generator,
) -> np.ndarray:
    """Weights as a layer's are drawn, (fan_in, fan_out), float64."""
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
