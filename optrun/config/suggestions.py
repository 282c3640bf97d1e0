"""What was probably meant by an unknown key, name or value, looked up among the aliases."""

import re
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import ValidationError

from optrun.component import OneOf, Section
from optrun.config.aliases import KEYS, NAMES, SAME_FAMILY, SHORTHANDS, Alias, folded
from optrun.config.problems import KeyPath, dotted
from optrun.config.vocabulary import Slot, all_keys, sections_with, slot_at, value_at

MOST_SHOWN = 60


def instead_of_key(root: type[Section], values: Any, path: KeyPath) -> str:
    """What to write instead of an unknown key, or nothing where no alias knows it.

    A target counts only if it exists in the vocabulary of `root`.
    """
    key, parent = str(path[-1]), path[:-1]
    slot = slot_at(root, values, parent)
    section = slot.section(value_at(values, parent)) if slot else None
    if slot is None or section is None:
        return ""
    for alias in _aliases_of_key(key, _surroundings(slot, values, parent)):
        if not alias.targets:
            return alias.note
        for target in alias.targets:
            if told := _told(key, target, root, section, parent):
                return _sentence(told, alias)
    return ""


def same_key(root: type[Section], key: str) -> str:
    """The key that differs in capitals, `_`, `-` and blanks alone, or nothing."""
    return next((name for name in sorted(all_keys(root)) if folded(name) == folded(key)), "")


def translated_key(root: type[Section], values: Any, path: KeyPath) -> str:
    """The key of some other component that an unknown key is called, or nothing."""
    slot = slot_at(root, values, path[:-1])
    for alias in _aliases_of_key(str(path[-1]), _surroundings(slot, values, path[:-1])):
        for target in alias.targets:
            if target.startswith(".") and ":" not in target:
                return target.split()[0].removeprefix(".")
    return ""


def instead_of_name(key: str, choice: OneOf, name: str) -> str:
    """What to write instead of an unknown name of a family; nothing where no alias knows it."""
    for member in choice.family:
        if folded(member) == folded(name):
            return f"write `{member}`"
    for member, annotation in choice.family.items():
        kinds = Slot(annotation).choice
        for kind in kinds.family if kinds else ():
            if kinds and folded(kind) == folded(name):
                told = f"{{{choice.key}: {member}, {kinds.key}: {kind}}}"
                return f"`{kind}` is a {kinds.key} of `{member}`: write `{told}`"
    if (alias := _alias_of_name(key, name)) is None:
        return ""
    if not alias.targets:
        return f"{alias.note}; there are {', '.join(choice.family)}"
    (target,) = alias.targets
    member = named(target, choice.key)
    if member not in choice.family:
        return ""
    such_as = "" if member == target else f", such as `{target}`"
    if name == "true":
        return _sentence(f"write `{target}`", alias)
    return _sentence(f"`{name}` is `{member}` here{such_as}", alias)


def is_elsewhere(root: type[Section], key: str, name: Any) -> bool:
    """Whether the name is one where most of the family may stand, though not here."""
    slot = slot_at(root, {}, (SAME_FAMILY[key],)) if key in SAME_FAMILY else None
    return bool(slot and slot.choice and isinstance(name, str) and name in slot.choice.family)


def renamed(key: str, choice: OneOf, name: str) -> str | None:
    """The member of a family that an unknown name stands for; None where no alias knows it."""
    for member in choice.family:
        if folded(member) == folded(name):
            return member
    alias = _alias_of_name(key, name)
    if alias is None or not alias.targets:
        return None
    meant = named(alias.targets[0], choice.key)
    return meant if meant in choice.family else None


def named(target: str, key: str) -> str:
    """The name in a target, which may be a section in YAML."""
    section = yaml.safe_load(target)
    return str(section[key]) if isinstance(section, dict) else target


