"""Config files: finding them, decoding them, and what can be wrong with a file as such."""

from pathlib import Path

from optrun.config.document import Document, Unreadable, parse, split_lines
from optrun.config.problems import Place, Text, nearest, render
from optrun.errors import ConfigError
from optrun.store.files import MOST_BYTES, regular_file


def read_file(path: Path) -> Document:
    """Parse a config file; what its values mean is not judged yet.

    Raises:
        ConfigError: it cannot be read, is no UTF-8, no YAML, or not a mapping of keys to values.
    """
    content = read_bytes(path)
    try:
        return parse_file(content, str(path))
    except Unreadable as error:
        raise ConfigError(render([error.problem], str(path))) from None


def read_bytes(path: Path) -> bytes:
    """What is in a config file.

    Raises:
        ConfigError: there is no such file, it cannot be read, or it is too large to be a config.
    """
    source = str(path)
    try:
        if path.is_dir():
            run = path / "config.yaml"
            hint = f"; did you mean {run}?" if run.is_file() else ", not a config file"
            raise ConfigError(f"{source}: is a directory{hint}")
        with regular_file(path) as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{source}: no such file{_files_like(path)}") from None
    except OSError as error:
        raise ConfigError(f"{source}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{source}: cannot be read: {error}") from None
    if len(content) > MOST_BYTES:
        raise ConfigError(f"{source}: has more than {MOST_BYTES:,} bytes, which no config needs")
    return content


def parse_file(content: bytes, source: str, calls: bool = False) -> Document:
    """Parse what is in a config file; `calls` as for `parse`.

    Raises:
        Unreadable: it is no UTF-8, no YAML, or not a mapping of keys to values.
    """
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = split_lines(content[: error.start].decode("utf-8"))
        text = Text(source, split_lines(content.decode("utf-8", "replace")))
        place = Place(text, len(before), len(before[-1]) + 1, len(before[-1]) + 2)
        raise Unreadable("the file is not UTF-8 text", place, "save it as UTF-8") from None
    text = Text(source, split_lines(decoded))
    document = parse(decoded, text, calls)
    if document.values is None and not document.problems:
        raise Unreadable("the file is empty")
    if not isinstance(document.values, dict):
        top = document.items.get(())
        raise Unreadable("a config is made of `key: value` lines", top)
    return document


def _files_like(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f", nor is there a directory {folder}"
    files = [entry.name for entry in folder.iterdir() if entry.is_file()]
    near = nearest(path.name, sorted(files), likeness=0.7)
    return f"; did you mean {' or '.join(str(folder / name) for name in near)}?" if near else ""
