"""CIFAR-10, from its binary version (never the pickled one, which can run code)."""

import hashlib
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from optrun.data.dataset import Outline, Raw
from optrun.data.download import download, scratch
from optrun.data.stored import StoredDataset, fetch_command, not_as_expected
from optrun.errors import DataError

SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32
CLASSES = 10
RECORDS = 10_000
"""Images a file; each is one byte of label, then the red, green and blue planes."""
FILE_SIZE = RECORDS * (1 + PIXELS)
ARCHIVE = "cifar-10-binary.tar.gz"
PICKLED = ("cifar-10-batches-py", "cifar-10-python.tar.gz")


class Cifar10(StoredDataset):
    """Small photographs of ten kinds of things: 50,000 training and 10,000 test, 32×32 colour.

    The binary version in `cifar-10-batches-bin/`, or its archive `cifar-10-binary.tar.gz`, which
    is unpacked. Features are in the order of the files: channel, row, column. Krizhevsky 2009.
    """

    name: Literal["cifar10"] = "cifar10"

    title: ClassVar[str] = "CIFAR-10"
    directory: ClassVar[str] = "cifar-10-batches-bin"
    files: ClassVar[tuple[str, ...]] = (
        *(f"data_batch_{number}.bin" for number in range(1, 6)),
        "test_batch.bin",
    )
    mirrors: ClassVar[tuple[str, ...]] = (f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}",)
    checksum: ClassVar[str] = "c32a1d4ab5d03f1284b67883e8d87530"
    """MD5 of the archive, as its authors publish it."""

    @property
    def outline(self) -> Outline:
        return Outline(5 * RECORDS, RECORDS, CLASSES, PIXELS, SHAPE)

    @classmethod
    def damaged(cls, place: Path) -> list[str]:
        files = [place / name for name in cls.files]
        return [file.name for file in files if file.is_file() and file.stat().st_size != FILE_SIZE]

    def load(self, seed: int, data_dir: str | Path | None = None) -> Raw:
        place = self.place(data_dir)
        if self.missing(place) and not (place.parent / ARCHIVE).exists():
            self._refuse_pickled(place)
        return super().load(seed, data_dir)

    @classmethod
    def _refuse_pickled(cls, place: Path) -> None:
        for name in PICKLED:
            if (place.parent / name).exists():
                raise DataError(
                    f"{place.parent / name}: this is the Python version of CIFAR-10, whose pickled "
                    f"files are not read because they can run code. Expected {place.name} or "
                    f"{ARCHIVE}, the binary version: run `{fetch_command('cifar10', place.parent)}`"
                    f", or put it into {place.parent}."
                )

    @classmethod
    def _obtain(cls, place: Path) -> None:
        archive, workspace = place.parent / ARCHIVE, cls._workspace(place)
        if archive.exists():
            if (found := _md5(archive)) != cls.checksum:
                expected = f"the archive with MD5 {cls.checksum}"
                raise not_as_expected(archive, expected, f"MD5 {found}", "cifar10", place.parent)
            with scratch(workspace):
                _unpack(archive, workspace, place, cls.missing(place))
            return

        def accept(file: Path) -> None:
            if (found := _md5(file)) != cls.checksum:
                raise DataError(f"sent another file (MD5 {found}, expected {cls.checksum})")
            _unpack(file, workspace, place, cls.missing(place))

        try:
            download(cls.mirrors, workspace, accept)
        except DataError as error:
            wanted = "".join(f"\n  {file}" for file in cls.missing(place))
            remedy = f"Put {ARCHIVE} into {place.parent}, or these files into {place}:{wanted}"
            raise cls._unobtainable(place, str(error), remedy) from None

    @classmethod
    def _read(cls, place: Path) -> Raw:
        *train, test = (place / name for name in cls.files)
        return Raw(*_read_files(train), *_read_files([test]))


def _md5(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "md5").hexdigest()


def _unpack(archive: Path, workspace: Path, place: Path, wanted: Sequence[str]) -> None:
    """Move the wanted files of an archive, each when it is whole, to `place`."""
    place.mkdir(exist_ok=True)
    with tarfile.open(archive) as content:
        for member in content:
            name = Path(member.name).name
            source = content.extractfile(member) if name in wanted else None
            if source is not None:
                with source, (workspace / name).open("wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                (workspace / name).replace(place / name)


def _read_files(paths: Sequence[Path]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images (n, 3072) and labels (n,) of some files, one of which is in memory at a time."""
    images = np.empty((len(paths) * RECORDS, PIXELS), np.uint8)
    labels = np.empty(len(paths) * RECORDS, np.int64)
    for number, path in enumerate(paths):
        rows = slice(number * RECORDS, (number + 1) * RECORDS)
        records = _read_records(path)
        labels[rows], images[rows] = records[:, 0], records[:, 1:]
    return images, labels


def _read_records(path: Path) -> NDArray[np.uint8]:
    """(RECORDS, 1 + PIXELS)

    Raises:
        DataError: another size, or labels outside 0 to 9.
    """
    folder = path.parent.parent
    if (found := path.stat().st_size) != FILE_SIZE:
        raise not_as_expected(path, f"{FILE_SIZE} bytes", f"{found}", "cifar10", folder)
    records = np.fromfile(path, np.uint8).reshape(RECORDS, 1 + PIXELS)
    if (greatest := records[:, 0].max()) >= CLASSES:
        expected = f"labels from 0 to {CLASSES - 1}"
        raise not_as_expected(path, expected, f"the label {greatest}", "cifar10", folder)
    return records
