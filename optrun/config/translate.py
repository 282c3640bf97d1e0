"""What validation found, in words a person can act on.

Pydantic says where and what kind; the vocabulary says what would fit there.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic_core import ErrorDetails

from optrun.component import OneOf, Section
from optrun.config.document import Document
from optrun.config.problems import KeyPath, Problem, did_you_mean
from optrun.config.suggestions import instead_of_name, instead_of_section, is_elsewhere
from optrun.config.vocabulary import Slot, child, describe_range, slot_at, value_at
from optrun.config.wording import about_unknown_key, meant, show

OUT_OF_RANGE = {"greater_than", "greater_than_equal", "less_than", "less_than_equal"}
UNKNOWN_KEY = "unknown key"
MISNAMED = {"union_tag_invalid", "union_tag_not_found"}


def translate(
    root: type[Section], document: Document, errors: Iterable[ErrorDetails]
) -> list[Problem]:
    """Problems, with their places in the document, for pydantic's errors on its values."""
    found = [_translate_one(root, document, error) for error in errors]
    # A union reports each of its members: keep what concerns the deepest value, once.
    paths = {problem.path for problem in found}
    kept = {
        (problem.path, problem.message): problem
        for problem in found
        if not any(is_below(path, problem.path) for path in paths)
    }
    return list(kept.values())


def _translate_one(root: type[Section], document: Document, error: ErrorDetails) -> Problem:
    values, kind = document.values, error["type"]
    path = _path(root, values, error["loc"])
    slot, value = slot_at(root, values, path), value_at(values, path)
    if kind == "extra_forbidden":
        hint = about_unknown_key(root, values, path)
        return Problem(path, UNKNOWN_KEY, hint, document.key_place(path))
    if kind == "value_error":
        return Problem(path, str(error["ctx"]["error"]), "", document.value_place(path))
    if slot is None:
        raise TypeError(f"no place in the vocabulary for {error}")
    if kind == "missing":
        return _missing(document, path, slot.describe())
    if kind in MISNAMED and (choice := _misnamed(slot, value)):
        return _wrong_name(root, document, slot, path, choice)
    if value is None:
        hint = f"{'' if slot.required else 'remove it or '}give it {slot.describe()}"
        return Problem(path, "is empty", hint, document.key_place(path))
    return _wrong_value(document, path, slot, value, kind)


def misnamed(root: type[Section], values: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of all components whose name is missing or unknown."""
    value = value_at(values, path)
    slot = slot_at(root, values, path)
    if slot and _misnamed(slot, value):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for part, inner in items if isinstance(value, dict | list) else ():
        if isinstance(inner, dict | list):
            yield from misnamed(root, values, (*path, part))


def is_below(path: KeyPath, above: KeyPath) -> bool:
    """Whether `path` leads through `above` and on."""
    return len(path) > len(above) and path[: len(above)] == above


def _path(root: type[Section], values: Any, loc: tuple[int | str, ...]) -> KeyPath:
    """The keys and indices of `loc`, without the labels pydantic adds for unions."""
    path: KeyPath = ()
    slot: Slot | None = Slot(root)
    tags: list[Any] = []
    for part in loc:
        section = slot.section(values) if slot else None
        if tags and part == tags[0]:
            tags.pop(0)
        elif isinstance(part, int) or _is_key(part, section, values):
            slot = slot.below(values, part) if slot else None
            values, path = child(values, part), (*path, part)
            tags = _tags(slot, values) if slot else []
    return path


def _tags(slot: Slot, value: Any) -> list[Any]:
    """The labels pydantic puts behind a component's key."""
    spelled = slot.spelled_out(value)
    choices = slot.choices(spelled) if isinstance(spelled, dict) else []
    return [spelled.get(choice.key) for choice in choices]


def _is_key(part: str, section: type[Section] | None, values: Any) -> bool:
    is_field = section is not None and part in section.model_fields
    return is_field or (isinstance(values, dict) and part in values)


def _misnamed(slot: Slot, value: Any) -> OneOf | None:
    """The choice whose name `value` lacks or gets wrong."""
    spelled = slot.spelled_out(value)
    for choice in slot.choices(spelled) if isinstance(spelled, dict) else ():
        name = spelled.get(choice.key)
        if not isinstance(name, str) or name not in choice.family:
            return choice
    return None


def _wrong_name(
    root: type[Section], document: Document, slot: Slot, path: KeyPath, choice: OneOf
) -> Problem:
    value = value_at(document.values, path)
    spelled = slot.spelled_out(value)
    names = ", ".join(choice.family)
    named = (*path, choice.key)
    if choice.key not in spelled:
        return _missing(document, named, f"one of {names}")
    name = spelled[choice.key]
    if name is None:
        hint = f"give it one of {names}"
        return Problem(named, "is empty", hint, document.key_place(named))
    at = path if isinstance(value, str) else named
    place = document.value_place(at)
    if isinstance(name, str) and not name.strip():
        return Problem(at, "is empty", f"give it one of {names}", place)
    if not isinstance(name, str):
        return Problem(at, f"must be one of {names}, not {show(name)}", "", place)
    key = last_key(path)
    if is_elsewhere(root, key, name):
        return Problem(at, f"`{name}` cannot stand here", f"there are {names}", place)
    whole = instead_of_section(key, slot, value) if at == path else ""
    hint = whole or _instead_of(name, key, choice)
    return Problem(at, f"unknown name `{name}`", hint, place)


def _instead_of(name: str, key: str, choice: OneOf) -> str:
    if told := instead_of_name(key, choice, name):
        return told
    names, guess = ", ".join(choice.family), did_you_mean(name, choice.family)
    return f"{guess} There are {names}" if guess else f"there are {names}"


def last_key(path: KeyPath) -> str:
    """The last key, which for an item is that of its list."""
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _missing(document: Document, path: KeyPath, wanted: str) -> Problem:
    hint = f"add `{path[-1]}:` with {wanted}"
    return Problem(path, "required, but missing", hint, document.key_place(path))


def _wrong_value(document: Document, path: KeyPath, slot: Slot, value: Any, kind: str) -> Problem:
    bounds = describe_range(slot.schema) if kind in OUT_OF_RANGE else ""
    wanted = bounds or slot.describe()
    message = f"must be {wanted}, not {show(value)}"
    return Problem(path, message, meant(slot, value, last_key(path)), document.value_place(path))
