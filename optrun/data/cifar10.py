"""CIFAR-10, from its binary version (never the pickled one, which can run code)."""

import gzip
import hashlib
import shutil
import tarfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from optrun.data.dataset import Outline, Raw
from optrun.data.download import download, scratch
from optrun.data.stored import StoredDataset, fetch_command, not_as_expected, sha256
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
    is unpacked. Features are in the order of the files: channel, row, column. The same images in
    another order are CIFAR-10 too, but another run. Krizhevsky 2009.
    """

    name: Literal["cifar10"] = "cifar10"

    title: ClassVar[str] = "CIFAR-10"
    directory: ClassVar[str] = "cifar-10-batches-bin"
    checksums: ClassVar[dict[str, str]] = {
        "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
        "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
        "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
        "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
        "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
        "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
    }
    files: ClassVar[tuple[str, ...]] = tuple(checksums)
    examples: ClassVar[tuple[str, str]] = (
        "da4deb04c6280f774a388b07610759a5ae01a9710fc03d6ad017e9f61b5d8c6c",
        "c570203eec5823a6c731546f5c4e31127f0555462fa8fcb643b37d5e4372b070",
    )
    """What `digest_of_set` gives for the training and the test examples."""
    mirrors: ClassVar[tuple[str, ...]] = tuple(
        f"{address}/{ARCHIVE}"
        for address in (
            "https://www.cs.toronto.edu/~kriz",
            "https://cave.cs.toronto.edu/kriz",
            "https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10",
            "https://mindspore-website.obs.cn-north-4.myhuaweicloud.com/notebook/datasets",
        )
    )
    """Its author's pages; the copies that Swift for TensorFlow and MindSpore download."""

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
    def reordered(cls, raw: Raw) -> bool:
        train, test = cls.examples
        return (
            digest_of_set(raw.train_x, raw.train_y) == train
            and digest_of_set(raw.test_x, raw.test_y) == test
        )

    @classmethod
    def _obtain(cls, place: Path) -> None:
        archive, workspace = place.parent / ARCHIVE, cls._workspace(place)
        if archive.exists():
            cls._unpack_own(archive, place, check=True)
            return
        unpack = partial(cls._unpack, workspace=workspace, place=place, check=True)
        try:
            download(cls.mirrors, workspace, unpack)
        except DataError as error:
            wanted = "".join(f"\n  {file}" for file in cls.missing(place))
            remedy = f"Put {ARCHIVE} into {place.parent}, or these files into {place}:{wanted}"
            raise cls._unobtainable(place, str(error), remedy) from None

    @classmethod
    def _take_own(cls, place: Path) -> None:
        archive = place.parent / ARCHIVE
        if archive.exists():
            cls._unpack_own(archive, place, check=False)
        else:
            super()._take_own(place)

    @classmethod
    def _unpack_own(cls, archive: Path, place: Path, check: bool) -> None:
        """Unpack an archive that was not downloaded."""
        workspace = cls._workspace(place)
        try:
            with scratch(workspace):
                cls._unpack(archive, workspace, place, check)
        except DataError as error:
            hint = f" {cls._way_around()}" if check else ""
            command = fetch_command("cifar10", place.parent)
            raise DataError(
                f"{archive}: {error}\n"
                f"Delete it and run `{command}`, or put the original archive there.{hint}"
            ) from None

    @classmethod
    def _unpack(cls, archive: Path, workspace: Path, place: Path, check: bool) -> None:
        """Move the missing files out of an archive to `place`, all of them or none.

        Args:
            archive: a tar file.
            workspace: folder to unpack in.
            place: where the files belong.
            check: whether they must be those that were published.

        Raises:
            DataError: the archive is damaged, lacks a file, or has other content.
        """
        wanted = cls.missing(place)
        try:
            _extract(archive, workspace, wanted)
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile):
            raise DataError("it is no whole tar archive") from None
        if absent := [name for name in wanted if not (workspace / name).is_file()]:
            raise DataError(f"it lacks {', '.join(absent)}")
        if check and (changed := cls._changed_files(workspace, wanted)):
            raise DataError(f"the content of its {', '.join(changed)} is not what was published")
        place.mkdir(exist_ok=True)
        for name in wanted:
            (workspace / name).replace(place / name)

    @classmethod
    def _changed_files(cls, folder: Path, names: Sequence[str]) -> list[str]:
        """Those of the files in a folder whose content is not the published one."""
        changed = [name for name in names if sha256(folder / name) != cls.checksums[name]]
        with suppress(DataError):
            if changed and len(names) == len(cls.files) and cls.reordered(cls._read(folder)):
                return []
        return changed

    @classmethod
    def _read(cls, place: Path) -> Raw:
        *train, test = (place / name for name in cls.files)
        train_x, train_y, train_digests = _read_files(train)
        test_x, test_y, test_digests = _read_files([test])
        digests = dict(zip(cls.files, train_digests + test_digests, strict=True))
        return Raw(train_x, train_y, test_x, test_y, files=digests)


def digest_of_set(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> str:
    """SHA-256 of the sorted examples, (n, features) and (n,): the same in any order."""
    pairs = zip(images, labels.tolist(), strict=True)
    examples = sorted(hashlib.sha256(image).digest() + bytes((label,)) for image, label in pairs)
    return hashlib.sha256(b"".join(examples)).hexdigest()


def _extract(archive: Path, folder: Path, wanted: Sequence[str]) -> None:
    """Write the wanted files of an archive, wherever in it they are, into a folder."""
    with tarfile.open(archive) as content:
        for member in content:
            name = Path(member.name).name
            source = content.extractfile(member) if name in wanted else None
            if source is not None:
                with source, (folder / name).open("wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)


def _read_files(
    paths: Sequence[Path],
) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """Images (n, 3072), labels (n,) and each file's SHA-256; one file is in memory at a time."""
    digests = []
    images = np.empty((len(paths) * RECORDS, PIXELS), np.uint8)
    labels = np.empty(len(paths) * RECORDS, np.int64)
    for number, path in enumerate(paths):
        rows = slice(number * RECORDS, (number + 1) * RECORDS)
        records = _read_records(path)
        labels[rows], images[rows] = records[:, 0], records[:, 1:]
        digests.append(hashlib.sha256(records.data).hexdigest())
    return images, labels, digests


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
