"""Loading texts as a person's sweep file would be loaded."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest

from optrun.errors import ConfigError
from optrun.sweeps.space.load import Sweep, load_sweep

BASE = """\
name: demo
dataset: {name: synthetic, kind: moons}
model: {name: mlp, hidden: [8]}
optimizer: {name: sgd, lr: 0.1}
"""
HEAD = "sweep:\n  base: base.yaml\n"
"""Two lines of a sweep file; tests add lines from the third on."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `base.yaml` in it."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def sweep_of(folder: Path) -> Callable[..., Sweep]:
    """Load lines below `sweep:` and `base:` as the file `x.yaml`."""

    def load(lines: str, *overrides: str, head: str = HEAD, samples: int | None = None) -> Sweep:
        body = indent(dedent(lines).strip("\n"), "  ")
        Path("x.yaml").write_text(f"{head}{body}\n", encoding="utf-8")
        return load_sweep(Path("x.yaml"), overrides, samples)

    return load


@pytest.fixture
def complaint(sweep_of: Callable[..., Sweep]) -> Callable[..., str]:
    """What is said about a sweep that must be refused."""

    def refuse(lines: str, *overrides: str, **options: Any) -> str:
        with pytest.raises(ConfigError) as caught:
            sweep_of(lines, *overrides, **options)
        return str(caught.value)

    return refuse
