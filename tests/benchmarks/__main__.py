"""Measure optrun and print tables.

python -m tests.benchmarks                  everything, some minutes
python -m tests.benchmarks epoch startup    some of it
python -m tests.benchmarks --json           for programs
python -m tests.benchmarks results          what the README says of results, a quarter of an hour

Needs the extra `bench`. Quiet machines give better figures; ratios hold on any.
"""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks import suite
from tests.benchmarks.machine import describe, undistort

WIDTH = 240
"""Of what is written to a file: no table needs to wrap its lines."""


def main() -> None:
    """Run the benchmarks that the command line names."""
    description, names = "Measure optrun and print tables.", (*suite.NAMES, *suite.ON_REQUEST)
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=description)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--data-dir", metavar="FOLDER", help="of datasets, as OPTRUN_DATA_DIR")
    parser.add_argument("--seeds", type=int, help="results: of every claim, not its own number")
    parser.add_argument("--out", type=Path, help="results: a folder to keep the runs in")
    arguments = parser.parse_args()
    try:
        chosen = suite.select(arguments.names)
    except ValueError as error:
        parser.error(str(error))
    undistort()
    if arguments.data_dir:
        os.environ["OPTRUN_DATA_DIR"] = arguments.data_dir
    machine = describe()
    options = {"seeds": arguments.seeds, "out": arguments.out}
    show(machine, {name: collect(name, options) for name in chosen}, arguments.json)


def collect(name: str, options: Mapping[str, Any]) -> list[suite.Row]:
    """All rows of a benchmark; says on standard error how far it is."""
    print(f"{name} …", file=sys.stderr)
    rows = []
    for row in suite.measure(name, options):
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
