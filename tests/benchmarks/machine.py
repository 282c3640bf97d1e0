"""What the figures depend on: machine, libraries, threads."""

import os
import sys
from typing import Any

CORE_TYPE = "OPENBLAS_CORETYPE"
REMOVED = "OPTRUN_BENCHMARKS_REMOVED"
"""What was taken out of the environment before this process started anew."""


def let_blas_choose() -> None:
    """Start anew without `OPENBLAS_CORETYPE`, which NumPy and SciPy obey as they are loaded.

    It forces kernels on OpenBLAS, often slower ones than it would take for this processor.
    PyTorch looks at the processor only, so a comparison has to let both do so.
    """
    if CORE_TYPE not in os.environ:
        return
    environment = {name: value for name, value in os.environ.items() if name != CORE_TYPE}
    environment[REMOVED] = f"{CORE_TYPE}={os.environ[CORE_TYPE]}"
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def describe() -> dict[str, Any]:
    """The environment as runs record it, with what matters to the peers besides."""
    import scipy.linalg  # noqa: F401  its BLAS is the one the kernels call
    from threadpoolctl import threadpool_limits

    from optrun.store.environment import describe_environment, installed_version
    from optrun.training.run import NUMERICS

    with threadpool_limits(limits=1, user_api="blas"):
        facts = describe_environment(NUMERICS)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return facts | {
        "torch": installed_version("torch"),
        "load_before": load,
        "removed_from_environment": os.environ.get(REMOVED),
    }