def instead_of_choice(key: str, text: str, choices: list[str]) -> str:
    """What to write instead of a text that is none of the choices."""
    for choice in choices:
        if folded(choice) == folded(text):
            return f"write `{choice}`"
    alias = _alias_of_name(key, text)
    if alias and not alias.targets:
        return alias.note
    return f"write `{alias.targets[0]}`" if alias and alias.targets[0] in choices else ""


def instead_of_section(key: str, slot: Slot, value: Any) -> str:
    """The sections that a number or list in place of one stands for, as far as they are valid."""
    if isinstance(value, bool) and slot.choice:
        return instead_of_name(key, slot.choice, str(value).lower())
    if isinstance(value, dict | bool | None):
        return ""
    written = str(value)
    if len(written) > MOST_SHOWN or not re.fullmatch(r"[][\w.,%+ -]+", written):
        return ""
    filled = (form.replace("VALUE", written) for form in SHORTHANDS.get(key, ()))
    sound = [f"`{text}`" for text in filled if is_valid(slot, text)]
    return f"write {' or '.join(sound[:2])}" if sound else ""


def is_valid(slot: Slot, text: str) -> bool:
    """Whether a value in YAML fits into the slot."""
    try:
        slot.adapter.validate_python(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError):
        return False
    return True


def decimal_comma(text: str, wants_whole: bool) -> str:
    """What to write instead of a number with a comma in it, or nothing."""
    if not re.fullmatch(r"[-+]?\d+,\d+(e[-+]?\d+)?", text.strip(), re.IGNORECASE):
        return ""
    if wants_whole:
        if not re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+", text.strip()):
            return ""
        return f"write {text.strip().replace(',', '')}, without the comma"
    return f"write {text.strip().replace(',', '.')}, with a point"


def _aliases_of_key(key: str, surroundings: set[str]) -> Iterator[Alias]:
    """Those that know the key here, first those that are meant for this place."""
    known = [alias for alias in KEYS if alias.means(key)]
    yield from (alias for alias in known if surroundings & set(alias.within.split()))
    yield from (alias for alias in known if not alias.within)


def _surroundings(slot: Slot | None, values: Any, parent: KeyPath) -> set[str]:
    """What `Alias.within` may call the place of a key."""
    if not parent:
        return {"top"}
    words = [part for part in parent if isinstance(part, str)]
    here = {SAME_FAMILY.get(words[-1], words[-1])}
    value = value_at(values, parent)
    spelled = slot.spelled_out(value) if slot else None
    if slot and isinstance(spelled, dict):
        here |= {str(spelled.get(choice.key)) for choice in slot.choices(value)}
    return here


def _told(
    key: str, target: str, root: type[Section], section: type[Section], parent: KeyPath
) -> str:
    """What a target says where the key stands, or nothing where there is no such thing."""
    where, colon, value = target.partition(":")
    if target.startswith("."):
        keys = [part.removeprefix(".") for part in where.split()]
        if not all(part in section.model_fields for part in keys):
            return ""
        if colon:
            return f"write `{dotted((*parent, keys[0]))}:{value}`"
        return f"`{key}` is {' and '.join(f'`{part}`' for part in keys)} here"
    *above, last = where.split(".")
    if tuple(above) not in sections_with(last, root):
        return ""
    if parent and tuple(above[: len(parent)]) == parent and not _has(section, above, last, parent):
        return ""
    if colon:
        return f"write `{target}`"
    if folded(key) == folded(last) and above:
        return f"`{last}` belongs under `{'.'.join(above)}`"
    return f"`{key}` is `{where}` here"


def _has(section: type[Section], above: list[str], last: str, parent: KeyPath) -> bool:
    return tuple(above[len(parent) :]) in sections_with(last, section)


def _alias_of_name(key: str, name: str) -> Alias | None:
    aliases = NAMES.get(SAME_FAMILY.get(key, key), ())
    return next((alias for alias in aliases if alias.means(name)), None)


def _sentence(told: str, alias: Alias) -> str:
    comma = ", " if alias.note.startswith(("or ", "and ", "as ", "with ")) else "; "
    return f"{told}{comma}{alias.note}" if alias.note else told
