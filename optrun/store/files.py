"""Files that are either the old ones or the new ones, whatever happens in between."""

import errno
import hashlib
import json
import math
import os
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from zipfile import ZipFile

import numpy as np
import yaml

from optrun.errors import DiskFull, RunError

FULL = {errno.ENOSPC, errno.EDQUOT}
MOST_BYTES = 1_000_000
"""The size of the largest text that is read whole: configs and summaries are far smaller."""
SEAL = 64
"""The letters of a SHA-256."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, with its suffix; leaving the block renames it there.

    The file is flushed to disk before the rename. An exception in the block, or the death of the
    process, leaves the earlier file as it was.

    Raises:
        RunError: the disk is full, or the place cannot be written.
    """
    mark = f"{os.getpid()}-{secrets.token_hex(4)}"
    temporary = path.with_name(f".{path.stem}.{mark}.tmp{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that killed processes have left of `replacing` in the folder."""
    for leftover in folder.glob(".*.tmp*"):
        mark = re.search(r"\.(\d+)-[0-9a-f]+\.tmp", leftover.name)
        if mark and not is_running(int(mark[1])):
            with suppress(OSError):
                leftover.unlink()


def is_running(pid: int) -> bool:
    """Whether this machine has a process of this number.

    Windows cannot be asked without a library; but there nobody can remove an open file.
    """
    if os.name != "posix":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable, where the system lets folders be synchronised."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # what file systems without it answer
            raise
    finally:
        os.close(descriptor)


def unwritable(path: Path, error: OSError) -> RunError:
    """The error to raise when `path` could not be written."""
    if error.errno in FULL:
        return DiskFull(
            f"no space left on the disk while writing {path}; make room and start again, "
            "what was written before is intact"
        )
    return RunError(f"{path} cannot be written: {error.strerror or error}")


class DamagedFile(RunError):
    """A file of a run whose content is not what optrun writes."""


def unreadable(path: Path, error: Exception) -> RunError:
    """The error to raise when a run's file at `path` could not be read."""
    if isinstance(error, FileNotFoundError):
        return RunError(f"{path} does not exist")
    if isinstance(error, OSError) and error.strerror:
        return RunError(f"{path} cannot be read: {error.strerror}")
    return DamagedFile(f"{path} is damaged: {damage(error)}{way_out(path.parent)}")


def damage(error: Exception) -> str:
    """What is wrong with a file, in a line and without the reader's insides."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not text"
    if isinstance(error, json.JSONDecodeError):
        return f"it is cut short or no JSON from line {error.lineno} on"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, yaml.YAMLError):
        mark = getattr(error, "problem_mark", None)
        return "it is not YAML" + (f" from line {mark.line + 1} on" if mark else "")
    return str(error)


def way_out(directory: Path) -> str:
    """How a sentence on damage ends: what to do."""
    return f"; delete the directory {directory} to train the run again"


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Replace `path` by `content`."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextmanager
def regular_file(path: Path) -> Iterator[IO[bytes]]:
    """The file at `path`, open for reading.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is a pipe or a device, which might never end.
    """
    # without O_NONBLOCK, opening a pipe waits for somebody who writes to it
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a regular file")
        yield file


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """The text of `path`; RunError if it is absent, longer than `most` bytes or no UTF-8."""
    try:
        with regular_file(path) as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise ValueError(f"it has more than {most:,} bytes")
        return content.decode("utf-8")
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Replace `path` by `values`; NaN and infinities, which JSON lacks, become null."""
    write_text(
        path, json.dumps(plain(values), indent=2, allow_nan=False, ensure_ascii=False) + "\n"
    )


def read_json(path: Path) -> dict[str, Any]:
    """The mapping in `path`; RunError if it is absent or no JSON mapping."""
    try:
        values = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise unreadable(path, error) from error
    if not isinstance(values, dict):
        raise unreadable(path, ValueError("it holds no mapping"))
    return values


def plain(value: Any) -> Any:
    """`value` in the terms of JSON: NumPy scalars as Python's, non-finite numbers as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Replace the npz file `path` by `arrays`, uncompressed.

    Raises:
        TypeError: an array holds Python objects, which would be pickled.
    """
    numeric = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in numeric.items():
        if array.dtype.hasobject:
            raise TypeError(f"{name} holds Python objects; only numbers and text are stored")
    with replacing(path) as temporary:
        with ZipFile(temporary, "w") as archive:
            archive.comment = bytes(SEAL)
            for name, array in numeric.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                    write_array(file, array)
        seal(temporary)


def seal(path: Path) -> None:
    """Put the SHA-256 of all before it into the comment that the archive ends in."""
    with path.open("rb+") as file:
        digest = digest_before_seal(file)
        file.write(digest)


def digest_before_seal(file: IO[bytes]) -> bytes:
    """SHA-256 of all but the last SEAL bytes, in hexadecimal; the file is left there."""
    left = file.seek(0, os.SEEK_END) - SEAL
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0 and (block := file.read(min(left, 1 << 20))):
        digest.update(block)
        left -= len(block)
    return digest.hexdigest().encode()


def write_array(file: IO[bytes], array: np.ndarray) -> None:
    """Write the bytes that `np.save` would, without its copies of 16 MB and more.

    A full disk is told for what it is, which `np.save` does not do.
    """
    header = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(file, header)
    in_order = array.T if header["fortran_order"] else np.ascontiguousarray(array)
    file.write(in_order.reshape(-1).view(np.uint8).data)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of the npz file `path`; RunError if it is absent or not as it was written."""
    try:
        with regular_file(path) as file:
            if digest_before_seal(file) != file.read():
                raise ValueError("its checksum is another")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                if any(member.compress_type for member in archive.zip.infolist()):
                    raise ValueError("it is compressed, so its size is unknown")
                return {name: archive[name] for name in archive.files}
    except Exception as error:  # damaged archives raise a dozen kinds, by where the damage is
        if isinstance(error, OSError) and error.strerror:
            raise unreadable(path, error) from error
        raise DamagedFile(f"{path} is damaged: it is cut short or changed") from error
