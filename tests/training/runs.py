"""A small config to run, runs to compare, and an observer that acts."""

import os
import signal
from pathlib import Path

import numpy as np

from optrun.config.load import load
from optrun.store.files import read_arrays
from optrun.store.reading import load_run
from optrun.training.observer import Observer
from optrun.training.run import run

ROOT = Path(__file__).parents[2]
TIMES = ["seconds"]


SMALL = {
    "name": "small",
    "dataset": {"name": "synthetic", "kind": "blobs", "samples": 200, "test_samples": 50},
    "model": {"name": "mlp", "hidden": [16]},
    "optimizer": {"name": "adam", "lr": 0.01},
    "regularization": {"dropout": 0.3, "l2": 1e-4},
    "training": {"epochs": 5, "batch_size": 16, "log_every": 1},
}


def train(out: Path, *overrides: str, observer: Observer | None = None):
    return load_run(run(load(SMALL, overrides).config, out, observer=observer))


def same_results(left: Path, right: Path) -> bool:
    """Whether two run directories hold the same bytes, times apart."""
    a, b = load_run(left), load_run(right)
    weights = all(np.array_equal(a.weights[name], b.weights[name]) for name in a.weights)
    one, other = (read_arrays(path / "checkpoint.npz") for path in (left, right))
    arrays = one.keys() - {"progress", "candidates"}  # which hold times
    state = all(np.array_equal(one[name], other[name]) for name in arrays)
    tables = all(
        getattr(a, table).drop(columns=TIMES).equals(getattr(b, table).drop(columns=TIMES))
        for table in ("metrics", "steps")
    )
    timed = [name for name in a.summary if name.startswith(("seconds", "samples", "peak"))]
    ignored = {*timed, "started", "ended"}
    summaries = all(a.summary[name] == b.summary[name] for name in a.summary.keys() - ignored)
    return weights and state and tables and summaries


class Spy(Observer):
    """Counts what it hears; acts on the n-th pulse."""

    def __init__(self, pulse_number: int = -1, action=lambda: None):
        self.heard: list[str] = []
        self.notices: list[str] = []
        self.pulse_number, self.action = pulse_number, action

    def notice(self, text):
        self.notices.append(text)

    def begin(self, plan):
        self.plan = plan
        self.heard.append("begin")

    def pulse(self, pulse):
        self.heard.append("pulse")
        if self.heard.count("pulse") == self.pulse_number:
            self.action()

    def reuse(self, directory):
        self.heard.append("reuse")


class Killed(BaseException):
    """Passes through everything, as a process that is killed leaves everything as it is."""


def kill() -> None:
    raise Killed


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)
