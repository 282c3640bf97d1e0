"""Overrides such as `optimizer.lr=0.1`, written onto a config before it is checked.

An override changes the values and their places and leaves judging to the same checks that a file
gets, so its mistakes are reported alike, pointing into the override.
"""

from collections.abc import Sequence
from typing import Any

from optrun.component import Section
from optrun.config.choices import choice_at
from optrun.config.document import Document, Unreadable, parse, split_lines
from optrun.config.problems import KeyPath, Place, Problem, Text, dotted
from optrun.config.vocabulary import Slot, slot_at, value_at
from optrun.config.wording import show

FORM = "write it as key.path=value"


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
    writer = _Writer(root, document)
    for order, override in enumerate(overrides, start=1):
        text = Text(f'override "{override}"', split_lines(override), order)
        try:
            writer.write(override, text)
        except Unreadable as error:
            document.problems.append(error.problem)
    return writer.notes


class _Writer:
    def __init__(self, root: type[Section], document: Document):
        self.root = root
        self.document = document
        self.given: dict[KeyPath, Place] = {}
        self.notes: list[str] = []

    def write(self, override: str, text: Text) -> None:
        """Write one override.

        Raises:
            Unreadable: it is not of the form, or leads to where nothing can be.
        """
        key, equals, value = override.partition("=")
        if not equals or not all(part.strip() for part in key.split(".")):
            place = Place(text, 1, 1, len(text.lines[0]) + 1)
            raise Unreadable("not an override", place, FORM)
        # blanks keep the columns of the value right
        written = parse(" " * len(key) + " " + value, text)
        container, path = self._descend(key, text)
        old, old_place = value_at(self.document.values, path), self.document.keys.get(path)
        self._refuse_to_undo(path, text)
        self.document.graft(path, written)
        self.document.keys[path] = self.given[path] = Place(text, 1, 1, len(key) + 1)
        _assign(container, path[-1], written.values)
        self._note_replaced_section(path, override, old, old_place)
        self._leave_out_unfit_keys(path, override, old)

    def _descend(self, key: str, text: Text) -> tuple[Any, KeyPath]:
        """The section or list that the last part of `key` stands in, and the whole path."""
        container, column = self.document.values, 1
        path: KeyPath = ()
        parts = key.split(".")
        for position, written in enumerate(parts):
            place = Place(text, 1, column, column + len(written))
            part = _index(container, path, written.strip(), place)
            path, column = (*path, part), place.end + 1
            if position < len(parts) - 1:
                container = self._open(container, path, place)
        return container, path

    def _open(self, container: Any, path: KeyPath, place: Place) -> Any:
        """The value at `path` as something that has keys or items."""
        slot = slot_at(self.root, self.document.values, path)
        value = value_at(self.document.values, path)
        if value is None:
            value = _plain_default(slot, choice_at(self.document.values, path))
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
        self, path: KeyPath, override: str, old: Any, place: Place | None
    ) -> None:
        slot = slot_at(self.root, self.document.values, path)
        if slot and slot.choice and isinstance(old, dict) and set(old) - {slot.choice.key}:
            where = f" ({place})" if place else ""
            keeping = f"`{dotted(path)}.{slot.choice.key}=` would keep the keys they share"
            self.notes.append(f"{override} replaces the whole section{where}; {keeping}")

    def _leave_out_unfit_keys(self, path: KeyPath, override: str, old: Any) -> None:
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
            self.notes.append(f"{override} leaves out {unfit}{where}, which {name} does not have")
            self.document.forget((*parent, unfit))
            del section[unfit]

    def _is_given(self, path: KeyPath) -> bool:
        return any(given[: len(path)] == path for given in self.given)


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


def _plain_default(slot: Slot | None, choice: Any) -> Any:
    """What an override descends into where the file gives nothing.

    Args:
        slot: the place for it.
        choice: the default there that depends on other sections, if one does.
    """
    if slot is None or slot.required:
        return {}
    default = choice if slot.default is None else slot.default
    if default is None:
        return {}
    if isinstance(default, Section):
        return {slot.choice.key: getattr(default, slot.choice.key)} if slot.choice else {}
    if isinstance(default, list):
        return [i.model_dump(mode="json") if isinstance(i, Section) else i for i in default]
    return default
