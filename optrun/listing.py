"""The vocabulary as a person looks it up: families, their members, and the fields of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from pydantic import TypeAdapter

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
from optrun.sweep.space.schema import Space, SweepBlock
from optrun.sweep.strategies.table import STRATEGIES

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
    """All words that `entries` knows."""
    words = [*FAMILIES, *(word for members in FAMILIES.values() for word in members)]
    return sorted({part for word in words for part in (word, *word.split())})


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
