"""YAML text as plain values, and the place of every key and value in it.

Scalars follow the core schema of YAML 1.2: `1e-3` is a number, only `true` and `false` are
booleans, nothing is a date. PyYAML reads the syntax and reports where it breaks.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from optrun.config.problems import KeyPath, Place, Problem, Text
from optrun.config.vocabulary import value_at
from optrun.yaml_text import LONGEST_NUMBER, SCALARS, TAG, PlainLoader, Refused, scalar_value

LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
CALL = re.compile(r"[A-Za-z]\w* ?\(")
UNCLOSED = "the bracket is not closed"

PLAIN_WORDS = {
    "found character '\\t'": "a tab: YAML is indented with spaces",
    "that cannot start any token": "this character cannot begin a value: put the text in quotes",
    "mapping values are not allowed": "a `:` is out of place: indentation, or quotes missing?",
    "expected <block end>": "the indentation does not match the lines above",
    "but found '<stream end>'": UNCLOSED,
    "expected the node content, but found ','": "a value is missing before the comma",
    "found another document": "a second document begins here: a file holds one config",
}
PLAIN_WORDS_ABOUT_THE_START = {
    "could not find expected ':'": "a key without its `:`",
    "expected ',' or ']'": "the list is not closed: a `,` or `]` is missing",
    "expected ',' or '}'": "the braces are not closed: a `,` or `}` is missing",
    "found unexpected end of stream": "the quote is not closed",
}
"""What PyYAML notices too late: the place to show is where it began."""


class Unreadable(Exception):
    """The text is not YAML that optrun reads; nothing more can be said about it."""

    def __init__(self, message: str, place: Place | None = None, hint: str = ""):
        super().__init__(message)
        self.problem = Problem((), message, hint, place)


@dataclass
class Document:
    """A config as written: values, the places of keys and values, and what was wrong already."""

    source: str
    values: Any
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    items: dict[KeyPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    repeats: list[tuple[KeyPath, Place, "Document"]] = field(default_factory=list)
    """What stands under a key that was given before, so that it can be judged all the same."""

    def key_place(self, path: KeyPath) -> Place | None:
        """The place of the key, or of the section that it is missing from."""
        return self._nearest_place(path, self.keys, self.items)

    def value_place(self, path: KeyPath) -> Place | None:
        """The place of the value, or of the nearest key around it where it is not one line."""
        return self._nearest_place(path, self.items, self.keys)

    def _nearest_place(self, path: KeyPath, *maps: dict[KeyPath, Place]) -> Place | None:
        for length in range(len(path), 0, -1):
            for places in maps:
                if place := places.get(path[:length]):
                    return place
        return None

    def branch(self, path: KeyPath) -> "Document":
        """What stands at `path` as a document of its own; the values are shared."""
        size = len(path)
        return Document(
            self.source,
            value_at(self.values, path),
            {known[size:]: place for known, place in self.keys.items() if known[:size] == path},
            {known[size:]: place for known, place in self.items.items() if known[:size] == path},
            [replace(p, path=p.path[size:]) for p in self.problems if p.path[:size] == path],
            [(known[size:], at, of) for known, at, of in self.repeats if known[:size] == path],
        )

    def graft(self, path: KeyPath, branch: "Document") -> None:
        """Take over the places and problems of what now stands at `path`; not the values."""
        self.forget(path)
        self.keys |= {(*path, *below): place for below, place in branch.keys.items()}
        self.items |= {(*path, *below): place for below, place in branch.items.items()}
        self.problems += [
            replace(problem, path=(*path, *problem.path)) for problem in branch.problems
        ]
        self.repeats += [((*path, *below), place, inner) for below, place, inner in branch.repeats]

    def forget(self, path: KeyPath) -> None:
        """Drop the places and repeats of everything at and below `path`."""
        for places in (self.keys, self.items):
            for known in [known for known in places if known[: len(path)] == path]:
                del places[known]
        self.repeats = [repeat for repeat in self.repeats if repeat[0][: len(path)] != path]


def split_lines(content: str) -> tuple[str, ...]:
    """The lines as YAML counts them."""
    return tuple(LINE_BREAK.split(content))


def parse(content: str, text: Text, calls: bool = False) -> Document:
    """Read one YAML document.

    Args:
        content: what is parsed.
        text: what the reader is shown, line for line and column for column.
        calls: whether `logspace(1e-3, 1, 7)` is one text even within braces, where YAML would end
            it at the comma; there, one that is not closed is refused.

    Raises:
        Unreadable: the syntax is broken. Duplicate keys and unfit scalars are collected in the
            document's `problems` instead.
    """
    document = Document(text.name, None)
    node = _compose(content, text, _CallLoader if calls else PlainLoader)
    if node is not None:
        document.values = _Converter(text, document).convert(node, ())
    return document


class _CallLoader(PlainLoader):
    """Reads on to the bracket that closes a call."""

    def scan_plain(self) -> Any:
        token = super().scan_plain()
        rest = self.buffer[token.start_mark.index :]
        if not CALL.match(token.value):
            return token
        length = _length_of_call(rest)
        if not length and self.flow_level:
            raise Refused(problem=UNCLOSED, problem_mark=token.start_mark)
        if length > len(token.value):
            self.forward(token.start_mark.index + length - self.index)
            self.allow_simple_key = False
            return yaml.ScalarToken(rest[:length], True, token.start_mark, self.get_mark())
        return token


def _length_of_call(text: str) -> int:
    """Up to the bracket that closes the first one of its line, 0 where none does."""
    depth = 0
    for length, letter in enumerate(split_lines(text)[0], start=1):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == ")" and depth == 0:
            return length
    return 0


def _compose(content: str, text: Text, loader: type[PlainLoader]) -> yaml.Node | None:
    try:
        return yaml.compose(content, Loader=loader)
    except yaml.reader.ReaderError as error:
        before = split_lines(content[: error.position])
        place = Place(text, len(before), len(before[-1]) + 1, len(before[-1]) + 2)
        code = f"U+{error.character:04X}"
        raise Unreadable(f"the character {code} is not allowed in YAML", place) from None
    except yaml.MarkedYAMLError as error:
        raise _unreadable(error, text) from None
    except (ValueError, OverflowError):  # an escape such as "\UFFFFFFFF" names no character
        raise Unreadable("not valid YAML: an escape names no character") from None


def _unreadable(error: yaml.MarkedYAMLError, text: Text) -> Unreadable:
    theirs, mark = error.problem or "cannot be read", error.problem_mark
    message = theirs if isinstance(error, Refused) else f"not valid YAML: {theirs}"
    for part, ours in PLAIN_WORDS.items():
        if part in theirs:
            message = ours
            break
    for part, ours in PLAIN_WORDS_ABOUT_THE_START.items():
        if part in theirs:
            message, mark = ours, error.context_mark
            break
    place = Place(text, mark.line + 1, mark.column + 1, mark.column + 2) if mark else None
    return Unreadable(message, place)


class _Converter:
    """Turns nodes into values, noting places and problems in the document."""

    def __init__(self, text: Text, document: Document):
        self.text = text
        self.document = document

    def convert(self, node: yaml.Node, path: KeyPath) -> Any:
        if node.start_mark.index < node.end_mark.index:
            self.document.items[path] = self._place(node)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{TAG}map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq":
            return [self.convert(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self._refuse_tag(node, path)
        return None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self._note(path, "a key must be a plain word", place)
                continue
            key = key_node.value
            here = (*path, key)
            if key in values:
                self._note_repeat(here, place)
                if here in self.document.items:
                    branch = Document(self.document.source, None)
                    branch.values = _Converter(self.text, branch).convert(value_node, ())
                    self.document.repeats.append((here, place, branch))
                    continue
                self._note(here, "is empty", self.document.keys[here])
            self.document.keys[here] = place
            values[key] = self.convert(value_node, here)
        return values

    def _scalar(self, node: yaml.ScalarNode, path: KeyPath) -> Any:
        kind, value = node.tag.removeprefix(TAG), node.value
        if kind == "str":
            return value
        if kind not in SCALARS:
            self._refuse_tag(node, path)
        elif not SCALARS[kind].match(value):
            self._note(path, f"`{value}` is not a valid {kind}", self._place(node))
        elif len(value) > LONGEST_NUMBER:
            self._note(path, "the number is too long", self._place(node))
        else:
            return scalar_value(kind, value)
        return None

    def _note_repeat(self, path: KeyPath, place: Place) -> None:
        first = self.document.keys[path]
        where = f"in line {first.line}" if self.text.is_file else "here"
        hint = f"it stands {where} already: keep one of the two"
        self._note(path, "the key is given twice", place, hint)

    def _refuse_tag(self, node: yaml.Node, path: KeyPath) -> None:
        tag = node.tag.replace(TAG, "!!")
        self._note(path, f"the tag `{tag}` is not read: write a plain value", self._place(node))

    def _note(self, path: KeyPath, message: str, place: Place, hint: str = "") -> None:
        self.document.problems.append(Problem(path, message, hint, place))

    def _place(self, node: yaml.Node) -> Place:
        start, end = node.start_mark, node.end_mark
        if end.line == start.line:
            return Place(self.text, start.line + 1, start.column + 1, end.column + 1)
        whole_line = len(self.text.lines[start.line].rstrip())
        return Place(self.text, start.line + 1, start.column + 1, whole_line + 1)
