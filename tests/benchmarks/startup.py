"""Seconds from starting the process to the first training step and to the end of a small run."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from time import perf_counter

from tests.benchmarks.first_step import DONE
from tests.benchmarks.suite import Row, at_most

CONFIG = {
    "name": "startup",
    "dataset": {"name": "synthetic", "kind": "blobs"},
    "model": {"name": "mlp", "hidden": [32]},
    "optimizer": {"name": "adam"},
    "training": {"epochs": 1, "batch_size": 32},
}
ROOT = Path(__file__).parents[2]
REPEATS = 7
CACHES = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR")
"""Variables that would lead out of an empty home."""


def measure() -> Iterator[Row]:
    """A row for a first run on a machine, and one for runs after it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        fresh = {name: value for name, value in os.environ.items() if name not in CACHES}
        cold = start(home, fresh | {"HOME": folder})
        warm = [start(home, fresh | {"HOME": folder}) for _ in range(REPEATS)]
    yield at_most("end_s", figures("first ever, empty home", [cold]), 30)
    yield at_most("first_step_s", figures("warm cache", warm), 1.5)


def figures(case: str, runs: list[tuple[float, float]]) -> Row:
    """Medians, and the fastest first step."""
    first_steps, ends = zip(*runs, strict=True)
    return {
        "case": case,
        "runs": len(runs),
        "first_step_min_s": min(first_steps),
        "first_step_s": median(first_steps),
        "end_s": median(ends),
    }


def start(home: Path, environment: Mapping[str, str]) -> tuple[float, float]:
    """Run a new small run in a new process; seconds to its first step and to its end."""
    with tempfile.TemporaryDirectory(dir=home) as place:
        config = Path(place) / "config.yaml"
        config.write_text(json.dumps(CONFIG))
        command = [sys.executable, "-m", "tests.benchmarks.first_step"]
        begun = perf_counter()
        with subprocess.Popen(
            [*command, "train", str(config), "--out", place],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdout
            told = process.stdout.readline()
            first_step = perf_counter() - begun
            process.stdout.read()
        end = perf_counter() - begun
    if process.returncode or told.strip() != DONE:
        raise RuntimeError(f"optrun ended with status {process.returncode} and told {told!r}")
    return first_step, end
