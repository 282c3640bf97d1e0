"""MNIST, from the IDX files it is published in."""

import gzip
import hashlib
import os
import shutil
import struct
import zlib
from functools import partial
from math import prod
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from optrun.data.dataset import Outline, Raw
from optrun.data.download import download
from optrun.data.stored import StoredDataset, not_as_expected, sha256
from optrun.errors import DataError

IMAGES, LABELS = 2051, 2049
"""Magic numbers with which IDX files of images and of labels begin."""
SIDE = 28
CLASSES = 10
GZIP_MAGIC = b"\x1f\x8b"


class Mnist(StoredDataset):
    """Handwritten digits: 60,000 training and 10,000 test images, 28×28 grey.

    Files as published, plain or gzipped, in `mnist/`. LeCun et al. 1998.
    """

    name: Literal["mnist"] = "mnist"

    title: ClassVar[str] = "MNIST"
    directory: ClassVar[str] = "mnist"
    checksums: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    }
    files: ClassVar[tuple[str, ...]] = tuple(checksums)
    headers: ClassVar[tuple[tuple[int, ...], ...]] = (
        (IMAGES, 60_000, SIDE, SIDE),
        (LABELS, 60_000),
        (IMAGES, 10_000, SIDE, SIDE),
        (LABELS, 10_000),
    )
    """What each file begins with, in big-endian 32-bit numbers: its kind, then its shape."""
    mirrors: ClassVar[tuple[str, ...]] = (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    )

    @property
    def outline(self) -> Outline:
        return Outline(60_000, 10_000, CLASSES, SIDE * SIDE, (1, SIDE, SIDE))

    @classmethod
    def path_of(cls, place: Path, name: str) -> Path:
        plain = place / name
        return plain if plain.is_file() else place / f"{name}.gz"

    @classmethod
    def damaged(cls, place: Path) -> list[str]:
        return [
            path.name
            for path, header in cls._files_and_headers(place)
            if path.is_file() and _size(path) != 4 * len(header) + prod(header[1:])
        ]

    @classmethod
    def _obtain(cls, place: Path) -> None:
        place.mkdir(exist_ok=True)
        for name in cls.missing(place):
            urls = [f"{mirror}{name}.gz" for mirror in cls.mirrors]
            accept = partial(_store, target=place / name, checksum=cls.checksums[name])
            try:
                download(urls, cls._workspace(place), accept)
            except DataError as error:
                wanted = "".join(f"\n  {file}.gz" for file in cls.missing(place))
                remedy = f"Put these files into {place}, as they are or decompressed:{wanted}"
                raise cls._unobtainable(place, str(error), remedy) from None

    @classmethod
    def _read(cls, place: Path) -> Raw:
        found = [_read_idx(*known) for known in cls._files_and_headers(place)]
        (train_x, train_y, test_x, test_y), digests = zip(*found, strict=True)
        return Raw(
            train_x.reshape(-1, SIDE * SIDE),
            train_y.astype(np.int64),
            test_x.reshape(-1, SIDE * SIDE),
            test_y.astype(np.int64),
            files=dict(zip(cls.files, digests, strict=True)),
        )

    @classmethod
    def _files_and_headers(cls, place: Path) -> list[tuple[Path, tuple[int, ...]]]:
        paths = [cls.path_of(place, name) for name in cls.files]
        return list(zip(paths, cls.headers, strict=True))


def _size(path: Path) -> int:
    """Bytes of a file; of a gzipped one those that its end says it unpacks to."""
    if path.suffix != ".gz":
        return path.stat().st_size
    with path.open("rb") as file:
        magic = file.read(len(GZIP_MAGIC))
        file.seek(-min(path.stat().st_size, 4), os.SEEK_END)
        return int.from_bytes(file.read(), "little") if magic == GZIP_MAGIC else -1


def _store(archive: Path, target: Path, checksum: str) -> None:
    """Decompress a download beside itself, check it, and move it to `target`."""
    plain = archive.with_suffix("")
    try:
        with gzip.open(archive) as source, plain.open("wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DataError("sent a damaged gzip file") from None
    if (found := sha256(plain)) != checksum:
        raise DataError(f"sent another file (SHA-256 {found}, expected {checksum})")
    plain.replace(target)


def _not_as_expected(path: Path, expected: str, found: str) -> DataError:
    return not_as_expected(path, expected, found, "mnist", path.parent.parent)


def _read_idx(path: Path, header: tuple[int, ...]) -> tuple[NDArray[np.uint8], str]:
    """The bytes of an IDX file, plain or gzipped, that begins with `header`, and its SHA-256.

    Raises:
        DataError: another header, damaged compression, not exactly the bytes it announces, or
            labels outside 0 to 9.
    """
    values = np.empty(header[1:], np.uint8)
    wanted = struct.pack(f">{len(header)}i", *header)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            head = file.read(len(wanted))
            body = file.readinto(values.data.cast("B"))
            rest = len(file.read(1))
    except EOFError:
        raise _not_as_expected(path, "a whole gzip file", "a truncated one") from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise _not_as_expected(path, "a gzip file", f"damage ({error})") from None
    if head != wanted:
        numbers = head[: len(head) // 4 * 4]
        found = struct.unpack(f">{len(numbers) // 4}i", numbers)
        raise _not_as_expected(path, f"the header {header}", f"{found or 'none'}")
    if body != values.size or rest:
        found_size = f"{'more' if rest else body} bytes"
        raise _not_as_expected(path, f"{values.size} bytes after the header", found_size)
    if header[0] == LABELS and (greatest := values.max()) >= CLASSES:
        found_label = f"the label {greatest}"
        raise _not_as_expected(path, f"labels from 0 to {CLASSES - 1}", found_label)
    digest = hashlib.sha256(head)
    digest.update(values.data)
    return values, digest.hexdigest()
