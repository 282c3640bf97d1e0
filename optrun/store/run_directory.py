"""A run's directory: which files it has, and how each is read and written."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optrun.errors import RunBusy, RunError
from optrun.metrics import EPOCH_COLUMNS, STEP_COLUMNS
from optrun.settings import flatten
from optrun.store import config_file
from optrun.store.files import (
    read_arrays,
    read_json,
    remove_leftovers,
    unreadable,
    unwritable,
    way_out,
    write_arrays,
    write_bytes,
    write_json,
    write_text,
)
from optrun.store.lock import Locked, folder_lock, is_locked
from optrun.store.summary import checked_summary
from optrun.store.table import Mark, Table, read_table

if TYPE_CHECKING:
    import pandas as pd

ABSENT = object()
FORMAT = 1
"""Version of the layout below. Raise it when an older optrun could misread a newer run."""

DONE = ("finished", "diverged")
"""Statuses of runs that there is nothing left to do for."""

FILES = {
    "config.yaml",
    "metrics.csv",
    "steps.csv",
    "curves.png",
    "summary.json",
    "environment.json",
    "checkpoint.npz",
    "best.npz",
}
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
        .writer           the process that writes the run, and holds the folder's lock

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
        writer = self.path / ".writer"
        with ExitStack() as held:
            try:
                held.enter_context(folder_lock(self.path, PROBE_SECONDS))
            except Locked:
                owner = process_in(writer)
                raise RunBusy(f"{self.path} is being written by another process{owner}") from None
            except OSError as error:
                raise unwritable(self.path, error) from error
            with suppress(OSError):  # a folder that can only be read may hold a finished run
                writer.unlink(missing_ok=True)
                with writer.open("x", encoding="utf-8") as file:
                    file.write(str(os.getpid()))
                held.callback(writer.unlink, missing_ok=True)
            remove_leftovers(self.path)
            yield

    def is_locked(self) -> bool:
        """Whether a living process is writing this run; True where that cannot be found out."""
        return is_locked(self.path)

    @property
    def curves(self) -> Path:
        """Where the picture of the curves is."""
        return self.path / "curves.png"

    def write_config(self, config: Mapping[str, Any]) -> None:
        write_text(self.path / "config.yaml", config_file.dump(config))

    def read_config(self) -> dict[str, Any]:
        return config_file.load(self.path / "config.yaml")

    def check_config(self, config: Mapping[str, Any]) -> None:
        """Check that the directory holds this resolved config, if it holds any.

        Raises:
            RunError: it holds another, or what it holds is damaged.
        """
        path = self.path / "config.yaml"
        if not path.exists():
            return
        stored = flatten({**self.read_config(), "name": None})
        expected = flatten({**config, "name": None})
        for key in stored.keys() | expected.keys():
            if stored.get(key, ABSENT) != expected.get(key, ABSENT):
                raise RunError(
                    f"{path} is not the config of this run: it differs in {key}; it was changed, "
                    f"or another config has the same id{way_out(self.path)}, or give the run "
                    "another name"
                )

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
        """The summary, with all its keys; RunError also if a newer optrun wrote the run."""
        summary = read_json(self.path / "summary.json")
        written = summary.get("format")
        try:
            if type(written) is not int:
                raise ValueError("it has no format")
            if written > FORMAT:
                version = str(summary.get("optrun"))[:20]
                raise RunError(
                    f"{self.path} was written by optrun {version} in format {str(written)[:20]}; "
                    f"this optrun reads formats up to {FORMAT}: upgrade it"
                )
            return checked_summary(summary)
        except ValueError as error:
            raise unreadable(self.path / "summary.json", error) from error

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
            raise RunError(f"{error}; delete the file to begin again") from error

    def wrong_checkpoint(self, error: Exception) -> RunError:
        """The error to raise where the checkpoint is whole but not of this run."""
        path = self.path / "checkpoint.npz"
        return RunError(f"{path} is not of this run: {error}; delete the file to begin again")

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
        """The run's files, to be taken elsewhere."""
        there = [name for name in sorted(FILES) if (self.path / name).is_file()]
        return {name: (self.path / name).read_bytes() for name in there}

    def write_all(self, files: Mapping[str, bytes]) -> None:
        """Put in place what `read_all` gave elsewhere.

        The files that count on the others come last, so that a process killed in between leaves a
        run that can be resumed.

        Raises:
            RunError: there are files that no run has, or they cannot be written.
        """
        if unknown := sorted(files.keys() - FILES):
            raise RunError(f"{self.path}: a run has no file named {unknown[0]!r}")
        for name in sorted(
            files, key=lambda name: VOUCHING.index(name) if name in VOUCHING else -1
        ):
            write_bytes(self.path / name, files[name])

    def open_metrics(self, mark: Mark | None = None) -> Table:
        """metrics.csv to append to: a new one, or the old one cut back to the mark."""
        return Table(self.path / "metrics.csv", EPOCH_COLUMNS, mark)

    def open_steps(self, mark: Mark | None = None) -> Table:
        """steps.csv to append to: a new one, or the old one cut back to the mark."""
        return Table(self.path / "steps.csv", STEP_COLUMNS, mark)

    def read_metrics(self) -> "pd.DataFrame":
        return read_table(self.path / "metrics.csv", integers=("epoch", "step"))

    def read_steps(self) -> "pd.DataFrame":
        return read_table(self.path / "steps.csv", integers=("step",))


def process_in(writer: Path) -> str:
    """` (pid N)` of the process that is noted in the file, as far as it can be read."""
    try:
        pid = writer.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return f" (pid {pid})" if pid.isdigit() else ""
