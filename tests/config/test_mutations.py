"""Every field of the vocabulary with wrong values: what is said of them makes sense."""

import re
from itertools import groupby

import pytest

from optrun.config.load import load
from optrun.errors import ConfigError
from tests.config.mutations import mutated

THEIR_WORDS = re.compile(r"\b(Input|pydantic|should|valid|literal|instance|type=|dict|str|None)\b")
CASES = [
    (key, list(cases))
    for key, cases in groupby(sorted(mutated(), key=lambda c: c[0][0]), lambda c: c[0][0])
]


def contradicts_itself(message: str) -> bool:
    """Whether the value that is refused is what is asked for, as far as words show."""
    match = re.search(r"must be (.*), not (.*)", message)
    if not match:
        return False
    wanted, given = match.groups()
    if given.startswith("the text "):
        names = re.sub(r"^one of ", "", wanted).split(", ")
        text = given.removeprefix("the text ").strip("'")
        return wanted == "a text" or text in names or ("not blank" in wanted and bool(text.strip()))
    if re.fullmatch(r"-?[\d.]+", given) and re.match(r"(a number|at|greater|less)", wanted):
        return fits(float(given), wanted.split(" or ")[0])
    if size := re.fullmatch(r"a list of (\d+)|an empty (list)", given):
        return fits_length(0 if size[2] else int(size[1]), wanted)
    if given in ("true", "false"):
        return "true or false" in wanted
    return given in ("a section", "an empty section") and wanted.startswith("a section")


def fits(number: float, bounds: str) -> bool:
    """Whether the number is within "at least 0 and less than 1"."""
    compare = {
        "at least": number.__ge__,
        "at most": number.__le__,
        "greater than": number.__gt__,
        "less than": number.__lt__,
    }
    found = re.findall(r"(at least|at most|greater than|less than) (-?[\d.]+)", bounds)
    return all(compare[word](float(bound)) for word, bound in found)


def fits_length(length: int, wanted: str) -> bool:
    """Whether a list of that length is what "a list of at least 1, each …" asks for."""
    match = re.search(r"a list(?: of (at least )?(\d+))?,", wanted)
    if not match:
        return False
    least = int(match[2] or 0)
    return length >= least if match[1] or not match[2] else length == least


@pytest.mark.parametrize(("key", "cases"), CASES, ids=[str(key) for key, _ in CASES])
def test_no_message_contradicts_itself_or_speaks_as_the_validator_does(key, cases):
    for path, value, values in cases:
        try:
            load(values)
        except ConfigError as error:
            for line in str(error).splitlines():
                assert not contradicts_itself(line), (path, value, line)
                assert not THEIR_WORDS.search(re.sub(r"`[^`]*`|'[^']*'", "", line)), line


@pytest.mark.parametrize(
    "message",
    [
        "x: must be a text, not the text ' '",
        "x: must be a number at least 0 and less than 1, not 0.5",
        "x: must be a list, each item a section with a, b, not an empty list",
        "x: must be a list of 2, each item a number, not a list of 2",
        "x: must be one of a, b, not the text 'b'",
        "x: must be a section with a, not an empty section",
    ],
)
def test_contradictions_are_seen(message):
    assert contradicts_itself(message)
