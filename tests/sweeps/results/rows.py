"""Rows of a sweep's results, written down without any run."""

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

from optrun.metrics import EVALUATED, TESTED
from optrun.sweeps.results.rows import ResultRow

Figures = Mapping[tuple[Any, ...], Sequence[float | str | None]]


def row(
    settings: Mapping[str, Any], seed: int, value: float | str | None, metric: str
) -> ResultRow:
    """A run that reached `value`, or has the status that stands in its place."""
    status = value if isinstance(value, str) else "finished"
    figures = dict.fromkeys(EVALUATED) | {metric: None if isinstance(value, str) else value}
    id = f"{crc32(repr((settings, seed)).encode()):010x}"
    reason = "OSError: no space" if status == "failed" else None
    test = dict.fromkeys(TESTED)
    return ResultRow(
        settings, seed, status, 5, 5, None, figures, figures, test, id, f"toy-{id}", reason
    )


def rows(figures: Figures, keys: Sequence[str], metric: str = "val_accuracy") -> list[ResultRow]:
    """The runs of some settings over seeds 0, 1, ...

    Args:
        figures: for the values of `keys` the metric by seed, or in its place a status.
        keys: of the sweep; a value of `...` is left out.
        metric: that `figures` are of.
    """
    return [
        row({k: v for k, v in zip(keys, values, strict=True) if v is not ...}, seed, figure, metric)
        for values, each in figures.items()
        for seed, figure in enumerate(each)
    ]
