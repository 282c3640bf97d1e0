"""Configs in which one field holds what it cannot, for every field of the vocabulary."""

import copy
from collections.abc import Iterator
from typing import Any

from optrun.component import Section
from optrun.config.schema import Config
from optrun.config.vocabulary import Slot

WRONG: tuple[Any, ...] = (
    None, "", " ", "abc", "0,5", -1, 0, 1.5, float("inf"), True, [], [-1, 1.5], [None], {},
    {"name": "abc"},
)  # fmt: skip
"""A value of every kind, among them some that fit."""

START = {
    "name": "demo",
    "dataset": {"name": "synthetic", "kind": "moons"},
    "model": {"name": "mlp", "hidden": [8]},
    "optimizer": {"name": "sgd"},
}


def mutated() -> Iterator[tuple[tuple[str | int, ...], Any, dict[str, Any]]]:
    """(path of the field, the value there, the config), for every value and kind of field."""
    known: set[str] = set()
    for path, section in places(Config, ()):
        for key, field in section.model_fields.items():
            kind = f"{key} {field.annotation} {field.metadata} {field.is_required()}"
            if (key in ("name", "kind") and path) or kind in known:
                continue
            known.add(kind)
            for value in WRONG:
                yield (*path, key), value, with_value(START, path, section, key, value)


def places(section: type[Section], path: tuple[Any, ...]) -> Iterator[tuple[Any, type[Section]]]:
    """Every section of the vocabulary with a path to it; items of lists have the index 0."""
    yield path, section
    for key in section.model_fields:
        slot = Slot.of(section, key)
        if slot is None or len(path) > 3:
            continue
        for inner in slot.sections():
            yield from places(inner, (*path, key))
        for inner in slot.item.sections() if slot.item else ():
            yield from places(inner, (*path, key, 0))


def with_value(
    start: dict[str, Any], path: tuple[Any, ...], section: type[Section], key: str, value: Any
) -> dict[str, Any]:
    """The config with the section at `path`, chosen by its names, whose `key` is `value`."""
    values = copy.deepcopy(start)
    parent: Any = values
    for part, below in zip(path, [*path[1:], None][: len(path)], strict=True):
        if isinstance(parent, list):
            parent[:] = [{}]
        else:
            parent[part] = [] if isinstance(below, int) else {}
        parent = parent[0] if isinstance(parent, list) else parent[part]
    for tag in ("name", "kind"):
        if path and tag in section.model_fields:
            default = section.model_fields[tag].default
            parent |= {tag: default} if isinstance(default, str) else {}
    parent[key] = value
    return values
