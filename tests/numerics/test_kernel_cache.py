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


def plant_file(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.touch()


def plant_link(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    (folder.parent / "elsewhere").mkdir(mode=0o700)
    folder.symlink_to(folder.parent / "elsewhere")


def open_to_others(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)


def of_another_user(folder: Path) -> None:
    folder.mkdir(parents=True, mode=0o700)
    os.chown(folder, 12345, 12345)


PLANTED = {
    plant_file: "File exists",
    plant_link: "is not a folder",
    open_to_others: "other users can open",
}
if hasattr(os, "geteuid") and os.geteuid() == 0:  # nobody else can give files away
    PLANTED[of_another_user] = "belongs to another user"


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize("chosen", [True, False], ids=["NUMBA_CACHE_DIR", "default"])
def test_code_that_others_may_have_planted_is_not_loaded(tmp_path, plant, chosen):
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    temporary.mkdir()
    folder = home / ".cache" / "optrun" / f"kernels-{kernel_cache.digest_of_sources()}"
    plant(folder)
    choice = {"NUMBA_CACHE_DIR": str(folder)} if chosen else {}
    done = run(HOME=str(home), TMPDIR=str(temporary), **choice)
    assert "kernels are compiled for this process only" in done.stderr
    assert PLANTED[plant] in done.stderr
    assert not list(tmp_path.rglob("*.nbi")) and not list(temporary.iterdir())


def test_a_new_cache_is_closed_to_others_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        run(HOME=str(tmp_path))
    finally:
        os.umask(before)
    (folder,) = tmp_path.rglob("kernels-*")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_without_a_cache_processes_that_are_started_share_the_temporary_one(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setenv(kernel_cache.TEMPORARY, "")
    kernel_cache.cache_folder.cache_clear()
    try:
        with pytest.warns(UserWarning, match="for this process only"):
            folder = kernel_cache.cache_folder()
        assert folder.stat().st_mode & 0o777 == 0o700
        kernel_cache.cache_folder.cache_clear()
        assert kernel_cache.cache_folder() == folder
    finally:
        kernel_cache.cache_folder.cache_clear()


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
