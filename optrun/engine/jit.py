"""JIT settings and the disk cache.

A kernel is written as a plain function under `@kernel` and compiled by Numba when it is first
needed, so importing the vocabulary costs nothing and errors in a config are told at once.
"""

import getpass
import hashlib
import os
import pickle
import platform
import shutil
import tempfile
import types
import warnings
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

KERNELS: list["Kernel"] = []


class Kernel:
    """A function that Numba compiles on first use; calls to other kernels are direct calls.

    Attributes:
        function: the Python source, callable for debugging.
        compiled: its Numba dispatcher, cached on disk.
    """

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.__doc__ = function.__doc__
        KERNELS.append(self)

    @cached_property
    def compiled(self) -> Any:
        prepare_numba()
        import numba

        # No fastmath: it would let the result's last bits depend on how a kernel was inlined,
        # and a kernel just compiled is inlined otherwise than one loaded from the cache.
        return numba.njit(cache=True, error_model="numpy")(self._with_helpers())

    def _with_helpers(self) -> Callable[..., Any]:
        """The function, its references to other kernels replaced by their dispatchers."""
        source = self.function
        scope = source.__globals__
        helpers = {
            name: scope[name].compiled
            for name in source.__code__.co_names
            if isinstance(scope.get(name), Kernel)
        }
        if not helpers:
            return source
        linked = types.FunctionType(source.__code__, scope | helpers, source.__name__)
        linked.__qualname__ = source.__qualname__
        linked.__module__ = source.__module__
        return linked

    def __call__(self, *arguments: Any) -> Any:
        return self.compiled(*arguments)

    def specialize(self, *arguments: Any) -> Any:
        """Compile for these argument types and no others; return the dispatcher.

        Only so does Numba take a dispatcher for an argument of a function type.
        """
        dispatcher = self.compiled
        dispatcher.disable_compile(False)
        try:
            dispatcher.compile(arguments)
        except (EOFError, pickle.UnpicklingError):  # cut short by a crash or a full disk
            forget_cache()
            dispatcher.compile(arguments)
        dispatcher.disable_compile()
        return dispatcher


class Intrinsic(Kernel):
    """Instructions put where a kernel calls it: (typing context, types…) → (signature, code)."""

    @cached_property
    def compiled(self) -> Any:
        prepare_numba()
        from numba.extending import intrinsic

        return intrinsic(self.function)


kernel = Kernel


@cache
def prepare_numba() -> None:
    """Choose the cache folder, unless the user has; must run before Numba loads."""
    if "NUMBA_CACHE_DIR" not in os.environ:
        os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())


def cache_folder() -> Path:
    """The user's cache folder for these kernel sources and library versions.

    Numba notices an edit in a kernel's own file but not in a callee's (numba #1833), hence a
    folder named after all of them.
    """
    from importlib.metadata import version

    import platformdirs

    digest = hashlib.sha256(platform.python_version().encode())
    for library in ("numba", "numpy", "scipy", "llvmlite"):
        digest.update(version(library).encode())
    package = Path(__file__).parent.parent
    for source in sorted(package.rglob("*.py")):
        text = source.read_bytes()
        if b"optrun.engine.jit import" in text:
            digest.update(text)
    folder = Path(platformdirs.user_cache_dir("optrun")) / f"kernels-{digest.hexdigest()[:12]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fallback = Path(tempfile.gettempdir()) / f"optrun-{getpass.getuser()}" / folder.name
        warnings.warn(f"kernels are cached in {fallback}: {error}", stacklevel=2)
        fallback.mkdir(parents=True, exist_ok=True)
        return fallback
    return folder


def cache_is_cold() -> bool:
    """Whether nothing has been compiled for these sources yet."""
    prepare_numba()
    return not any(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbi"))


def forget_cache() -> None:
    """Empty the kernel cache, as after a truncated file in it (numba #10656)."""
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    for entry in folder.iterdir():
        shutil.rmtree(entry, ignore_errors=True) if entry.is_dir() else entry.unlink()


def cache_misses() -> list[str]:
    """Names of the kernels this process had to compile, for tests and the first-run notice."""
    return [
        item.name
        for item in KERNELS
        if "compiled" in vars(item)
        and not isinstance(item, Intrinsic)
        and sum(item.compiled.stats.cache_misses.values())
    ]
