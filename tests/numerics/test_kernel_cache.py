"""Where kernels are cached, and that nobody else's are touched."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from optrun.numerics import kernel_cache

ROOT = Path(__file__).parents[2]
SCRIPT = """
import numba
import numpy as np
before = numba.config.CACHE_DIR
from optrun.numerics.sums import norms
norms(np.ones(3))
assert numba.config.CACHE_DIR == before
"""


def run(**environment: str) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=kept | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )


def test_kernels_go_to_the_user_s_cache_even_if_numba_was_there_first(tmp_path):
    run(HOME=str(tmp_path))
    (folder,) = tmp_path.rglob("kernels-*")
    assert folder.name == f"kernels-{kernel_cache.digest_of_sources()}"
    assert list(folder.rglob("*norms*.nbi"))


def test_numba_s_own_variable_is_obeyed(tmp_path):
    run(NUMBA_CACHE_DIR=str(tmp_path))
    assert list(tmp_path.rglob("*norms*.nbi"))


def test_without_a_writable_cache_a_temporary_one_serves_and_says_so(tmp_path):
    (tmp_path / "file").touch()
    done = run(HOME=str(tmp_path / "file"), TMPDIR=str(tmp_path))
    assert f"kernels are cached in {tmp_path}" in done.stderr
    assert list(tmp_path.rglob("*norms*.nbi"))


@pytest.mark.parametrize("package", kernel_cache.PACKAGES)
def test_an_edit_in_any_package_with_kernels_moves_the_cache(tmp_path, monkeypatch, package):
    for name in (*kernel_cache.PACKAGES, "cli"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_text("x = 1\n")
    monkeypatch.setattr(kernel_cache, "__file__", str(tmp_path / "numerics" / "kernel_cache.py"))
    before = kernel_cache.digest_of_sources()
    (tmp_path / "cli" / "module.py").write_text("x = 2\n")
    assert kernel_cache.digest_of_sources() == before
    (tmp_path / package / "module.py").write_text("x = 2\n")
    assert kernel_cache.digest_of_sources() != before


def test_every_kernel_lives_in_one_of_those_packages():
    import optrun.config.schema
    import optrun.engine.compiler  # noqa: F401
    from optrun.numerics.jit import KERNELS

    homes = {item.name.split(".")[1] for item in KERNELS if item.name.startswith("optrun.")}
    assert homes <= set(kernel_cache.PACKAGES)
