"""config.yaml of a run: the resolved config as a plain mapping, safe YAML for people to read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from optrun.errors import RunError
from optrun.store.files import read_text, unreadable

HEADING = "# Every setting of this run. `optrun train` on this file repeats the run.\n"


class Dumper(yaml.SafeDumper):
    """Lists of scalars on one line; text that looks like a number in quotes."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def represent_list(dumper: Dumper, items: list[Any]) -> yaml.Node:
    flow = not any(isinstance(item, dict | list) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flow)


def represent_text(dumper: Dumper, text: str) -> yaml.Node:
    try:
        float(text)
    except ValueError:
        return dumper.represent_scalar("tag:yaml.org,2002:str", text)
    # PyYAML takes 1e-3 for text and would not quote it; other readers of YAML take it for a number.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'")


Dumper.add_representer(list, represent_list)
Dumper.add_representer(str, represent_text)


def dump(config: Mapping[str, Any]) -> str:
    """The file's text, keys in the order of `config`."""
    body = yaml.dump(dict(config), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
    return HEADING + body


def load(path: Path) -> dict[str, Any]:
    """The mapping in `path`.

    Raises:
        RunError: the file is absent or holds no YAML mapping.
    """
    try:
        config = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise unreadable(path, error) from error
    if not isinstance(config, dict):
        raise RunError(f"{path} is damaged: it holds no mapping")
    return config
