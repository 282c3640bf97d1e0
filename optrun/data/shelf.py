"""Datasets as they are loaded, put where several processes can map them into memory.

Each dataset is read or drawn once; whoever maps it shares the pages with everybody else.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from filelock import FileLock, Timeout

from optrun.data.dataset import Dataset, Raw
from optrun.data.prepare import fingerprint
from optrun.data.stored import StoredDataset
from optrun.store.files import write_array


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
        for part in fields(Raw):
            with (place / f"{part.name}.npy").open("wb") as file:
                write_array(file, getattr(raw, part.name))
        digest = fingerprint(raw)
        mark.write_text(digest, encoding="utf-8")
        return digest

    def take(self, dataset: Dataset, seed: int) -> tuple[Raw, str]:
        """The arrays that `put` has left, mapped into memory, and their fingerprint."""
        place = self._place(dataset, seed)
        raw = Raw(**{part.name: mapped(place / f"{part.name}.npy") for part in fields(Raw)})
        return raw, (place / "fingerprint").read_text(encoding="utf-8")

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
    for other in parent.glob(".shelf-*"):
        with suppress(Timeout, OSError), FileLock(other / ".lock", timeout=0):
            shutil.rmtree(other, ignore_errors=True)
    made = Path(mkdtemp(prefix=".new-shelf-", dir=parent))
    with FileLock(made / ".lock"):  # before it has the name by which others would remove it
        folder = made.rename(made.with_name(made.name.replace(".new-", ".")))
        try:
            yield Shelf(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
