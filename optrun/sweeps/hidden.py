"""Which runs' test figures are not shown: those of candidates that a sweep did not choose.

Test figures are for settings that were chosen on validation data. Shown for all candidates, they
would be chosen by.
"""

import csv
from pathlib import Path

from optrun.errors import RunError
from optrun.sweeps.directory import FOLDER, SweepDirectory
from optrun.sweeps.results.comparison import compare
from optrun.sweeps.results.rows import read_results


class HiddenTests:
    """Tells of runs whether their test figures are hidden; each folder of runs is read once."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[dict[str, str], set[str]]] = {}

    def __call__(self, run: Path) -> bool:
        """Whether a sweep in the run's folder has the run, and none has chosen it."""
        sweeps, chosen = self.in_folder(run.absolute().parent)
        return run.absolute().name in sweeps and run.absolute().name not in chosen

    def sweep_of(self, run: Path) -> str | None:
        """The name of the sweep that the run belongs to, if it belongs to any."""
        return self.in_folder(run.absolute().parent)[0].get(run.absolute().name)

    def in_folder(self, folder: Path) -> tuple[dict[str, str], set[str]]:
        """The directories of runs that belong to sweeps, with a sweep's name; those chosen."""
        if folder not in self._known:
            self._known[folder] = swept_in(folder)
        return self._known[folder]


def swept_in(out: Path) -> tuple[dict[str, str], set[str]]:
    """The directories of runs that belong to sweeps, with the sweep's name; those it chose."""
    sweeps: dict[str, str] = {}
    chosen: set[str] = set()
    for file in sorted(out.glob(f"{FOLDER}/**/results.csv")):
        name = file.relative_to(out / FOLDER).parts[0]
        sweeps |= dict.fromkeys(directories_in(file), name)
        chosen |= chosen_in(SweepDirectory(file.parent))
    return sweeps, chosen


def directories_in(results: Path) -> list[str]:
    """The run directories that a results.csv names, as far as it can be read.

    What is damaged, or of another version, hides test figures all the same.
    """
    try:
        with results.open(encoding="utf-8", errors="replace", newline="") as file:
            return [row["directory"] for row in csv.DictReader(file) if row.get("directory")]
    except (OSError, csv.Error):
        return []


def chosen_in(directory: SweepDirectory) -> set[str]:
    """The directories of the runs that a sweep chose; none before it is over."""
    try:
        results = read_results(directory.results)
        if not directory.summary.exists() or any(row.status == "waiting" for row in results.rows):
            return set()
        comparison = compare(results.rows, results.keys, directory.metric())
    except RunError:
        return set()
    chosen = [group.best for group in comparison.groups if group.best]
    return {row.directory for setting in chosen for row in setting.rows}
