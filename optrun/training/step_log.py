"""steps.csv under way: the steps that are logged, and the last of a run."""

import math
from typing import Any

from optrun.engine.program import Program
from optrun.store.table import Table
from optrun.training.progress import Progress


class StepLog:
    """Writes rows of steps.csv, and has the last step's at hand.

    Args:
        table: open for appending.
        progress: of the run; its `last_step` and `logged` are kept here.
    """

    def __init__(self, program: Program, table: Table, progress: Progress):
        self.program, self.table, self.progress = program, table, progress

    def add_chunk(self, done: int, seconds: float) -> None:
        """Log the steps of a chunk whose turn it is; `progress` is that of before the chunk."""
        progress, every = self.progress, self.program.config.training.log_every
        rows = [
            self.row(k, progress.seconds_train + seconds * (k + 1) / done)
            for k in range(done)
            if (t := progress.step + k + 1) == 1 or t % every == 0
        ]
        progress.last_step = self.row(done - 1, progress.seconds_train + seconds)
        self.add(rows)

    def add_last(self) -> None:
        """Log the last step, unless it is logged."""
        if self.progress.step > self.progress.logged:
            self.add([self.progress.last_step])

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Append rows."""
        if rows:
            self.table.append(rows)
            self.progress.logged = rows[-1]["step"]

    def row(self, k: int, seconds: float) -> dict[str, Any]:
        """The row of steps.csv of the chunk's k-th step, counted from 0."""
        record, t = self.program.record, self.progress.step + k + 1
        ratio = float(record.ratio[k])
        return {
            "step": t,
            "epoch": t / self.program.steps_per_epoch,
            "lr": self.program.rate_at(t),
            "loss": float(record.loss[k]),
            "penalty": float(record.penalty[k]),
            "grad_norm": float(record.norm[k]),
            "update_ratio": ratio if math.isfinite(ratio) else None,
            "seconds": seconds,
        }
