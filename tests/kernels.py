"""Calling kernels by themselves."""

from typing import Any

import numba

from optrun.numerics.jit import Kernel


def call(kernel: Kernel, *arguments: Any) -> Any:
    """What the kernel returns, compiled for just these types if it is not yet."""
    return kernel.specialize(*map(numba.typeof, arguments))(*arguments)
