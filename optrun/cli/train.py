"""`optrun train`: run one config."""

from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[Path, typer.Argument(help="YAML file of the experiment.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Changes to it, such as `optimizer.lr=0.01 training.epochs=5`."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Where run directories are made.")] = Path("runs"),
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of datasets. Default: OPTRUN_DATA_DIR, else the user's cache."),
    ] = None,
) -> None:
    """Train a config and draw its curves.

    The same config is the same run: one that is finished is reused, one that was cut short is
    resumed.
    """
    from contextlib import closing

    from optrun.cli.progress import ending, watch
    from optrun.config.load import load

    loaded = load(config, overrides or ())
    for note in loaded.notes:
        typer.echo(f"note: {note}", err=True)

    from optrun.store.run_directory import RunDirectory
    from optrun.training.run import run
    from optrun.viz.curves import draw_curves

    with closing(watch()) as observer:
        directory = run(loaded.config, out, data_dir, observer)
    draw_curves(directory)
    summary = RunDirectory(directory).read_summary()
    for line in ending(directory, summary):
        typer.echo(line)
    if summary["status"] == "stopped":
        raise typer.Exit(130)
