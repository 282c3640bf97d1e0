"""`optrun sweep`: many runs, compared."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optrun.cli.output import echo, escaped, print_json
from optrun.training.interrupt import Interrupt

if TYPE_CHECKING:
    from optrun.sweeps.directory import SweepDirectory
    from optrun.sweeps.preview import Preview
    from optrun.sweeps.run import Order
    from optrun.sweeps.space.load import Sweep
    from optrun.sweeps.stored import Stored

FAILED = 1


def sweep(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="YAML file of a sweep, or of an experiment.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            help='Axes and changes: `"optimizer.lr=logspace(1e-4,1,9)" optimizer.name=sgd,adam '
            '"seed=range(5)" training.epochs=5`.'
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How often to draw where values are drawn.",
            show_default="as the strategy says; 20 for random",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be run, and run nothing.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes to run at once.", show_default="one a core"),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="Where: `local`, or `dask://host:port` of a scheduler.")
    ] = "local",
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first run that fails.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where run directories are made.")] = Path("runs"),
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of datasets. Default: OPTRUN_DATA_DIR, else the user's cache."),
    ] = None,
    curves: Annotated[
        bool, typer.Option("--curves", help="Draw curves.png of every run of the settings chosen.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="With --dry-run: print JSON.")] = False,
) -> None:
    """Train every run of a grid or a search, and compare them.

    Values that are listed make a grid. A distribution, "optimizer.lr=loguniform(1e-4,1)", makes a
    random search, unless another strategy is named: sweep.strategy=tpe.

    Runs that are there already are reused, so the same command goes on where it was stopped, and
    a wider sweep adds only what is missing.
    """
    from optrun.errors import UserError
    from optrun.sweeps.run import Order
    from optrun.sweeps.space.load import load_sweep

    if json and not dry_run:
        raise UserError("--json goes with --dry-run; `optrun runs --sweep NAME --json` gives runs")
    order = Order(out, data_dir, engine, workers or usable_cores(), fail_fast)
    loaded = load_sweep(file, overrides or (), samples)
    for line in loaded.told():
        echo(line, err=True)
    if dry_run:
        show_preview(loaded, order, json)
    else:
        run_and_report(loaded, order, curves)


def run_and_report(sweep: "Sweep", order: "Order", curves: bool) -> None:
    """Carry the sweep out, and print what came of it."""
    from contextlib import closing

    from optrun.cli.sweep_progress import watch_sweep
    from optrun.sweeps.run import carry_out, most_runs

    with closing(watch_sweep(most_runs(sweep), sweep.keys, sweep.metric)) as watcher:
        try:
            directory = carry_out(sweep, order, watcher)
        except KeyboardInterrupt:
            watcher.close()
            echo(f"stopped: {watcher.counts()}; the same command goes on from here")
            raise typer.Exit(Interrupt.exit_status()) from None
    failed, done = watcher.failed(), len(watcher.statuses)
    if failed and order.fail_fast:
        echo(f"stopped at the first failure, {done} of {watcher.total} runs done")
    for line in report(sweep, directory, curves):
        echo(line)
    if failed:
        raise typer.Exit(FAILED)


def report(sweep: "Sweep", directory: "SweepDirectory", curves: bool) -> list[str]:
    """Test what was chosen, write summary.md and draw the pictures.

    Returns:
        What to tell a person who has waited for the sweep to end.
    """
    from functools import partial

    from optrun.sweeps.results.comparison import compare
    from optrun.sweeps.results.report import chosen, closing_lines, with_tests, write_summary
    from optrun.sweeps.results.rows import read_results, write_results
    from optrun.sweeps.run import examples
    from optrun.viz.curves import update_curves
    from optrun.viz.sweep import draw_sweep

    results, configs = read_results(directory.results), examples(sweep)
    ranking = partial(
        compare,
        keys=results.keys,
        metric=sweep.metric,
        points=sweep.points,
        baseline=sweep.baseline,
        depends_on_seed=any(config.depends_on_seed for config in configs),
        has_examples=any(config.dataset.has_examples for config in configs),
    )
    rows = with_tests(results.rows, ranking(results.rows), directory.runs)
    write_results(directory.results, rows, results.keys)
    comparison = ranking(rows)
    write_summary(directory.path, comparison, sweep.strategy.name)
    draw_sweep(directory.path, comparison)
    best = [row for setting in chosen(comparison) for row in setting.rows if row.epochs is not None]
    for row in best if curves else best[:1]:
        update_curves(directory.runs / row.directory)
    return closing_lines(directory.path, comparison)


def show_preview(sweep: "Sweep", order: "Order", json: bool) -> None:
    """Print what the sweep would come to."""
    from optrun.sweeps.preview import preview

    found = preview(sweep, order)
    if json:
        print_as_json(sweep, found)
    else:
        print_table(sweep, found)
        for line in totals(found, order.workers):
            echo(line)


def print_as_json(sweep: "Sweep", found: "Preview") -> None:
    """The runs with all their settings, and the totals."""
    runs = [
        {
            "settings": dict(candidate.settings),
            "seed": seed,
            "status": stored.status if stored else None,
            "epochs": stored.epochs if stored else None,
        }
        for candidate, seed, stored in found.runs
    ]
    totals = {"name": sweep.name, "most_runs": found.most, "seconds_of_work": found.seconds}
    print_json({**totals, "runs": runs})


def print_table(sweep: "Sweep", found: "Preview") -> None:
    """A row a run; where the strategy decides as it goes, a row for what it chooses from."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from optrun.cli.tables import show
    from optrun.settings import section_text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    if found.runs:
        rows = [(c.settings, str(seed), state(stored)) for c, seed, stored in found.runs]
    else:
        seeds = ", ".join(map(str, sweep.seeds))
        rows = [({**p.settings, **p.distributions}, seeds, "as it goes") for p in sweep.points]
    for heading in (*sweep.keys, "seed", "state"):
        table.add_column(heading, no_wrap=True)
    for settings, seed, there in rows:
        values = [section_text(settings[key]) if key in settings else "" for key in sweep.keys]
        table.add_row(*(Text(escaped(field)) for field in [*values, seed, there]))
    show(Console(), table)


def state(stored: "Stored | None") -> str:
    """What is there of a run, in a word or two."""
    if stored is None or stored.status == "waiting":
        return "new"
    if stored.status in ("stopped", "running"):
        return f"begun, {stored.epochs} epochs done"
    return "failed, goes again" if stored.status == "failed" else stored.status


def totals(found: "Preview", workers: int) -> list[str]:
    """How many runs there are, how many of them are new, and how long they take."""
    from optrun.cli.progress import counted, duration
    from optrun.store.run_directory import DONE

    there = sum(s is not None and s.status in DONE for *_, s in found.runs)
    lines = [f"{counted(found.most, 'run')}, {there} of them there already"]
    if not found.runs:
        lines = [f"{counted(found.most, 'run')} at most, chosen as the search goes"]
    if found.absent:
        lines.append(
            f"{found.absent} is not on this machine yet, so neither what is there nor the time is "
            f"known: optrun data fetch {found.absent}"
        )
    elif found.seconds is not None:
        left = found.seconds / workers
        about = "less than a second" if left < 1 else f"about {duration(left)}"
        lines.append(f"{about} with {counted(workers, 'worker')}")
    return lines


def usable_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
