"""Durations: how they are read, written and turned into steps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optrun.durations import Duration, parse_duration


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        ("500 steps", 500),
        ("1step", 1),
        ("2 epochs", 200),
        ("1.5 epochs", 150),
        ("10%", 40),
        ("100%", 400),
        (0.1, 40),
        (0, 0),
        ("0 steps", 0),
        (" 3 epochs ", 300),
        ("1234567 steps", 1234567),
    ],
)
def test_steps_of_a_run_of_four_epochs(written, steps):
    assert parse_duration(written).steps(steps_per_epoch=100, total=400) == steps


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (5, "not a duration"),
        (1.0, "not a duration"),
        (-0.1, "not a duration"),
        (True, "not a duration"),
        ("ten steps", "not a duration"),
        ("1.5 steps", "whole numbers"),
        ("101%", "at most 100%"),
        ("9" * 400 + " epochs", "too large"),
    ],
)
def test_what_is_no_duration(written, message):
    with pytest.raises(ValueError, match=message):
        parse_duration(written)


def test_a_share_is_shown_as_it_was_written():
    written = ("12.3456789%", "7%", "0.1%", "28.999999%")
    assert [str(parse_duration(text)) for text in written] == list(written)


@given(st.one_of(st.floats(0, 1), st.integers(0, 10**12).map(float)), st.data())
def test_written_durations_read_back_as_themselves(amount, data):
    units = ["epochs"] + ["steps"] * amount.is_integer() + ["fraction"] * (amount <= 1)
    duration = Duration(amount, data.draw(st.sampled_from(units)))
    assert parse_duration(duration.as_value()) == duration
