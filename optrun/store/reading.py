"""Reading runs back: one in full, or the list of all under a root."""

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optrun.errors import RunError
from optrun.metrics import EPOCH_COLUMNS, STEP_COLUMNS
from optrun.store.files import DamagedFile, unreadable, way_out
from optrun.store.run_directory import RunDirectory
from optrun.store.table import read_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Run:
    """What a run directory holds.

    Attributes:
        path: the directory.
        config: the resolved config, a plain mapping.
        metrics: a row an epoch, epoch 0 being before training; NaN where a value was not measured.
        steps: a row a logged step, `epoch` in fractions.
        summary: status, final values and times.
        weights: the chosen weights, `layers.0.weight` (fan_in, fan_out), `layers.0.bias`, ...;
            empty as long as the run has not saved any.
    """

    path: Path
    config: dict[str, Any]
    metrics: "pd.DataFrame"
    steps: "pd.DataFrame"
    summary: dict[str, Any]
    weights: dict[str, np.ndarray]

    def __repr__(self) -> str:
        accuracy, loss = self.summary.get("test_accuracy"), self.summary.get("test_loss")
        result = f", test loss {loss:.4g}" if loss is not None else ""
        result = f", test accuracy {accuracy:.2%}" if accuracy is not None else result
        return f"Run({str(self.path)!r}: {self.summary['status']}{result})"

    def learning_rates(self) -> "pd.DataFrame":
        """`step`, `epoch`, `seconds` and `lr` of each logged step and of each epoch's last."""
        import pandas as pd

        columns = ["step", "epoch", "seconds", "lr"]
        begun = [t[columns] for t in (self.steps, self.metrics) if t["lr"].notna().any()]
        rows = pd.concat(begun or [self.steps[columns]]).dropna(subset="lr")
        return rows.drop_duplicates("step").sort_values("step", ignore_index=True)


@dataclass(frozen=True)
class RunRow:
    """A run in a listing. Values that it does not have are None.

    `status` is the summary's, but `interrupted` for a run that says `running` while nobody writes
    it, and `unreadable` for a directory that cannot be read.
    """

    name: str
    id: str | None
    status: str
    epochs: int | None
    train_loss: float | None
    val_accuracy: float | None
    val_loss: float | None
    test_accuracy: float | None
    test_loss: float | None
    seconds_train: float | None
    started: str | None
    directory: Path


def load_run(directory: str | Path) -> Run:
    """Read a run directory, whatever state the run is in.

    Raises:
        RunError: there is no such directory, it is not a run, a file in it is damaged, or a newer
            version of optrun wrote it.
    """
    path = Path(directory)
    check_is_run(path)
    files = RunDirectory(path)
    return Run(
        path=path,
        config=files.read_config(),
        metrics=rows_so_far(path / "metrics.csv", EPOCH_COLUMNS, files.read_metrics),
        steps=rows_so_far(path / "steps.csv", STEP_COLUMNS, files.read_steps),
        summary=files.read_summary(),
        weights=load_weights(files),
    )


WEIGHTS = re.compile(r"(average\.)?layers\.\d{1,4}\.[a-z_]+")


def load_weights(files: RunDirectory) -> dict[str, np.ndarray]:
    """The chosen weights, none if none are saved yet.

    Raises:
        RunError: the file is damaged, or holds other things than weights.
    """
    try:
        weights = files.load_best() if files.has_best() else {}
        for name, part in weights.items():
            if not WEIGHTS.fullmatch(name) or part.dtype not in (np.float32, np.float64):
                path = files.path / "best.npz"
                raise DamagedFile(f"{path} is damaged: it holds other things than weights")
    except DamagedFile as error:
        raise RunError(f"{error}{way_out(files.path)}") from error
    return weights


def rows_so_far(
    path: Path, columns: tuple[str, ...], read: Callable[[], "pd.DataFrame"]
) -> "pd.DataFrame":
    """The table, which a run that failed early has not begun and so has no rows of."""
    import pandas as pd

    return read() if path.exists() else pd.DataFrame(columns=list(columns), dtype="float64")


def list_runs(root: str | Path = "runs") -> list[RunRow]:
    """The runs under `root`, oldest first; unreadable ones last. A run itself is listed alone.

    Raises:
        RunError: `root` is not a directory that can be read.
    """
    root = Path(root)
    if (root / "summary.json").exists():
        return [describe(root)]
    try:
        directories = sorted(path for path in root.iterdir() if looks_like_run(path))
    except FileNotFoundError:
        raise RunError(f"there is no directory {root}; `optrun train` makes it") from None
    except OSError as error:
        raise unreadable(root, error) from error
    rows = [describe(path) for path in directories]
    return sorted(rows, key=lambda row: (row.status == "unreadable", row.started or ""))


def describe(path: Path) -> RunRow:
    """The listing's row for one directory."""
    files = RunDirectory(path)
    try:
        summary = files.read_summary()
    except RunError:
        return RunRow(
            path.name, None, "unreadable", None, None, None, None, None, None, None, None, path
        )
    if summary["status"] == "running":
        abandoned = not files.is_locked()
        summary |= last_row(path) | {"status": "interrupted" if abandoned else "running"}
    shared = {field.name: summary[field.name] for field in fields(RunRow) if field.name in summary}
    return RunRow(**{**shared, "name": summary["name"] or path.name}, directory=path)


def last_row(path: Path) -> dict[str, Any]:
    """What the last row of metrics.csv says, in the summary's words; empty if there is none."""
    try:
        columns, rows = read_rows(path / "metrics.csv")
    except RunError:  # not begun, or damaged: the listing shows what the summary has
        return {}
    if not len(rows):
        return {}
    row = {c: v.item() for c, v in zip(columns, rows[-1], strict=True) if np.isfinite(v)}
    return {
        "epochs": int(row["epoch"]) if "epoch" in row else None,
        "val_accuracy": row.get("val_accuracy"),
        "val_loss": row.get("val_loss"),
        "seconds_train": row.get("seconds"),
    }


def looks_like_run(path: Path) -> bool:
    """Whether a directory is one that a run was written to."""
    return (path / "config.yaml").exists() or (path / "summary.json").exists()


def check_is_run(path: Path) -> None:
    """Raise a RunError that helps to find the run meant, unless `path` is one."""
    if not path.exists():
        raise RunError(f"there is no run {path}{suggestion(path)}")
    if not path.is_dir():
        raise RunError(f"{path} {what_file(path)}")
    if looks_like_run(path):
        return
    inside = [child for child in path.iterdir() if looks_like_run(child)]
    hint = f"; it holds {len(inside)} of them, write {path}/*" if inside else ""
    raise RunError(f"{path} is not a run directory: it has no config.yaml{hint}")


def what_file(path: Path) -> str:
    """What a file is that was taken for a run, and what to write instead."""
    if looks_like_run(path.parent):
        return f"is a file; give the run's directory, {path.parent}"
    if path.suffix in (".yaml", ".yml"):
        return f"is a config, not a run; `optrun train {path}` trains it and names the run"
    return "is a file, not a run; give a run's directory, as `optrun runs` lists them"


def suggestion(path: Path) -> str:
    """The runs beside `path` that have a similar name, as the end of a sentence."""
    if not path.parent.is_dir():
        return f": there is no directory {path.parent}"
    names = sorted(child.name for child in path.parent.iterdir() if looks_like_run(child))
    begun = [name for name in names if name.startswith(path.name)]
    near = begun or difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    if not near:
        return ""
    return "; did you mean " + " or ".join(str(path.parent / name) for name in near[:3]) + "?"
