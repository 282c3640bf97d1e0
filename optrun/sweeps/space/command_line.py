"""Axes on the command line: `optimizer.lr=logspace(1e-4,1,9) model.hidden=[64],[32] seed=range(5)`.

A comma between values makes an axis, brackets around them one list; a function lists or draws;
anything else is one value for all runs. `sweep.strategy=tpe` changes the sweep itself, and so does
`--samples 20`.
"""

import re
from collections.abc import Sequence
from typing import Any

from optrun.config.document import Document, Unreadable, parse
from optrun.config.overrides import Assignment, assign, split_override, texts_of
from optrun.config.problems import KeyPath, Place, Problem, Text
from optrun.sweeps.space.calls import is_call, read_call
from optrun.sweeps.space.combinations import BLOCK, normal, refusal_of_axis
from optrun.sweeps.space.schema import SweepFile
from optrun.sweeps.strategies.table import Random

CHANGEABLE = ("name", "seeds", "strategy", "metric", "baseline")
OF_THE_SWEEP_ALONE = ("seeds", "strategy", "metric", "baseline")
"""Those that are no keys of a config."""
SECTIONS = ("set", "grid", "random")
STRATEGY = (*BLOCK, "strategy")
DRAWN = f"values are drawn at random, {Random().samples} times; --samples says how often"


def write_axes(
    document: Document, overrides: Sequence[str], samples: int | None = None
) -> list[str]:
    """Write what the command line says into the document of a sweep.

    What the file gives for the same key at the top level of its space is replaced. What cannot be
    read is added to the document's problems. Where something is drawn and no strategy is named, it
    is `random`.

    Args:
        document: of the sweep; changed in place.
        overrides: axes, values, and changes to the sweep itself.
        samples: how often to draw, if `--samples` says so.

    Returns:
        Notes on what was left out of the strategy because another one was chosen, on a name that
        is not the sweep's, and on a strategy that nobody named.
    """
    writer = _Writer(document)
    for text in texts_of(overrides):
        try:
            writer.write(text)
        except Unreadable as error:
            document.problems.append(error.problem)
    writer.draw(samples)
    return [*writer.notes, *assign(SweepFile, document, writer.of_the_sweep)]


def typed(override: str) -> str:
    """The override as it is typed: in quotes where shells take letters of it for themselves."""
    return override if re.fullmatch(r"[\w.,:/=+-]*", override) else f'"{override}"'


