"""`optrun sweep` as a user runs it: a new process, a new folder, kernels in the cache."""

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.benchmarks.images import is_stored

ROOT = Path(__file__).parents[2]


class SweepCommand:
    """A sweep to be run as often as wanted, each time from nothing.

    Args:
        config: of the base, in the terms of YAML.
        axes: as on the command line.
        workers: processes.

    Attributes:
        results: the rows of results.csv that came of it last, as text.
        work: seconds of training and evaluation in those runs, one after the other.
    """

    def __init__(self, config: Mapping[str, Any], axes: Sequence[str], workers: int):
        self.config, self.axes, self.workers = config, axes, workers
        self.results: list[dict[str, str]] = []
        self.work = 0.0

    def __call__(self) -> float:
        """Seconds of the whole command."""
        with self.prepared() as (command, out):
            begun = perf_counter()
            subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
            seconds = perf_counter() - begun
            self.read(out)
        return seconds

    def read(self, out: Path) -> None:
        """Take note of what the command has left."""
        with (out / "sweeps" / self.config["name"] / "results.csv").open(newline="") as file:
            self.results = list(csv.DictReader(file))
        summaries = [json.loads(file.read_text()) for file in out.glob("*/summary.json")]
        self.work = sum(run["seconds_train"] + run["seconds_eval"] for run in summaries)

    @contextmanager
    def prepared(self) -> Iterator[tuple[list[str], Path]]:
        """The command, and the empty folder it makes run directories in."""
        with tempfile.TemporaryDirectory() as folder:
            file, out = Path(folder) / "config.yaml", Path(folder) / "runs"
            file.write_text(json.dumps(self.config))
            arguments = [str(file), *self.axes, "--workers", str(self.workers), "--out", str(out)]
            yield [sys.executable, "-m", "optrun", "sweep", *arguments], out


def image_set(name: str) -> dict[str, Any]:
    """The config's section for an image set, or for a stand-in where it is not on this machine."""
    if is_stored(name):
        return {"name": name}
    return {"name": "synthetic", "kind": "glyphs", "samples": 60_000, "noise": 0.0}
