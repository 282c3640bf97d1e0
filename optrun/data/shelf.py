"""Datasets as they are loaded, put where several processes can map them into memory.

Each dataset is read or drawn once; whoever maps it shares the pages with everybody else.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from optrun.data.dataset import ARRAYS, Dataset, Raw
from optrun.data.prepare import fingerprint
from optrun.data.stored import StoredDataset
from optrun.store.files import is_running, write_array
from optrun.store.lock import Locked, folder_lock


@dataclass(frozen=True)
class Shelf:
    """A folder of loaded datasets."""

    folder: Path

    def put(self, dataset: Dataset, seed: int, data_dir: Path | None = None) -> str:
        """Load what the dataset holds for this seed, unless it is there; its fingerprint.

        Raises:
            DataError: as `Dataset.load`.
            OSError: the folder cannot be written.
        """
        place = self._place(dataset, seed)
        mark = place / "fingerprint"
        if mark.exists():
            return mark.read_text(encoding="utf-8")
        raw = dataset.load(seed, data_dir)
        place.mkdir(exist_ok=True)
        for name, array in raw.arrays.items():
            with (place / f"{name}.npy").open("wb") as file:
                write_array(file, array)
        digest = fingerprint(raw)
        mark.write_text(digest, encoding="utf-8")
        return digest

    def take(self, dataset: Dataset, seed: int) -> tuple[Raw, str]:
        """The arrays that `put` has left, mapped into memory, and their fingerprint."""
        place = self._place(dataset, seed)
        arrays = (mapped(place / f"{name}.npy") for name in ARRAYS)
        return Raw(*arrays), (place / "fingerprint").read_text(encoding="utf-8")

    def _place(self, dataset: Dataset, seed: int) -> Path:
        return self.folder / content_key(dataset, seed)


def content_key(dataset: Dataset, seed: int) -> str:
    """A name for all that `dataset.load(seed)` depends on: how it is divided does not count."""
    drawn = dataset.model_dump(mode="json", exclude=set(Dataset.model_fields) - {"name"})
    parts = [drawn, None if isinstance(dataset, StoredDataset) else seed]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def mapped(path: Path) -> np.ndarray:
    """The array in a .npy file. Its pages are read when needed and shared until written to."""
    # Copy-on-write, because kernels are compiled for arrays that could be written to.
    return np.load(path, mmap_mode="c", allow_pickle=False).view(np.ndarray)


@contextmanager
def new_shelf(parent: Path) -> Iterator[Shelf]:
    """An empty shelf below `parent`, removed in the end, as are those that the dead have left."""
    parent.mkdir(parents=True, exist_ok=True)
    remove_old_shelves(parent)
    made = Path(mkdtemp(prefix=f".new-shelf-{os.getpid()}-", dir=parent))
    with folder_lock(made):  # before it has the name by which others would remove it
        folder = made.rename(made.with_name(made.name.replace(".new-", ".")))
        try:
            yield Shelf(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_old_shelves(parent: Path) -> None:
    """Delete the shelves of processes that were killed."""
    for shelf in parent.glob(".shelf-*"):
        with suppress(Locked, OSError), folder_lock(shelf):
            shutil.rmtree(shelf, ignore_errors=True)
    for shelf in parent.glob(".new-shelf-*-*"):
        pid = shelf.name.split("-")[2]
        if pid.isdecimal() and not is_running(int(pid)):
            shutil.rmtree(shelf, ignore_errors=True)
