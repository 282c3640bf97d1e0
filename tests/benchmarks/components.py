"""What a component adds to an epoch: MLP 784-256-10, MNIST, Adam, batch 128."""

from collections.abc import Iterator
from statistics import median
from time import perf_counter
from typing import Any

from optrun.data.catalog import DATASETS
from optrun.data.prepare import Data
from tests.benchmarks.images import load_images, origin
from tests.benchmarks.optrun_side import MNIST_MLP, OptrunEpoch
from tests.benchmarks.suite import Row, at_most
from tests.benchmarks.timing import ratio, take_turns

ROUNDS = 7
SMALL, LARGE = 1.3, 2.0
"""The most that an epoch may take of one without the component; the latter if images are resampled,
or if every step takes two gradients."""

MLP: dict[str, Any] = MNIST_MLP["model"]
MODELS = {name: MLP | {"normalization": name} for name in ("batch", "layer", "rms", "weight")}
REGULARIZATIONS: dict[str, dict[str, Any]] = {
    "dropout": {"dropout": 0.5},
    "dropout of inputs too": {"dropout": 0.5, "input_dropout": 0.2},
    "max_norm": {"max_norm": 3.0},
}
COPIED = ("horizontal_flip", "random_crop", "erasing", "cutout", "brightness", "contrast")
AUGMENTATIONS: dict[str, float] = {
    **dict.fromkeys((*COPIED, "gaussian_noise", "mixup", "cutmix"), SMALL),
    **dict.fromkeys(("shift", "rotation", "zoom", "shear", "stretch", "resized_crop"), LARGE),
}


class AugmentedEpoch(OptrunEpoch):
    """An epoch that begins by drawing how its examples are seen, as training does."""

    def run(self, steps: int) -> float:
        begun = perf_counter()
        self.epoch = self.program.epoch(0)
        return perf_counter() - begun + super().run(steps)


def measure() -> Iterator[Row]:
    """A row a component: its median time, and the median ratio to an epoch without it."""
    data = load_images("mnist")
    for name, model in MODELS.items():
        yield compare(f"{name} normalization", data, SMALL, model=model)
    for name, section in REGULARIZATIONS.items():
        yield compare(name, data, SMALL, regularization=section)
    for name, bound in AUGMENTATIONS.items():
        dataset = DATASETS["mnist"].model_validate({"augmentation": [{"name": name}]})
        yield compare(name, data, bound, dataset=dataset)


def compare(name: str, data: Data, bound: float, **sections: Any) -> Row:
    """The row of a config with one component more."""
    sides = {
        "plain": AugmentedEpoch(data, **MNIST_MLP),
        "with": AugmentedEpoch(data, **MNIST_MLP | sections),
    }
    for side in sides.values():
        side.warm_up()
    seconds = take_turns(sides, ROUNDS)
    row = {
        "case": name,
        "data": origin("mnist"),
        "median_s": median(seconds["with"]),
        "against_plain": ratio(seconds["with"], seconds["plain"]),
    }
    return at_most("against_plain", row, bound)
