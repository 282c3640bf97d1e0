"""What was measured, for people and for programs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import MARKDOWN
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tests.benchmarks.suite import Row


def as_table(title: str, rows: Sequence[Row]) -> RenderableType:
    """A benchmark's rows under its title, as a Markdown table; lists are for JSON only."""
    table = Table(box=MARKDOWN)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    columns = [name for name in columns if not any(isinstance(row.get(name), list) for row in rows)]
    for column in columns:
        is_figure = any(is_number(row.get(column)) for row in rows)
        table.add_column(column.replace("_", " "), justify="right" if is_figure else "left")
    for row in rows:
        table.add_row(*(Text(cell(row.get(column))) for column in columns))
    return Group(Text(title, style="bold"), table)


def cell(value: Any) -> str:
    """A value as a table shows it: three digits of a measured number, yes or no, or nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return str(value)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_lines(facts: Mapping[str, Any]) -> str:
    """Facts about the machine, one a line; what is unknown or empty has none."""
    return "\n".join(f"{name}: {in_words(fact)}" for name, fact in facts.items() if fact)


def in_words(fact: Any) -> str:
    """A fact without the punctuation of Python."""
    if isinstance(fact, Mapping):
        return " ".join(f"{name}={value}" for name, value in fact.items())
    if isinstance(fact, list):
        return "; ".join(in_words(item) for item in fact)
    return cell(fact)


def as_json(machine: Mapping[str, Any], results: Mapping[str, Sequence[Row]]) -> str:
    """Everything, unrounded."""
    return json.dumps({"machine": machine, "benchmarks": results}, indent=2, ensure_ascii=False)
