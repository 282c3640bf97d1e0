"""Calling a component's kernels by themselves."""

from typing import Any

import numba

from optrun.numerics.jit import Kernel


def call(kernel: Kernel, *arguments: Any) -> Any:
    """What the kernel of a role returns, compiled for these types as a program compiles it.

    It then compiles for no others; kernels that others call are called directly.
    """
    return kernel.specialize(*map(numba.typeof, arguments))(*arguments)
