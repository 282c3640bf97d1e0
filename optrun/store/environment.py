"""What a run's result and speed may depend on besides its config."""

import hashlib
import os
import platform
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

LIBRARIES = ("optrun", "numpy", "numba", "scipy", "llvmlite")
BITS_DEPEND_ON = ("numerics", "numpy", "numba", "llvmlite", "scipy", "cpu", "blas")
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMBA_NUM_THREADS",
    "NUMBA_THREADING_LAYER",
)


def describe_environment(numerics: int) -> dict[str, Any]:
    """Versions, machine, BLAS, threads and commit, in the terms of JSON; unknowns are None.

    Nothing is imported to be described: the BLAS libraries are those the process has loaded.
    """
    return {
        "numerics": numerics,
        "python": platform.python_version(),
        **{library: installed_version(library) for library in LIBRARIES},
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "cores": os.cpu_count(),
        "blas": loaded_blas(),
        "thread_variables": {
            name: os.environ[name] for name in THREAD_VARIABLES if name in os.environ
        },
        "git_commit": commit_at_first(Path.cwd()),
    }


@cache
def sources_digest() -> str:
    """SHA-256 of all source files of this optrun."""
    package, digest = Path(__file__).parents[1], hashlib.sha256()
    for source in sorted(package.rglob("*.py")):
        digest.update(source.relative_to(package).as_posix().encode() + b"\0")
        digest.update(source.read_bytes())
    return digest.hexdigest()


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What has changed, of all that a run's bits depend on, in words: `numpy 2.3.1 → 2.4.0`."""
    return [
        f"{key} {words(before.get(key))} → {words(now.get(key))}"
        for key in BITS_DEPEND_ON
        if before.get(key) != now.get(key)
    ]


def words(value: Any) -> str:
    """A version as it is; the BLAS libraries by their kernels."""
    if isinstance(value, list):
        return ", ".join(str(library.get("architecture")) for library in value)
    return str(value)


@cache
def installed_version(library: str) -> str | None:
    """The version of an installed library, without importing it."""
    try:
        return version(library)
    except PackageNotFoundError:
        return None


@cache
def cpu_model() -> str | None:
    """The processor as its maker names it."""
    system = platform.system()
    if system == "Linux":
        return linux_cpu_model(Path("/proc/cpuinfo"))
    if system == "Darwin":
        return answer("sysctl", "-n", "machdep.cpu.brand_string")
    return platform.processor() or None


def linux_cpu_model(cpuinfo: Path) -> str | None:
    """The first `model name` of Linux's processor list; Arm kernels give none."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, None)


def loaded_blas() -> list[dict[str, Any]]:
    """The BLAS libraries in this process: which, with what kernels, on how many threads."""
    from threadpoolctl import threadpool_info

    libraries = [
        {
            "library": pool["internal_api"],
            "version": pool.get("version"),
            "architecture": pool.get("architecture"),
            "threads": pool["num_threads"],
        }
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    ]
    return sorted(libraries, key=str)  # they are found in any order


@cache
def commit_at_first(folder: Path) -> str | None:
    """What `git_commit` says when this process first asks in a folder; asking takes 5 ms."""
    return git_commit()


def git_commit() -> str | None:
    """The commit of the current directory, ending in `-dirty` if files differ from it."""
    return answer("git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")


def answer(*command: str) -> str | None:
    """What a quick command prints, or None where it is absent, fails or takes over 5 s."""
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=5, check=True,
            env=environment,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
