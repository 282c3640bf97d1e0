"""Settings as text, and what tells runs apart: those in which their configs differ."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

WITHOUT_EFFECT = {"name", "training.log_every"}  # settings that change no weight
SELF_EXPLAINING = {"dataset.name", "model.name", "optimizer.name"}
ALWAYS_SHOWN = {"lr"}  # what readers of a comparison of optimizers look for first
LONG, DIGITS = 4, 3  # numbers of more significant digits than LONG are cut to DIGITS in labels

Flat = dict[str, Any]


def distinguish(configs: Sequence[Mapping[str, Any]], fallbacks: Sequence[str]) -> list[str]:
    """A label for each config: its `differences`, or its fallback if those are not unique."""
    labels = differences(configs)
    uses = Counter(labels)
    return [
        label if label and uses[label] == 1 else fallback
        for label, fallback in zip(labels, fallbacks, strict=True)
    ]


def differences(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each config the settings in which it differs from the others, in a config's order.

    `optimizer.name` appears as its value, other settings as `key=value`, the key without its
    section unless two sections have such a key. What follows from a component's name alone, as
    Adam's β₁ does where only one Adam is compared, is left out, and so is what changes no result.
    """
    flats = [flatten(config) for config in configs]
    differing = differing_keys(configs)
    shown = [[key for key in differing if tells(key, flat, flats, differing)] for flat in flats]
    used = {key for chosen in shown for key in chosen}
    shorts = Counter(map(short, used))
    digits = {key: digits_of([flat[key] for flat in flats if key in flat]) for key in used}
    return [
        ", ".join(piece(key, flat[key], shorts, digits[key]) for key in chosen)
        for chosen, flat in zip(shown, flats, strict=True)
    ]


def natural_order(configs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[int]:
    """The indices of `configs` by what differs, in a config's order of keys; then by `names`.

    Numbers are ordered by size, texts by the alphabet and the numbers in them.
    """
    keys = differing_keys(configs)
    flats = [flatten(config) for config in configs]

    def rank(index: int) -> tuple[Any, ...]:
        return tuple(value_rank(flats[index].get(key)) for key in keys), value_rank(names[index])

    return sorted(range(len(configs)), key=rank)


def value_rank(value: Any) -> tuple[Any, ...]:
    """A tuple that compares with that of any other setting: unset, numbers, lists, texts."""
    if value is None:
        return (0,)
    if isinstance(value, bool | int | float):
        return (1, value)
    if isinstance(value, list):
        return (2, *(value_rank(item) for item in value))
    parts = re.split(r"(\d+)", str(value))
    return (3, *((int(part), "") if part.isdecimal() else (-1, part) for part in parts))


def differing_keys(configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The dotted keys on which the configs disagree, sections together as in a config."""
    flats = [flatten(config) for config in configs]
    # The fullest config decides the order of keys, whichever is named first.
    flats.sort(key=lambda flat: (-len(flat), json.dumps(flat, default=str)))
    keys = dict.fromkeys(key for flat in flats for key in flat)
    place = {part: i for i, part in enumerate(dict.fromkeys(p for k in keys for p in prefixes(k)))}
    return sorted(
        (key for key in keys if key not in WITHOUT_EFFECT and varies(key, flats)),
        key=lambda key: [place[prefix] for prefix in prefixes(key)],
    )


def prefixes(key: str) -> list[str]:
    """`a`, `a.b` and `a.b.c` of `a.b.c`."""
    parts = key.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


def flatten(config: Mapping[str, Any], prefix: str = "") -> Flat:
    """The leaves of nested mappings under dotted keys."""
    leaves: Flat = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            leaves |= flatten(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves


def varies(key: str, flats: Sequence[Flat]) -> bool:
    """Whether the configs disagree on `key`, having it or not included."""
    return len({json.dumps(flat[key], default=str) if key in flat else "" for flat in flats}) > 1


def tells(key: str, flat: Flat, flats: Sequence[Flat], differing: Sequence[str]) -> bool:
    """Whether `key` belongs in the label of `flat`."""
    if key not in flat:
        return False
    section, _, last = key.rpartition(".")
    if flat[key] is None and section and any(section in other for other in flats):
        return False  # an unset field of a section that others leave out as a whole
    choosers = [name for name in enclosing_names(key) if name in differing]
    if last in ALWAYS_SHOWN or not choosers:
        return True
    family = [other for other in flats if all(other.get(n) == flat.get(n) for n in choosers)]
    return varies(key, family)


def enclosing_names(key: str) -> list[str]:
    """The `name` fields of the components that `key` is a setting of."""
    names = [f"{section}.name" for section in prefixes(key)[:-1]]
    return [name for name in names if name != key]


def short(key: str) -> str:
    """The last word of a key; of a component's name, the component."""
    return key.removesuffix(".name").rpartition(".")[2]


def piece(key: str, value: Any, shorts: Mapping[str, int], digits: int | None = None) -> str:
    """One setting in a label, its long numbers cut to so many significant digits."""
    if key in SELF_EXPLAINING:
        return value_text(value)
    name = short(key) if shorts[short(key)] == 1 else key.removesuffix(".name")
    return f"{name}={value_text(value, digits or digits_of([value]))}"


def digits_of(values: Sequence[Any]) -> int:
    """The significant digits, at least DIGITS, with which labels keep numbers apart, and off 1."""
    numbers = {1.0, *(value for value in values if isinstance(value, float))}
    return next(
        (d for d in range(DIGITS, 17) if len({value_text(v, d) for v in numbers}) == len(numbers)),
        17,
    )


def section_text(value: Any) -> str:
    """A value in a table: a section with its keys, as two of one name differ in them."""
    if not isinstance(value, Mapping):
        return value_text(value)
    leaves = flatten(value)
    name = [value_text(leaves.pop("name"))] if "name" in leaves else []
    texts = [*name, *(f"{key}={value_text(each)}" for key, each in leaves.items())]
    return ", ".join(texts) or value_text(value)


def value_text(value: Any, digits: int | None = None) -> str:
    """A setting as one would write it in the config.

    Args:
        value: of the setting.
        digits: significant digits that numbers of more than LONG are cut to; None: keep them all.
    """
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = repr(value).removesuffix(".0")
        return text if digits is None or is_short(value) else f"{value:.{digits}g}"
    if isinstance(value, Mapping):
        return component_name(value) or json.dumps(value)
    if isinstance(value, list):
        return "[" + ", ".join(value_text(item, digits) for item in value) + "]"
    return str(value)


def is_short(number: float) -> bool:
    """Whether the number has few significant digits, as one that a person wrote."""
    return float(f"{number:.{LONG}g}") == number


def component_name(section: Any) -> str:
    """The `name` of a section, which may be written as a bare string."""
    return str(section.get("name", "")) if isinstance(section, Mapping) else str(section or "")
