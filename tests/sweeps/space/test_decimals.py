"""Listed and drawn numbers: short, within their ends, in order, close to the exact ones."""

from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from optrun.config.document import Unreadable
from optrun.sweeps.space.calls import LARGEST
from optrun.sweeps.space.decimals import tidy
from optrun.sweeps.space.distributions import Choice, Integer, LogUniform, Uniform
from tests.sweeps.space.test_calls import values

NUMBERS = st.floats(-1e15, 1e15)
POSITIVE = st.floats(1e-30, 1e15)
COUNTS = st.integers(3, 60)


def listed(name: str, first: float, last: float, count: int) -> list[float]:
    """The numbers; nothing is checked where floats are too coarse for so many."""
    assume(first != last)
    spacing = abs(first - last) / count
    assume(spacing > 100 * max(np.spacing(abs(first)), np.spacing(abs(last))))
    return values(f"{name}({first!r}, {last!r}, {count})")


def check_list(numbers: list[float], first: float, last: float) -> None:
    assert (numbers[0], numbers[-1]) == (first, last), "the ends are as they were written"
    order = numbers if first < last else numbers[::-1]
    assert all(one < other for one, other in pairwise(order))


@given(first=NUMBERS, last=NUMBERS, count=COUNTS)
@example(first=1.000001, last=1.000003, count=3)
@settings(max_examples=150, deadline=None)
def test_a_linspace_has_its_ends_its_order_and_even_steps(first, last, count):
    numbers = listed("linspace", first, last, count)
    check_list(numbers, first, last)
    low, high = Fraction(repr(first)), Fraction(repr(last))
    step = (high - low) / (count - 1)
    for place, number in enumerate(numbers[1:-1], 1):
        off = abs(Fraction(repr(number)) - (low + step * place))
        assert off <= abs(step) / 1000 + Fraction(float(np.spacing(abs(number))))


@given(first=POSITIVE, last=POSITIVE, count=COUNTS)
@example(first=1.000001, last=1.000003, count=3)
@settings(max_examples=150, deadline=None)
def test_a_logspace_has_its_ends_its_order_and_even_ratios(first, last, count):
    numbers = listed("logspace", first, last, count)
    check_list(numbers, first, last)
    with localcontext(prec=60):
        low, ratio = Decimal(repr(first)), Decimal(repr(last)) / Decimal(repr(first))
        for place, number in enumerate(numbers[1:-1], 1):
            exact = low * ratio ** (Decimal(place) / (count - 1))
            gap = exact * abs(1 - ratio ** (Decimal(-1) / (count - 1)))
            off = abs(Decimal(repr(number)) - exact)
            assert off <= gap / 999 + Decimal(float(np.spacing(number)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linspace(1.000001, 1.000003, 3)", [1.000001, 1.000002, 1.000003]),
        ("logspace(1.000001, 1.000003, 3)", [1.000001, 1.000002, 1.000003]),
        ("linspace(0, 1, 11)", [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        ("linspace(-1, 1, 5)", [-1, -0.5, 0, 0.5, 1]),
        ("linspace(0.1, 0.7, 3)", [0.1, 0.4, 0.7]),
        ("linspace(10000.5, 10002.5, 5)", [10000.5, 10001, 10001.5, 10002, 10002.5]),
        ("logspace(1e-3, 1, 4)", [0.001, 0.01, 0.1, 1]),
        ("logspace(1e-12, 1e-3, 4)", [1e-12, 1e-9, 1e-6, 1e-3]),
        ("logspace(3e-4, 3e-1, 4)", [3e-4, 3e-3, 3e-2, 3e-1]),
        ("logspace(1, 1024, 11)", [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]),
    ],
)
def test_what_a_person_would_type_is_listed_so(text, expected):
    assert values(text) == expected


@pytest.mark.parametrize("name", ["linspace", "logspace"])
def test_more_numbers_than_floats_between_the_ends_are_refused(name):
    above = float(np.nextafter(1.0, 2.0))
    with pytest.raises(Unreadable, match=f"not 3 different numbers between 1 and {above!r}"):
        values(f"{name}(1.0, {above!r}, 3)")


@given(number=st.floats(1e-300, 1e300), share=st.floats(1e-12, 1))
@settings(max_examples=100, deadline=None)
def test_a_tidy_number_has_no_more_digits_than_its_error_needs(number, share):
    spacing = number * share
    found = tidy(number, spacing)
    room = spacing / 1000 * (1 + 1e-9) + np.spacing(number)
    assert abs(found - number) <= max(room, 1e-5 * number)
    digits = len(Decimal(repr(found)).normalize().as_tuple().digits)
    unit = Decimal(10) ** (Decimal(number).adjusted() - digits + 2)  # of one digit less
    assert digits <= 6 or unit / 2 > Decimal(spacing) / 1000


@given(ends=st.tuples(POSITIVE, POSITIVE), share=st.floats(0, 1, exclude_max=True))
@example(ends=(0.999999, 0.9999999), share=0.9)
@example(ends=(0.1234564, 0.2), share=0.0)
@settings(max_examples=150, deadline=None)
def test_a_drawn_number_is_within_the_range_and_where_it_belongs(ends, share):
    low, high = sorted(ends)
    assume(high > low * (1 + 1e-10))
    linear, logarithmic = Uniform(low, high), LogUniform(low, high)
    number, other = linear.quantile(share), logarithmic.quantile(share)
    assert low <= number <= high and low <= other <= high
    assert (number - low) / (high - low) == pytest.approx(share, abs=2e-5)
    assert np.log(other / low) / np.log(high / low) == pytest.approx(share, abs=2e-5)


@pytest.mark.parametrize(
    ("distribution", "text"),
    [
        (Uniform(0.999999, 0.9999999), "uniform(0.999999, 0.9999999)"),
        (Uniform(0, 0.5), "uniform(0, 0.5)"),
        (LogUniform(1.23456789e-7, 1), "loguniform(1.23456789e-07, 1)"),
        (Integer(1, 1234567), "integer(1, 1234567)"),
        (Choice((1.23456789, [64, 32], True)), "one of 1.23456789, [64, 32], true"),
    ],
)
def test_a_distribution_shows_its_ends_as_they_were_written(distribution, text):
    assert str(distribution) == text


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("range(0.1, 0.5, 0.1)", "write linspace(0.1, 0.4, 4)"),
        ("range(1, 0, -0.25)", "write linspace(1, 0.25, 4)"),
        ("range(0.1, 0.2, 1)", "write range(5)"),
        ("range(0.5)", "write range(5)"),
        ("logspace(-30, 0, 4)", "write logspace(first, last, count)"),
        ("logspace(-18, 0, 4)", "write logspace(1e-18, 1, 4)"),
    ],
)
def test_the_advice_can_be_followed(text, hint):
    with pytest.raises(Unreadable) as caught:
        values(text)
    assert caught.value.problem.hint.startswith(hint)
    assert LARGEST > 10.0**18
