"""The JSON Schema that editors check and complete configs with.

Pydantic writes it; what the loader knows beyond the types, that a component is chosen by its name
and when a bare name is enough, is put in here.
"""

from collections.abc import Iterator
from typing import Any

from optrun.component import Section
from optrun.config.schema import Config


def json_schema(root: type[Section] = Config, title: str = "optrun config") -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a file of this kind, bare names of components included."""
    schema = root.model_json_schema()
    components = schema["$defs"]
    for node in _nodes(schema):
        if "discriminator" in node:
            _require_the_name(node["discriminator"], components)
    for node in _nodes(schema):
        if "anyOf" in node:
            _keep_names_that_suffice(node, components)
    for node in list(_nodes(schema)):
        if "discriminator" in node:
            _choose_by_name(node)
    for node in list(_nodes(schema)):
        if "anyOf" in node:
            _choose_by_type(node)
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return dialect | schema | {"title": title}


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    """Every mapping within the schema."""
    if isinstance(part, dict):
        yield part
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _nodes(inner)


def _require_the_name(choice: dict[str, Any], components: dict[str, Any]) -> None:
    """A component is chosen by its name, though the class has a default for it."""
    for member in choice["mapping"].values():
        kinds = [member] if isinstance(member, str) else member["discriminator"]["mapping"].values()
        for reference in kinds:
            component = components[_key(reference)]
            named = {choice["propertyName"]: None} | dict.fromkeys(component.get("required", ()))
            component["required"] = list(named)


def _keep_names_that_suffice(node: dict[str, Any], components: dict[str, Any]) -> None:
    """Offer a bare name only for components that need no other key."""
    chosen_from = [components[_key(reference)] for reference in _references(node)]
    enough = {
        component["properties"]["name"]["const"]
        for component in chosen_from
        if "name" in component["properties"] and set(component.get("required", ())) <= {"name"}
    }
    options = [_without(option, enough) if chosen_from else option for option in node["anyOf"]]
    node["anyOf"] = [option for option in options if option.get("enum") != []]


def _choose_by_name(node: dict[str, Any]) -> None:
    """Check a component by the schema of its name alone, so that errors are about its keys."""
    choice = node.pop("discriminator")
    del node["oneOf"]
    key, mapping = choice["propertyName"], choice["mapping"]
    node["type"] = "object"
    node["properties"] = {key: {"enum": list(mapping)}}
    node["required"] = [key]
    node["allOf"] = [
        {
            "if": {"type": "object", "properties": {key: {"const": name}}, "required": [key]},
            "then": {"$ref": member} if isinstance(member, str) else member,
        }
        for name, member in mapping.items()
    ]


def _choose_by_type(node: dict[str, Any]) -> None:
    """Where a section, a bare name or null may stand, check what stands there as what it is."""
    if all("enum" in option or option.get("type") == "null" for option in node["anyOf"]):
        node["enum"] = [name for option in node.pop("anyOf") for name in _values(option)]
        return
    sections = [option for option in node["anyOf"] if "$ref" in option or "allOf" in option]
    others = [option for option in node["anyOf"] if option.get("type") in ("string", "null")]
    if len(sections) == 1 and len(sections) + len(others) == len(node["anyOf"]):
        del node["anyOf"]
        (section,) = sections
        if others:
            node["if"] = {"type": [option["type"] for option in others]}
            node["then"] = {"enum": [name for option in others for name in _values(option)]}
            node["else"] = section
        else:
            node.update(section)


def _values(option: dict[str, Any]) -> list[str | None]:
    """The bare names, or the null, that an option allows."""
    if option["type"] == "null":
        return [None]
    return list(option["enum"])


def _without(option: dict[str, Any], enough: set[str]) -> dict[str, Any]:
    """The option, its names cut down to those that suffice by themselves."""
    if option.get("type") != "string":
        return option
    names = option.get("enum", [option.get("const")])
    return {"type": "string", "enum": [name for name in names if name in enough]}


def _references(node: dict[str, Any]) -> Iterator[str]:
    for option in node["anyOf"]:
        if "$ref" in option:
            yield option["$ref"]
        for member in option.get("discriminator", {}).get("mapping", {}).values():
            if isinstance(member, str):
                yield member


def _key(reference: str) -> str:
    return reference.removeprefix("#/$defs/")
