"""Locks on folders, which a process holds until it releases them or dies."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from filelock import FileLock, Timeout

POLL_SECONDS = 0.02


class Locked(Exception):
    """Another process, or another part of this one, holds the lock."""


@contextmanager
def folder_lock(folder: Path, timeout: float = 0.0) -> Iterator[None]:
    """Hold the lock of an existing folder while the block runs.

    The lock is on the folder itself, so removing a file cannot lose it. Where folders cannot be
    locked (Windows, some network file systems) it is on the file `.lock` in the folder.

    Args:
        folder: what to lock.
        timeout: how long to wait for another holder, in seconds.

    Raises:
        Locked: the lock is held elsewhere.
        OSError: the folder is absent, or the lock cannot be taken.
    """
    descriptor = lock_of_folder(folder, timeout) if os.name == "posix" else None
    if descriptor is not None:
        try:
            yield
        finally:
            os.close(descriptor)
        return
    try:
        guard = FileLock(folder / ".lock", timeout=timeout, is_singleton=False).acquire()
    except Timeout:
        raise Locked(folder) from None
    with guard:
        yield


def lock_of_folder(folder: Path, timeout: float) -> int | None:
    """The open folder, locked; None where its file system does not lock folders."""
    import fcntl

    deadline = monotonic() + timeout
    while True:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if is_still(folder, descriptor):
                return descriptor
        except BlockingIOError:
            if monotonic() > deadline:
                os.close(descriptor)
                raise Locked(folder) from None
            sleep(POLL_SECONDS)
        except OSError:
            os.close(descriptor)
            return None
        os.close(descriptor)


def is_still(path: Path, descriptor: int) -> bool:
    """Whether `path` names the file or folder that is open, and nothing has replaced it."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def is_locked(folder: Path) -> bool:
    """Whether somebody holds the folder's lock; True where that cannot be found out."""
    if os.name != "posix" and not (folder / ".lock").exists():
        return False
    try:
        with folder_lock(folder):
            return False
    except FileNotFoundError:
        return False
    except (Locked, OSError):
        return True
