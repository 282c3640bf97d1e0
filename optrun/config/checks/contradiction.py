"""What a check finds, and how it is worded."""

from collections.abc import Callable, Iterator

from optrun.config.memory import GIGABYTE
from optrun.config.problems import KeyPath
from optrun.config.training import Training
from optrun.data.dataset import Dataset
from optrun.nn.initializers import HeUniform, Initializer
from optrun.nn.pretrained import Pretrained, Start

Contradiction = tuple[KeyPath, str, str]
"""The key to change, what is wrong with it, and what to do."""
Check = Callable[..., Iterator[Contradiction]]
"""A function whose parameters are named after the sections that it needs."""


def key_path(dotted: str) -> KeyPath:
    """`preprocessing.0.name` as keys and indices."""
    return tuple(int(part) if part.isdecimal() else part for part in dotted.split("."))


def steps_of(dataset: Dataset, training: Training) -> tuple[int, int]:
    """Steps in an epoch and in the run."""
    per_epoch = training.steps_per_epoch(max(dataset.sizes().train, 0))
    return per_epoch, training.epochs * per_epoch


def drawing(start: Start | None) -> tuple[KeyPath, Initializer | None]:
    """What draws weights, None where nothing does, and where it stands."""
    if isinstance(start, Pretrained):
        by_default = HeUniform()  # or another that fits the activation; no check tells them apart
        draws = None if start.layers is None else start.otherwise or by_default
        return ("initialization", "otherwise"), draws
    return ("initialization",), start


def gigabytes(size: float) -> str:
    """ "1.5 GB", "6,400 GB"."""
    return f"{size / GIGABYTE:,.{0 if size >= 10 * GIGABYTE else 1}f} GB"
