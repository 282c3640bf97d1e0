"""YAML as the config reads it: YAML 1.2 scalars, places, and refusals with their place."""

import math

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from optrun.config.document import Unreadable, parse, split_lines
from optrun.config.problems import Text
from optrun.yaml_text import to_yaml


def read(content: str):
    return parse(content, Text("x.yaml", split_lines(content)))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1e-3", 1e-3),
        ("1E5", 1e5),
        ("1e+5", 1e5),
        (".5", 0.5),
        ("5.", 5.0),
        ("-2.5e-3", -2.5e-3),
        ("+3", 3),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("y", "y"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2024-01-01", "2024-01-01"),
        ("'1e-3'", "1e-3"),
        ('"true"', "true"),
        ("e5", "e5"),
        (".", "."),
        ("=", "="),
        ("<<", "<<"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written, value):
    read_value = read(f"key: {written}").values["key"]
    assert read_value == value
    assert type(read_value) is type(value)


def test_nan_is_a_number():
    assert math.isnan(read("key: .nan").values["key"])


digits = st.text("0123456789", min_size=1, max_size=8)


@given(
    st.sampled_from(["", "-", "+"]),
    digits,
    st.sampled_from(["", "."]),
    st.one_of(st.just(""), digits),
    st.sampled_from(["e", "E"]),
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 400),
)
def test_floats_are_read_as_python_reads_them(sign, whole, dot, part, letter, esign, exponent):
    written = f"{sign}{whole}{dot}{part if dot else ''}{letter}{esign}{exponent}"
    assert read(f"key: {written}").values["key"] == float(written)


@given(st.floats(allow_nan=False))
def test_every_float_survives_writing_and_reading(number):
    assert read(to_yaml({"key": number})).values["key"] == number
    if math.isfinite(number):
        assert read(f"key: {number!r}").values["key"] == number


printable = st.characters(categories=["L", "N", "P", "S", "Zs"])
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False),
    st.text(printable, max_size=12),
    st.sampled_from(["1e-3", "on", "0o17", "null", "~", "1_0", "2024-01-01", "1:30", ".5"]),
)
keys = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4)
)


@given(st.dictionaries(keys, trees, max_size=5))
@example({"name": "1e-3", "1e5": "0x1F"})
def test_what_is_written_reads_back_equal(values):
    written = to_yaml(values)
    assert read(written).values == values
    assert yaml.safe_load(written) == values  # by a YAML 1.1 reader too


def test_a_list_used_twice_is_written_out_twice():
    sizes = [1, 2]
    assert to_yaml({"a": sizes, "b": sizes}) == "a: [1, 2]\nb: [1, 2]\n"


def test_places_of_keys_and_values():
    document = read("# comment\nmodel:\n  hidden: [64, 128]\n")
    key, value = document.key_place(("model", "hidden")), document.value_place(("model", "hidden"))
    assert (key.line, key.column, key.end) == (3, 3, 9)
    assert (value.line, value.column, value.end) == (3, 11, 20)
    second = document.value_place(("model", "hidden", 1))
    assert (second.line, second.column, second.end) == (3, 16, 19)


def test_a_missing_key_is_placed_at_its_section():
    document = read("model:\n  name: mlp\n")
    assert document.key_place(("model", "hidden")) == document.key_place(("model",))
    assert document.key_place(("optimizer",)) is None


@pytest.mark.parametrize(
    ("content", "line", "column", "message"),
    [
        ("a: 1\n\tb: 2", 2, 1, "a tab"),
        ("a: b: c", 1, 5, "out of place"),
        ("a: 'b", 1, 4, "the quote is not closed"),
        ("a: [1, 2", 1, 4, "not closed"),
        ("a: {b: 1", 1, 4, "not closed"),
        ("a: @b", 1, 4, "put the text in quotes"),
        ("a:\n  b: 1\n c: 2", 3, 2, "indentation"),
        ("a: 1\nb\nc: 2", 2, 1, "a key without its `:`"),
        ("a: 1\n---\nb: 2", 2, 1, "a second document"),
        ("a: &x 1\nb: *x", 2, 4, "aliases such as `*x`"),
        ("a: \x07", 1, 4, "the character U+0007"),
        ("[" * 40, 1, 31, "nested too deeply"),
    ],
)
def test_broken_syntax_is_told_in_plain_words_at_its_place(content, line, column, message):
    with pytest.raises(Unreadable) as caught:
        read(content)
    problem = caught.value.problem
    assert message in problem.message
    assert (problem.place.line, problem.place.column) == (line, column)


@pytest.mark.parametrize(
    ("content", "path", "message"),
    [
        ("a: 1\nb: 2\na: 3", ("a",), "the key is given twice"),
        ("a: !!python/object:os.system x", ("a",), "the tag `!!python/object:os.system`"),
        ("a: !mine {b: 1}", ("a",), "the tag `!mine`"),
        ("a: !!int word", ("a",), "`word` is not a valid int"),
        ("a: " + "9" * 5000, ("a",), "the number is too long"),
        ("? [x]\n: 1", (), "a key must be a plain word"),
    ],
)
def test_unfit_parts_are_collected_and_the_rest_is_read(content, path, message):
    document = read(content + "\nz: 1")
    (problem,) = document.problems
    assert (problem.path, document.values["z"]) == (path, 1)
    assert message in problem.message


def test_a_duplicate_names_the_first_line():
    (problem,) = read("a:\n  b: 1\n  c: 2\n  b: 3").problems
    assert problem.place.line == 4
    assert "line 2" in problem.hint


@given(st.text(max_size=40) | st.text("[]{}:,-#&*!|>'\"%@` \n\tab1\\uU", max_size=30))
@example('"\\UFFFFFFFF"')
@example("%YAML 1." + "9" * 5000 + "\n--- a")
def test_any_text_is_read_or_refused(content):
    try:
        read(content)
    except Unreadable as error:
        assert str(error)
