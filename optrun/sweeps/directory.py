"""A sweep's directory: which files it has, and what becomes of those of an earlier sweep."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optrun.errors import RunError
from optrun.metrics import METRICS
from optrun.store import config_file
from optrun.store.files import (
    read_text,
    remove_leftovers,
    unreadable,
    unwritable,
    write_text,
)
from optrun.store.lock import Locked, folder_lock
from optrun.yaml_text import to_yaml

HEADING = "# Every setting of this sweep. `optrun sweep` on this file takes it up or repeats it.\n"
FOLDER = "sweeps"


@dataclass(frozen=True)
class SweepDirectory:
    """The files of one sweep.

        sweep.yaml    what was asked for, base config included
        results.csv   a row a run
        summary.md    what came of it
        sweep.png     the same as a picture
        earlier-1/    the files of another sweep that had the same name before

    The runs themselves lie where all runs do, beside the folder of sweeps.
    """

    path: Path

    @classmethod
    def named(cls, out: Path, name: str) -> "SweepDirectory":
        """Where a sweep of this name lives, given where runs do."""
        return cls(out / FOLDER / name)

    @property
    def runs(self) -> Path:
        """Where the run directories are."""
        return self.path.parent.parent

    @property
    def spec(self) -> Path:
        return self.path / "sweep.yaml"

    @property
    def results(self) -> Path:
        return self.path / "results.csv"

    @property
    def summary(self) -> Path:
        return self.path / "summary.md"

    @property
    def picture(self) -> Path:
        return self.path / "sweep.png"

    def metric(self) -> str:
        """What the sweep's settings are ranked by, as sweep.yaml has it.

        Raises:
            RunError: the file is absent or damaged.
        """
        written = config_file.load(self.spec).get("sweep")
        metric = written.get("metric") if isinstance(written, Mapping) else None
        if metric not in METRICS:
            raise unreadable(self.spec, ValueError("it names no metric"))
        return str(metric)

    @contextmanager
    def taken(self, written: Mapping[str, Any]) -> Iterator[Path | None]:
        """Have the directory be the sweep's while the block runs.

        What another sweep has left there is kept. Several processes may be at the same sweep; all
        come to the same files.

        Args:
            written: what sweep.yaml is to hold.

        Yields:
            Where the files of the sweep that was there are now; None: there was none.

        Raises:
            RunError: another sweep of this name is running, or the directory cannot be written.
        """
        text, is_ours = HEADING + to_yaml(written), False
        with ExitStack() as held:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                with suppress(Locked):
                    held.enter_context(folder_lock(self.path))
                    is_ours = True
                if is_ours:
                    remove_leftovers(self.path)
                aside = self._make_room(text, is_ours)
            except OSError as error:
                raise unwritable(self.path, error) from error
            write_text(self.spec, text)
            yield aside

    def _make_room(self, text: str, is_ours: bool) -> Path | None:
        """Put aside what another sweep has left, unless it is still at work."""
        if not self.spec.exists() or read_text(self.spec) == text:
            return None
        if not is_ours:
            name = self.path.name
            raise RunError(
                f"another sweep named {name} is running; give this one a name of its own: "
                f"sweep.name={name}-2"
            )
        return self._put_aside()

    def _put_aside(self) -> Path:
        number = 1
        while (aside := self.path / f"earlier-{number}" / self.spec.name).exists():
            number += 1
        aside.parent.mkdir(exist_ok=True)
        # sweep.yaml last: until it has moved, whoever begins anew goes on with this
        for file in (self.results, self.summary, self.picture, self.spec):
            if file.exists():
                file.rename(aside.with_name(file.name))
        return aside.parent


def named_sweep(out: Path, name: str) -> SweepDirectory:
    """The sweep of this name.

    Raises:
        RunError: there is none.
    """
    directory = SweepDirectory.named(out, name)
    if not directory.spec.exists():
        folder = directory.path.parent
        names = sorted(spec.parent.name for spec in folder.glob("*/sweep.yaml"))
        there = f"there are {', '.join(names)}" if names else "there is none yet"
        raise RunError(f"no sweep in {folder} is named {name}; {there}")
    return directory
