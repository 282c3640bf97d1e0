"""From a file or a mapping, and overrides, to a checked config with every default in place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from optrun.config.checks import contradictions
from optrun.config.document import Document
from optrun.config.overrides import apply_overrides
from optrun.config.problems import KeyPath, Problem, render
from optrun.config.read import read_file
from optrun.config.schema import Config
from optrun.config.translate import translate
from optrun.config.vocabulary import Slot, slot_at, value_at
from optrun.errors import ConfigError

LARGEST = 2**63 - 1
"""Whole numbers beyond it overflow the counters of a run."""


@dataclass(frozen=True)
class Loaded:
    """A config that can be run.

    Attributes:
        config: every field checked, every default in place.
        notes: what overrides made of the file that a person might not expect.
        source: the file's name as it was given, or "" for a mapping.
    """

    config: Config
    notes: tuple[str, ...]
    source: str


def load(source: str | Path | Mapping[str, Any], overrides: Sequence[str] = ()) -> Loaded:
    """Read and check a config.

    Args:
        source: a YAML file, or a mapping of the same shape.
        overrides: each `key.path=value`, applied in order before anything is checked.

    Raises:
        ConfigError: lists every problem of the file and the overrides with its place.
    """
    document = (
        Document("", _plain(source)) if isinstance(source, Mapping) else read_file(Path(source))
    )
    notes = apply_overrides(Config, document, overrides)
    _refuse_uncountable(document)
    problems = [*document.problems, *_judge(document)]
    if problems:
        raise ConfigError(render(problems, document.source))
    return Loaded(Config.model_validate(document.values), tuple(notes), document.source)


def resolved(config: Config) -> dict[str, Any]:
    """The config as a plain mapping with every default written out; it loads as an equal one."""
    return config.model_dump(mode="json")


def _judge(document: Document) -> list[Problem]:
    """What is wrong with the values, apart from what reading them found already."""
    unread = {p.path for p in document.problems if value_at(document.values, p.path) is None}
    problems = []
    try:
        Config.model_validate(document.values)
    except ValidationError as error:
        problems = translate(Config, document, error.errors(include_url=False))
    problems += _blanks(document, {problem.path for problem in problems})
    sections = _sound_sections(document.values, {problem.path[:1] for problem in problems})
    problems += contradictions(sections, document)
    return [problem for problem in problems if problem.path not in unread]


def _blanks(document: Document, known: set[KeyPath]) -> Iterator[Problem]:
    """Keys that stand there without a value, where `null` would have been allowed."""
    for path in document.keys:
        blank = path not in document.items and value_at(document.values, path) is None
        slot = slot_at(Config, document.values, path)
        if blank and slot and path not in known:
            hint = f"remove it, write `null` for none, or give it {slot.describe()}"
            yield Problem(path, "is empty", hint, document.key_place(path))


def _sound_sections(values: dict[str, Any], unsound: set[Any]) -> dict[str, Any]:
    """The sections that are right in themselves, so that they can be checked for each other."""
    sections = {}
    for key, field in Config.model_fields.items():
        if (key,) in unsound:
            continue
        slot = Slot.of(Config, key)
        if key in values and slot:
            sections[key] = TypeAdapter(slot.annotation).validate_python(values[key])
        else:
            sections[key] = field.get_default()
    return sections


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


def _plain(value: Any) -> Any:
    """Mappings as dicts, sequences as lists, NumPy scalars as Python's: what YAML would give."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
