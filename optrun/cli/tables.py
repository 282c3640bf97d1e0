"""Printing tables."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

UNLIMITED = 10_000


def width_of(console: "Console") -> int | None:
    """Letters of a line; None where the output is no terminal, and lines may be of any length.

    There it also widens the console, so that no line is broken.
    """
    if console.is_terminal:
        return console.width
    console.width = UNLIMITED
    return None


def show(console: "Console", table: "Table") -> None:
    """Print a table, as wide as it needs to be where the output is no terminal."""
    width_of(console)
    console.print(table)
