"""summary.json: its keys, in their order, and what may stand under each."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from optrun.metrics import WHOSE

STATUSES = ("running", "finished", "stopped", "diverged", "failed")
TIMES = ("started", "ended")
LARGEST_COUNT = 2**63

SUMMARY: dict[str, type] = {
    "status": str,
    "name": str,
    "id": str,
    "epochs": int,
    "steps": int,
    **{
        f"{whose}{name}": kind
        for whose in WHOSE
        for name, kind in {
            "best_epoch": int,
            "train_loss": float,
            "train_accuracy": float,
            "val_loss": float,
            "val_accuracy": float,
            "test_loss": float,
            "test_accuracy": float,
        }.items()
    },
    "sparsity": float,
    "seconds_train": float,
    "seconds_eval": float,
    "seconds_compile": float,
    "samples_per_second": float,
    "peak_memory_mb": float,
    "diverged_step": int,
    "reason": str,
    "started": str,
    "ended": str,
    "optrun": str,
}
"""What a summary has under each key, where it is not null: what the run has not come to."""

EMPTY_SUMMARY: dict[str, Any] = dict.fromkeys(SUMMARY)


def checked_summary(found: Mapping[str, Any]) -> dict[str, Any]:
    """The known keys of a summary that was read; those it lacks, as an older one may, are None.

    Raises:
        ValueError: a value is not what the key stands for.
    """
    summary = EMPTY_SUMMARY | {key: value for key, value in found.items() if key in SUMMARY}
    for key, value in summary.items():
        if value is not None and not is_of(SUMMARY[key], value):
            raise ValueError(f"{key} is not {KINDS[SUMMARY[key]]}")
    if summary["status"] not in STATUSES:
        raise ValueError("status is none that a run has")
    for key in TIMES:
        if summary[key] is not None:
            datetime.fromisoformat(summary[key])
    return summary


KINDS = {str: "a text", int: "a whole number", float: "a number"}


def is_of(kind: type, value: Any) -> bool:
    """Whether the value is a text, a whole number from 0 on, or a finite number."""
    if kind is str or isinstance(value, bool):
        return kind is str and isinstance(value, str)
    if kind is int:
        return isinstance(value, int) and 0 <= value < LARGEST_COUNT
    return (isinstance(value, float | int) and abs(value) < LARGEST_COUNT) or (
        isinstance(value, float) and math.isfinite(value)
    )
