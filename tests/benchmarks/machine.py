"""What the figures depend on: machine, libraries, threads."""

import os
import sys
from typing import Any

DISTORTING = ("OPENBLAS_CORETYPE", "PYTHONDONTWRITEBYTECODE")
REMOVED = "OPTRUN_BENCHMARKS_REMOVED"
"""What was taken out of the environment before this process started anew."""


def undistort() -> None:
    """Start anew without what makes optrun slower on this machine than on a user's.

    `OPENBLAS_CORETYPE` forces kernels on OpenBLAS, often slower ones than it would take for this
    processor, while PyTorch looks at the processor only. Without bytecode, every process compiles
    the sources of an editable installation again.
    """
    found = {name: os.environ[name] for name in DISTORTING if name in os.environ}
    if not found:
        return
    environment = {name: value for name, value in os.environ.items() if name not in found}
    environment[REMOVED] = ", ".join(f"{name}={value}" for name, value in found.items())
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def describe() -> dict[str, Any]:
    """The environment as runs record it, with what matters to the peers besides."""
    from optrun.numerics.blas import one_thread
    from optrun.store.environment import describe_environment, installed_version
    from optrun.training.run import NUMERICS

    with one_thread():
        facts = describe_environment(NUMERICS)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return facts | {
        "torch": installed_version("torch"),
        "load_before": load,
        "removed_from_environment": os.environ.get(REMOVED),
    }
