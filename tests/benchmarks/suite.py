"""The benchmarks by name: choosing some, and running one."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

NAMES = ("epoch", "components", "denormals", "overhead", "startup", "memory", "sweeps")
"""Each is a module of this package with a `measure()` that yields rows."""
ON_REQUEST = ("results",)
"""The same, but run only if named: they measure what comes out of training, not how long it takes,
and take much longer."""

Row = dict[str, Any]
"""One line of a benchmark's table: `case`, then figures named after what they are and their unit.

A row with a promise to keep ends with `bound`, in words, and `holds`.
"""


def select(wanted: Sequence[str]) -> list[str]:
    """The benchmarks to run, in their own order: those wanted, or all of NAMES if none is named.

    Raises:
        ValueError: a name that no benchmark has.
    """
    known = (*NAMES, *ON_REQUEST)
    if unknown := [name for name in wanted if name not in known]:
        raise ValueError(f"no benchmark is named {unknown[0]!r}; there are {', '.join(known)}")
    return [name for name in known if name in (wanted or NAMES)]


def title(name: str) -> str:
    """What a benchmark measures, the first line of its module."""
    return (import_module(f"{__package__}.{name}").__doc__ or "").splitlines()[0]


def measure(name: str, options: Mapping[str, Any]) -> Iterator[Row]:
    """Run a benchmark; its rows as they come. Options are for those on request."""
    given = options if name in ON_REQUEST else {}
    yield from import_module(f"{__package__}.{name}").measure(**given)


def at_least(figure: str, row: Row, bound: float) -> Row:
    """The row with the promise that a figure of it is not below the bound."""
    return row | {"bound": f"{figure} ≥ {bound:g}", "holds": row[figure] >= bound}


def at_most(figure: str, row: Row, bound: float) -> Row:
    """The row with the promise that a figure of it is not above the bound."""
    return row | {"bound": f"{figure} ≤ {bound:g}", "holds": row[figure] <= bound}
