"""From the `sweep:` block to combinations: for each key of the config a value, or a draw."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Any

from optrun.config.document import UNCLOSED, Document, Unreadable
from optrun.config.overrides import Assignment
from optrun.config.problems import KeyPath, Place, Problem, count
from optrun.config.vocabulary import value_at
from optrun.config.wording import show
from optrun.sweeps.space.calls import (
    FORMS,
    MOST_VALUES,
    distribution,
    is_call,
    is_unclosed,
    listed,
    read_call,
)
from optrun.sweeps.space.distributions import Choice, Distribution

BLOCK: KeyPath = ("sweep",)
AXES = ("grid", "zip", "random")
LIST_OF_VALUES = "a list of values such as [0.1, 0.01], or logspace(1e-3, 1, 4)"
SOMETHING_TO_DRAW = "a list to choose from, or a distribution such as loguniform(1e-4, 1)"


@dataclass(frozen=True)
class Origin:
    """What was written where a value of a key comes from.

    Attributes:
        section: set, grid, zip or random.
        whole: the place of all values of the key.
        items: the places of each, where they are listed; none where a function makes them.
        value: the value itself.
    """

    section: str
    whole: Place
    items: tuple[Place, ...]
    value: Any


@dataclass(frozen=True)
class Given:
    """A value for a key.

    Attributes:
        key: in the normal form.
        assignment: what writes it onto the config.
        origin: for messages.
    """

    key: str
    assignment: Assignment
    origin: Origin


@dataclass(frozen=True)
class Draw:
    """A key whose value is drawn.

    Attributes:
        key: in the normal form.
        distribution: what from.
        choices: each choice with its places, where there are choices.
        blank: an assignment that lacks the value, whose place is that of the distribution.
    """

    key: str
    distribution: Distribution
    choices: tuple[Document, ...]
    blank: Assignment
    place: Place

    def given(self, value: Any) -> Given:
        """With this value."""
        document = Document("", value, {}, {(): self.place})
        items: tuple[Place, ...] = ()
        if isinstance(self.distribution, Choice) and self.choices:
            document = self.choices[_index_of(value, self.distribution.values)]
            items = tuple(choice.items.get((), self.place) for choice in self.choices)
        assignment = Assignment(self.blank.key, self.blank.place, document, self.blank.shown)
        return Given(self.key, assignment, Origin("random", self.place, items, value))


Combination = tuple[Given | Draw, ...]


@dataclass
class SpaceRead:
    """What a space comes to.

    Attributes:
        fixed: what is the same in all of it.
        combinations: one at least, which may be empty.
        problems: why it cannot be searched.
    """

    fixed: tuple[Given, ...] = ()
    combinations: list[Combination] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_space(document: Document) -> SpaceRead:
    """The space of a sweep's document, as far as it is sound."""
    reader = _Reader(document)
    fixed = tuple(reader.fixed(BLOCK))
    combinations = reader.combinations(BLOCK, with_fixed=False)
    reader.refuse_decided_twice(BLOCK, {})
    return SpaceRead(fixed, combinations, reader.problems)


def normal(key: str) -> str:
    """The key without blanks around its dots."""
    return ".".join(part.strip() for part in key.split("."))


def refusal_of_axis(key: str, place: Place | None) -> Problem | None:
    """Why this key is no axis, if it is none."""
    if key == "name":
        hint = "remove it, or set it once for all runs; the sweep's own name is `sweep.name`"
        return Problem(("name",), "changes no result, so it is no axis", hint, place)
    if key == "seed":
        hint = "write `seeds:` beside `base:`; every candidate is trained with each of them"
        return Problem(("seed",), "is no axis here", hint, place)
    return None


