"""Where compiled kernels are kept between processes."""

import atexit
import hashlib
import os
import platform
import shutil
import stat
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIBRARIES = ("numba", "llvmlite", "numpy", "scipy")
PACKAGES = ("numerics", "nn", "optim", "data", "engine")  # where kernels and what they hold live
MARKS = "complete"
TEMPORARY = "OPTRUN_TEMPORARY_KERNELS"
"""Names the temporary folder to the processes that this one starts."""


@contextmanager
def caching() -> Iterator[None]:
    """Numba functions decorated in this block are cached in our folder; others are not touched."""
    config: Any = import_module("numba").config
    before = config.CACHE_DIR
    config.CACHE_DIR = str(cache_folder())
    try:
        yield
    finally:
        config.CACHE_DIR = before


@cache
def cache_folder() -> Path:
    """`NUMBA_CACHE_DIR` if it is set, else a folder of the user's for these kernel sources.

    Numba notices an edit in a kernel's own file but not in a callee's (numba #1833), hence a
    folder named after all of them and the libraries that compile them.

    Numba unpickles what it finds in its cache, which can run any code. So the folder must belong to
    this user and nobody else may open it; otherwise a new temporary folder is used instead,
    which is removed when the process ends.
    """
    folder = chosen_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        problem = distrust(folder)
    except OSError as error:
        problem = f"{folder} cannot be used: {error.strerror}"
    return temporary_folder(problem) if problem else folder


def chosen_folder() -> Path:
    """Where kernels are to be cached, if it can be trusted."""
    import platformdirs

    if chosen := os.environ.get(TEMPORARY) or os.environ.get("NUMBA_CACHE_DIR"):
        return Path(chosen)
    return Path(platformdirs.user_cache_dir("optrun")) / f"kernels-{digest_of_sources()}"


def distrust(folder: Path) -> str | None:
    """Why code in the folder may be somebody else's; None if it is this user's own."""
    if os.name != "posix":  # a user's folders are the user's own there
        return None
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return f"{folder} is not a folder"
    if found.st_uid != os.geteuid():
        return f"{folder} belongs to another user"
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):  # Numba makes folders in it by the umask
        return f"other users can open {folder}; delete it, or `chmod 700` it if all in it is yours"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"{folder} cannot be written"
    return None


def temporary_folder(problem: str) -> Path:
    """A new folder that only this user can open, for this process and those it starts."""
    folder = Path(tempfile.mkdtemp(prefix="optrun-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[TEMPORARY] = str(folder)
    warnings.warn(f"kernels are compiled for this process only: {problem}", stacklevel=2)
    return folder


def digest_of_sources() -> str:
    """A hash of every file a kernel may stem from, and of the versions of what compiles them."""
    digest = hashlib.sha256(platform.python_version().encode())
    for library in LIBRARIES:
        digest.update(version(library).encode())
    for package in PACKAGES:
        for source in sorted((Path(__file__).parents[1] / package).rglob("*.py")):
            digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def is_cold() -> bool:
    """Whether nothing has been compiled for these sources yet."""
    return not any(cache_folder().rglob("*.nbi"))


def mark_of(program: str) -> Path:
    """The file that says that all kernels of a program are in the cache."""
    name = hashlib.sha256(f"{kernels_here()}\n{program}".encode()).hexdigest()[:16]
    return cache_folder() / MARKS / name


@cache
def kernels_here() -> str:
    """What Numba keeps kernels of one name apart by: sources and versions, place, processor."""
    return "\n".join((digest_of_sources(), str(Path(__file__).parent), processor()))


def processor() -> str:
    """Model and abilities of the processor, as far as the system tells without a library."""
    told = ("cpu family", "model", "flags", "Features", "CPU part")
    try:
        block = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0]
    except OSError:
        return platform.processor()
    return "\n".join(line for line in block.splitlines() if line.startswith(told))


def forget(folders: Iterable[str]) -> None:
    """Empty kernels' own folders inside the cache."""
    for folder in {*folders, str(cache_folder() / MARKS)}:
        shutil.rmtree(folder, ignore_errors=True)
