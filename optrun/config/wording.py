"""The sentences about single values and keys: what was given, what was probably meant."""

from functools import cache
from math import isfinite
from typing import Any

from optrun.component import Section
from optrun.config.problems import KeyPath, did_you_mean, dotted
from optrun.config.vocabulary import Slot, slot_at, value_at

LONGEST_SHOWN = 40
MOST_PLACES = 3
MOST_OWNERS = 12


def show(value: Any) -> str:
    """A value as a message quotes it: "the text 'abc'", "3", "an empty list"."""
    if is_unbounded(value):
        return str(value)
    if isinstance(value, str):
        return f"the text {_cut(repr(value))}" if value else "an empty text"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a section" if value else "an empty section"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    return _cut(str(value))


def meant(slot: Slot, value: Any) -> str:
    """What to write instead of an unfit value, where the value itself suggests it."""
    if slot.choice or slot.section(value):
        return ""
    options = slot.schema.get("anyOf", [slot.schema])
    if is_unbounded(value):
        return "infinity and NaN are not allowed: write a finite number"
    types = {option.get("type") for option in options}
    if isinstance(value, str):
        return _meant_by_text(value, types, options)
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return f"write {value:.0f}"
    arrays = [option for option in options if option.get("type") == "array"]
    if arrays and types <= {"array", "null"} and isinstance(value, int | float):
        is_pair = arrays[0].get("minItems") == arrays[0].get("maxItems") == 2
        return f"write [{-abs(value)}, {abs(value)}]" if is_pair else f"write [{value}]"
    return ""


def is_unbounded(value: Any) -> bool:
    """Whether it is infinite or no number, as YAML writes these or as people do."""
    if isinstance(value, str):
        return _is_number(value) and not isfinite(float(value))
    return isinstance(value, float) and not isfinite(value)


def about_unknown_key(root: type[Section], values: Any, path: KeyPath) -> str:
    """Which key was probably meant, or where this one belongs, or which there are."""
    key, parent = str(path[-1]), path[:-1]
    slot = slot_at(root, values, parent)
    section = slot.section(value_at(values, parent)) if slot else None
    if slot is None or section is None:
        return ""
    own = ", ".join(_own_keys(slot, section, value_at(values, parent)))
    if below := _nearest_first(_sections_with(key, section) - {()})[:MOST_PLACES]:
        return _belongs(key, [(*parent, *path) for path in below])
    if owners := _owners(slot, key, value_at(values, parent)):
        return f"{owners}{f' has {own}' if own else ' has no keys of its own'}"
    if guess := did_you_mean(key, section.model_fields):
        return guess
    places = _nearest_first(_sections_with(key, root) - {parent})
    if 0 < len(places) <= MOST_PLACES:
        return _belongs(key, places)
    return f"known here: {own}" if own else "no keys are known here"


def _belongs(key: str, places: list[KeyPath]) -> str:
    where = " or ".join(f"under `{dotted(p)}`" if p else "at the top level" for p in places)
    return f"`{key}` belongs {where}"


def _own_keys(slot: Slot, section: type[Section], value: Any) -> list[str]:
    names = {choice.key for choice in slot.choices(value)}
    return [key for key in section.model_fields if key not in names]


def _owners(slot: Slot, key: str, value: Any) -> str:
    """ "`momentum` belongs to nesterov; sgd", where other members of the family have the key."""
    value = slot.spelled_out(value)
    for choice in reversed(slot.choices(value)):
        owners = [
            name
            for name, member in choice.family.items()
            if any(key in section.model_fields for section in Slot(member).sections())
        ]
        if owners:
            more = len(owners) - MOST_OWNERS
            named = ", ".join(owners[:MOST_OWNERS]) + (f" and {more} more" if more > 0 else "")
            return f"`{key}` belongs to {named}; {value[choice.key]}"
    return ""


@cache
def _sections_with(key: str, section: type[Section]) -> frozenset[KeyPath]:
    """Where in a section `key` may stand: its own path, (), and those of sections below."""
    paths: set[KeyPath] = {()} if key in section.model_fields else set()
    for name in section.model_fields:
        slot = Slot.of(section, name)
        for inner in slot.sections() if slot else ():
            paths |= {(name, *path) for path in _sections_with(key, inner)}
    return frozenset(paths)


def _nearest_first(paths: frozenset[KeyPath]) -> list[KeyPath]:
    return sorted(paths, key=lambda path: (len(path), path))


def _meant_by_text(text: str, types: set[Any], options: list[dict[str, Any]]) -> str:
    if "boolean" in types and text.lower() in {"on", "off", "yes", "no"}:
        return f"write `{'true' if text.lower() in {'on', 'yes'} else 'false'}`"
    if types & {"number", "integer"} and _is_number(text):
        number = text.strip().replace("_", "")
        return f"write {number}, without {'quotes' if number == text else 'underscores'}"
    names = [option["const"] for option in options if "const" in option]
    names += [name for option in options for name in option.get("enum", ())]
    return did_you_mean(text, names)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
