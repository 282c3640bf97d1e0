"""What a component adds to an epoch of the plain MLP 784-256-10, MNIST, batch 128, Adam."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from tests.benchmarks.images import load_images, origin
from tests.benchmarks.optrun_side import MNIST_MLP, OptrunEpoch
from tests.benchmarks.suite import Row
from tests.benchmarks.timing import ratio, take_turns

ROUNDS = 7
PLAIN = "plain"
COMPONENTS: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "dropout: 0.5": {"regularization": {"dropout": 0.5}},
    "l2: 1e-4": {"regularization": {"l2": 1e-4}},
    # a bound no gradient keeps, so that every step is clipped
    "clipping: {by_norm: 1e-3}": {
        "optimizer": {"name": "adam", "clipping": {"by_norm": 1e-3}},
    },
}


def measure() -> Iterator[Row]:
    """A row for the plain epoch and for each component, switched on alone."""
    data = load_images("mnist")
    sides = {name: OptrunEpoch(data, **MNIST_MLP | change) for name, change in COMPONENTS.items()}
    for side in sides.values():
        side.warm_up()
    seconds = take_turns(sides, ROUNDS)
    for name, taken in seconds.items():
        yield {
            "case": name,
            "data": origin("mnist"),
            "min_s": min(taken),
            "median_s": median(taken),
            "against_plain": ratio(taken, seconds[PLAIN]),
        }
