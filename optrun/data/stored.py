"""Datasets that lie in files: where they are looked for, how they get there, how they are checked.

Content decides. The files are hashed as they are read, which the run's id needs anyway, and what
is not the published set is refused unless the config says `custom_files: true`. No verdict is
remembered, so none can be out of date.
"""

import hashlib
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


def sha256(path: Path) -> str:
    """Of a file's content, in hexadecimal."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


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
        checksums: SHA-256 of the unpacked content of its files, by name, as they were published.
        files: names of the files.
        mirrors: addresses to download from, tried in turn, those of the authors first.
    """

    title: ClassVar[str]
    directory: ClassVar[str]
    checksums: ClassVar[dict[str, str]]
    files: ClassVar[tuple[str, ...]]
    mirrors: ClassVar[tuple[str, ...]]

    custom_files: bool = False
    """Take the files as they are, such as a changed copy, or other images in the same format and
    number. Nothing is downloaded then. Default: files that are not the published ones, by their
    SHA-256, are refused."""

    preprocessing: PreprocessingField = Field([Rescale()])
    """Steps applied in turn, fitted on the training examples only."""

    @classmethod
    def place(cls, data_dir: str | Path | None = None) -> Path:
        """The folder in which this dataset is looked for."""
        return data_folder(data_dir) / cls.directory

    @classmethod
    def path_of(cls, place: Path, name: str) -> Path:
        """Where a file lies, or would."""
        return place / name

    @classmethod
    def missing(cls, place: Path) -> list[str]:
        """Names of the files that are not there."""
        return [name for name in cls.files if not cls.path_of(place, name).is_file()]

    @classmethod
    @abstractmethod
    def damaged(cls, place: Path) -> list[str]:
        """Names of the files that are there but of the wrong size."""

    @classmethod
    def fetch(cls, data_dir: str | Path | None = None, custom_files: bool = False) -> Path:
        """Put the files that are missing into their folder, which is returned.

        Args:
            data_dir: folder of all datasets; default: `OPTRUN_DATA_DIR` or the user's cache.
            custom_files: download nothing.

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
                    cls._take_own(place) if custom_files else cls._obtain(place)
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
        place = self.fetch(data_dir, self.custom_files)
        raw = self.read(place)
        if not self.custom_files:
            self.check(place, raw)
        return raw

    @classmethod
    def check(cls, place: Path, raw: Raw) -> None:
        """Make sure that what was read is the published dataset.

        Raises:
            DataError: a file has other content.
        """
        if changed := cls.changed(raw):
            found = "".join(
                f"\n  {cls.path_of(place, name)}: SHA-256 {raw.files[name]}, expected "
                f"{cls.checksums[name]}"
                for name in changed
            )
            raise DataError(
                f"{place}: this is not {cls.title} as it was published, for the content of these "
                f"files differs:{found}\n"
                f"Delete them and run `{fetch_command(cls.kind(), place.parent)}`, or put the "
                f"original files there. {cls._way_around()}"
            )

    @classmethod
    def changed(cls, raw: Raw) -> list[str]:
        """Names of the files whose content is not the published one."""
        names = [name for name in cls.files if raw.files[name] != cls.checksums[name]]
        return [] if names and cls.reordered(raw) else names

    @classmethod
    def reordered(cls, raw: Raw) -> bool:
        """Whether these are the published examples in another order."""
        return False

    @classmethod
    def kind(cls) -> str:
        """The name by which configs know the dataset."""
        return str(cls.model_fields["name"].default)

    @classmethod
    def read(cls, place: Path) -> Raw:
        """The arrays in the files of this folder, whatever their content.

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
    def _take_own(cls, place: Path) -> None:
        """Bring the missing files to `place` without a download."""
        wanted = "".join(f"\n  {name}" for name in cls.missing(place))
        raise DataError(
            f"{place}: `custom_files: true` takes the files that lie there and downloads none, but "
            f"these are missing:{wanted}\nPut them there, or remove `custom_files` to use "
            f"{cls.title} as it was published."
        )

    @classmethod
    def _way_around(cls) -> str:
        return (
            "If other data are meant, say so in the config: "
            f"`dataset: {{name: {cls.kind()}, custom_files: true}}`."
        )

    @classmethod
    @abstractmethod
    def _read(cls, place: Path) -> Raw:
        """The arrays, after checking that the files have the right form."""

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
