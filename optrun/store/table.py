"""Tables of numbers that grow by rows: append-only CSV, exact to the last bit."""

import csv
import io
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from optrun.errors import RunError
from optrun.store.files import unreadable, unwritable

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, float | int | None]


class Table:
    """A CSV file open for appending.

    Floats are written in their shortest form that reads back as the same float64, None as an
    empty field.

    Args:
        path: the file.
        columns: its header.
        length: bytes to keep of an existing file, as `length()` gave them; None starts anew.

    Raises:
        RunError: the file is not the one that had `length` bytes, or cannot be written.
    """

    def __init__(self, path: Path, columns: Sequence[str], length: int | None = None):
        self.path, self.columns = path, tuple(columns)
        header = ",".join(columns).encode() + b"\n"
        try:
            # Unbuffered, so that a failed write leaves nothing behind that is written later.
            if length is None:
                self._file = path.open("wb", buffering=0)
                self._length = 0
                self._write(header)
            else:
                self._check(header, length)
                self._file = path.open("r+b", buffering=0)
                self._file.truncate(length)
                self._file.seek(length)
                self._length = length
        except OSError as error:
            raise unwritable(path, error) from error

    def _check(self, header: bytes, length: int) -> None:
        with self.path.open("rb") as file:
            if file.read(len(header)) != header:
                raise RunError(f"{self.path} has other columns than this version of optrun writes")
            file.seek(length - 1)
            if file.read(1) != b"\n":
                raise RunError(
                    f"{self.path} no longer holds the first {length} bytes that the checkpoint "
                    "counts on; it was changed since"
                )

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

    def length(self) -> int:
        """Bytes written so far."""
        return self._length

    def sync(self) -> None:
        """Have all rows on the disk before returning."""
        os.fsync(self._file.fileno())

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
        text = path.read_bytes().decode("ascii")
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