class _Writer:
    def __init__(self, document: Document):
        self.document = document
        self.given: dict[str, Place] = {}
        self.of_the_sweep: list[Assignment] = []
        self.notes: list[str] = []

    def write(self, text: Text) -> None:
        """Write one of the arguments.

        Raises:
            Unreadable: it is not of the form.
        """
        written, value = split_override(text)
        key, place = normal(written), Place(text, 1, 1, len(written) + 1)
        if key.split(".")[0] in OF_THE_SWEEP_ALONE:
            hint = f"write {typed(f'sweep.{key}={value.strip()}')}"
            raise Unreadable(f"`{key}` is a key of the sweep, not of its config", place, hint)
        section, read = _read(text, written, value)
        if key == "sweep" or key.startswith("sweep."):
            self._change_the_sweep(written, place, read)
            return
        if key == "name" and section != "set":
            problem = refusal_of_axis(key, place)
            self.document.problems += [problem] if problem else []
            return
        if key == "name" and BLOCK in self.document.keys:  # a config alone names its sweep too
            meant = typed(f"sweep.name={value.strip()}")
            self.notes.append(f"{text.lines[0]} names the runs; {meant} names the sweep")
        if key == "seed" and section != "set":
            self._replace(key, "seeds", text)
            self.of_the_sweep.append(Assignment("sweep.seeds", place, read, shown="seed"))
        else:
            self._replace(key, section, text)
            self._put((section, key), place, read)
        self.given[key] = place

    def draw(self, samples: int | None) -> None:
        """Take `random` for the strategy where values are drawn and no strategy is named."""
        block, said = self.document.values["sweep"], [a.parts for a in self.of_the_sweep]
        is_named = "strategy" in block or {STRATEGY, (*STRATEGY, "name")} & {*said}
        if is_implied := _is_drawn(block) and not is_named:
            block["strategy"] = {"name": "random"}
            if not samples and (*STRATEGY, "samples") not in said:
                self.notes.append(DRAWN)
        if samples:
            text = Text(f"--samples {samples}", (f"--samples {samples}",), len(self.given) + 1)
            self._draw_so_often(samples, text, is_implied or bool(is_named))

    def _draw_so_often(self, samples: int, text: Text, is_sensible: bool) -> None:
        key, place = Place(text, 1, 1, 10), Place(text, 1, 11, len(text.name) + 1)
        if is_sensible:
            value = Document("", samples, {}, {(): place})
            self.of_the_sweep.append(Assignment("sweep.strategy.samples", key, value, text.name))
        else:
            message = "everything is listed, so there is nothing to draw"
            hint = f"leave it out, or draw a key: {typed('optimizer.lr=loguniform(1e-4,1)')}"
            self.document.problems.append(Problem((), message, hint, key))

    def _change_the_sweep(self, key: str, place: Place, value: Document) -> None:
        parts = normal(key).split(".")
        if len(parts) < 2 or parts[1] not in CHANGEABLE:
            changeable = ", ".join(f"sweep.{name}" for name in CHANGEABLE)
            hint = f"there are {changeable}; an axis is written as in optimizer.lr=0.1,0.01"
            raise Unreadable(f"`{normal(key)}` is not changed like this", place, hint)
        self.of_the_sweep.append(Assignment(key, place, value, shown=normal(key)))

    def _replace(self, key: str, section: str, text: Text) -> None:
        """Forget what the file says about the key; what the command line says is an error."""
        if earlier := self.given.get(key):
            hint = "keep one of the two"
            problem = Problem((key,), f"is given again by {text.name}", hint, earlier)
            self.document.problems.append(problem)
        block = self.document.values["sweep"]
        for other in SECTIONS:
            values = block.get(other)
            for written in list(values) if isinstance(values, dict) else ():
                if normal(written) == key and (other, written) != (section, key):
                    del values[written]
                    self.document.forget((*BLOCK, other, written))

    def _put(self, path: KeyPath, place: Place, value: Document) -> None:
        section = self.document.values["sweep"]
        for part in path[:-1]:
            section = section.setdefault(part, {})
        if isinstance(section, dict):
            section[path[-1]] = value.values
            self.document.graft((*BLOCK, *path), value)
            self.document.keys[(*BLOCK, *path)] = place


def _is_drawn(space: Any) -> bool:
    """Whether a space, or one of those within it, draws values."""
    if not isinstance(space, dict):
        return False
    within = space.get("each")
    return bool(space.get("random")) or any(
        map(_is_drawn, within if isinstance(within, list) else ())
    )


def _read(text: Text, key: str, value: str) -> tuple[str, Document]:
    """The part of a space that takes such a value, and the value or values with their places."""
    before = " " * len(key)
    try:
        items = parse(f"{before}[{value}]", text, calls=True)  # the bracket stands where `=` does
    except Unreadable:
        parse(f"{before} {value}", text)  # which may tell better what is wrong
        raise
    if not items.values:
        return "set", Document("", None)
    if re.fullmatch(r"[-+]?\d+,0\d+", value.strip()):
        place = Place(text, 1, len(key) + 2, len(text.lines[0]) + 1)
        hint = f"write {value.strip().replace(',', '.')}, with a point; a comma separates values"
        raise Unreadable("is a decimal comma meant?", place, hint)
    if value.rstrip().endswith(","):
        end = len(key) + 1 + len(value.rstrip())
        hint = "write another value after it, or remove it"
        raise Unreadable("a value is missing after the comma", Place(text, 1, end, end + 1), hint)
    if len(items.values) > 1:
        end = len(text.lines[0]) + 1
        items.items[()] = Place(text, 1, len(key) + 2, max(end, len(key) + 3))
        return "grid", items
    item = items.branch((0,))
    if not is_call(item.values):
        return "set", item
    return "random" if read_call(item.values, item.items[()]).draws else "grid", item
