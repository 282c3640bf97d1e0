"""What is wrong with a config, at which place, and how it is told to a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

KeyPath = tuple[str | int, ...]

EXCERPT = 100
"""Most characters of a line that are shown."""


@dataclass(frozen=True)
class Text:
    """A text that people wrote: a file, or one override of the command line."""

    name: str
    lines: tuple[str, ...]
    order: int = 0
    """Files come first; overrides follow in the order they were given."""

    @property
    def is_file(self) -> bool:
        return self.order == 0


@dataclass(frozen=True)
class Place:
    """A stretch of one line of a text; line and columns are counted from 1, `end` is excluded."""

    text: Text
    line: int
    column: int
    end: int

    def __str__(self) -> str:
        return f"{self.text.name}:{self.line}" if self.text.is_file else self.text.name


@dataclass(frozen=True)
class Problem:
    """One thing to mend: the key it concerns, what is wrong, and what to write instead."""

    path: KeyPath
    message: str
    hint: str = ""
    place: Place | None = None


def dotted(path: KeyPath) -> str:
    """The path as it is written in an override: `dataset.preprocessing.0`."""
    return ".".join(str(part) for part in path)


def count(number: float, noun: str) -> str:
    """ "1 step", "3 steps"."""
    return f"{number:.12g} {noun}{'' if number == 1 else 's'}"


def nearest(word: str, known: Iterable[str], likeness: float = 0.5) -> list[str]:
    """Up to three known words that `word` may be a slip of, the likeliest first."""
    return get_close_matches(word, list(known), n=3, cutoff=likeness)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ "did you mean `momentum`?", or nothing where no known word is near."""
    guesses = [f"`{guess}`" for guess in nearest(word, known)]
    return f"did you mean {' or '.join(guesses)}?" if guesses else ""


def render(problems: Sequence[Problem], source: str = "", most: int | None = None) -> str:
    """All problems, or so many, in the order of their places, and how many there are."""
    ordered = sorted(problems, key=_order)
    parts = [_render_one(problem, source) for problem in ordered[:most]]
    total = f"{count(len(ordered), 'problem')} in {source or 'the config'}"
    if len(parts) < len(ordered):
        total += f"; these are the first {len(parts)}"
    return _printable("\n".join([*parts, total]))


def render_warning(problem: Problem, source: str = "") -> str:
    """What is seldom meant, at its place."""
    return _printable(_render_one(problem, source, "warning: "))


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _order(problem: Problem) -> tuple[int, str, int, int]:
    place = problem.place
    return (place.text.order, place.text.name, place.line, place.column) if place else (0, "", 0, 0)


def _render_one(problem: Problem, source: str, kind: str = "") -> str:
    place = problem.place
    subject = f"{dotted(problem.path)}: " if problem.path else ""
    if place is None:
        where = f"{source}: " if source else ""
        hint = f"\n      | {problem.hint}" if problem.hint else ""
        return f"{where}{kind}{subject}{problem.message}{hint}"
    where = f"{place.text.name}:{place.line}:{place.column}" if place.text.is_file else str(place)
    return f"{where}: {kind}{subject}{problem.message}\n{_excerpt(place, problem.hint)}"


def _excerpt(place: Place, hint: str) -> str:
    line = place.text.lines[place.line - 1] if place.line <= len(place.text.lines) else ""
    line = "".join(letter if letter.isprintable() else " " for letter in line)
    start = max(0, place.end - EXCERPT) if place.end > EXCERPT else 0
    shown = line[start : start + EXCERPT].rstrip()
    first = max(place.column - 1 - start, 0)
    length = max(1, min(place.end - 1 - start, EXCERPT) - first)
    number = str(place.line) if place.text.is_file else ""
    marker = f"{' ' * first}{'^' * length} {hint}".rstrip()
    return f"{number:>5} | {shown}\n{'':>5} | {marker}"
