"""The sentences about single values and keys: what was given, what was probably meant."""

from collections.abc import Iterable
from math import isfinite
from typing import Any

from optrun.component import Section
from optrun.config.problems import KeyPath, did_you_mean, dotted
from optrun.config.suggestions import (
    decimal_comma,
    instead_of_choice,
    instead_of_key,
    instead_of_section,
    is_valid,
    same_key,
    translated_key,
)
from optrun.config.vocabulary import Slot, sections_with, slot_at, value_at

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


def meant(slot: Slot, value: Any, key: str) -> str:
    """What to write instead of an unfit value, where the value itself or the key suggests it."""
    if hint := _empty_or_none(slot, value) or instead_of_section(key, slot, value):
        return hint
    if isinstance(value, str) and value.strip() and slot.item and is_valid(slot, f"[{value}]"):
        return f"write [{value}]"
    if slot.choice or slot.section(value):
        return ""
    options = slot.schema.get("anyOf", [slot.schema])
    if is_unbounded(value):
        return "infinity and NaN are not allowed: write a finite number"
    types = {option.get("type") for option in options}
    if isinstance(value, str):
        return _meant_by_text(value, types, options, key)
    if types == {"string"} and isinstance(value, int | float) and not isinstance(value, bool):
        return f'write "{value}", in quotes'
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return f"write {value:.0f}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        listed = f"[{-abs(value)}, {abs(value)}]" if key == "by_value" else f"[{value}]"
        return f"write {listed}" if is_valid(slot, listed) else ""
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
    if key.isdecimal() and value_at(values, path) is None:
        return "a decimal comma? numbers have a point, as in 0.001"
    if (same := same_key(root, key)) not in ("", key):
        is_here = same in section.model_fields
        return f"write `{same}`" if is_here else about_unknown_key(root, values, (*parent, same))
    if hint := instead_of_key(root, values, path):
        return hint
    inner = [(*parent, *below) for below in sections_with(key, section) - {()}]
    if below := _fitting(root, values, key, inner)[:MOST_PLACES]:
        return _belongs(key, below)
    if owners := about_owners(root, values, path):
        return owners
    if other := translated_key(root, values, path):
        return f"`{key}` is `{other}` here; {about_unknown_key(root, values, (*parent, other))}"
    if guess := did_you_mean(key, section.model_fields):
        return guess
    places = _fitting(root, values, key, sections_with(key, root) - {parent})
    if 0 < len(places) <= MOST_PLACES:
        return _belongs(key, places)
    own = ", ".join(_own_keys(slot, section, value_at(values, parent)))
    return f"known here: {own}" if own else "no keys are known here"


def about_owners(root: type[Section], values: Any, path: KeyPath) -> str:
    """Which other components of the family have the key, and what the chosen one has."""
    slot, value = slot_at(root, values, path[:-1]), value_at(values, path[:-1])
    section = slot.section(value) if slot else None
    if slot is None or section is None or not (owners := _owners(slot, str(path[-1]), value)):
        return ""
    own = ", ".join(_own_keys(slot, section, value))
    return f"{owners} has {own or 'no keys of its own'}"


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


def _fitting(
    root: type[Section], values: Any, key: str, places: Iterable[KeyPath]
) -> list[KeyPath]:
    """The nearest first; where the components chosen have the key, only those."""
    nearest = sorted(places, key=lambda path: (len(path), path))
    return [path for path in nearest if slot_at(root, values, (*path, key))] or nearest


def _empty_or_none(slot: Slot, value: Any) -> str:
    """For `true`, `false` and 0 where a section stands."""
    if value is True and not slot.choice and is_valid(slot, "{}"):
        return "write `{}` for its defaults"
    is_none = (value is False or value == 0) and slot.has_sections and is_valid(slot, "null")
    return "write `null` for none" if is_none else ""


def _meant_by_text(text: str, types: set[Any], options: list[dict[str, Any]], key: str) -> str:
    if "boolean" in types and text.lower() in {"on", "off", "yes", "no"}:
        return f"write `{'true' if text.lower() in {'on', 'yes'} else 'false'}`"
    if types & {"number", "integer"} and _is_number(text):
        number = text.strip().replace("_", "")
        return f"write {number}, without {'quotes' if number == text else 'underscores'}"
    names = [option["const"] for option in options if "const" in option]
    names += [name for option in options for name in option.get("enum", ())]
    if types & {"number", "integer"} and (hint := decimal_comma(text, "number" not in types)):
        return hint
    return instead_of_choice(key, text, names) or did_you_mean(text, names)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
