"""`optrun list`: the vocabulary, looked up."""

from collections.abc import Sequence
from dataclasses import asdict
from shutil import get_terminal_size
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from optrun.cli.output import echo, print_json
from optrun.errors import UserError

if TYPE_CHECKING:
    from optrun.columns import Column
    from optrun.listing import CommonField, Entry, FieldEntry, KeyEntry

WIDTH = 100
"""Letters of a line where the output is no terminal."""
NAME, SUMMARY = 18, 24
"""Where meanings of keys and summaries of components begin."""
FEW = 8
"""Names that are told one by one."""


def list_vocabulary(
    word: Annotated[
        str | None,
        typer.Argument(
            help="A family such as `optimizers`, a component such as `adam`, a key such as "
            "`dropout` or `training.batch_size`, `metrics` or a metric such as `val_loss`."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print all families as Markdown tables.")
    ] = False,
) -> None:
    """Show what a config can name, and what a run records.

    Without a word: all families and their components. With one: what it names, wherever that is.
    """
    from optrun import listing
    from optrun.columns import columns

    if markdown and (word or json):
        raise UserError("--markdown prints all families; give it neither a word nor --json")
    word = word and word.lower()
    found = listing.entries(word)
    keys = listing.keys_called(word) if word else []
    if found:  # what a section holds is told by its entry
        keys = [key for key in keys if not key.takes.startswith("a section")]
    figures = columns(word) if word else []
    if not (found or keys or figures):
        raise UserError(_unknown(str(word)))
    if markdown:
        echo(listing.markdown())
    elif json:
        entries = [asdict(entry) for entry in found]
        print_json(entries + [asdict(key) for key in keys] + [asdict(c) for c in figures])
    elif word is None:
        echo(_overview(found))
    else:
        parts = [_family(found)] if word in listing.FAMILIES else [_in_full(e) for e in found]
        parts += [_keys(keys)] if keys else []
        parts += [_columns(figures)] if figures else []
        echo("\n\n\n".join(parts))


def _unknown(word: str) -> str:
    from optrun.config.problems import did_you_mean
    from optrun.listing import FAMILIES, names

    guess = did_you_mean(word, names())
    return f"nothing is named `{word}`; {guess or 'there are ' + ', '.join([*FAMILIES, 'metrics'])}"


def _overview(found: "Sequence[Entry]") -> str:
    lines: list[str] = []
    family = ""
    for entry in found:
        if entry.family != family:
            family = entry.family
            lines += ["", family] if lines else [family]
        lines.append(_row(entry.name, entry.summary, SUMMARY))
    more = "More: optrun list FAMILY, NAME or KEY, optrun list metrics"
    return "\n".join([*lines, "", _wrapped(more)])


def _family(members: "Sequence[Entry]") -> str:
    """All components of a family, with what most have in common told once."""
    from optrun.listing import common_fields

    common = common_fields(members)
    parts = [_common(common)] if common else []
    return "\n\n".join([*parts, *(_brief(entry, common) for entry in members)])


def _common(common: "Sequence[CommonField]") -> str:
    lines = ["Common keys, with their usual defaults:"]
    for each in common:
        only = f" In {', '.join(each.members)}."
        whose = f" Not in {', '.join(each.others)}." if each.others else ""
        lines += _fields([each.field], min(only, whose, key=len))
    return "\n".join(lines)


def _brief(entry: "Entry", common: "Sequence[CommonField]") -> str:
    """A component with its summary and the keys that are its own, or have another default."""
    from optrun.listing import is_same, show_default

    lines = [_wrapped(f"{entry.name}: {entry.summary}", "  ")]
    for field in entry.fields:
        usual = next((each.field for each in common if is_same(each.field, field)), None)
        if usual is None:
            lines += _fields([field])
        elif usual != field:
            default = "required" if field.required else f"default {show_default(field.default)}"
            lines.append(_row(field.name, default, NAME))
    return "\n".join(lines)


def _in_full(entry: "Entry") -> str:
    heading = f"{entry.name} ({entry.family})"
    return "\n".join([heading, "", _prose(entry.text), "", *_fields(entry.fields)]).rstrip()


def _fields(fields: "Sequence[FieldEntry]", more: str = "") -> list[str]:
    from optrun.listing import show_default

    lines = []
    for field in fields:
        default = "required" if field.required else f"default {show_default(field.default)}"
        if field.default is None and "Default: " in field.meaning:
            text = f"{field.takes}. {field.meaning}"
        else:
            text = f"{field.takes}; {default}. {field.meaning}".rstrip()
        lines.append(_row(field.name, text + more, NAME))
    return lines


def _keys(keys: "Sequence[KeyEntry]") -> str:
    """Keys by their paths, with the components that have them."""
    parts = []
    for key in keys:
        by_default: dict[str | None, list[str]] = {}
        for owner, default in key.defaults.items():
            by_default.setdefault(default, []).append(owner)
        told = [_default(default, owners) for default, owners in by_default.items()]
        text = f"{key.takes}; {'; '.join(told)}. {key.meaning}".rstrip()
        if set(by_default) == {"null"} and "Default: " in key.meaning:
            text = f"{key.takes}. {key.meaning}"
        parts.append(f"{key.path}\n{_wrapped(f'  {text}', '  ')}")
    return "\n\n".join(parts)


def _default(default: str | None, owners: Sequence[str]) -> str:
    """ "default 0.9 (momentum, nesterov)"."""
    named = ", ".join(owners[:FEW]) + (f" and {len(owners) - FEW} more" if owners[FEW:] else "")
    return ("required" if default is None else f"default {default}") + (f" ({named})" * any(owners))


def _columns(columns: "Sequence[Column]") -> str:
    """Columns under the files they are in."""
    from optrun.columns import ROWS

    parts = []
    for file, rows in ROWS.items():
        lines = [_row(c.name, c.meaning, SUMMARY + 4) for c in columns if c.file == file]
        parts += ["\n".join([_wrapped(f"{file}: {rows}", "  "), *lines])] if lines else []
    return "\n\n".join(parts)


def _row(name: str, text: str, start: int) -> str:
    """A name, and a text beside it."""
    return fill(
        text, _width(), initial_indent=f"  {name:<{start - 3}} ", subsequent_indent=" " * start
    )


def _prose(text: str) -> str:
    """A docstring, its paragraphs wrapped where they do not fit; formulas are left as they are."""
    parts = text.split("\n\n")
    return "\n\n".join(
        part if part.startswith(" ") or "\n " in part else _wrapped(part) for part in parts
    )


def _wrapped(text: str, indent: str = "") -> str:
    """A text in lines that fit; as it is, if it does."""
    if max(map(len, text.split("\n"))) <= _width():
        return text
    return fill(" ".join(text.split("\n")), _width(), subsequent_indent=indent)


def _width() -> int:
    return get_terminal_size((WIDTH, 0)).columns
