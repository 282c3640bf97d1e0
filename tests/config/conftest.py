"""Loading texts as a person's file would be loaded."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from optrun.config.load import Loaded, load
from optrun.errors import ConfigError

BASE = """\
name: demo
dataset: {name: synthetic, kind: moons}
model: {name: mlp, hidden: [8]}
optimizer: {name: sgd, lr: 0.1}
"""
"""Four lines that are a whole config; tests add lines from the fifth on."""


@pytest.fixture
def load_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Loaded]:
    """Load a text as the file `x.yaml` of the current folder."""
    monkeypatch.chdir(tmp_path)

    def load_as_file(text: str, *overrides: str) -> Loaded:
        Path("x.yaml").write_text(dedent(text), encoding="utf-8")
        return load("x.yaml", overrides)

    return load_as_file


@pytest.fixture
def complaint(load_text: Callable[..., Loaded]) -> Callable[..., str]:
    """What the loader says about a text that it must refuse."""

    def refuse(text: str, *overrides: str) -> str:
        with pytest.raises(ConfigError) as caught:
            load_text(text, *overrides)
        return str(caught.value)

    return refuse
