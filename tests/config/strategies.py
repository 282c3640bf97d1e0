"""Configs drawn from their own JSON Schema: any mapping of values that each are right."""

from typing import Any

from hypothesis import strategies as st

from optrun.config.json_schema import json_schema
from optrun.durations import PATTERN

SCHEMA = json_schema()
LARGEST = 64


def configs() -> st.SearchStrategy[dict[str, Any]]:
    """Mappings in which every key is right by itself; keys may contradict each other."""
    return values_of({key: SCHEMA[key] for key in ("type", "properties", "required")})


def values_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema allows."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return _clipping() if name == "Clipping" else values_of(SCHEMA["$defs"][name])
    if "if" in schema:
        return st.one_of(values_of(schema["then"]), values_of(schema["else"]))
    if "allOf" in schema:
        return st.one_of([values_of(rule["then"]) for rule in schema["allOf"]])
    options = schema.get("anyOf") or schema.get("oneOf")
    if options and options[0].get("pattern") == PATTERN.pattern:
        return _durations()
    if options:
        return st.one_of([values_of(option) for option in options])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    return _BY_TYPE[schema["type"]](schema)


def _objects(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    required = schema.get("required", [])
    properties = {key: values_of(part) for key, part in schema["properties"].items()}
    return st.fixed_dictionaries(
        {key: properties[key] for key in required},
        optional={key: part for key, part in properties.items() if key not in required},
    )


def _arrays(schema: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    least, most = schema.get("minItems", 0), schema.get("maxItems", 3)
    return st.lists(values_of(schema["items"]), min_size=least, max_size=most)


def _integers(schema: dict[str, Any]) -> st.SearchStrategy[int]:
    return st.integers(schema.get("minimum", -LARGEST), LARGEST)


def _numbers(schema: dict[str, Any]) -> st.SearchStrategy[float]:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    return st.floats(
        low,
        high,
        exclude_min="exclusiveMinimum" in schema,
        exclude_max="exclusiveMaximum" in schema,
        allow_nan=False,
        allow_infinity=False,
    )


def _strings(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    return st.from_regex(schema["pattern"], fullmatch=True, alphabet="aZ09._-")


def _durations() -> st.SearchStrategy[str | float]:
    return st.one_of(
        st.builds("{} steps".format, st.integers(1, 50)),
        st.builds("{} epochs".format, st.integers(1, 3)),
        st.builds("{:f} epochs".format, st.floats(0.1, 3)),
        st.builds("{:f}%".format, st.floats(1, 100)),
        st.floats(0.01, 1, exclude_max=True),
    )


def _clipping() -> st.SearchStrategy[dict[str, Any]]:
    bounds = st.lists(st.floats(-9, 9), min_size=2, max_size=2, unique=True).map(sorted)
    norm = st.floats(0.1, 9)
    return st.one_of(
        st.fixed_dictionaries({"by_norm": norm}, optional={"by_value": bounds}),
        st.fixed_dictionaries({"by_value": bounds}),
    )


_BY_TYPE = {
    "object": _objects,
    "array": _arrays,
    "integer": _integers,
    "number": _numbers,
    "string": _strings,
    "boolean": lambda schema: st.booleans(),
    "null": lambda schema: st.none(),
}