class _Reader:
    def __init__(self, document: Document):
        self.document = document
        self.problems: list[Problem] = []

    def combinations(self, path: KeyPath, with_fixed: bool = True) -> list[Combination]:
        """All combinations of the space at `path`, the last axis varying fastest."""
        axes: list[list[Combination]] = [[tuple(self.fixed(path))]] if with_fixed else []
        for section in self._mapping(path):
            axes += self._axes(section, path)
        number = math.prod(map(len, axes))
        if number > MOST_VALUES:
            message = f"comes to {count(number, 'combination')}"
            hint = f"{MOST_VALUES} are the most; draw them with `random`"
            self._note(path, message, self.document.key_place(path), hint)
            return []
        return [tuple(chain.from_iterable(parts)) for parts in product(*axes)]

    def fixed(self, path: KeyPath) -> Iterator[Given]:
        """What the space at `path` sets for all of it."""
        for key, here in self._keys((*path, "set")):
            if path != BLOCK and self._refuse_axis(key, here):
                continue
            written = self.document.branch(here)
            whole = written.items.get((), self.document.keys[here])
            yield self._setting(key, here, written, Origin("set", whole, (), written.values))

    def _axes(self, section: str, path: KeyPath) -> Iterator[list[Combination]]:
        here = (*path, section)
        if section == "grid":
            for key, at in self._keys(here):
                if settings := self._listed(section, key, at):
                    yield [(setting,) for setting in settings]
        elif section == "zip" and (columns := self._columns(here)):
            yield list(zip(*columns, strict=True))
        elif section == "random":
            yield [tuple(self._draws(here))]
        elif section == "each" and isinstance(spaces := self._value(here), list) and spaces:
            alternatives = (self.combinations((*here, place)) for place in range(len(spaces)))
            yield list(chain.from_iterable(alternatives))

    def _columns(self, path: KeyPath) -> list[list[Given]]:
        columns = [(key, self._listed("zip", key, at)) for key, at in self._keys(path)]
        for key, column in columns:
            if len(column) != len(columns[0][1]) and column and columns[0][1]:
                first, size = columns[0][0], len(columns[0][1])
                message = f"has {count(len(column), 'value')}, and `{first}` has {size}"
                hint = "the lists of `zip` go together, value by value: make them equally long"
                self.problems.append(Problem((key,), message, hint, column[0].origin.whole))
                return []
        return [column for _, column in columns if column]

    def _listed(self, section: str, key: str, path: KeyPath) -> list[Given]:
        """The values of one key of a grid or zip."""
        value, place = self._value(path), self.document.value_place(path)
        if self._refuse_axis(key, path) or place is None:
            return []
        if isinstance(value, list) and value:
            branches = [self.document.branch((*path, index)) for index in range(len(value))]
            items = tuple(branch.items.get((), place) for branch in branches)
            origins = [Origin(section, place, items, branch.values) for branch in branches]
        elif isinstance(value, str) and is_call(value):
            computed = self._computed(key, value, place)
            branches = [Document("", number, {}, {(): place}) for number in computed]
            origins = [Origin(section, place, (), number) for number in computed]
        else:
            self._refuse_value(key, value, place, LIST_OF_VALUES)
            return []
        rows = zip(branches, origins, strict=True)
        return [self._setting(key, path, branch, origin) for branch, origin in rows]

    def _computed(self, key: str, value: str, place: Place) -> list[Any]:
        try:
            call = read_call(value, place)
            if call.draws:
                message = f"`{call.name}` draws values: it belongs under `random`"
                raise Unreadable(message, place)
            return listed(call, place)
        except Unreadable as error:
            self._note_unreadable(key, error)
            return []

    def _draws(self, path: KeyPath) -> Iterator[Draw]:
        for key, here in self._keys(path):
            value, place = self._value(here), self.document.value_place(here)
            if self._refuse_axis(key, here) or place is None:
                continue
            blank = self._assignment(key, here, Document("", None))
            if isinstance(value, list) and value:
                choices = [self.document.branch((*here, index)) for index in range(len(value))]
                yield Draw(key, Choice(tuple(value)), tuple(choices), blank, place)
            elif isinstance(value, str) and is_call(value):
                yield from self._drawn(key, value, place, blank)
            else:
                self._refuse_value(key, value, place, SOMETHING_TO_DRAW)

    def _drawn(self, key: str, value: str, place: Place, blank: Assignment) -> Iterator[Draw]:
        try:
            call = read_call(value, place)
            if not call.draws:
                hint = f"write {FORMS['loguniform']}, or a list to choose from"
                message = f"`{call.name}` lists values: it belongs under `grid`"
                raise Unreadable(message, place, hint)
            drawn = distribution(call, place)
        except Unreadable as error:
            self._note_unreadable(key, error)
            return
        arguments = call.arguments
        self.problems += arguments.problems
        size = len(arguments.values) if isinstance(drawn, Choice) else 0
        choices = tuple(arguments.branch((index,)) for index in range(size))
        yield Draw(key, drawn, choices, blank, place)

    def refuse_decided_twice(self, path: KeyPath, above: dict[str, Place]) -> None:
        """Note the keys that more than one part decides on the way to a combination."""
        decided = dict(above)
        for section in ("set", *AXES):
            for key, here in self._keys((*path, section), tell=False):
                place = self.document.keys[here]
                if earlier := decided.get(key):
                    hint = f"{earlier} decides it too: keep one of the two"
                    self.problems.append(Problem((key,), "is decided twice", hint, place))
                decided.setdefault(key, place)
        spaces = self._value((*path, "each"))
        for index in range(len(spaces)) if isinstance(spaces, list) else ():
            self.refuse_decided_twice((*path, "each", index), decided)

    def _refuse_value(self, key: str, value: Any, place: Place, wanted: str) -> None:
        message, hint = f"must be {wanted}, not {show(value)}", ""
        if value is None:
            message, hint = "is empty", f"give it {wanted}"
        elif isinstance(value, dict):
            message = f"must be {wanted}, not a section"
            hint = f"write dotted keys, such as `{key}.{next(iter(value), 'lr')}:`"
        elif is_unclosed(value):
            message = UNCLOSED
        elif not isinstance(value, list):
            hint = "a single value stands under `set`"
        self.problems.append(Problem((key,), message, hint, place))

    def _refuse_axis(self, key: str, path: KeyPath) -> bool:
        problem = refusal_of_axis(key, self.document.keys.get(path))
        self.problems += [problem] if problem else []
        return problem is not None

    def _keys(self, path: KeyPath, tell: bool = True) -> Iterator[tuple[str, KeyPath]]:
        """The keys of a section in the normal form, and their paths."""
        for written in self._mapping(path):
            key, here = normal(written), (*path, written)
            if all(key.split(".")):
                yield key, here
            elif tell:
                hint = "write it as in an override, such as `optimizer.lr`"
                self._note((written,), "is no key", self.document.keys.get(here), hint)

    def _setting(self, key: str, path: KeyPath, value: Document, origin: Origin) -> Given:
        return Given(key, self._assignment(key, path, value), origin)

    def _assignment(self, key: str, path: KeyPath, value: Document) -> Assignment:
        return Assignment(str(path[-1]), self.document.keys[path], value, shown=key)

    def _mapping(self, path: KeyPath) -> Sequence[str]:
        value = self._value(path)
        return list(value) if isinstance(value, dict) else []

    def _value(self, path: KeyPath) -> Any:
        return value_at(self.document.values, path)

    def _note_unreadable(self, key: str, error: Unreadable) -> None:
        problem = error.problem
        self._note((key,), problem.message, problem.place, problem.hint)

    def _note(self, path: KeyPath, message: str, place: Place | None, hint: str = "") -> None:
        self.problems.append(Problem(path, message, hint, place))


def _index_of(value: Any, values: Sequence[Any]) -> int:
    """Where the value stands; 1, 1.0 and true are three."""
    return next(
        index
        for index, other in enumerate(values)
        if other is value or (type(other) is type(value) and other == value)
    )
