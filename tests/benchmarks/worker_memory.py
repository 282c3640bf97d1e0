"""Memory of the workers of a sweep, watched while it runs. Linux only."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from time import sleep
from typing import NamedTuple

PAUSE_SECONDS = 0.05


class Memory(NamedTuple):
    """Of a process, in MB.

    Attributes:
        own: pages it has written to, which nobody else can use.
        proportional: all its pages, and of those that several processes map its share.
    """

    own: float
    proportional: float


def peaks(command: Sequence[str], folder: Path, workers: int) -> Memory:
    """Run a command that starts processes; the most they held while so many of them lived.

    Returns:
        The largest of any one process's own, and of their mean share. The latter times their
        number is what all of them add to what the machine holds, shared pages counted once.
    """
    own, proportional = 0.0, 0.0
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            held = [memory for child in children(process.pid) if (memory := memory_of(child))]
            if len(held) >= workers:
                held = sorted(held)[-workers:]  # the rest is a helper of multiprocessing's
                own = max(own, held[-1].own)
                proportional = max(proportional, fmean(memory.proportional for memory in held))
            sleep(PAUSE_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with status {process.returncode}")
    return Memory(own, proportional)


def children(pid: int) -> list[int]:
    """Processes that a process of one thread has started; none once it is gone."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return [int(child) for child in text.split()]


def memory_of(pid: int) -> Memory | None:
    """What a process holds now; None once it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return None
    sizes = {name: int(size) for name, size in re.findall(r"^(\w+): +(\d+) kB", text, re.M)}
    if "Pss" not in sizes:  # it is ending
        return None
    return Memory(sizes["Private_Dirty"] * 1024 / 1e6, sizes["Pss"] * 1024 / 1e6)
