"""Candidates as configs: each composed onto the base and judged like a config of its own."""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from optrun.config.document import Document
from optrun.config.load import finished, problems_of
from optrun.config.overrides import assign
from optrun.config.problems import KeyPath, Place, Problem, dotted
from optrun.config.schema import Config
from optrun.config.translate import UNKNOWN_KEY
from optrun.config.vocabulary import slot_at
from optrun.config.wording import about_owners
from optrun.sweeps.space.calls import is_call
from optrun.sweeps.space.combinations import Given, Origin


@dataclass(frozen=True)
class Composed:
    """What a choice of settings comes to.

    Attributes:
        config: None where there are problems.
        problems: of the base and the settings.
        notes, warnings: as when a config is loaded.
    """

    config: Config | None
    problems: Sequence[Problem] = ()
    notes: Sequence[str] = ()
    warnings: Sequence[Problem] = ()


@dataclass
class Composer:
    """Writes settings onto a config, again and again.

    Attributes:
        base: the config.
        fixed: settings that all have.
    """

    base: Document
    fixed: Sequence[Given] = ()
    known: dict[tuple[str, ...], Composed] = field(default_factory=dict)

    def compose(self, settings: Iterable[Given]) -> Composed:
        """The config with these settings; the outer keys are written first."""
        one_each = {setting.key: setting for setting in (*self.fixed, *settings)}
        chosen = sorted(one_each.values(), key=lambda setting: setting.key.count("."))
        identity = tuple(f"{setting.key}={setting.origin.value!r}" for setting in chosen)
        if identity not in self.known:
            self.known[identity] = self._compose(chosen)
        return self.known[identity]

    def _compose(self, settings: Sequence[Given]) -> Composed:
        base = self.base
        document = Document(
            base.source,
            copy.deepcopy(base.values),
            dict(base.keys),
            dict(base.items),
            list(base.problems),
            list(base.repeats),
        )
        notes = assign(Config, document, [setting.assignment for setting in settings])
        if not (problems := problems_of(document)):
            loaded = finished(document, notes)
            return Composed(loaded.config, (), loaded.notes, loaded.warnings)
        origins = {setting.key: setting.origin for setting in settings}
        return Composed(None, [_advised(p, document.values, origins) for p in problems])


def _advised(problem: Problem, values: Any, origins: dict[str, Origin]) -> Problem:
    """The problem, told as one of the axis where a list is taken for a value or the reverse."""
    if owners := _owners(problem, values, origins):
        hint = f"{owners}; keys that only some have go under `each` of a sweep file"
        return replace(problem, hint=hint)
    key = dotted(problem.path)
    origin, slot = origins.get(key), slot_at(Config, values, problem.path)
    if origin is None or slot is None:
        return problem
    value = origin.value
    if origin.items and slot.item and not isinstance(value, list) and value is not None:
        return _axis_of_parts(problem.path, origin)
    hint = problem.hint
    if is_call(value):
        hint = "a function stands alone, not among other values"
        if origin.section == "set":
            hint = "to try its values, write it under `grid`, or `random` where it draws"
    elif origin.section == "set" and isinstance(value, list) and not slot.item:
        hint = "to try each of them, write the list under `grid`"
        if not origin.whole.text.is_file:
            inner = _written(origin.whole)[1:-1].replace(", ", ",")
            hint = f"to try each of them, write {key}={inner}"
    elif isinstance(value, float) and not origin.items and origin.section != "set" and hint:
        whole = "integer(low, high)" if origin.section == "random" else "range(first, end, step)"
        hint = f"{whole} gives whole numbers"
    return Problem(problem.path, problem.message, hint, problem.place)


def _owners(problem: Problem, values: Any, origins: dict[str, Origin]) -> str:
    """Which other components have an unknown key, where several are listed."""
    section, slot = dotted(problem.path[:-1]), slot_at(Config, values, problem.path[:-1])
    keys = [section, f"{section}.{slot.choice.key}"] if slot and slot.choice else []
    several = any(len(origins[key].items) > 1 for key in keys if key in origins)
    if problem.message != UNKNOWN_KEY or not several:
        return ""
    return about_owners(Config, values, problem.path)


def _axis_of_parts(path: KeyPath, origin: Origin) -> Problem:
    """Where a key takes lists, and the axis holds what might be parts of one."""
    parts, whole = [_written(item) for item in origin.items], _written(origin.whole)
    message = f"takes a list, and this is an axis of {' and '.join(parts)}"
    comma = ", " if origin.whole.text.is_file else ","
    one = f"[{whole}]"
    each = comma.join(f"[{part}]" for part in parts)
    if origin.whole.text.is_file:
        each = f"[{each}]"
    if len(parts) > 3 or any(place.line != origin.whole.line for place in origin.items):
        message = f"takes a list, and this is an axis of {len(parts)} values"
        one, each = "brackets around all values", "around each"
    number = {2: "two", 3: "three"}.get(len(parts), "several")
    hint = f"write {one} for one value, {each} for {number}"
    return Problem(path, message, hint, origin.whole)


def _written(place: Place) -> str:
    return place.text.lines[place.line - 1][place.column - 1 : place.end - 1]
