"""Overrides such as `optimizer.lr=0.1`, written onto a config before it is checked.

An override changes the values and their places and leaves judging to the same checks that a file
gets, so its mistakes are reported alike, pointing into the override. What a sweep chooses for a
run is written by the same means, pointing into the sweep's file.
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from optrun.component import Section
from optrun.config.choices import choice_at
from optrun.config.document import Document, Unreadable, parse, split_lines
from optrun.config.problems import KeyPath, Place, Problem, Text, dotted
from optrun.config.vocabulary import Slot, slot_at, value_at
from optrun.config.wording import show

FORM = "write it as key.path=value"


@dataclass(frozen=True)
class Assignment:
    """A value for a key of the config, and where people wrote the two.

    Attributes:
        key: dotted path, as it stands at `place`.
        place: of the key.
        value: with the places in it; the values are copied before anything is changed in them.
        shown: what notes call it.
    """

    key: str
    place: Place
    value: Document
    shown: str

    @property
    def parts(self) -> tuple[str, ...]:
        """The keys and indices that lead to the value, outermost first."""
        return tuple(part.strip() for part in self.key.split("."))


def apply_overrides(root: type[Section], document: Document, overrides: Sequence[str]) -> list[str]:
    """Write the overrides onto the document, in order.

    Args:
        root: the schema, which says where components are and what their keys are.
        document: changed in place; overrides that cannot be written are added to its problems.
        overrides: each `key.path=value`, the value in YAML.

    Returns:
        Notes on the keys of the file that were left out because an override chose a component
        that does not have them.
    """
    assignments = []
    for text in texts_of(overrides):
        try:
            assignments.append(_read(text))
        except Unreadable as error:
            document.problems.append(error.problem)
    return assign(root, document, assignments)


def assign(root: type[Section], document: Document, assignments: Iterable[Assignment]) -> list[str]:
    """Write assignments onto the document, in order; otherwise like `apply_overrides`."""
    writer = _Writer(root, document)
    for assignment in assignments:
        try:
            writer.write(assignment)
        except Unreadable as error:
            document.problems.append(error.problem)
    return writer.notes


def texts_of(overrides: Sequence[str]) -> list[Text]:
    """The overrides as texts that messages can point into."""
    return [
        Text(f'override "{override}"', split_lines(override), order)
        for order, override in enumerate(overrides, start=1)
    ]


def split_override(text: Text) -> tuple[str, str]:
    """The key, and the value as it is written.

    Raises:
        Unreadable: it is not of the form.
    """
    key, equals, value = "\n".join(text.lines).partition("=")
    if not equals or not all(part.strip() for part in key.split(".")):
        place = Place(text, 1, 1, len(text.lines[0]) + 1)
        raise Unreadable("not an override", place, FORM)
    return key, value


def _read(text: Text) -> Assignment:
    key, value = split_override(text)
    # blanks keep the columns of the value right
    written = parse(" " * len(key) + " " + value, text)
    return Assignment(key, Place(text, 1, 1, len(key) + 1), written, f"{key}={value}")


class _Writer:
    def __init__(self, root: type[Section], document: Document):
        self.root = root
        self.document = document
        self.given: dict[KeyPath, Place] = {}
        self.notes: list[str] = []

    def write(self, assignment: Assignment) -> None:
        """Write one assignment.

        Raises:
            Unreadable: it leads to where nothing can be.
        """
        container, path = self._descend(assignment)
        old, old_place = value_at(self.document.values, path), self.document.keys.get(path)
        self._refuse_to_undo(path, assignment.place.text)
        self.document.graft(path, assignment.value)
        self.document.keys[path] = self.given[path] = assignment.place
        _assign(container, path[-1], copy.deepcopy(assignment.value.values))
        self._note_replaced_section(path, assignment.shown, old, old_place)
        self._leave_out_unfit_keys(path, old)

    def _descend(self, assignment: Assignment) -> tuple[Any, KeyPath]:
        """The section or list that the last part of the key stands in, and the whole path."""
        container = self.document.values
        path: KeyPath = ()
        parts = assignment.parts
        for part, place in zip(parts, _places_of_parts(assignment), strict=True):
            path = (*path, _index(container, path, part, place))
            if len(path) < len(parts):
                container = self._open(container, path, parts[len(path)], place)
        return container, path

    def _open(self, container: Any, path: KeyPath, key: str, place: Place) -> Any:
        """The value at `path` as something that has keys or items, where `key` is to be written."""
        slot = slot_at(self.root, self.document.values, path)
        value = value_at(self.document.values, path)
        if value is None:
            value = _plain_default(slot, choice_at(self.document.values, path), key)
        if slot:
            value = slot.spelled_out(value)
        if not isinstance(value, dict | list):
            raise Unreadable(f"`{dotted(path)}` is {show(value)} and has no keys", place)
        _assign(container, path[-1], value)
        self.document.keys.setdefault(path, place)
        return value

    def _refuse_to_undo(self, path: KeyPath, text: Text) -> None:
        for earlier, place in self.given.items():
            if earlier[: len(path)] == path:
                message = f"is given again by {text.name}"
                problem = Problem(earlier, message, "keep one of the two", place)
                self.document.problems.append(problem)

    def _note_replaced_section(
        self, path: KeyPath, shown: str, old: Any, place: Place | None
    ) -> None:
        slot = slot_at(self.root, self.document.values, path)
        if slot and slot.choice and isinstance(old, dict) and set(old) - {slot.choice.key}:
            where = f" ({place})" if place else ""
            keeping = f"`{dotted(path)}.{slot.choice.key}=` would keep the keys they share"
            self.notes.append(f"{shown} replaces the whole section{where}; {keeping}")

    def _leave_out_unfit_keys(self, path: KeyPath, old: Any) -> None:
        """Drop what belonged to the component that `path` named before, and say so."""
        parent, key = path[:-1], path[-1]
        slot = slot_at(self.root, self.document.values, parent)
        section = value_at(self.document.values, parent)
        if slot is None or not isinstance(section, dict):
            return
        choice = next((c for c in slot.choices(section) if c.key == key), None)
        name = section[key] if choice else None
        if choice is None or not isinstance(name, str) or name not in choice.family:
            return
        had, has = _keys(slot, section | {key: old}), _keys(slot, section)
        for unfit in [k for k in section if k in had - has and not self._is_given((*parent, k))]:
            place = self.document.keys.get((*parent, unfit))
            where = f" ({place})" if place else ""
            change = f"{dotted(path)}={name}"
            self.notes.append(f"{change} leaves out {unfit}{where}, which {name} does not have")
            self.document.forget((*parent, unfit))
            del section[unfit]

    def _is_given(self, path: KeyPath) -> bool:
        return any(given[: len(path)] == path for given in self.given)


def _places_of_parts(assignment: Assignment) -> list[Place]:
    """Where each part of the key stands; for a key in quotes, where all of it does."""
    whole, parts = assignment.place, assignment.key.split(".")
    if whole.end - whole.column != len(assignment.key):
        return [whole] * len(parts)
    places, column = [], whole.column
    for part in parts:
        places.append(replace(whole, column=column, end=column + len(part)))
        column += len(part) + 1
    return places


def _keys(slot: Slot, value: dict[str, Any]) -> set[str]:
    """The keys of every component that could be meant."""
    return {key for section in slot.sections(value) for key in section.model_fields}


def _index(container: Any, path: KeyPath, part: str, place: Place) -> str | int:
    """The part as an index where it leads into a list; one past the end appends."""
    if not isinstance(container, list):
        return part
    if part.isdecimal() and int(part) <= len(container):
        return int(part)
    there = f"it has items 0 to {len(container) - 1}" if container else "it is empty"
    hint = f"{there}; {len(container)} adds one"
    raise Unreadable(f"`{dotted(path)}` is a list without an item `{part}`", place, hint)


def _assign(container: Any, part: str | int, value: Any) -> None:
    if isinstance(container, list) and part == len(container):
        container.append(value)
    else:
        container[part] = value


def _plain_default(slot: Slot | None, choice: Any, key: str) -> Any:
    """What an override descends into where the file gives nothing.

    Args:
        slot: the place for it.
        choice: the default there that depends on other sections, if one does.
        key: what is to be written in it; another name brings its own defaults.
    """
    if slot is None or slot.required:
        return {}
    default = choice if slot.default is None else slot.default
    if default is None:
        return {}
    if isinstance(default, Section):
        if slot.choice is None:
            return {}
        named = {slot.choice.key: getattr(default, slot.choice.key)}
        if key == slot.choice.key:
            return named
        return named | default.model_dump(mode="json", exclude_defaults=True)
    if isinstance(default, list):
        return [i.model_dump(mode="json") if isinstance(i, Section) else i for i in default]
    return copy.copy(default)
