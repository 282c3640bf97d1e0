"""From a file or a mapping, and overrides, to a checked config with every default in place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from optrun.config.checks import doubts
from optrun.config.choices import choices_made, write_out_choices
from optrun.config.document import Document
from optrun.config.foreign import foreign_sweep
from optrun.config.judge import judge
from optrun.config.overrides import apply_overrides
from optrun.config.problems import KeyPath, Problem, render, render_warning
from optrun.config.read import read_file
from optrun.config.schema import Config
from optrun.config.vocabulary import value_at
from optrun.errors import ConfigError

LARGEST = 2**63 - 1
"""Whole numbers beyond it overflow the counters of a run."""

WANTED = 'a list of "key.path=value" texts such as ["optimizer.lr=0.1"]'


@dataclass(frozen=True)
class Loaded:
    """A config that can be run.

    Attributes:
        config: every field checked, every default in place.
        notes: what overrides made of the file that a person might not expect.
        warnings: what in it is allowed but seldom meant.
        choices: defaults that depend on the dataset, by dotted keys.
        source: the file's name as it was given, or "" for a mapping.
    """

    config: Config
    notes: tuple[str, ...]
    warnings: tuple[Problem, ...]
    choices: Mapping[str, Any]
    source: str

    def told(self) -> Iterator[str]:
        """The notes and warnings as a person reads them."""
        yield from (f"note: {note}" for note in self.notes)
        yield from (render_warning(warning, self.source) for warning in self.warnings)


def load(source: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> Loaded:
    """Read and check a config.

    Args:
        source: a YAML file, or a mapping of the same shape.
        overrides: each `key.path=value`, applied in order before anything is checked.

    Raises:
        ConfigError: lists every problem of the file and the overrides with its place.
    """
    _refuse_other_types(source, overrides)
    document = (
        Document("", plain(source)) if isinstance(source, Mapping) else read_file(Path(source))
    )
    _refuse_sweep(document)
    notes = apply_overrides(Config, document, overrides)
    if problems := problems_of(document):
        raise ConfigError(render(problems, document.source))
    return finished(document, notes)


def problems_of(document: Document) -> list[Problem]:
    """Everything that keeps the document from being a config that can be run."""
    _refuse_uncountable(document)
    return [*document.problems, *judge(document)]


def finished(document: Document, notes: Iterable[str]) -> Loaded:
    """The config that a document without problems is, with the notes there are already."""
    config = write_out_choices(Config.model_validate(document.values))
    return Loaded(
        config,
        tuple(notes),
        tuple(doubts(dict(config), document)),
        choices_made(document.values, config),
        document.source,
    )


def resolved(config: Config) -> dict[str, Any]:
    """The config as a plain mapping with every default written out; it loads as an equal one."""
    return config.model_dump(mode="json")


def _refuse_other_types(source: object, overrides: object) -> None:
    if not isinstance(source, str | Path | Mapping):
        given = type(source).__name__
        raise ConfigError(f"a config is the path of a YAML file or a mapping, not {given}")
    if isinstance(overrides, str | Mapping) or not isinstance(overrides, Iterable):
        given = f'"{overrides}"' if isinstance(overrides, str) else type(overrides).__name__
        raise ConfigError(f"overrides are {WANTED}, not {given}")
    for override in overrides:
        if not isinstance(override, str):
            raise ConfigError(f"overrides are {WANTED}; {override!r} is no text")


def _refuse_sweep(document: Document) -> None:
    if foreign := foreign_sweep(document.values):
        raise ConfigError(f"{document.source}: {foreign}" if document.source else foreign)
    if "sweep" in document.values:
        name = document.source
        hint = f"; `optrun sweep {name}` runs it" if name else ", no config"
        raise ConfigError(f"{f'{name}: ' if name else ''}this is a sweep{hint}")


def _refuse_uncountable(document: Document) -> None:
    """Note the numbers beyond `LARGEST` and take them out of the values."""
    for path, value in list(_leaves(document.values)):
        if isinstance(value, int) and abs(value) > LARGEST:
            place = document.value_place(path)
            document.problems.append(Problem(path, "the number is too large", "", place))
            value_at(document.values, path[:-1])[path[-1]] = None


def _leaves(values: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Everything in the mapping that is neither a mapping nor a list, with its path."""
    if not isinstance(values, dict | list):
        yield path, values
        return
    for key, value in values.items() if isinstance(values, dict) else enumerate(values):
        yield from _leaves(value, (*path, key))


def plain(value: Any) -> Any:
    """Mappings as dicts, sequences as lists, NumPy scalars as Python's: what YAML would give."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
