"""Seconds an epoch, against PyTorch eager: data in memory, batches by index, after warm-up.

Both sides train from the same start in the same order and must come to the same loss. Every epoch
is a first one: in later ones denormals can slow PyTorch down, which is not compared here.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from tests.benchmarks.images import load_images, origin
from tests.benchmarks.optrun_side import OptrunEpoch
from tests.benchmarks.suite import Row, at_least
from tests.benchmarks.timing import duel, take_turns
from tests.benchmarks.torch_side import TorchEpoch

LOSS_TOLERANCE = 0.01
OPTRUN = "optrun"


@dataclass(frozen=True)
class Case:
    """A training to compare.

    Attributes:
        bound: how many times faster than PyTorch on as many threads it has to be, if promised.
    """

    title: str
    dataset: str
    model: dict[str, Any]
    optimizer: dict[str, Any]
    batch_size: int
    rounds: int
    bound: float | None = None

    def sections(self) -> dict[str, Any]:
        """Of the config."""
        training = {"epochs": 1, "batch_size": self.batch_size, "best_by": "last"}
        return {"model": self.model, "optimizer": self.optimizer, "training": training}


LINEAR = {"name": "linear"}
ADAM = {"name": "adam"}
CASES = (
    Case(
        "linear, CIFAR-10, batch 256, momentum",
        "cifar10",
        LINEAR,
        {"name": "momentum", "lr": 1e-3},
        batch_size=256,
        rounds=7,
        bound=1.5,
    ),
    Case(
        "linear, MNIST, batch 128, SGD",
        "mnist",
        LINEAR,
        {"name": "sgd", "lr": 0.1},
        batch_size=128,
        rounds=7,
    ),
    Case(
        "MLP 784-256-10, MNIST, batch 128, Adam",
        "mnist",
        {"name": "mlp", "hidden": [256]},
        ADAM,
        batch_size=128,
        rounds=7,
        bound=2.0,
    ),
    Case(
        "MLP 3072-512-256-10, CIFAR-10, batch 128, Adam",
        "cifar10",
        {"name": "mlp", "hidden": [512, 256]},
        ADAM,
        batch_size=128,
        rounds=3,
    ),
)


@dataclass(frozen=True)
class Peer:
    """A way to run PyTorch."""

    threads: int
    fused: bool

    def __str__(self) -> str:
        return "PyTorch, fused Adam" if self.fused else "PyTorch"


THREADS = (1, 2)
"""optrun always uses one."""


def measure() -> Iterator[Row]:
    """A row for every case and way to run PyTorch."""
    for case in CASES:
        yield from compare(case)


def compare(case: Case) -> Iterator[Row]:
    """Let optrun and its peers take turns at a case."""
    data = load_images(case.dataset)
    x, y = torch.from_numpy(data.train.x), torch.from_numpy(data.train.y)
    ours = OptrunEpoch(data, **case.sections())
    ways = (False, True) if case.optimizer == ADAM else (False,)
    peers = [Peer(threads, fused) for fused in ways for threads in THREADS]
    theirs = {peer: TorchEpoch(ours.program, x, y, peer.threads, peer.fused) for peer in peers}
    sides: dict[Any, OptrunEpoch | TorchEpoch] = {OPTRUN: ours, **theirs}
    for side in sides.values():
        side.warm_up()
    seconds = take_turns(sides, case.rounds)
    for peer, side in theirs.items():
        require_same_loss(ours.loss, side.loss, f"{case.title}, {peer}")
        row = {
            "case": case.title,
            "data": origin(case.dataset),
            "peer": str(peer),
            "threads": peer.threads,
            **duel(OPTRUN, seconds[OPTRUN], "peer", seconds[peer]),
        }
        if case.bound is not None and peer == Peer(threads=1, fused=False):
            row = at_least("speedup", row, case.bound)
        yield row


def require_same_loss(ours: float, theirs: float, what: str) -> None:
    """Refuse to compare two sides that do not compute the same."""
    if not math.isclose(ours, theirs, rel_tol=LOSS_TOLERANCE):
        raise RuntimeError(f"{what}: the mean loss is {theirs:.5g}, optrun's is {ours:.5g}")
