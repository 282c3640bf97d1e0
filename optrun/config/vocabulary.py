"""What the types of the vocabulary allow at each path of a config.

The loader's messages, the overrides and `optrun list` ask here, so none of them repeats a name
or a bound.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from optrun.component import NOT_BLANK, OneOf, Section, table
from optrun.config.problems import KeyPath
from optrun.durations import PATTERN


@dataclass(frozen=True)
class Slot:
    """A place for a value: an annotation, and the default that stands there if nothing does."""

    annotation: Any
    default: Any = PydanticUndefined

    @classmethod
    def of(cls, section: type[Section], key: str) -> "Slot | None":
        """The slot of a section's field, or None where it has no such field."""
        return _slot_of(section, key)

    @property
    def required(self) -> bool:
        return self.default is PydanticUndefined

    @cached_property
    def choice(self) -> OneOf | None:
        """The family to choose from by name, where the value is a component."""
        families = (_family(annotation) for annotation in _alternatives(self.annotation))
        return next((family for family in families if family), None)

    def spelled_out(self, value: Any) -> Any:
        """The value with a bare name written as a section: `loss: hinge` is `{name: hinge}`."""
        return {self.choice.key: value} if self.choice and isinstance(value, str) else value

    def choices(self, value: Any) -> list[OneOf]:
        """The families that `value` chooses from: several where a component has kinds."""
        if not self.choice:
            return []
        value = self.spelled_out(value)
        member = self._member(value)
        return [self.choice, *(Slot(member).choices(value) if member else [])]

    def section(self, value: Any) -> type[Section] | None:
        """The class that `value` fills the fields of; None for leaves and unknown names."""
        if self.choice:
            value = self.spelled_out(value)
            member = self._member(value)
            return Slot(member).section(value) if member else None
        for annotation in map(_bare, _alternatives(self.annotation)):
            if isinstance(annotation, type) and issubclass(annotation, Section):
                return annotation
        return None

    def sections(self, value: Any = None) -> Iterator[type[Section]]:
        """Every class that could be meant, as far as the names in `value` tell."""
        if self.choice:
            value = self.spelled_out(value)
            chosen = self._member(value)
            for member in [chosen] if chosen else self.choice.family.values():
                yield from Slot(member).sections(value)
        elif section := self.section(value):
            yield section

    @property
    def has_sections(self) -> bool:
        """Whether a section may stand here."""
        return next(self.sections(), None) is not None

    def _member(self, value: Any) -> Any:
        if not self.choice:
            return None
        name = value.get(self.choice.key) if isinstance(value, dict) else None
        return self.choice.family.get(name) if isinstance(name, str) else None

    @property
    def item(self) -> "Slot | None":
        """The slot of a list's items, or None where no list fits."""
        for annotation in map(_bare, _alternatives(self.annotation)):
            if get_origin(annotation) is list:
                return Slot(get_args(annotation)[0])
        return None

    def below(self, value: Any, part: str | int) -> "Slot | None":
        """The slot of a key or an item of the value in this slot."""
        if isinstance(part, int):
            return self.item
        section = self.section(value)
        return Slot.of(section, part) if section else None

    def describe(self) -> str:
        """What fits here, in words: "a number greater than 0"."""
        if self.choice:
            return "one of " + ", ".join(self.choice.family)
        options = [Slot(option) for option in _alternatives(self.annotation)]
        options = [option for option in options if _bare(option.annotation) not in (None, NoneType)]
        if len(options) > 1 and any(option.section({}) for option in options):
            return " or ".join(option.describe() for option in options)
        if section := self.section({}):
            return "a section with " + ", ".join(section.model_fields)
        if self.item and (self.item.choice or self.item.section({})):
            return f"a list{_size(self.schema)}, each item {self.item.describe()}"
        return describe_schema(self.schema)

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """What validates values that stand here."""
        return TypeAdapter(self.annotation)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the values that fit here."""
        return self.adapter.json_schema()


@cache
def _slot_of(section: type[Section], key: str) -> Slot | None:
    field = section.model_fields.get(key)
    if field is None:
        return None
    return Slot(_annotation(field), field.get_default(call_default_factory=True))


def slot_at(root: type[Section], values: Any, path: KeyPath) -> Slot | None:
    """The slot at `path` of a config, following the components that `values` choose."""
    slot: Slot | None = Slot(root)
    for part in path:
        if slot is None:
            return None
        slot, values = slot.below(values, part), child(values, part)
    return slot


@cache
def sections_with(key: str, section: type[Section]) -> frozenset[KeyPath]:
    """Where in a section `key` may stand: its own path, (), and those of sections below."""
    paths: set[KeyPath] = {()} if key in section.model_fields else set()
    for name in section.model_fields:
        slot = Slot.of(section, name)
        for inner in slot.sections() if slot else ():
            paths |= {(name, *path) for path in sections_with(key, inner)}
    return frozenset(paths)


@cache
def all_keys(section: type[Section]) -> frozenset[str]:
    """The keys of a section and of all sections below it."""
    keys = set(section.model_fields)
    for name in section.model_fields:
        slot = Slot.of(section, name)
        for inner in slot.sections() if slot else ():
            keys |= all_keys(inner)
    return frozenset(keys)


def value_at(values: Any, path: KeyPath) -> Any:
    """The plain value at `path`, None where there is none."""
    for part in path:
        values = child(values, part)
    return values


def child(value: Any, part: str | int) -> Any:
    """The item or key of a plain value, None where there is none."""
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def describe_schema(schema: dict[str, Any]) -> str:
    """A JSON Schema of a leaf in words; that null is allowed too goes without saying."""
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        if options[0].get("pattern") == PATTERN.pattern:
            return 'a duration such as "500 steps", "2 epochs" or "10%"'
        return " or ".join(describe_schema(option) for option in options)
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return _describe_array(schema)
    names = {"number": "a number", "integer": "a whole number", "boolean": "true or false"}
    kind = schema.get("type", "object")
    text = "a text that is not blank" if schema.get("pattern") == NOT_BLANK else "a text"
    name = {**names, "string": text}.get(kind, "a section")
    return f"{name} {describe_range(schema)}".rstrip()


def describe_range(schema: dict[str, Any]) -> str:
    """The bounds of a number in words: "at least 0 and less than 1"."""
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "greater than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
    }
    return " and ".join(f"{text} {schema[key]}" for key, text in words.items() if key in schema)


def _describe_array(schema: dict[str, Any]) -> str:
    return f"a list{_size(schema)}, each item {describe_schema(schema.get('items', {}))}"


def _size(schema: dict[str, Any]) -> str:
    """How many items a list has: " of 2", " of at least 1"."""
    least, most = schema.get("minItems"), schema.get("maxItems")
    if least is not None and least == most:
        return f" of {least}"
    return f" of at least {least}" if least else ""


def _annotation(field: FieldInfo) -> Any:
    extras = tuple(field.metadata)
    return Annotated[(field.annotation, *extras)] if extras else field.annotation


def _alternatives(annotation: Any) -> Iterator[Any]:
    """The members of nested unions, each with its own annotations."""
    bare = _bare(annotation)
    if get_origin(bare) in (Union, UnionType) and not _family(annotation):
        for member in get_args(bare):
            yield from _alternatives(member)
    else:
        yield annotation


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _family(annotation: Any) -> OneOf | None:
    """The family of an annotated choice, whether made by `OneOf` or by a discriminator."""
    for extra in getattr(annotation, "__metadata__", ()):
        if isinstance(extra, OneOf):
            return extra
        if isinstance(extra, FieldInfo) and isinstance(extra.discriminator, str):
            members = get_args(get_args(annotation)[0])
            return OneOf(table(members, extra.discriminator), extra.discriminator)
    return None
