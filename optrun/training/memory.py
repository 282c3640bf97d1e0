"""Peak memory of this process."""

import re
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_memory_mb() -> float | None:
    """The most memory this process has held, in MB (10⁶ bytes); None where it cannot be known."""
    if STATUS.exists():  # on Linux getrusage also counts what the process that started us held
        status = STATUS.read_text(encoding="utf-8", errors="replace")
        match = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(match[1]) * 1024 / 1e6 if match else None
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6
