"""Configs as YAML: read without its traps, and written so that any reader reads the same.

Scalars follow the core schema of YAML 1.2: `1e-3` is a number, only `true` and `false` are
booleans, nothing is a date. What an older reader would take for something else is quoted.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

import yaml

TAG = "tag:yaml.org,2002:"
SCALARS = {
    "null": re.compile(r"(?:null|Null|NULL|~|)$"),
    "bool": re.compile(r"(?:true|True|TRUE|false|False|FALSE)$"),
    "int": re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"),
    "float": re.compile(
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
}


DEPTH = 30
"""Sections that may be nested in one another; what is read is converted by recursion."""


TOO_DEEP = "sections are nested too deeply"
LONGEST_NUMBER = 400
"""Digits; more than any float has, and few enough to convert at once."""


class Refused(yaml.composer.ComposerError):
    """Valid YAML that optrun does not read."""


class PlainLoader(yaml.SafeLoader):
    """Reads YAML 1.2 scalars, no aliases, and no more than DEPTH levels.

    A few aliases of aliases can stand for more values than any memory holds.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (the base class's protocol)
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            self._refuse(f"aliases such as `*{event.anchor}` are not read: write the value out")
        if self.depth == DEPTH:
            self._refuse(TOO_DEEP)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refuse(self, message: str) -> NoReturn:
        raise Refused(problem=message, problem_mark=self.peek_event().start_mark)


def scalar_value(kind: str, text: str) -> bool | int | float | None:
    """The value of a scalar that matches the pattern of its kind in SCALARS."""
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int" if text.startswith(("0o", "0x")):
            return int(text, 0)
        case "int":
            return int(text)
        case _:
            return float(
                text.replace(".", "", 1) if text.lower().endswith(("inf", "nan")) else text
            )


def _construct_scalar(loader: Any, node: yaml.ScalarNode) -> bool | int | float | None:
    kind = node.tag.removeprefix(TAG)
    if not SCALARS[kind].match(node.value) or len(node.value) > LONGEST_NUMBER:
        raise Refused(problem=f"this is no {kind}", problem_mark=node.start_mark)
    return scalar_value(kind, node.value)


def _construct_mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    for key, _ in node.value:
        if key.tag != f"{TAG}str":
            raise Refused(problem="a key must be a plain word", problem_mark=key.start_mark)
    return loader.construct_mapping(node, deep=True)


class FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads what PlainLoader does, ten times as fast; `from_yaml` checks what it is given."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012
    yaml_constructors: ClassVar[dict[str | None, Any]] = {}


def from_yaml(text: str) -> Any:
    """The value of one YAML document.

    Raises:
        yaml.YAMLError: it is not YAML, or more than numbers, texts, lists and mappings by text.
    """
    depth = 0
    for event in yaml.parse(text, FastLoader):
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            raise Refused(problem="aliases are not read", problem_mark=mark)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH:
            raise Refused(problem=TOO_DEEP, problem_mark=mark)
    return yaml.load(text, FastLoader)


def to_yaml(values: Mapping[str, Any]) -> str:
    """The mapping as YAML that both 1.1 and 1.2 readers understand alike."""
    return yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


class _Dumper(yaml.SafeDumper):
    """Quotes what any YAML version would misread; writes lists of scalars on one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_list(dumper: _Dumper, values: list[Any]) -> yaml.Node:
    on_one_line = not any(isinstance(value, dict | list) for value in values)
    return dumper.represent_sequence(f"{TAG}seq", values, flow_style=on_one_line)


_Dumper.add_representer(list, _represent_list)
for _name, _pattern in SCALARS.items():
    _Dumper.add_implicit_resolver(TAG + _name, _pattern, None)
    PlainLoader.add_implicit_resolver(TAG + _name, _pattern, None)
    FastLoader.add_implicit_resolver(TAG + _name, _pattern, None)
    FastLoader.add_constructor(TAG + _name, _construct_scalar)
FastLoader.add_constructor(f"{TAG}str", yaml.SafeLoader.construct_yaml_str)
FastLoader.add_constructor(f"{TAG}seq", lambda loader, node: loader.construct_sequence(node, True))
FastLoader.add_constructor(f"{TAG}map", _construct_mapping)
FastLoader.add_constructor(None, yaml.SafeLoader.construct_undefined)
