"""Kernels: plain functions that Numba compiles when they are first needed.

So importing the vocabulary costs nothing, and errors in a config are told at once.
"""

import pickle
import types
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, Literal

from optrun.numerics.kernel_cache import caching, forget

KERNELS: list["Kernel"] = []


class Kernel:
    """A function that Numba compiles on first use; calls to other kernels are direct calls.

    Attributes:
        function: the Python source, callable for debugging.
        compiled: its Numba dispatcher, cached on disk.
    """

    inline: ClassVar[Literal["never", "always"]] = "never"

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.__doc__ = function.__doc__
        KERNELS.append(self)

    @cached_property
    def compiled(self) -> Any:
        import numba

        # No fastmath: it would let the result's last bits depend on how a kernel was inlined,
        # and a kernel just compiled is inlined otherwise than one loaded from the cache.
        with caching():
            compiler = numba.njit(cache=True, error_model="numpy", inline=self.inline)
            return compiler(self._with_helpers())

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
        except (EOFError, pickle.UnpicklingError):  # a file cut short by a crash, numba #10656
            forget(kernel.compiled.stats.cache_path for kernel in compiled_kernels())
            dispatcher.compile(arguments)
        dispatcher.disable_compile()
        return dispatcher


class InlinedKernel(Kernel):
    """A kernel written out where it is called, so that a loop around the call can be vectorised."""

    inline = "always"


class Intrinsic(Kernel):
    """Instructions put where a kernel calls it: (typing context, types…) → (signature, code)."""

    @cached_property
    def compiled(self) -> Any:
        from numba.extending import intrinsic

        return intrinsic(self.function)


def external(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """The declaration of an LLVM intrinsic in the module being built."""
    from llvmlite import ir
    from numba.core import cgutils

    kind = ir.FunctionType(result, arguments)
    return cgutils.get_or_insert_function(builder.module, kind, name)


kernel = Kernel
inlined = InlinedKernel


def compiled_kernels() -> list[Kernel]:
    """The kernels this process has used."""
    used = (item for item in KERNELS if "compiled" in vars(item))
    return [item for item in used if not isinstance(item, Intrinsic)]


def cache_misses() -> list[str]:
    """Names of the kernels this process had to compile."""
    return [
        item.name for item in compiled_kernels() if sum(item.compiled.stats.cache_misses.values())
    ]
