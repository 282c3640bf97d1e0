"""Tables of numbers that grow by rows: append-only CSV, exact to the last bit."""

import csv
import hashlib
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from optrun.errors import RunError
from optrun.store.files import regular_file, unreadable, unwritable, way_out, write_bytes
from optrun.store.lock import is_still

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, float | int | None]


@dataclass(frozen=True)
class Mark:
    """What a table held at some moment: its first `length` bytes, and their SHA-256."""

    length: int
    digest: str


class Table:
    """A CSV file open for appending.

    Floats are written in their shortest form that reads back as the same float64, None as an
    empty field.

    Args:
        path: the file.
        columns: its header.
        mark: what to keep of an existing file, as `mark()` gave it; None starts a new one.

    Raises:
        RunError: the file no longer holds what it held at the mark, or cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str], mark: Mark | None = None):
        self.path, self.columns = path, tuple(columns)
        header = ",".join(columns).encode() + b"\n"
        self._length, self._digest = 0, hashlib.sha256()
        try:
            # Unbuffered, so that a failed write leaves nothing behind that is written later.
            if mark is None:
                path.unlink(missing_ok=True)  # a link, above all, which must not be written through
                self._file = path.open("x+b", buffering=0)
                self._write(header)
            elif path.is_symlink():
                raise RunError(f"{path} is a link{way_out(path.parent)}")
            else:
                self._file = path.open("r+b", buffering=0)
                self._return_to(mark, header)
        except FileNotFoundError as error:
            raise RunError(f"{path} is gone{way_out(path.parent)}") from error
        except OSError as error:
            raise unwritable(path, error) from error

    def _return_to(self, mark: Mark, header: bytes) -> None:
        """Cut the file back to what it was at the mark."""
        content = self._file.read(mark.length)
        self._digest.update(content)
        if not content.startswith(header):
            self._file.close()
            raise RunError(
                f"{self.path} has other columns than this version of optrun writes"
                f"{way_out(self.path.parent)}"
            )
        if self._digest.hexdigest() != mark.digest:
            self._file.close()
            raise RunError(
                f"{self.path} was changed since the run's checkpoint{way_out(self.path.parent)}"
            )
        self._file.truncate(mark.length)
        self._length = mark.length

    def append(self, rows: Iterable[Row]) -> None:
        """Add rows of numbers by column; a column left out is empty, an unknown one an error.

        All rows are in the file afterwards, or none.
        """
        text = io.StringIO()
        csv.DictWriter(text, self.columns, lineterminator="\n").writerows(rows)
        self._write(text.getvalue().encode())

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            self._file.truncate(self._length)
            self._file.seek(self._length)
            raise unwritable(self.path, error) from error
        self._length += len(data)
        self._digest.update(data)

    def mark(self) -> Mark:
        """What has been written so far."""
        return Mark(self._length, self._digest.hexdigest())

    def sync(self) -> None:
        """Have all rows on the disk; a file that somebody removed or replaced is written again.

        Raises:
            RunError: somebody else has written to the file, or it cannot be written.
        """
        descriptor = self._file.fileno()
        if os.fstat(descriptor).st_size != self._length:
            raise RunError(
                f"{self.path} was changed while the run wrote to it{way_out(self.path.parent)}"
            )
        if not is_still(self.path, descriptor):
            self._write_again()
        os.fsync(self._file.fileno())

    def _write_again(self) -> None:
        self._file.seek(0)
        write_bytes(self.path, self._file.read())
        self._file.close()
        self._file = self.path.open("r+b", buffering=0)
        self._file.seek(self._length)

    def close(self) -> None:
        """Close the file; nothing can be appended afterwards."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_table(path: Path, integers: Sequence[str] = ()) -> "pd.DataFrame":
    """The table in `path`: float64 columns, empty fields as NaN, `integers` as int64.

    Raises:
        RunError: as `read_rows`; or an integer column is absent or holds other values.
    """
    import pandas as pd

    columns, rows = read_rows(path)
    for column in integers:
        if column not in columns:
            raise unreadable(path, ValueError(f"it has no column {column}"))
        numbers = rows[:, columns.index(column)]
        wrong = np.flatnonzero(~(np.isfinite(numbers) & (numbers == np.trunc(numbers))))
        if wrong.size:
            raise unreadable(path, ValueError(f"line {wrong[0] + 2} has no whole {column}"))
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(integers, "int64"))


def read_rows(path: Path) -> tuple[list[str], np.ndarray]:
    """The columns of the table in `path`, and its rows as float64 with NaN for empty fields.

    A last line without its end, as a killed writer leaves it, is not part of the table.

    Raises:
        RunError: the file is absent or empty, or a line of it is not numbers.
    """
    try:
        with regular_file(path) as file:
            text = file.read().decode("ascii")
        header, *lines = text[: text.rfind("\n") + 1].splitlines() or [""]
        if not header:
            raise ValueError("it is empty, without even the names of its columns")
        columns = header.split(",")
        values = [parse(line, number, len(columns)) for number, line in enumerate(lines, 2)]
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    return columns, np.array(values, dtype="float64").reshape(len(lines), len(columns))


def parse(line: str, number: int, width: int) -> list[float]:
    """The numbers of one line. Python reads every float exactly, older pandas do not."""
    fields = line.split(",")
    if len(fields) != width:
        raise ValueError(f"line {number} has {len(fields)} fields instead of {width}")
    try:
        return [float(field) if field else math.nan for field in fields]
    except ValueError:
        raise ValueError(f"line {number} holds something else than numbers") from None
