"""The functions of a sweep: which values they list, what they draw from, and their misuse."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optrun.config.document import Unreadable, parse
from optrun.config.problems import Place, Text
from optrun.sweeps.space.calls import distribution, is_call, listed, read_call
from optrun.sweeps.space.distributions import Choice, Integer, LogUniform, Uniform


def place_of(text: str, quotes: int = 0) -> Place:
    return Place(Text("x.yaml", (text,)), 1, 1, len(text) + 1 + quotes)


def values(text: str):
    return listed(read_call(text, place_of(text)), place_of(text))


def drawn(text: str):
    return distribution(read_call(text, place_of(text)), place_of(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("range(3)", [0, 1, 2]),
        ("range(1, 9, 3)", [1, 4, 7]),
        ("range (5,2,-1)", [5, 4, 3]),
        ("linspace(0, 1, 5)", [0, 0.25, 0.5, 0.75, 1]),
        ("linspace(1, 0, 4)", [1, 0.666667, 0.333333, 0]),
        ("linspace(0, 0.123456789, 3)", [0, 0.0617284, 0.123456789]),
        ("logspace(1e-4, 1, 5)", [1e-4, 1e-3, 1e-2, 0.1, 1]),
        ("logspace(1e-1, 1, 3)", [0.1, 0.316228, 1]),
        ("logspace(8, 2, 3)", [8, 4, 2]),
    ],
)
def test_listed_values(text, expected):
    assert values(text) == expected


@given(
    low=st.integers(-6, 2),
    decades=st.integers(1, 4),
    per_decade=st.integers(1, 10),
    more=st.integers(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_grids_that_overlap_share_their_values_exactly(low, decades, per_decade, more):
    def grid(high):
        return values(f"logspace(1e{low}, 1e{high}, {(high - low) * per_decade + 1})")

    short, long = grid(low + decades), grid(low + decades + more)
    assert short == long[: len(short)]


@given(low=st.floats(1e-6, 1e3), factor=st.floats(1.5, 1e6), number=st.integers(2, 40))
@settings(max_examples=40, deadline=None)
def test_a_logspace_is_numpy_s_to_six_digits(low, factor, number):
    ours = values(f"logspace({low!r}, {low * factor!r}, {number})")
    assert np.allclose(ours, np.geomspace(low, low * factor, number), rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("uniform(0, 0.5)", Uniform(0, 0.5)),
        ("loguniform(1e-4, 1)", LogUniform(1e-4, 1)),
        ("integer(1, 8)", Integer(1, 8)),
        ("choice(a, 2, [64, 32], {name: sgd})", Choice(("a", 2, [64, 32], {"name": "sgd"}))),
    ],
)
def test_distributions(text, expected):
    assert drawn(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("range()", "`range` takes one, two or three whole numbers", "range(1, 9, 2): whole"),
        ("range(1.5)", "`range` takes one, two or three whole numbers", "the end left out"),
        ("range(0, 5, 0)", "`range` cannot go on in steps of 0", "write range(5)"),
        ("range(5, 1)", "this range holds no number: the end is left out", "write range(5)"),
        ("range(10001)", "these are 10001 values", "take 10000 at most"),
        (f"range({2**70})", "`range` takes one, two or three whole numbers", ""),
        ("linspace(0, 1)", "`linspace` takes three numbers", "linspace(first, last, count)"),
        ("linspace(0, 1, two)", "`linspace` takes three numbers", "such as linspace(0, 1, 5)"),
        ("linspace(0, .inf, 3)", "`linspace` takes three numbers", ""),
        ("linspace(0, 1e30, 3)", "`linspace` takes numbers below 1e+18", ""),
        ("linspace(0, true, 3)", "`linspace` takes three numbers", ""),
        ("linspace(0, 1, 1)", "`linspace` ends with how many values there are, at least 2", ""),
        ("linspace(0, 1, 2.5)", "`linspace` ends with how many values there are, at least 2", ""),
        ("linspace(2, 2, 3)", "the two ends of `linspace` are the same", ""),
        ("linspace(0, 1, 20000)", "these are 20000 values", "take 10000 at most"),
        (
            "logspace(-4, 0, 9)",
            "`logspace` takes its two ends, not exponents: both are above 0",
            "write logspace(0.0001, 1, 9)",
        ),
        (
            "logspace(0, 0.1, 9)",
            "`logspace` takes its two ends, not exponents: both are above 0",
            "write logspace(first, last, count), such as logspace(1e-4, 1, 9)",
        ),
    ],
)
def test_misused_lists(text, message, hint):
    with pytest.raises(Unreadable) as caught:
        values(text)
    assert caught.value.problem.message == message
    assert hint in caught.value.problem.hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uniform(1)", "`uniform` takes two numbers"),
        ("uniform(1, 0)", "`uniform` takes the lower number first"),
        ("uniform(a, b)", "`uniform` takes two numbers"),
        ("loguniform(0, 1)", "`loguniform` takes two numbers above 0"),
        ("integer(1, 2.5)", "`integer` takes two whole numbers"),
        ("integer(3, 3)", "`integer` takes the lower number first"),
        ("choice(a)", "`choice` takes two values at least"),
    ],
)
def test_misused_distributions(text, message):
    with pytest.raises(Unreadable) as caught:
        drawn(text)
    assert caught.value.problem.message == message
    assert caught.value.problem.hint.startswith(f"write {text.split('(')[0]}(")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("range(5)", True),
        ("logspc(1, 2)", True),
        ("frobnicate(1)", False),
        ("range", False),
        ("range(5) and more", False),
        (3, False),
    ],
)
def test_what_is_taken_for_a_call(text, expected):
    assert is_call(text) is expected


def test_a_slip_in_the_name_is_told_with_what_was_meant():
    with pytest.raises(Unreadable) as caught:
        read_call("logspac(1, 2, 3)", place_of("logspac(1, 2, 3)"))
    assert caught.value.problem.message == "there is no function `logspac`"
    assert caught.value.problem.hint == "did you mean `logspace` or `linspace`?"


def test_the_places_of_choices_are_those_in_the_text_unless_it_is_quoted():
    text = "choice(a, {name: sgd})"
    call = read_call(text, place_of(text))
    assert (call.arguments.items[(1, "name")].column, call.arguments.items[(0,)].column) == (18, 8)
    quoted = read_call(text, place_of(text, quotes=2))
    assert quoted.arguments.items[(1, "name")] == place_of(text, quotes=2)


@pytest.mark.parametrize(
    "opening, closing", [("{a: ", ", b: 2}"), ("[", ", 2]"), ("a: ", "\nb: 2")]
)
@pytest.mark.parametrize("call", ["range(1, 2)", "f(g(1, 2), [3], {a: b})", "choice({a: 1}, b)"])
def test_a_call_is_one_text_within_braces_too(opening, closing, call):
    text = f"{opening}{call}{closing}"
    read = parse(text, Text("x.yaml", tuple(text.split("\n"))), calls=True).values
    assert read in ([call, 2], {"a": call, "b": 2})


@pytest.mark.parametrize("text", ["{a: (1, b: 2}", "[3 (1, 2), 3]", "a: f(1, b"])
def test_what_is_no_call_is_read_as_ever(text):
    lines = Text("x.yaml", (text,))
    assert parse(text, lines, calls=True).values == parse(text, lines).values


def test_a_call_within_braces_is_closed():
    text = "{a: f(1, b: 2}"
    with pytest.raises(Unreadable) as caught:
        parse(text, Text("x.yaml", (text,)), calls=True)
    assert (str(caught.value), caught.value.problem.place.column) == (
        "the bracket is not closed",
        5,
    )


def test_rounding_leaves_the_ends_as_they_were_typed():
    first, *_, last = values(f"linspace({math.pi!r}, {math.e!r}, 4)")
    assert (first, last) == (math.pi, math.e)
