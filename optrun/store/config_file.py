"""config.yaml of a run: the resolved config as a plain mapping, safe YAML for people to read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from optrun.store.files import read_text, unreadable
from optrun.yaml_text import to_yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same, ten times as fast
HEADING = "# Every setting of this run. `optrun train` on this file repeats the run.\n"


def dump(config: Mapping[str, Any]) -> str:
    """The file's text, keys in the order of `config`."""
    return HEADING + to_yaml(config)


def load(path: Path) -> dict[str, Any]:
    """The mapping in `path`.

    Raises:
        RunError: the file is absent or holds no YAML mapping.
    """
    try:
        config = yaml.load(read_text(path), Loader=LOADER)
    except yaml.YAMLError as error:
        raise unreadable(path, error) from error
    if not isinstance(config, dict):
        raise unreadable(path, ValueError("it holds no mapping"))
    return config
