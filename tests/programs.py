"""Programs on data given as arrays, for tests of the engine that need no dataset."""

from typing import Any

import numpy as np

from optrun.config.choices import write_out_choices
from optrun.config.schema import Config
from optrun.data.prepare import Data
from optrun.data.splits import Split
from optrun.engine.compiler import compile_program
from optrun.engine.program import Program


def make_config(**sections: Any) -> Config:
    """A small valid config, with the given sections in place of its own."""
    small = {
        "name": "test",
        "dtype": "float64",
        "dataset": {"name": "synthetic", "kind": "blobs"},
        "model": {"name": "mlp", "hidden": [5, 4], "activation": "tanh"},
        "optimizer": {"name": "sgd", "lr": 0.1},
        "training": {"epochs": 3, "batch_size": 8, "best_by": "last"},
    }
    return write_out_choices(Config.model_validate(small | sections))


def make_data(x: np.ndarray, y: np.ndarray, dtype: str = "float64") -> Data:
    """All of x and y to train and to test on, unprocessed."""
    features, outputs = x.shape[1], int(y.max()) + 1
    storage = np.ascontiguousarray(x, dtype=None if x.dtype == np.uint8 else dtype)
    shift, scale = np.zeros(features, dtype), np.ones(features, dtype)
    rows, labels, none = np.arange(len(y)), y.astype(np.int64), np.zeros(0, dtype)
    return Data(
        train=Split(storage, labels, rows, shift, scale, none, none),
        validation=None,
        test=Split(storage, labels, rows, shift, scale, none, none),
        shift=shift,
        scale=scale,
        low=none,
        high=none,
        outputs=outputs,
        labelled=True,
        features=features,
        image_shape=None,
        fingerprint="",
    )


def make_program(config: Config, x: np.ndarray, y: np.ndarray) -> Program:
    """The config compiled for these arrays."""
    return compile_program(config, make_data(x, y, config.dtype))


def train_all(program: Program, limit: float = np.inf) -> np.ndarray:
    """Run every step; the losses of all of them."""
    losses = []
    for epoch in range(program.config.training.epochs):
        batches = program.epoch(epoch)
        done = program.run(epoch * program.steps_per_epoch, program.steps_per_epoch, batches, limit)
        losses.append(program.record.loss[:done].copy())
    return np.concatenate(losses)
