"""`optrun plot`: several runs in one picture."""

from pathlib import Path
from typing import Annotated

import typer

from optrun.cli.output import echo


def plot(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Run directories, such as runs/mnist-*; or a sweep, by name or path."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="A column of metrics.csv or steps.csv. Given several times: a panel each.",
            show_default="the sweep's, else val_loss, else train_loss",
        ),
    ] = None,
    x: Annotated[
        str,
        typer.Option(metavar="[epoch|step|seconds]", help="What the horizontal axis counts."),
    ] = "epoch",
    log_x: Annotated[bool, typer.Option("--log-x", help="Logarithmic horizontal axis.")] = False,
    log_y: Annotated[bool, typer.Option("--log-y", help="Logarithmic vertical axis.")] = False,
    smooth: Annotated[
        float,
        typer.Option(
            help="Draw moving averages: each value with its neighbours on both sides, the k-th of "
            "which counts SMOOTH^k. From 0 (none) to below 1. The average does not lag; the "
            "values stay visible, faint; learning rates stay exact.",
        ),
    ] = 0.0,
    sweep: Annotated[
        str | None, typer.Option(metavar="NAME", help="Draw only the runs of this sweep.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Draw only the runs with this setting."),
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="Draw all settings of a sweep, not only the best of each group."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="The picture: .png, .pdf or .svg.", show_default="<metric>.png"),
    ] = None,
) -> None:
    """Compare runs in one figure, labelled by what differs between their configs.

    Runs that differ in their seed alone become one curve: their mean, in a band from the least to
    the greatest.
    """
    from optrun.viz.compare import check_arguments, compare
    from optrun.viz.selection import select

    check_arguments(x, smooth, out)
    selection = select(runs or [], sweep, where or [], every, warn=warn)
    for text in (*selection.notes, *selection.exceptions):
        note(text)
    chosen = metric or selection.metric
    echo(compare(selection.runs, chosen, x, log_x, log_y, smooth, out, warn, tell=note))


def warn(message: str) -> None:
    echo(f"warning: {message}", err=True)


def note(message: str) -> None:
    echo(message, err=True)
