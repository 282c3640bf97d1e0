"""The vocabulary as a person looks it up: families, their members, and the fields of each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from inspect import cleandoc
from typing import Any

from pydantic import TypeAdapter

from optrun.columns import COLUMNS, WORDS
from optrun.component import Component, Section
from optrun.config.schema import Config
from optrun.config.training import EarlyStopping, Training
from optrun.config.vocabulary import Slot
from optrun.data.augmentation.steps import AUGMENTATION
from optrun.data.augmentation.test_time import TEST_TIME
from optrun.data.catalog import DATASETS, KINDS
from optrun.data.preprocessing import PREPROCESSING
from optrun.nn.activations import ACTIVATIONS
from optrun.nn.losses import LOSSES
from optrun.nn.models import MODELS
from optrun.nn.normalization import NORMALIZATIONS
from optrun.nn.pretrained import STARTS
from optrun.nn.regularization import L1, Adversarial, Elastic, GradientNoise, Regularization
from optrun.optim.averaging import AVERAGES
from optrun.optim.clipping import Clipping
from optrun.optim.optimizers import OPTIMIZERS
from optrun.optim.schedules import SCHEDULES
from optrun.optim.warmup import WARMUPS
from optrun.sweeps.space.schema import Space, SweepBlock
from optrun.sweeps.strategies.table import STRATEGIES

FAMILIES: dict[str, dict[str, type[Section]]] = {
    "datasets": {
        **DATASETS,
        **{
            f"{name} {kind}": dataset
            for name, kinds in KINDS.items()
            for kind, dataset in kinds.items()
        },
    },
    "preprocessing": {**PREPROCESSING},
    "augmentation": {**AUGMENTATION},
    "test_time": {**TEST_TIME},
    "models": {**MODELS},
    "activations": {**ACTIVATIONS},
    "normalizations": {**NORMALIZATIONS},
    "losses": {**LOSSES},
    "initializations": {**STARTS},
    "optimizers": {**OPTIMIZERS},
    "schedulers": {**SCHEDULES},
    "warmups": {**WARMUPS},
    "averages": {**AVERAGES},
    "strategies": {**STRATEGIES},
    "sections": {
        "config": Config,
        "regularization": Regularization,
        "l1": L1,
        "elastic": Elastic,
        "gradient_noise": GradientNoise,
        "adversarial": Adversarial,
        "training": Training,
        "early_stopping": EarlyStopping,
        "clipping": Clipping,
        "sweep": SweepBlock,
        "space": Space,
    },
}


@dataclass(frozen=True)
class FieldEntry:
    """A key of a component: what it takes, its default as YAML would give it, what it means."""

    name: str
    takes: str
    required: bool
    default: Any
    meaning: str


@dataclass(frozen=True)
class Entry:
    """A component or section, as looked up."""

    family: str
    name: str
    summary: str
    text: str
    fields: list[FieldEntry]


def entries(word: str | None = None) -> list[Entry]:
    """What `word` names: a family, a component, or one kind of it; everything without a word.

    Components of one name in several families are all given.
    """
    return [
        _entry(family, name, component)
        for family, members in FAMILIES.items()
        for name, component in members.items()
        if word in (None, family, name, *name.split())
    ]


def names() -> list[str]:
    """All words that can be looked up: families, components, keys, columns and their files."""
    words = [*FAMILIES, *(word for members in FAMILIES.values() for word in members)]
    parts = {part for word in words for part in (word, *word.split())}
    parts |= {key.path.rpartition(".")[2] for key in all_keys()}
    return sorted({*parts, *WORDS, *(column.name for column in COLUMNS)})


@dataclass(frozen=True)
class CommonField:
    """A key that several members of a family have.

    Attributes:
        field: as most of them have it.
        members: who has it.
        others: who has not.
    """

    field: FieldEntry
    members: Sequence[str]
    others: Sequence[str]


def common_fields(members: Sequence[Entry]) -> list[CommonField]:
    """The keys that a third of the members have, three at least, whatever their default."""
    fields = [field for entry in members for field in entry.fields]
    uses = Counter(replace(field, required=False, default="") for field in fields)
    common = []
    for alike, number in uses.items():
        if number >= max(3, len(members) / 3):
            usual = Counter(repr(field) for field in fields if is_same(field, alike))
            field = next(f for f in fields if repr(f) == usual.most_common(1)[0][0])
            have = [any(is_same(f, alike) for f in entry.fields) for entry in members]
            own, others = ([e.name for e, has in zip(members, have, strict=True) if has is which]
                           for which in (True, False))  # fmt: skip
            common.append(CommonField(field, own, others))
    return common


def is_same(field: FieldEntry, other: FieldEntry) -> bool:
    """Whether two keys mean and take the same; their defaults may differ."""
    return (field.name, field.takes, field.meaning) == (other.name, other.takes, other.meaning)


@dataclass(frozen=True)
class KeyEntry:
    """A key of a config or a sweep, with its whole path.

    Attributes:
        path: as in an override; N stands for a place in a list.
        takes: what fits there.
        meaning: of the key.
        defaults: for each component that has the key its default as YAML would give it, or None
            where one must be given. A key that belongs to no component has one under "".
    """

    path: str
    takes: str
    meaning: str
    defaults: dict[str, str | None]


def keys_called(word: str) -> list[KeyEntry]:
    """The keys of this name, or of a path that ends in it, in the order of a config."""
    return [key for key in all_keys() if f".{key.path}".endswith(f".{word}")]


@cache
def all_keys() -> list[KeyEntry]:
    """Every key that there is, those of components that stand in several places once."""
    found: dict[tuple[str, str, str], KeyEntry] = {}
    seen: dict[type[Section], str] = {}
    waiting: list[tuple[str, type[Section]]] = [("", Config), ("sweep.", SweepBlock)]
    while waiting:
        path, section = waiting.pop(0)
        if seen.setdefault(section, path) != path or (section, path) in waiting:
            continue
        owner = _owner(section)
        for field in _fields(section):
            place = path + field.name
            identity = place, field.takes, field.meaning
            key = found.setdefault(identity, KeyEntry(place, field.takes, field.meaning, {}))
            key.defaults[owner] = None if field.required else show_default(field.default)
            waiting += _below(section, field.name, place)
    return list(found.values())


def _owner(section: type[Section]) -> str:
    """How the component is called that a section is, "" if it is none."""
    tags = [section.model_fields[tag].default for tag in ("name", "kind")
            if issubclass(section, Component) and tag in section.model_fields]  # fmt: skip
    return " ".join(str(tag) for tag in tags)


def _below(section: type[Section], name: str, place: str) -> Iterator[tuple[str, type[Section]]]:
    """The sections that may stand at a key, or in a list there."""
    slot = Slot.of(section, name)
    for below in slot.sections() if slot else ():
        yield f"{place}.", below
    for below in slot.item.sections() if slot and slot.item else ():
        yield f"{place}.N.", below


def markdown() -> str:
    """The components of all families as Markdown tables."""
    parts = []
    for family in FAMILIES:
        rows = [
            f"| `{entry.name}` | {entry.summary.replace('|', '&#124;')} | {_keys(entry)} |"
            for entry in entries(family)
        ]
        head = [f"### {family.capitalize()}", "", "| name | what it is | keys |", "|---|---|---|"]
        parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts)


def _keys(entry: Entry) -> str:
    return ", ".join(
        f"`{field.name}`" if field.required else f"`{field.name}: {show_default(field.default)}`"
        for field in entry.fields
    )


def show_default(value: Any) -> str:
    """A default as one would write it in YAML, on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(show_default(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {show_default(item)}' for key, item in value.items())}}}"
    return str(value)


def _entry(family: str, name: str, component: type[Section]) -> Entry:
    text = cleandoc(component.__doc__ or "")
    return Entry(family, name, text.split("\n")[0], text, list(_fields(component)))


def _fields(section: type[Section]) -> Iterator[FieldEntry]:
    tags = {"name", "kind"} if issubclass(section, Component) else set()
    meanings = section.meanings()
    for name in section.model_fields:
        slot = Slot.of(section, name)
        if slot is None or name in tags:
            continue
        default = None if slot.required else _plain_default(slot)
        meaning = " ".join(meanings.get(name, "").split())
        yield FieldEntry(name, slot.describe(), slot.required, default, meaning)


def _plain_item(item: Any) -> Any:
    if isinstance(item, Component):
        return item.name
    return item.model_dump(mode="json") if isinstance(item, Section) else item


def _plain_default(slot: Slot) -> Any:
    if isinstance(slot.default, list):
        return [_plain_item(item) for item in slot.default]
    if isinstance(slot.default, Component):
        return slot.default.name
    if isinstance(slot.default, Section):
        return {}
    return TypeAdapter(slot.annotation).dump_python(slot.default, mode="json")
