"""YAML of stored files: what is written reads back, and nothing else is read."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from optrun.yaml_text import DEPTH, from_yaml, to_yaml

TEXT = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner))


@given(st.dictionaries(TEXT, VALUES))
def test_what_is_written_reads_back(values: dict[str, Any]):
    assert from_yaml(to_yaml(values)) == values


BOMB = "a: &a [x, x]\n" + "".join(f"{new}: &{new} [*{old}, *{old}]\n" for old, new in ["ab", "bc"])


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "[" * (DEPTH + 1) + "]" * (DEPTH + 1),
        "a: !!python/object/apply:os.system [ls]",
        "a: !!binary aGk=",
        "a: !!set {x}",
        "1: a",
        "a: " + "1" * 401,
        "? [a]\n: b",
    ],
    ids=["aliases", "deep", "object", "binary", "set", "number as key", "digits", "list as key"],
)
def test_what_optrun_does_not_write_is_refused(text: str):
    with pytest.raises(yaml.YAMLError):
        from_yaml(text)
