"""Standard output and error: in any encoding, to readers that may leave, to disks that may be full.

Letters that the encoding lacks are replaced by others that say the same: `β₁ ≤ 1` by `beta1 <= 1`.
A reader who has seen enough, as `head` has, is no error: the rest is dropped, the command goes on,
and its exit status is its own.
"""

import codecs
import errno
import io
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from optrun.errors import UserError

READER_GONE = (errno.EPIPE, errno.EIO)
"""What writing to a closed pipe and to a closed terminal fails with."""
CONTROL = ("Cc", "Cf", "Zl", "Zp", "Cs")
"""Unicode's categories of letters that move the cursor, turn the writing or end a line."""
REPLACING = "optrun.replacing"
"""Name of the error handler for letters that an encoding lacks."""
INSTEAD = {
    "−": "-", "–": "-", "—": "-", "·": "*", "⊙": "*", "•": "*", "×": "x", "⊗": "x", "±": "+-",
    "←": "<-", "→": "->", "↦": "->", "≤": "<=", "≥": ">=", "≠": "!=", "∝": "~", "∈": "in",
    "√": "sqrt ", "∞": "inf", "∂": "d", "‖": "||", "⌊": "[", "⌋": "]", "⌈": "[", "⌉": "]",
    "⟨": "<", "⟩": ">", "⁄": "/", "⸝": "/", "′": "'", "‘": "'", "’": "'", "“": "'", "”": "'",
    "λ": "lambda", "Λ": "Lambda", "\u0302": "^", "\u0304": "~",
}  # fmt: skip


def instead_of(letter: str) -> str:
    """ASCII letters that stand for another letter; `?` where none do."""
    if letter.isascii():
        return letter
    if letter in INSTEAD:
        return INSTEAD[letter]
    if unicodedata.combining(letter):
        return ""
    *kind, name = unicodedata.name(letter, "?").split()
    if kind[:1] == ["GREEK"]:
        return name.title() if "CAPITAL" in kind else name.lower()
    if kind[:2] == ["BOX", "DRAWINGS"]:
        lines = {"HORIZONTAL": "-", "LEFT": "-", "RIGHT": "-", "VERTICAL": "|"}
        return "+" if "AND" in kind else lines.get(name, "+")
    if kind[:1] == ["BRAILLE"]:  # what spins while one waits
        return "*"
    *form, parts = unicodedata.decomposition(letter).partition("> ")[::2]
    parts = parts or form.pop()
    text = "".join(instead_of(chr(int(part, 16))) for part in parts.split())
    return f"^{text}" if form == ["<super"] else text or "?"


def replace(error: UnicodeError) -> tuple[str, int]:
    """The error handler: what is written instead, and where to go on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(instead_of, error.object[error.start : error.end])), error.end


codecs.register_error(REPLACING, replace)


class Outlet(io.RawIOBase):
    """Passes bytes on as long as they can be written.

    Args:
        raw: where they go.
        is_result: whether a full disk is an error; for notes and progress it is not.
    """

    def __init__(self, raw: io.RawIOBase, is_result: bool):
        self.raw = raw
        self.is_result = is_result
        self.is_open = True

    def write(self, data: Any) -> int | None:
        """Write, or drop the data once somebody has closed the other end.

        Raises:
            UserError: results cannot be written.
        """
        if not self.is_open:
            return len(data)
        try:
            return self.raw.write(data)
        except OSError as error:
            self.is_open = False
            if self.is_result and error.errno not in READER_GONE:
                raise UserError(f"the output cannot be written: {error.strerror}") from None
            return len(data)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.raw.isatty()

    def fileno(self) -> int:
        return self.raw.fileno()


class Output(io.TextIOWrapper):
    """A text stream that writes every letter in some way.

    Args:
        outlet: where bytes go.
        encoding: of the letters.
        is_prompt: whether to write each text at once.
    """

    def __init__(self, outlet: Outlet, encoding: str, is_prompt: bool):
        self.letters = codecs.lookup(encoding).name
        self.is_prompt = is_prompt
        # Typer takes ASCII for a mistake and writes UTF-8. Nothing but ASCII is written here.
        super().__init__(
            io.BufferedWriter(outlet), "latin-1" if self.letters == "ascii" else encoding
        )

    def write(self, text: str) -> int:
        """Write with the letters replaced that the encoding lacks."""
        if not text.isascii():
            text = text.encode(self.letters, REPLACING).decode(self.letters)
        written = super().write(text)
        if self.is_prompt:
            self.flush()
        return written


def escaped(text: Any) -> str:
    """The text with control characters written out, as `\\x1b`, so that no terminal obeys them.

    Names, settings and messages may come from files of other people.
    """
    return "".join(
        repr(letter)[1:-1] if unicodedata.category(letter) in CONTROL else letter
        for letter in str(text)
    )


def echo(text: Any = "", err: bool = False) -> None:
    """Print lines, with control characters in them written out."""
    print(
        "\n".join(map(escaped, str(text).split("\n"))),
        file=sys.stderr if err else sys.stdout,
        flush=err,
    )


def guarded(stream: TextIO | None, is_result: bool) -> TextIO:
    """The stream as an Output, if it is one of the operating system's.

    One that was closed before the start, as by `2>&-`, leads nowhere.
    """
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    binary = getattr(stream, "buffer", None)
    raw = getattr(binary, "raw", binary)  # Python may run without buffers
    if not isinstance(raw, io.RawIOBase):
        return stream
    stream.flush()
    is_prompt = not is_result or stream.isatty() or getattr(stream, "write_through", False)
    return Output(Outlet(raw, is_result), stream.encoding, is_prompt)


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Guard standard output and error while the block runs."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = guarded(sys.stdout, True), guarded(sys.stderr, False)
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(UserError):
                stream.flush()
        sys.stdout, sys.stderr = before


def print_json(value: Any) -> None:
    """Print a value as JSON, with escapes where the encoding cannot take all letters."""
    import json

    text = json.dumps(value, indent=2, ensure_ascii=False)
    is_complete = codecs.lookup(sys.stdout.encoding).name.startswith("utf")
    if not is_complete or escaped(text.replace("\n", "")) != text.replace("\n", ""):
        text = json.dumps(value, indent=2)
    print(text)
