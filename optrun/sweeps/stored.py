"""What the run directories already say about the runs of a sweep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from optrun.config.schema import Config
from optrun.metrics import AVERAGE, EVALUATED, higher_is_better, whose
from optrun.store.files import unreadable
from optrun.store.run_directory import DONE, RunDirectory
from optrun.store.table import read_rows
from optrun.training.selection import Row, rank


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
    depend on how far the run has gone since; inf where the run diverged before. A metric of the
    averaged weights is taken at the epoch chosen of them; before there is an average, the weights
    themselves stand in.

    Raises:
        RunError: metrics.csv is absent or damaged.
    """
    path = directory.path / "metrics.csv"
    columns, rows = read_rows(path)
    if missing := {"epoch", *EVALUATED} - set(columns):
        raise unreadable(path, ValueError(f"it has no column {min(missing)}"))
    table: list[Row] = [dict(zip(columns, row.tolist(), strict=True)) for row in rows]
    wanted = config.training.epochs if epochs is None else epochs
    within = [row for row in table if row["epoch"] <= wanted]
    diverged = stored(directory).status == "diverged"
    if diverged and (epochs is None or not table or table[-1]["epoch"] < epochs):
        return np.inf
    if not within:
        raise unreadable(path, ValueError("it has no epochs"))
    best_by = str(config.training.best_by)
    chosen = best_row(within, best_by, whose(metric))
    if chosen is None:
        metric = metric.removeprefix(AVERAGE)
        chosen = best_row(within, best_by, "")
    if chosen is None:
        return np.inf
    return -chosen[metric] if higher_is_better(metric) else chosen[metric]


def best_row(rows: Sequence[Row], best_by: str, whose: str) -> Row | None:
    """The row of the epoch that is chosen of some weights, if they have any."""
    places = [(found, row) for row in rows if (found := rank(row, best_by, whose))]
    return min(places, key=lambda each: each[0])[1] if places else None
