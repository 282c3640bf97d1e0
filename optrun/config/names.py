"""Names that directories are called after."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, Field

MOST_BYTES = 200
"""Of a name in UTF-8. A directory's name has 255 on common file systems, and a run's has its id."""

ASCII_BUT = "\\u0000-,/:-@\\[-^`{-\\u007f\\s"
PATTERN = rf"^[^_.\-{ASCII_BUT}][^{ASCII_BUT}]*$"
"""For the JSON Schema, where letters of all scripts have no class that every editor knows: it lets
through a few symbols that are refused here."""


def name_problem(name: str) -> str:
    """Why no directory can be called `name`, or nothing."""
    composed = unicodedata.normalize("NFC", name)
    if not composed or not all(_is_part(letter) for letter in composed) or not _begins(composed[0]):
        return (
            "must begin with a letter or digit and go on with letters, digits, `.`, `_` or `-`, "
            "for directories are named after it"
        )
    size = len(composed.encode())
    if size > MOST_BYTES:
        return (
            f"is too long for the name of a directory: {size} bytes, where {MOST_BYTES} are the "
            "most (a letter of English is one byte, others are 2 to 4)"
        )
    return ""


def _begins(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LN"


def _is_part(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNM" or letter in "._-"


def _name_of_a_folder(name: str) -> str:
    if problem := name_problem(name):
        raise ValueError(problem)
    return unicodedata.normalize("NFC", name)


FolderName = Annotated[
    str,
    AfterValidator(_name_of_a_folder),
    Field(json_schema_extra={"pattern": PATTERN, "maxLength": MOST_BYTES}),
]
"""A name in any script, composed (NFC), so that the same name is the same directory."""
