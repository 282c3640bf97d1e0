"""Printing tables."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

UNLIMITED = 10_000


def show(console: "Console", table: "Table") -> None:
    """Print a table, as wide as it needs to be where the output is no terminal."""
    if not console.is_terminal:
        unlimited = console.options.update_width(UNLIMITED)
        console.width = max(console.width, console.measure(table, options=unlimited).maximum)
    console.print(table)
