"""A grid of rates and optimizers, against the same runs in PyTorch: linear, MNIST, 5 epochs."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

from optrun.config.choices import write_out_choices
from optrun.config.schema import Config
from optrun.data.prepare import prepare
from optrun.engine.compiler import compile_program
from optrun.optim.optimizers import OPTIMIZERS
from tests.benchmarks.epoch import require_same_loss
from tests.benchmarks.images import origin
from tests.benchmarks.suite import Row, at_least
from tests.benchmarks.sweep_command import ROOT, SweepCommand, image_set
from tests.benchmarks.timing import duel, take_turns

AXES = ["optimizer.name=sgd,momentum,nesterov,adam", "optimizer.lr=logspace(1e-4,1e-2,8)"]
WORKERS = 2
PEERS = {
    "PyTorch, 1 thread": (1, "all"),
    "PyTorch, 2 threads": (2, "all"),
    "PyTorch, 1 thread, evaluating validation alone": (1, "validation"),
}
"""By what they are called: threads, and what is evaluated after every epoch."""
ROUNDS = 3


def measure() -> Iterator[Row]:
    """A row a peer; the promise is against the faster of those that do the same work."""
    config = {
        "name": "grid",
        "dataset": image_set("mnist"),
        "model": "linear",
        "optimizer": {"name": "sgd", "lr": 0.1},
        "training": {"epochs": 5, "batch_size": 128, "best_by": "last"},
    }
    ours = SweepCommand(config, AXES, WORKERS)
    ours()  # kernels, and the rates
    with tempfile.TemporaryDirectory() as folder:
        hand_over(config, ours.results, Path(folder))
        theirs = {name: TorchGrid(Path(folder), *how) for name, how in PEERS.items()}
        seconds: dict[Any, list[float]] = take_turns({"optrun": ours, **theirs}, ROUNDS)
    for side in theirs.values():
        for run, loss in zip(ours.results, side.losses, strict=True):
            what = f"{run['optimizer.name']}, rate {run['optimizer.lr']}"
            require_same_loss(float(run["final_val_loss"]), loss, what)
    alike = [name for name, (_, what) in PEERS.items() if what == "all"]
    better = min(alike, key=lambda name: median(seconds[name]))
    for name in PEERS:
        row = {
            "case": f"{len(ours.results)} runs on linear MNIST, 5 epochs, against PyTorch",
            "data": origin("mnist"),
            "workers": WORKERS,
            "peer": name,
            **duel("optrun", seconds["optrun"], "peer", seconds[name]),
        }
        yield at_least("speedup", row, 4.0) if name == better else row


class TorchGrid:
    """The runs in PyTorch, in one new process.

    Attributes:
        losses: on validation, at the end of each run.
    """

    def __init__(self, folder: Path, threads: int, what: str):
        module = [sys.executable, "-m", "tests.benchmarks.torch_grid"]
        self.command = [*module, str(folder), str(threads), what]
        self.losses: list[float] = []

    def __call__(self) -> float:
        """Seconds of the whole command."""
        begun = perf_counter()
        done = subprocess.run(self.command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
        seconds = perf_counter() - begun
        self.losses = json.loads(done.stdout)
        return seconds


def hand_over(
    sections: Mapping[str, Any], results: Sequence[Mapping[str, str]], folder: Path
) -> None:
    """Write what `torch_grid` reads: data ready to train on, start, orders, optimizers in full."""
    config = write_out_choices(Config.model_validate(sections))
    data = prepare(config.dataset, config.seed, config.dtype)
    assert data.validation
    program = compile_program(config, data)
    epochs = [program.epoch(epoch).order for epoch in range(config.training.epochs)]
    orders = [np.searchsorted(data.train.indices, rows) for rows in epochs]  # as places among them
    arrays = {
        "x": data.train.x,
        "y": data.train.y,
        "val_x": data.validation.x,
        "val_y": data.validation.y,
        "orders": np.stack(orders),
        **program.named_weights(program.parameters.weights),
    }
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    given = [in_full(run["optimizer.name"], float(run["optimizer.lr"])) for run in results]
    runs = {"batch_size": config.training.batch_size, "optimizers": given}
    (folder / "runs.json").write_text(json.dumps(runs))


def in_full(optimizer: str, lr: float) -> dict[str, Any]:
    """An optimizer's section with every number written out."""
    return OPTIMIZERS[optimizer].model_validate({"lr": lr}).model_dump()
