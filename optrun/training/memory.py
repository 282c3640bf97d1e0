"""Peak memory of this process."""

import sys


def peak_memory_mb() -> float | None:
    """The most memory this process has held, in MB (10⁶ bytes); None where it cannot be known."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6
