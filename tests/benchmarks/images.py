"""The image sets: the real ones if they are on this machine, else stand-ins of the same shape."""

import tempfile
from functools import cache
from pathlib import Path

from optrun.data.catalog import DATASETS
from optrun.data.dataset import Dataset
from optrun.data.glyphs import Glyphs
from optrun.data.prepare import Data, prepare
from tests.datasets import write_cifar10

DTYPE = "float32"


def is_stored(name: str) -> bool:
    """Whether all files of the dataset are in `OPTRUN_DATA_DIR` or the user's cache."""
    kind = DATASETS[name]
    return not kind.missing(kind.place())


def origin(name: str) -> str:
    """What `load_images` gives."""
    return "real" if is_stored(name) else "stand-in"


@cache
def load_images(name: str) -> Data:
    """All training examples of `mnist` or `cifar10`, no validation; nothing is downloaded."""
    if is_stored(name):
        return prepare(all_of(name), 0, DTYPE)
    if name == "mnist":
        # no noise: like MNIST's, the outer pixels are seldom or never touched
        return prepare(Glyphs(samples=60_000, noise=0.0, validation=0), 0, DTYPE)
    with tempfile.TemporaryDirectory() as folder:
        write_cifar10(Path(folder))
        return prepare(all_of(name, custom_files=True), 0, DTYPE, folder)


def all_of(name: str, custom_files: bool = False) -> Dataset:
    """The dataset with nothing set aside."""
    return DATASETS[name](name=name, validation=0, custom_files=custom_files)
