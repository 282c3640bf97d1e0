"""`optrun plot`: several runs in one picture."""

from pathlib import Path
from typing import Annotated

import typer


def plot(
    runs: Annotated[list[Path], typer.Argument(help="Run directories, such as runs/mnist-*.")],
    metric: Annotated[
        str | None,
        typer.Option(
            help="A column of metrics.csv or steps.csv.", show_default="val_loss, else train_loss"
        ),
    ] = None,
    x: Annotated[
        str,
        typer.Option(metavar="[epoch|step|seconds]", help="What the horizontal axis counts."),
    ] = "epoch",
    log_x: Annotated[bool, typer.Option("--log-x", help="Logarithmic horizontal axis.")] = False,
    log_y: Annotated[bool, typer.Option("--log-y", help="Logarithmic vertical axis.")] = False,
    smooth: Annotated[
        float, typer.Option(help="Weight of the past in the moving average, from 0 to below 1.")
    ] = 0.0,
    out: Annotated[
        Path | None,
        typer.Option(help="The picture: .png, .pdf or .svg.", show_default="<metric>.png"),
    ] = None,
) -> None:
    """Compare runs in one figure, labelled by what differs between their configs."""
    from optrun.viz.compare import compare

    typer.echo(compare(runs, metric, x, log_x, log_y, smooth, out, warn))


def warn(message: str) -> None:
    typer.echo(f"warning: {message}", err=True)
