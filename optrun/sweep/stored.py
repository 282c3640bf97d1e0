"""What the run directories already say about the runs of a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from optrun.config.schema import Config
from optrun.metrics import EVALUATED, higher_is_better
from optrun.store.files import unreadable
from optrun.store.run_directory import DONE, RunDirectory
from optrun.store.table import read_rows


@dataclass(frozen=True)
class Stored:
    """A run as its directory has it.

    Attributes:
        status: of its summary; `waiting` where there is nothing yet.
        epochs: done when its summary was written.
        reason: why it ended as it did.
        figures: losses and accuracies of the epoch chosen so far, as the summary names them.
    """

    status: str
    epochs: int = 0
    reason: str | None = None
    figures: Mapping[str, float | None] = field(default_factory=dict)

    def has_come_to(self, pause_after: int | None) -> bool:
        """Whether nothing is left to be done, up to a pause after so many epochs."""
        paused = self.status == "stopped" and pause_after is not None and self.epochs >= pause_after
        return self.status in DONE or paused


def stored(directory: RunDirectory) -> Stored:
    """What the directory says.

    Raises:
        RunError: the directory is damaged, cannot be read, or a newer optrun wrote it.
    """
    if not directory.has_summary():
        return Stored("waiting")
    summary = directory.read_summary()
    figures = {name: summary.get(name) for name in EVALUATED}
    return Stored(summary["status"], summary.get("epochs") or 0, summary.get("reason"), figures)


def value_after(directory: RunDirectory, config: Config, metric: str, epochs: int | None) -> float:
    """How good a run was after so many epochs (None: at its end), lower being better.

    It is the metric at the epoch that `training.best_by` had chosen by then, so it does not
    depend on how far the run has gone since; inf where the run diverged before.

    Raises:
        RunError: metrics.csv is absent or damaged.
    """
    path = directory.path / "metrics.csv"
    columns, rows = read_rows(path)
    table = dict(zip(columns, rows.T, strict=True))
    if not {"epoch", metric} <= table.keys():
        raise unreadable(path, ValueError(f"it has no columns epoch and {metric}"))
    within = table["epoch"] <= (config.training.epochs if epochs is None else epochs)
    diverged = stored(directory).status == "diverged"
    if diverged and (epochs is None or table["epoch"].max(initial=-1) < epochs):
        return np.inf
    if not within.any():
        raise unreadable(path, ValueError("it has no epochs"))
    chooser = str(config.training.best_by)
    if chooser == "last":
        chosen = int(np.flatnonzero(within)[-1])
    else:
        merit = table[chooser][within]
        chosen = int(np.argmax(merit) if higher_is_better(chooser) else np.argmin(merit))
    value = float(table[metric][chosen])
    return -value if higher_is_better(metric) else value
