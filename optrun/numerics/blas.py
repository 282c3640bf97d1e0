"""The BLAS libraries of this process: their threads, and what they are good at."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

SMALL_PRODUCT = 1_000_000
WITH_SMALL_PRODUCTS = {"SkylakeX", "Cooperlake", "SapphireRapids"}
"""The kernels of OpenBLAS that multiply up to this many pairs of numbers without packing them."""


@cache
def blas_pools() -> ThreadpoolController:
    """The thread pools of BLAS, looked for once: going through all libraries takes 1 ms."""
    import scipy.linalg  # noqa: F401  its BLAS is the one the kernels call

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Keep BLAS to one thread, so that the number of cores does not change a run's bits."""
    return blas_pools().limit(limits=1, user_api="blas")


@cache
def small_product() -> float:
    """The largest m·n·k that BLAS multiplies faster than larger ones; inf if all are alike."""
    pools = blas_pools().info()
    of_scipy = [pool for pool in pools if "scipy" in str(pool.get("filepath"))]
    architectures = {pool.get("architecture") for pool in of_scipy or pools}
    return SMALL_PRODUCT if architectures & WITH_SMALL_PRODUCTS else float("inf")
