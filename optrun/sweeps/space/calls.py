"""The functions of a sweep: `logspace(1e-4, 1, 9)` lists values, `uniform(0, 0.5)` draws them."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING
from typing import Any

from optrun.config.document import Document, Unreadable, parse
from optrun.config.problems import Place, Text, count, did_you_mean, nearest
from optrun.settings import value_text
from optrun.sweeps.space.decimals import evenly, exact, geometrically
from optrun.sweeps.space.distributions import Choice, Distribution, Integer, LogUniform, Uniform

CALL = re.compile(r"([A-Za-z]\w*) ?\((.*)\)", re.DOTALL)
MOST_VALUES = 10_000
"""Of an axis, and combinations of a sweep."""
LARGEST = 2**60
"""Numbers up to it can be counted and multiplied without care."""
MOST_DECADES = 18
"""Powers of 10 up to it are below LARGEST."""

FORMS = {
    "range": "range(5), range(1, 9) or range(1, 9, 2): whole numbers, the end left out",
    "linspace": "linspace(first, last, count), such as linspace(0, 1, 5)",
    "logspace": "logspace(first, last, count), such as logspace(1e-4, 1, 9)",
    "uniform": "uniform(low, high), such as uniform(0, 0.5)",
    "loguniform": "loguniform(low, high), such as loguniform(1e-4, 1)",
    "integer": "integer(low, high), such as integer(1, 8)",
    "choice": "choice(one, another), with any values",
}
"""How each is written."""


class _Misused(Exception):
    """The arguments make no sense; says what to write instead, unless that is the form."""

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True)
class Call:
    """A function and its arguments as they were written."""

    name: str
    arguments: Document

    @property
    def draws(self) -> bool:
        return self.name in DRAWING


def is_call(value: Any) -> bool:
    """Whether it is a text that calls a function, or means to."""
    match = CALL.fullmatch(value) if isinstance(value, str) else None
    return match is not None and bool(nearest(match[1], FORMS, likeness=0.7))


def is_unclosed(value: Any) -> bool:
    """Whether it is a text that begins like a call and lacks the bracket at its end."""
    return isinstance(value, str) and not is_call(value) and is_call(f"{value})")


def read_call(value: str, place: Place) -> Call:
    """The call that the text at `place` is.

    Raises:
        Unreadable: no function has this name, or the arguments cannot be read.
    """
    match = CALL.fullmatch(value)
    name, inner = (match[1], match[2]) if match else (value, "")
    if match is None or name not in FORMS:
        guess = did_you_mean(name, FORMS) or f"there are {', '.join(FORMS)}"
        raise Unreadable(f"there is no function `{name}`", place, guess)
    return Call(name, _arguments(inner, match.start(2), value, place))


def _arguments(inner: str, start: int, value: str, place: Place) -> Document:
    if place.end - place.column == len(value):  # as it stands there, without quotes
        before = "\n" * (place.line - 1) + " " * (place.column - 2 + start)
        return parse(f"{before}[{inner}]", place.text)
    try:
        document = parse(f"[{inner}]", Text("", (inner,)))
    except Unreadable as error:
        raise Unreadable(error.problem.message, place) from None
    document.items = dict.fromkeys(document.items, place)
    document.keys = dict.fromkeys(document.keys, place)
    document.problems = [replace(problem, place=place) for problem in document.problems]
    return document


def listed(call: Call, place: Place) -> list[Any]:
    """The values that a listing function stands for.

    Raises:
        Unreadable: its arguments are not what it takes.
    """
    return _called(LISTING[call.name], call, place)


def distribution(call: Call, place: Place) -> Distribution:
    """What a drawing function draws from.

    Raises:
        Unreadable: its arguments are not what it takes.
    """
    return _called(DRAWING[call.name], call, place)


def _called(function: Callable[[str, Sequence[Any]], Any], call: Call, place: Place) -> Any:
    try:
        _refuse_large(call)
        return function(call.name, call.arguments.values)
    except _Misused as error:
        raise Unreadable(str(error), place, error.hint or f"write {FORMS[call.name]}") from None


def _range(name: str, arguments: Sequence[Any]) -> list[int]:
    whole = [argument for argument in arguments if _is_whole(argument)]
    if len(whole) != len(arguments) or not 1 <= len(whole) <= 3:
        meant = _linspace_instead(arguments)
        raise _Misused("`range` takes one, two or three whole numbers", meant)
    if whole[2:] == [0]:
        raise _Misused("`range` cannot go on in steps of 0")
    numbers = range(*whole)
    if not numbers:
        raise _Misused("this range holds no number: the end is left out")
    _refuse_many(len(numbers))
    return list(numbers)


def _linspace_instead(arguments: Sequence[Any]) -> str:
    """The same numbers as `linspace` lists them, where `range` is given steps like 0.1."""
    if len(arguments) != 3 or not all(map(_is_number, arguments)) or not arguments[2]:
        return ""
    first, end, step = map(exact, arguments)
    steps = int(((end - first) / step).to_integral_value(ROUND_CEILING))
    if not 2 <= steps <= MOST_VALUES:
        return ""
    last = float(first + (steps - 1) * step)
    return f"write linspace({value_text(arguments[0])}, {value_text(last)}, {steps})"


def _linspace(name: str, arguments: Sequence[Any]) -> list[float]:
    first, last, steps = _first_last_count(name, arguments)
    return _distinct(name, evenly(first, last, steps))


def _logspace(name: str, arguments: Sequence[Any]) -> list[float]:
    first, last, steps = _first_last_count(name, arguments)
    if first <= 0 or last <= 0:
        meant = ""
        if _is_whole(first) and _is_whole(last) and max(abs(first), abs(last)) <= MOST_DECADES:
            meant = f"write logspace({10.0**first:g}, {10.0**last:g}, {steps})"
        raise _Misused("`logspace` takes its two ends, not exponents: both are above 0", meant)
    return _distinct(name, geometrically(first, last, steps))


def _distinct(name: str, numbers: list[float]) -> list[float]:
    """The numbers, unless two of them are the same."""
    if len({*numbers}) == len(numbers):
        return numbers
    low, high = value_text(numbers[0]), value_text(numbers[-1])
    raise _Misused(
        f"there are not {len(numbers)} different numbers between {low} and {high}",
        "take fewer, or ends that are farther apart",
    )


def _first_last_count(name: str, arguments: Sequence[Any]) -> tuple[float, float, int]:
    if len(arguments) != 3 or not all(map(_is_number, arguments)):
        raise _Misused(f"`{name}` takes three numbers")
    first, last, steps = arguments
    if not _is_whole(steps) or steps < 2:
        raise _Misused(f"`{name}` ends with how many values there are, at least 2")
    if first == last:
        raise _Misused(f"the two ends of `{name}` are the same")
    _refuse_many(steps)
    return first, last, steps


def _uniform(name: str, arguments: Sequence[Any]) -> Distribution:
    return Uniform(*_low_high(name, arguments))


def _loguniform(name: str, arguments: Sequence[Any]) -> Distribution:
    low, high = _low_high(name, arguments)
    if low <= 0:
        raise _Misused("`loguniform` takes two numbers above 0")
    return LogUniform(low, high)


def _integer(name: str, arguments: Sequence[Any]) -> Distribution:
    if not all(map(_is_whole, arguments)):
        raise _Misused("`integer` takes two whole numbers")
    return Integer(*_low_high(name, arguments))


def _choice(name: str, arguments: Sequence[Any]) -> Distribution:
    if len(arguments) < 2:
        raise _Misused("`choice` takes two values at least")
    return Choice(tuple(arguments))


def _low_high(name: str, arguments: Sequence[Any]) -> tuple[Any, Any]:
    if len(arguments) != 2 or not all(map(_is_number, arguments)):
        raise _Misused(f"`{name}` takes two numbers")
    low, high = arguments
    if low >= high:
        raise _Misused(f"`{name}` takes the lower number first")
    return low, high


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and abs(value) < LARGEST


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value)


def _refuse_large(call: Call) -> None:
    """No float so large that it is no number to the functions."""
    for value in call.arguments.values if call.name != "choice" else ():
        if isinstance(value, float) and LARGEST <= abs(value) < math.inf:
            raise _Misused(f"`{call.name}` takes numbers below {10**MOST_DECADES:.0e}")


def _refuse_many(values: int) -> None:
    if values > MOST_VALUES:
        raise _Misused(f"these are {count(values, 'value')}", f"take {MOST_VALUES} at most")


LISTING: dict[str, Callable[[str, Sequence[Any]], list[Any]]] = {
    "range": _range,
    "linspace": _linspace,
    "logspace": _logspace,
}
DRAWING: dict[str, Callable[[str, Sequence[Any]], Distribution]] = {
    "uniform": _uniform,
    "loguniform": _loguniform,
    "integer": _integer,
    "choice": _choice,
}
