"""A run's directory: which files it has, and how each is read and written."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from optrun.errors import RunBusy, RunError
from optrun.metrics import EPOCH_COLUMNS, STEP_COLUMNS
from optrun.store import config_file
from optrun.store.files import (
    read_arrays,
    read_json,
    remove_leftovers,
    unreadable,
    unwritable,
    write_arrays,
    write_bytes,
    write_json,
    write_text,
)
from optrun.store.table import Table, read_table

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
"""Version of the layout below. Raise it when an older optrun could misread a newer run."""

DONE = ("finished", "diverged")
"""Statuses of runs that there is nothing left to do for."""

LOCKED = (".yaml", ".json", ".npz")
"""Files that only the holder of the lock writes; pictures are drawn by anybody."""

VOUCHING = ("checkpoint.npz", "summary.json")
"""Files that count on the others being there."""

PROBE_SECONDS = 0.2  # longer than a listing holds the lock to see whether anybody else does


@dataclass(frozen=True)
class RunDirectory:
    """The files of one run.

        config.yaml       resolved config
        metrics.csv       a row an epoch, EPOCH_COLUMNS
        steps.csv         a row a logged step, STEP_COLUMNS
        curves.png        drawn from the two
        summary.json      flat: status and final values
        environment.json  versions and machine
        checkpoint.npz    everything needed to go on
        best.npz          the chosen weights
        .lock             held by the process that writes the run

    Every file is replaced atomically but the two tables, which are appended to. Reading raises
    RunError where a file is absent or damaged.
    """

    path: Path

    @classmethod
    def named(cls, root: Path, name: str, run_id: str) -> "RunDirectory":
        """Where a run of this name and id lives under `root`."""
        return cls(root / f"{name}-{run_id}")

    @classmethod
    def of(cls, root: Path, config: Mapping[str, Any], run_id: str) -> "RunDirectory":
        """Where the run of a resolved config lives under `root`."""
        return cls.named(root, str(config["name"]), run_id)

    def create(self) -> None:
        """Make the directory, if it is not there."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only writer while the block runs. A writer that died holds no lock.

        Raises:
            RunBusy: another process is writing this run.
            RunError: the lock cannot be written.
        """
        file = self.path / ".lock"
        owner = last_owner(file)
        guard = FileLock(file, timeout=PROBE_SECONDS)
        try:
            guard.acquire()
        except Timeout:
            raise RunBusy(f"{self.path} is being written by another process{owner}") from None
        except OSError as error:
            raise unwritable(file, error) from error
        try:
            with suppress(OSError):  # Windows lets nobody write to a locked file
                file.write_text(str(os.getpid()), encoding="utf-8")
            remove_leftovers(self.path, LOCKED)
            yield
        finally:
            guard.release()

    def is_locked(self) -> bool:
        """Whether a living process is writing this run; True where that cannot be found out."""
        file = self.path / ".lock"
        if not file.exists():
            return False
        guard = FileLock(file, timeout=0)
        try:
            guard.acquire()
        except (Timeout, OSError):
            return True
        guard.release()
        return False

    @property
    def curves(self) -> Path:
        """Where the picture of the curves is."""
        return self.path / "curves.png"

    def write_config(self, config: Mapping[str, Any]) -> None:
        write_text(self.path / "config.yaml", config_file.dump(config))

    def read_config(self) -> dict[str, Any]:
        return config_file.load(self.path / "config.yaml")

    def has_summary(self) -> bool:
        """Whether the run has been begun; RunError where that cannot be known."""
        file = self.path / "summary.json"
        try:
            file.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise unreadable(file, error) from error
        return True

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Replace summary.json; the version of the directory's format is added to it."""
        write_json(self.path / "summary.json", {**summary, "format": FORMAT})

    def read_summary(self) -> dict[str, Any]:
        """The summary; RunError also if a newer optrun wrote the run."""
        summary = read_json(self.path / "summary.json")
        written = summary.get("format")
        if not isinstance(written, int) or not isinstance(summary.get("status"), str):
            raise unreadable(self.path / "summary.json", ValueError("no status, or no format"))
        if written > FORMAT:
            raise RunError(
                f"{self.path} was written by optrun {summary.get('optrun')} in format {written}; "
                f"this optrun reads formats up to {FORMAT}: upgrade it"
            )
        return summary

    def write_environment(self, environment: Mapping[str, Any]) -> None:
        write_json(self.path / "environment.json", environment)

    def read_environment(self) -> dict[str, Any]:
        return read_json(self.path / "environment.json")

    def save_checkpoint(self, arrays: Mapping[str, Any]) -> None:
        """Replace checkpoint.npz by named arrays (or scalars) of numbers or text."""
        write_arrays(self.path / "checkpoint.npz", arrays)

    def load_checkpoint(self) -> dict[str, np.ndarray]:
        """The arrays of the checkpoint; RunError with the way out if it is damaged."""
        try:
            return read_arrays(self.path / "checkpoint.npz")
        except RunError as error:
            raise RunError(f"{error}; delete the file to begin the run anew") from error

    def forget_checkpoint(self) -> None:
        """Remove the checkpoint, so that the run begins anew."""
        (self.path / "checkpoint.npz").unlink(missing_ok=True)

    def has_checkpoint(self) -> bool:
        return (self.path / "checkpoint.npz").exists()

    def save_best(self, weights: Mapping[str, np.ndarray]) -> None:
        """Replace best.npz by `layers.0.weight` (fan_in, fan_out), `layers.0.bias`, ..."""
        write_arrays(self.path / "best.npz", weights)

    def load_best(self) -> dict[str, np.ndarray]:
        return read_arrays(self.path / "best.npz")

    def has_best(self) -> bool:
        return (self.path / "best.npz").exists()

    def read_all(self) -> dict[str, bytes]:
        """Everything that is in the directory, to be taken elsewhere."""
        files = [file for file in self.path.iterdir() if not file.name.startswith(".")]
        return {file.name: file.read_bytes() for file in sorted(files) if file.is_file()}

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Put in place what `read_all` gave elsewhere.

        What vouches for the rest comes after it: whoever is killed in between leaves a run that
        can be taken up.
        """
        for name in sorted(
            files, key=lambda name: VOUCHING.index(name) if name in VOUCHING else -1
        ):
            write_bytes(self.path / name, files[name])

    def open_metrics(self, length: int | None = None) -> Table:
        """metrics.csv to append to: anew, or cut back to its first `length` bytes."""
        return Table(self.path / "metrics.csv", EPOCH_COLUMNS, length)

    def open_steps(self, length: int | None = None) -> Table:
        """steps.csv to append to: anew, or cut back to its first `length` bytes."""
        return Table(self.path / "steps.csv", STEP_COLUMNS, length)

    def read_metrics(self) -> "pd.DataFrame":
        return read_table(self.path / "metrics.csv", integers=("epoch", "step"))

    def read_steps(self) -> "pd.DataFrame":
        return read_table(self.path / "steps.csv", integers=("step",))


def last_owner(lock: Path) -> str:
    """` (pid N)` of the process that last took the lock, as far as it can be read."""
    try:
        pid = lock.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return f" (pid {pid})" if pid.isdigit() else ""
