"""`optrun list`: the vocabulary, looked up."""

from dataclasses import asdict
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from optrun.cli.output import print_json
from optrun.errors import UserError

if TYPE_CHECKING:
    from optrun.listing import Entry, FieldEntry

WIDTH = 100


def list_vocabulary(
    name: Annotated[
        str | None,
        typer.Argument(help="A family such as `optimizers`, or a component such as `adam`."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print all families as Markdown tables.")
    ] = False,
) -> None:
    """Show what a config can name: families, their components, the keys of each."""
    from optrun import listing

    found = listing.entries(name)
    if not found:
        raise UserError(_unknown(str(name)))
    if markdown:
        typer.echo(listing.markdown())
    elif json:
        print_json([asdict(entry) for entry in found])
    elif name is None:
        typer.echo(_overview(found))
    elif name in listing.FAMILIES:
        typer.echo("\n\n".join(_brief(entry) for entry in found))
    else:
        typer.echo("\n\n\n".join(_in_full(entry) for entry in found))


def _unknown(name: str) -> str:
    from optrun.config.problems import did_you_mean
    from optrun.listing import FAMILIES, names

    guess = did_you_mean(name, names())
    return f"nothing is named `{name}`; {guess or 'there are ' + ', '.join(FAMILIES)}"


def _overview(found: "list[Entry]") -> str:
    lines: list[str] = []
    family = ""
    for entry in found:
        if entry.family != family:
            family = entry.family
            lines += ["", family] if lines else [family]
        lines.append(f"  {entry.name:<22}{entry.summary}")
    return "\n".join([*lines, "", "More: optrun list FAMILY, optrun list NAME"])


def _brief(entry: "Entry") -> str:
    return "\n".join([f"{entry.name}: {entry.summary}", *_fields(entry.fields)])


def _in_full(entry: "Entry") -> str:
    heading = f"{entry.name} ({entry.family})"
    return "\n".join([heading, "", entry.text, "", *_fields(entry.fields)]).rstrip()


def _fields(fields: "list[FieldEntry]") -> list[str]:
    from optrun.listing import show_default

    lines = []
    for field in fields:
        default = "required" if field.required else f"default {show_default(field.default)}"
        if field.default is None and "Default: " in field.meaning:
            text = f"{field.takes}. {field.meaning}"
        else:
            text = f"{field.takes}; {default}. {field.meaning}".rstrip()
        head, indent = f"  {field.name:<15} ", " " * 18
        lines.append(fill(text, WIDTH, initial_indent=head, subsequent_indent=indent))
    return lines
