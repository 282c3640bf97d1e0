"""The command line: its commands, and how their ends become exit statuses."""

import sys
from typing import Annotated

import typer

from optrun import __version__
from optrun.cli import data
from optrun.cli.check import check
from optrun.cli.command import settle
from optrun.cli.list import list_vocabulary
from optrun.cli.output import echo, guarded_streams
from optrun.cli.plot import plot
from optrun.cli.runs import runs
from optrun.cli.schema import schema
from optrun.cli.sweep import sweep
from optrun.cli.train import train
from optrun.errors import UserError

USERS_MISTAKE = 2
INTERRUPTED = 130

app = typer.Typer(
    name="optrun",
    help="Run controlled optimization experiments described in YAML.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command()(train)
app.command()(sweep)
app.command()(plot)
app.command()(runs)
app.command()(check)
app.command("list")(list_vocabulary)
app.add_typer(data.app, name="data", help="Show and fetch datasets.")
app.command()(schema)
settle(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        echo(f"optrun {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; never returns.

    Exit status: 0 done, 1 a fault of optrun, 2 a mistake the user can mend, 130 Ctrl-C. A reader
    who closes the pipe changes neither what a command does nor its status.
    """
    with guarded_streams():
        try:
            try:
                app(prog_name="optrun")
            finally:
                sys.stdout.flush()  # what is left of the output may not fit on the disk
        except UserError as error:
            echo(f"error: {error}" if "\n" not in str(error) else str(error), err=True)
            sys.exit(USERS_MISTAKE)
        except KeyboardInterrupt:
            echo("stopped", err=True)
            sys.exit(INTERRUPTED)
