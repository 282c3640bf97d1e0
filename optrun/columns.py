"""What the columns of a run's files mean, as `optrun list metrics` shows them."""

from dataclasses import dataclass

from optrun.metrics import METRICS, PER_EPOCH, PER_STEP
from optrun.store.summary import SUMMARY


@dataclass(frozen=True)
class Column:
    """A column of a table, or a key of summary.json.

    Attributes:
        file: that it is in.
        name: as it stands there.
        meaning: in a sentence or two, with the unit.
    """

    file: str
    name: str
    meaning: str


FACTS = {
    "status": "running, finished, stopped (on request, to be taken up again), diverged or failed.",
    "name": "The config's name.",
    "id": "Hash of the config, the dataset's content and the version of the numerics: the same id "
    "is the same run.",
    "epochs": "Epochs done.",
    "steps": "Optimizer steps done.",
    "best_epoch": "The epoch whose weights were chosen, by `training.best_by`. Losses and "
    "accuracies in this file are of that epoch. 0 is the start.",
    "average_best_epoch": "The epoch whose averaged weights were chosen.",
    "seconds_train": "Seconds of training, without evaluation and compilation.",
    "seconds_eval": "Seconds of evaluation.",
    "seconds_compile": "Seconds until kernels were ready.",
    "samples_per_second": "Training examples per second of training.",
    "peak_memory_mb": "The most memory that the process held, in MB (10⁶ bytes).",
    "diverged_step": "The step at which the run diverged; null if it did not.",
    "reason": "Why the run ended before its last epoch, if it did.",
    "started": "When the run was begun, in UTC.",
    "ended": "When the run ended, in UTC.",
    "optrun": "The version of optrun.",
    "format": "The version of the files' format.",
}
"""Keys of summary.json that are no metrics."""
COLUMNS: tuple[Column, ...] = (
    *(Column("metrics.csv", metric.name, metric.meaning) for metric in PER_EPOCH),
    *(Column("steps.csv", metric.name, metric.meaning) for metric in PER_STEP),
    *(Column("summary.json", name, meaning) for name, meaning in FACTS.items()),
    *(Column("summary.json", name, METRICS[name].meaning) for name in SUMMARY if name in METRICS),
)
WORDS = ("metrics", "steps", "summary")
"""What a file can be called in short."""
ROWS = {
    "metrics.csv": "a row an epoch, and one before training",
    "steps.csv": "a row every `training.log_every` steps",
    "summary.json": "the run as a whole; null is what it has not come to",
}


def columns(word: str) -> list[Column]:
    """What a word names: all columns (`metrics`), those of a file, or one by its name."""
    if word == "metrics":
        return list(COLUMNS)
    return [c for c in COLUMNS if word in (c.file, c.file.split(".")[0], c.name)]
