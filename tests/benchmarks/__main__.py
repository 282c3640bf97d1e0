"""Measure optrun and print tables.

python -m tests.benchmarks                  everything, some minutes
python -m tests.benchmarks epoch startup    some of it
python -m tests.benchmarks --json           for programs

Needs the extra `bench`. Quiet machines give better figures; ratios hold on any.
"""

import argparse
import sys
from typing import Any

from tests.benchmarks import suite
from tests.benchmarks.machine import describe, undistort

WIDTH = 240
"""Of what is written to a file: no table needs to wrap its lines."""


def main() -> None:
    """Run the benchmarks that the command line names."""
    description = "Measure optrun and print tables."
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=description)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(suite.NAMES))
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        names = suite.select(arguments.names)
    except ValueError as error:
        parser.error(str(error))
    undistort()
    machine = describe()
    show(machine, {name: collect(name) for name in names}, arguments.json)


def collect(name: str) -> list[suite.Row]:
    """All rows of a benchmark; says on standard error how far it is."""
    print(f"{name} …", file=sys.stderr)
    rows = []
    for row in suite.measure(name):
        print(f"{name}: {row['case']}", file=sys.stderr)
        rows.append(row)
    return rows


def show(machine: dict[str, Any], results: dict[str, list[suite.Row]], as_json: bool) -> None:
    """Print what was measured, as JSON or as tables."""
    from rich.console import Console

    from tests.benchmarks import report

    if as_json:
        print(report.as_json(machine, results))
        return
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(report.as_lines(machine), highlight=False, markup=False)
    for name, rows in results.items():
        console.print(report.as_table(suite.title(name), rows))


if __name__ == "__main__":
    main()
