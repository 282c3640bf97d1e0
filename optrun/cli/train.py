"""`optrun train`: run one config."""

from pathlib import Path
from typing import Annotated

import typer

from optrun.cli.output import echo
from optrun.training.interrupt import Interrupt


def train(
    config: Annotated[Path, typer.Argument(help="YAML file of the experiment.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(help="Changes to it, such as `optimizer.lr=0.01 training.epochs=5`."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where run directories are made. Default: runs, or beside the run whose "
            "config.yaml is given."
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Folder of datasets. Default: OPTRUN_DATA_DIR, else the user's cache."),
    ] = None,
) -> None:
    """Train a config and draw its curves.

    The same config is the same run: one that is finished is reused, one that was cut short is
    resumed. A run that diverges is a result too, and ends with status 0.
    """
    from contextlib import closing

    from optrun.cli.progress import ending, watch
    from optrun.config.load import load

    loaded = load(config, overrides or ())
    for line in loaded.told():
        echo(line, err=True)

    from optrun.store.run_directory import RunDirectory
    from optrun.training.run import run
    from optrun.viz.curves import update_curves

    with closing(watch()) as observer:
        directory = run(loaded.config, out or home_of(config), data_dir, observer)
    update_curves(directory)
    summary = RunDirectory(directory).read_summary()
    for line in ending(directory, summary, data_dir):
        echo(line)
    if summary["status"] == "stopped":
        raise typer.Exit(Interrupt.exit_status())


def home_of(config: Path) -> Path:
    """Where the run of a config goes: beside the run it is the stored config of, else `runs`."""
    is_stored = config.name == "config.yaml" and (config.parent / "summary.json").exists()
    return config.parent.parent if is_stored else Path("runs")
