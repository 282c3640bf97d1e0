"""kill -9 of a worker, the parent, all of it: begun again, a sweep comes to the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SWEEP = """\
sweep:
  base:
    name: toy
    dataset: {name: synthetic, kind: moons, samples: 120, test_samples: 30}
    model: {name: mlp, hidden: [4]}
    optimizer: {name: sgd, lr: 0.1}
    training: {epochs: 27, batch_size: 30}
  grid:
    optimizer.name: [sgd, adam]
    optimizer.lr: logspace(0.01, 1, 6)
  strategy: hyperband
"""


def start(folder: Path) -> subprocess.Popen:
    (folder / "toy.yaml").write_text(SWEEP)
    return subprocess.Popen(
        [sys.executable, "-m", "optrun", "sweep", "toy.yaml", "--workers", "2"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def results(folder: Path) -> bytes:
    return (folder / "runs/sweeps/toy/results.csv").read_bytes()


def runs_begun(folder: Path) -> int:
    return len(list(folder.glob("runs/toy-*/metrics.csv")))


def wait_for_runs(folder: Path, count: int, process: subprocess.Popen) -> None:
    """Until so many runs have been begun, or the sweep is over."""
    deadline = time.monotonic() + 60
    while runs_begun(folder) < count and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def workers_of(process: subprocess.Popen) -> list[int]:
    family = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in family}
    return [pid for pid, line in lines.items() if "spawn_main" in line]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers by /proc")
def test_whatever_is_killed_the_results_are_the_same(tmp_path):
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    undisturbed.mkdir()
    disturbed.mkdir()
    assert start(undisturbed).wait(120) == 0

    process = start(disturbed)
    wait_for_runs(disturbed, 2, process)
    process.kill()  # the parent; its workers notice
    process.wait()
    process = start(disturbed)
    wait_for_runs(disturbed, 5, process)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process = start(disturbed)
    wait_for_runs(disturbed, 8, process)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    assert process.wait(120) == 0

    assert results(disturbed) == results(undisturbed)
    assert not list((disturbed / "runs/sweeps").glob(".*"))
