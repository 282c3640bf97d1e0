"""Stand-ins of full size for the stored datasets: right in all but their content."""

import struct
from pathlib import Path
from typing import Any

import numpy as np

from optrun.data.cifar10 import Cifar10, digest_of_set
from optrun.data.stored import StoredDataset, sha256


def write_mnist(data_dir: Path) -> Path:
    """A folder `mnist` whose classes are ten random patterns; labels count up."""
    place = data_dir / "mnist"
    place.mkdir(parents=True)
    patterns = np.random.default_rng(0).integers(0, 256, (10, 784), dtype=np.uint8)
    for prefix, count in (("train", 60_000), ("t10k", 10_000)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = struct.pack(">iiii", 2051, count, 28, 28) + patterns[labels].tobytes()
        (place / f"{prefix}-images-idx3-ubyte").write_bytes(images)
        header = struct.pack(">ii", 2049, count)
        (place / f"{prefix}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    return place


def write_cifar10(data_dir: Path) -> Path:
    """A folder `cifar-10-batches-bin` whose classes are ten random patterns.

    Labels count up; each file begins with another one.
    """
    place = data_dir / "cifar-10-batches-bin"
    place.mkdir(parents=True)
    records = np.random.default_rng(0).integers(0, 256, (10, 3073), dtype=np.uint8)
    records[:, 0] = np.arange(10)
    for number, name in enumerate(Cifar10.files):
        np.tile(np.roll(records, -number, axis=0), (1000, 1)).tofile(place / name)
    return place


def published(component: type[StoredDataset], data_dir: Path) -> dict[str, Any]:
    """The attributes by which a dataset would know these files as the published ones."""
    place = component.place(data_dir)
    known: dict[str, Any] = {"checksums": {name: sha256(place / name) for name in component.files}}
    if component is Cifar10:
        raw = component.read(place)
        parts = (raw.train_x, raw.train_y), (raw.test_x, raw.test_y)
        known["examples"] = tuple(digest_of_set(*part) for part in parts)
    return known
