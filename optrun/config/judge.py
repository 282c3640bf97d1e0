"""Everything that is wrong with a document's values, told at once.

One mistake must not hide another: what stands under a repeated key is judged as well, the keys
beside a wrong name are judged by every component that might have been meant, and a contradiction
is looked for wherever the fields that it concerns are sound.
"""

import copy
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from optrun.component import Section
from optrun.config.checks import contradictions
from optrun.config.choices import CHOICES
from optrun.config.document import Document
from optrun.config.problems import KeyPath, Problem, did_you_mean
from optrun.config.schema import Config
from optrun.config.suggestions import is_elsewhere, renamed
from optrun.config.translate import UNKNOWN_KEY, is_below, last_key, misnamed, translate
from optrun.config.vocabulary import Slot, slot_at, value_at


def judge(document: Document) -> list[Problem]:
    """What is wrong with the values, apart from what reading them found already."""
    unread = {p.path for p in document.problems if value_at(document.values, p.path) is None}
    unread -= {path for path, _, _ in document.repeats}
    problems = misfits(Config, document)
    unsound = unread | {problem.path for problem in problems}
    parts = _sound_parts(document.values, unsound)
    problems += _new(contradictions(parts, not unsound, document), problems)
    problems = [problem for problem in problems if problem.path not in unread]
    for path, repeated in _repeats(document):
        again = [p for p in judge(repeated) if p.path[: len(path)] == path]
        problems += _new([*repeated.problems, *again], problems)
    return problems


def misfits(root: type[Section], document: Document) -> list[Problem]:
    """What does not fit into the sections of `root`, whatever it says together."""
    problems = _alone(root, document)
    if problems:
        problems += _beside_wrong_names(root, document)
    return problems + list(_blanks(root, document, {problem.path for problem in problems}))


def _alone(root: type[Section], document: Document) -> list[Problem]:
    """What the types of the vocabulary do not allow."""
    try:
        root.model_validate(document.values)
    except ValidationError as error:
        return translate(root, document, error.errors(include_url=False))
    return []


def _new(problems: list[Problem], known: list[Problem]) -> list[Problem]:
    seen = {(problem.path, problem.place) for problem in known}
    return [problem for problem in problems if (problem.path, problem.place) not in seen]


def _repeats(document: Document) -> Iterator[tuple[KeyPath, Document]]:
    """For every repeated key the document with what was given again in its place."""
    for path, place, branch in document.repeats:
        values = copy.deepcopy(document.values)
        section = value_at(values, path[:-1])
        if isinstance(section, dict):
            section[path[-1]] = branch.values
            other = Document(document.source, values, dict(document.keys), dict(document.items))
            other.graft(path, branch)
            other.keys[path] = place
            yield path, other


def _beside_wrong_names(root: type[Section], document: Document) -> Iterator[Problem]:
    """What no component of a family would take, where the name does not tell which is meant."""
    for path in misnamed(root, document.values):
        slot, value = slot_at(root, document.values, path), value_at(document.values, path)
        if slot is None or not isinstance(value, dict):
            continue
        if slot.choice and is_elsewhere(root, last_key(path), value.get(slot.choice.key)):
            continue
        verdicts = []
        for candidate in _candidates(last_key(path), slot, value):
            values = copy.deepcopy(document.values)
            value_at(values, path[:-1])[path[-1]] = candidate
            other = Document(document.source, values, document.keys, document.items)
            below = [problem for problem in _alone(root, other) if is_below(problem.path, path)]
            verdicts.append({p.path[: len(path) + 1]: p for p in reversed(below)})
        keys = {key for section in slot.sections(value) for key in section.model_fields}
        for key in value:
            told = [verdict.get((*path, key)) for verdict in verdicts]
            if all(told):
                yield _told_by_all([problem for problem in told if problem], keys)


def _candidates(key: str, slot: Slot, value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The section under every name that would choose a component, or the one that is meant."""
    for choice in slot.choices(value):
        name = value.get(choice.key)
        if not isinstance(name, str) or name not in choice.family:
            meant = renamed(key, choice, name) if isinstance(name, str) else None
            for member in [meant] if meant else choice.family:
                yield from _candidates(key, slot, value | {choice.key: member})
            return
    yield value


def _told_by_all(told: list[Problem], keys: set[str]) -> Problem:
    """One problem for all: the first that knows the key, else that none does."""
    for problem in told:
        if problem.message != UNKNOWN_KEY:
            return problem
    unknown = told[0]
    if len(told) == 1:
        return unknown
    hint = did_you_mean(str(unknown.path[-1]), keys)
    return Problem(unknown.path, UNKNOWN_KEY, hint, unknown.place)


def _blanks(root: type[Section], document: Document, known: set[KeyPath]) -> Iterator[Problem]:
    """Keys that stand there without a value, where `null` would have been allowed."""
    for path in document.keys:
        blank = path not in document.items and value_at(document.values, path) is None
        slot = slot_at(root, document.values, path) if blank else None
        if slot and path not in known:
            without = "remove it" if path in CHOICES else "remove it, write `null` for none,"
            hint = f"{without} or give it {slot.describe()}"
            yield Problem(path, "is empty", hint, document.key_place(path))


def _sound_parts(values: dict[str, Any], unsound: set[KeyPath]) -> dict[str, Any]:
    """The config's sections as far as they are sound.

    A section that is unsound in part lacks the attributes of what is unsound in it.
    """
    if not unsound:
        return dict(Config.model_validate(values))
    config = _sound_part(Config, values, (), unsound)
    return {key: getattr(config, key) for key in Config.model_fields if hasattr(config, key)}


def _sound_part(
    section: type[Section], values: dict[str, Any], path: KeyPath, unsound: set[KeyPath]
) -> Section:
    sound: dict[str, Any] = {}
    absent = []
    for key in section.model_fields:
        slot, here = Slot.of(section, key), (*path, key)
        partly = any(is_below(problem, here) for problem in unsound)
        inner = slot.section(values.get(key)) if slot and partly else None
        if slot is None or here in unsound:
            absent.append(key)
        elif inner and isinstance(values[key], dict):
            sound[key] = _sound_part(inner, values[key], here, unsound)
        elif partly:
            absent.append(key)
        elif key in values:
            sound[key] = slot.adapter.validate_python(values[key])
    part = section.model_construct(**sound)
    for key in absent:
        part.__dict__.pop(key, None)
    return part
