"""What a sweep is read from: a sweep file and its base, or a config alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unicodedata import normalize

from yaml import YAMLError

from optrun.config.document import Document, Unreadable
from optrun.config.foreign import foreign_sweep
from optrun.config.judge import misfits
from optrun.config.load import plain
from optrun.config.names import MOST_BYTES, name_problem
from optrun.config.problems import KeyPath, Place, Problem, render
from optrun.config.read import parse_file, read_bytes
from optrun.config.schema import Config
from optrun.config.translate import UNKNOWN_KEY
from optrun.config.vocabulary import value_at
from optrun.config.wording import show
from optrun.errors import ConfigError
from optrun.sweeps.space.combinations import BLOCK
from optrun.sweeps.space.schema import SweepBlock, SweepFile
from optrun.sweeps.space.seeds import SEEDS, WANTED_SEEDS
from optrun.yaml_text import to_yaml

BASE = (*BLOCK, "base")
SECTIONS = ("set", "grid", "zip", "random")
ALONE = "a sweep file holds `sweep:` alone; changes to the config go under `sweep.set`"
DOTTED = "write dotted keys below it, such as `optimizer.lr: [0.1, 0.01]`"
MAPPING = "the sweep"  # what messages call one that was given as a mapping
A_CONFIG = "the path of a config, or the config itself"
WANTED = {BASE: A_CONFIG, SEEDS: WANTED_SEEDS}


@dataclass
class SweepSource:
    """A sweep as written.

    Attributes:
        document: the sweep's, whose problems are those of all that was read.
        base: the config's; None where there is none to be read.
        name: what the sweep is called unless it says so itself; None: like its config.
    """

    document: Document
    base: Document | None
    name: str | None


def read_source(source: Path | Mapping[str, Any]) -> SweepSource:
    """Read a sweep and its base, or a config as the base of a sweep: a file, or a mapping like it.

    Raises:
        ConfigError: the file cannot be read, or holds no mapping of keys to values.
    """
    if isinstance(source, Mapping):
        content, shown, folder, name = written(source), MAPPING, Path(), None
    else:
        content, shown, folder, name = read_bytes(source), str(source), source.parent, source.stem
    try:
        document = parse_file(content, shown, calls=True)
    except Unreadable as error:
        raise ConfigError(render([error.problem], shown)) from None
    if foreign := foreign_sweep(document.values):
        raise ConfigError(f"{shown}: {foreign}")
    if "sweep" not in document.values:
        block = {"base": document.values}
        return SweepSource(Document(document.source, {"sweep": block}), document, None)
    if not isinstance(document.values["sweep"], dict):
        problems = [*document.problems, *misfits(SweepFile, document)]
        raise ConfigError(render(problems, document.source))
    return SweepSource(document, _base(document, folder), name and normalize("NFC", name))


def written(sweep: Mapping[str, Any]) -> bytes:
    """The mapping as a file, so that problems of it have a place.

    Raises:
        ConfigError: a value in it is nothing that YAML has.
    """
    try:
        return to_yaml(plain(sweep)).encode()
    except YAMLError as error:
        value = repr(error.args[-1])
        message = f"{MAPPING} holds {value}; it is made of numbers, texts, lists and mappings"
        raise ConfigError(message) from None


def read_block(source: SweepSource) -> SweepBlock | None:
    """The `sweep:` section, or None and more problems in the document where it is unsound."""
    document = source.document
    if found := misfits(SweepFile, document):
        document.problems += [_advised(problem, document) for problem in found]
        return None
    block = SweepFile.model_validate(document.values).sweep
    if block.name is None and source.name and name_problem(source.name):
        message = f"required, for no directory can be called `{source.name}` after the file"
        hint = f"add `name:` with letters, digits, `.`, `_` and `-`, {MOST_BYTES} bytes at most"
        place = place_of(document, (*BLOCK, "name"))
        document.problems.append(Problem((*BLOCK, "name"), message, hint, place))
    return block


def place_of(document: Document, path: KeyPath) -> Place | None:
    """Where a key of the sweep has its value, or where it might stand."""
    return document.items.get(path) or document.key_place(path)


def _base(document: Document, folder: Path) -> Document | None:
    base = value_at(document.values, BASE)
    if isinstance(base, dict):
        branch = document.branch(BASE)
        document.problems = [p for p in document.problems if p.path[: len(BASE)] != BASE]
        return branch
    if not isinstance(base, str):
        return None
    place, path = document.value_place(BASE), folder / base
    try:
        read = parse_file(read_bytes(path), os.path.normpath(path))
    except ConfigError as error:
        document.problems.append(Problem(BASE, str(error), "", place))
        return None
    except Unreadable as error:
        problem = error.problem
        if problem.place is None:
            problem = Problem(BASE, f"{path}: {problem.message}", problem.hint, place)
        document.problems.append(problem)
        return None
    if "sweep" in read.values:
        message = f"{os.path.normpath(path)} is a sweep itself"
        document.problems.append(Problem(BASE, message, "name a config", place))
        return None
    return read


def _advised(problem: Problem, document: Document) -> Problem:
    """In words of a sweep, where the types alone say little."""
    path, value = problem.path, value_at(document.values, problem.path)
    key = str(path[-1])
    if problem.message == UNKNOWN_KEY and len(path) == 1:
        return replace(problem, hint=ALONE)
    is_of_config = key.split(".")[0] in Config.model_fields and "`sweep." not in problem.hint
    if problem.message == UNKNOWN_KEY and is_of_config:
        return replace(problem, hint=f"`{key}` belongs under `set` or `grid`")
    if path == BASE and value is None:
        return replace(problem, hint=f"give it {A_CONFIG}")
    if path in WANTED and value is not None:
        return replace(problem, message=f"must be {WANTED[path]}, not {show(value)}")
    if key in SECTIONS and problem.message.startswith("must be"):
        return replace(problem, hint=DOTTED)
    return problem
