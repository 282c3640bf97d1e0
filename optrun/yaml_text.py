"""Writing configs as YAML that any reader takes for what was written.

Scalars follow the core schema of YAML 1.2: `1e-3` is a number, only `true` and `false` are
booleans, nothing is a date. What an older reader would take for something else is quoted.
"""

import re
from collections.abc import Mapping
from typing import Any

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
