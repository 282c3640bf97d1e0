"""Peak memory of `optrun train`, the whole process: MLP 3072-512-256-10 on CIFAR-10, an epoch."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from optrun.data.stored import data_folder
from tests.benchmarks.images import is_stored, origin
from tests.benchmarks.suite import Row, at_most
from tests.datasets import write_cifar10

CONFIG = {
    "name": "memory",
    "dataset": {"name": "cifar10", "custom_files": True, "preprocessing": ["standardize"]},
    "model": {"name": "mlp", "hidden": [512, 256]},
    "optimizer": {"name": "adam"},
    "training": {"epochs": 1},
}
ROOT = Path(__file__).parents[2]


def measure() -> Iterator[Row]:
    """One row."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        if is_stored("cifar10"):
            data_dir = data_folder()
        else:
            data_dir = place / "data"
            write_cifar10(data_dir)
        peak = peak_of_training(place, data_dir)
    row = {"case": "optrun train", "data": origin("cifar10"), "peak_mb": peak / 1e6}
    yield at_most("peak_mb", row, 700)


def peak_of_training(place: Path, data_dir: Path) -> int:
    """Bytes that `optrun train` on the config held at most."""
    config = place / "config.yaml"
    config.write_text(json.dumps(CONFIG))
    arguments = ["train", str(config), "--out", str(place), "--data-dir", str(data_dir)]
    command = [sys.executable, "-m", "optrun", *arguments]
    measured = [sys.executable, "-m", "tests.benchmarks.peak", *command]
    done = subprocess.run(measured, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)
