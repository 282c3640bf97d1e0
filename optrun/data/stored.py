"""Datasets that lie in files: where they are looked for, and how they get there."""

import os
import shlex
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from optrun.data.dataset import Dataset, PreprocessingField, Raw
from optrun.data.preprocessing import Rescale
from optrun.errors import DataError


def data_folder(data_dir: str | Path | None = None) -> Path:
    """Where datasets are stored: `data_dir`, else `OPTRUN_DATA_DIR`, else the user's cache."""
    if chosen := data_dir or os.environ.get("OPTRUN_DATA_DIR"):
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("optrun")) / "data"


def fetch_command(name: str, folder: Path) -> str:
    """What to type to put a dataset into this folder of datasets."""
    where = "" if folder == data_folder() else f" --data-dir {shlex.quote(str(folder))}"
    return f"optrun data fetch {name}{where}"


def not_as_expected(path: Path, expected: str, found: str, name: str, folder: Path) -> DataError:
    """The error for a file that is damaged or something else.

    Args:
        path: of the file.
        expected: what should be there.
        found: what is.
        name: of the dataset.
        folder: of all datasets.
    """
    return DataError(
        f"{path}: expected {expected}, found {found}.\n"
        f"Delete it and run `{fetch_command(name, folder)}`, or put the original file there."
    )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a lock file, removed afterwards; whoever waits for it then makes another."""
    from filelock import FileLock

    with FileLock(lock):
        try:
            yield
        finally:
            with suppress(OSError):  # Windows removes no open file
                lock.unlink()


class StoredDataset(Dataset):
    """Images in files that are downloaded once.

    Attributes:
        title: the dataset's proper name.
        directory: name of its folder.
        files: names of the files in it.
    """

    title: ClassVar[str]
    directory: ClassVar[str]
    files: ClassVar[tuple[str, ...]]

    preprocessing: PreprocessingField = Field([Rescale()])
    """Steps applied in turn, fitted on the training examples only."""

    @classmethod
    def place(cls, data_dir: str | Path | None = None) -> Path:
        """The folder in which this dataset is looked for."""
        return data_folder(data_dir) / cls.directory

    @classmethod
    def missing(cls, place: Path) -> list[str]:
        """Names of the files that are not there."""
        return [name for name in cls.files if not (place / name).is_file()]

    @classmethod
    @abstractmethod
    def damaged(cls, place: Path) -> list[str]:
        """Names of the files that are there but of the wrong size."""

    @classmethod
    def fetch(cls, data_dir: str | Path | None = None) -> Path:
        """Put the files that are missing into their folder, which is returned.

        Raises:
            DataError: they cannot be downloaded, or the folder cannot be written. No empty folder
                is left behind.
        """
        place = cls.place(data_dir)
        if not cls.missing(place):
            return place
        made = [folder for folder in (place, *place.parents) if not folder.exists()]
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with _alone(place.parent / f".{cls.directory}.lock"):
                if cls.missing(place):
                    cls._obtain(place)
        except OSError as error:
            raise DataError(
                f"{place.parent}: {cls.title} cannot be stored there ({error}); choose another "
                "folder with --data-dir or OPTRUN_DATA_DIR"
            ) from error
        finally:
            for folder in made:
                with suppress(OSError):  # it holds something
                    folder.rmdir()
        return place

    def load(self, seed: int, data_dir: str | Path | None = None) -> Raw:
        return self.read(self.fetch(data_dir))

    @classmethod
    def read(cls, place: Path) -> Raw:
        """The arrays in the files of this folder.

        Raises:
            DataError: a file is damaged, something else, or cannot be read.
        """
        try:
            return cls._read(place)
        except OSError as error:
            raise DataError(f"{place}: {cls.title} cannot be read ({error})") from error

    @classmethod
    @abstractmethod
    def _obtain(cls, place: Path) -> None:
        """Bring the missing files to `place`; the caller holds the lock."""

    @classmethod
    @abstractmethod
    def _read(cls, place: Path) -> Raw:
        """The arrays, after checking that the files are what they should be."""

    @classmethod
    def _workspace(cls, place: Path) -> Path:
        """The folder for unfinished files, on the same file system as `place`."""
        return place.parent / f".{cls.directory}.partial"

    @classmethod
    def _unobtainable(cls, place: Path, reasons: str, remedy: str) -> DataError:
        return DataError(
            f"{cls.title} is not in {place} and could not be downloaded:\n{reasons}\n{remedy}\n"
            "Another folder can be named with --data-dir or OPTRUN_DATA_DIR. A dataset that needs "
            "no files:\n  dataset: {name: synthetic, kind: glyphs}"
        )
