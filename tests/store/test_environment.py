"""environment.json: what is known of the machine, nothing imported, nothing required."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from optrun.store import environment
from optrun.store.environment import describe_environment


def test_it_is_json_and_knows_versions_machine_and_threads(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    found = describe_environment(numerics=7)
    assert json.loads(json.dumps(found)) == found
    assert found["numerics"] == 7
    assert found["numpy"] == np.__version__
    assert found["python"] == sys.version.split()[0]
    assert found["thread_variables"]["OMP_NUM_THREADS"] == "3"
    assert found["cores"] >= 1


def test_describing_imports_none_of_the_libraries():
    code = (
        "import sys; from optrun.store.environment import describe_environment as d; "
        "assert d(1)['numba']; "
        "print([m for m in ('numba', 'scipy', 'llvmlite') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_commit_is_that_of_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert environment.git_commit() is None
    author = ["-c", "user.name=n", "-c", "user.email=e"]
    (tmp_path / "file").write_text("1")
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "m"]):
        subprocess.run(["git", *command], check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert environment.git_commit() == head.stdout.strip()
    (tmp_path / "file").write_text("2")
    assert environment.git_commit() == head.stdout.strip() + "-dirty"


def test_git_is_asked_once_for_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []
    monkeypatch.setattr(environment, "git_commit", lambda: asked.append(Path.cwd()) or "a commit")
    places = [tmp_path / "one", tmp_path / "other"]
    for place in [*places, *places]:
        place.mkdir(exist_ok=True)
        monkeypatch.chdir(place)
        assert describe_environment(1)["git_commit"] == "a commit"
    assert asked == places


def test_what_is_absent_is_unknown(tmp_path: Path):
    assert environment.answer("no-such-command-anywhere") is None
    assert environment.installed_version("no-such-library-anywhere") is None
    assert environment.linux_cpu_model(tmp_path / "absent") is None


def test_the_processor_is_the_first_named(tmp_path: Path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Fast: One\nmodel name\t: B\n")
    assert environment.linux_cpu_model(tmp_path / "cpuinfo") == "Fast: One"
