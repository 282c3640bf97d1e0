"""The runs of a grid in PyTorch, one after the other in one process; prints their final losses.

python -m tests.benchmarks.torch_grid FOLDER THREADS WHAT

WHAT is evaluated after every epoch: `all`, training and validation data, and these at the start as
well, as optrun does; or `validation` alone. FOLDER holds arrays (`x`, `y`, `val_x`, `val_y`,
`orders`, and the start as `layers.0.weight`, ...) and `runs.json`: `batch_size`, and `optimizers`,
written out in full.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

from tests.benchmarks.torch_training import build_model, build_optimizer, evaluate, train


def main(folder: Path, threads: int, what: str) -> None:
    """Train them all from the same start in the same order."""
    torch.set_num_threads(threads)
    arrays = {file.stem: np.load(file) for file in folder.glob("*.npy")}
    x, y, val_x, val_y, orders = (
        torch.from_numpy(arrays[name]) for name in ("x", "y", "val_x", "val_y", "orders")
    )
    start = {name: array for name, array in arrays.items() if name.startswith("layers.")}
    runs = json.loads((folder / "runs.json").read_text())
    losses = []
    for given in runs["optimizers"]:
        model = build_model(start)
        optimizer = build_optimizer(given, model)
        if what == "all":
            evaluate(model, x, y)
            evaluate(model, val_x, val_y)
        for order in orders:
            train(model, optimizer, x, y, order, runs["batch_size"])
            if what == "all":
                evaluate(model, x, y)
            loss, _ = evaluate(model, val_x, val_y)
        losses.append(loss)
    print(json.dumps(losses))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
