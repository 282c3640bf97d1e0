"""Runs in processes of this machine: the same bytes, and nothing lost when one dies."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from optrun.store.run_directory import RunDirectory
from optrun.sweeps.engines.executor import Death, Outcome
from optrun.sweeps.engines.local import LocalWorkers, manner
from optrun.training.observer import Plan, Pulse
from optrun.training.run import run
from tests.sweeps.parts import ENDLESS, Bureau
from tests.training.runs import same_results


def local_bureau(folder: Path, count: int) -> Bureau:
    return Bureau(folder, lambda shelf: LocalWorkers(count, shelf))


def busy(bureau: Bureau) -> list:
    return [worker for worker in bureau.workers.workers if worker.task is not None]


@pytest.fixture
def bureau(tmp_path):
    bureau = local_bureau(tmp_path, 2)
    yield bureau
    bureau.workers.close()


@pytest.mark.parametrize("count", [2, 8])
def test_runs_of_several_workers_are_those_of_one_alone(count, tmp_path, request):
    bureau = local_bureau(tmp_path, count)
    request.addfinalizer(bureau.workers.close)
    runs = bureau.runs(5, seeds=(0, 1))
    left = list(runs)
    outcomes: list = []
    while len(outcomes) < len(runs):
        while left and bureau.workers.free():
            bureau.workers.submit(left.pop().task())
        outcomes += bureau.until(1, Outcome)
    assert {event.what.status for event in outcomes} == {"finished"}
    assert {event.task for event in outcomes} == {one.id for one in runs}
    assert len(bureau.workers.workers) == count
    for one in runs:
        assert same_results(one.directory.path, run(one.config, tmp_path / "alone"))


def test_a_killed_worker_takes_its_run_with_it_and_no_other(bureau):
    first, second = bureau.runs(2, ENDLESS)
    bureau.workers.submit(first.task())
    bureau.workers.submit(second.task())
    bureau.until(2, Plan)
    victim = busy(bureau)[0]
    os.kill(victim.process.pid, signal.SIGKILL)
    (death,) = bureau.until(1, Death)
    assert death.task == victim.task == first.id
    assert "SIGKILL" in death.what.reason
    assert not first.directory.is_locked()
    (pulse,) = bureau.until(1, Pulse)
    assert pulse.task == second.id
    assert bureau.workers.free() == 1
    bureau.workers.submit(first.task())
    (plan,) = bureau.until(1, Plan)
    assert plan.task == first.id


def test_an_idle_worker_that_is_killed_is_replaced(bureau):
    one, other = bureau.runs(2)
    bureau.workers.submit(one.task())
    bureau.until(1, Outcome)
    (worker,) = bureau.workers.workers
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.join()
    bureau.workers.submit(other.task())
    (event,) = bureau.until(1, Death, Outcome)
    if isinstance(event.what, Death):  # it was given to the dead before that was known
        bureau.workers.submit(other.task())
        (event,) = bureau.until(1, Outcome)
    assert event.what.status == "finished"


def test_stopped_runs_are_saved(bureau):
    runs = bureau.runs(2, ENDLESS)
    for one in runs:
        bureau.workers.submit(one.task())
    bureau.until(2, Plan)
    bureau.workers.stop()
    outcomes = bureau.until(2, Outcome)
    assert {event.what.status for event in outcomes} == {"stopped"}
    for one in runs:
        assert one.directory.read_summary()["status"] == "stopped"
        assert one.directory.has_checkpoint()


def test_interrupts_from_the_keyboard_do_not_reach_workers(bureau):
    (one,) = bureau.runs(1, ENDLESS)
    bureau.workers.submit(one.task())
    bureau.until(1, Pulse)
    (worker,) = busy(bureau)
    os.kill(worker.process.pid, signal.SIGINT)
    time.sleep(0.5)
    bureau.until(2, Pulse)
    assert not [e for e in bureau.workers.events(0.1) if isinstance(e.what, Outcome)]


def test_a_fault_is_told_and_the_worker_goes_on(bureau):
    bad, good = bureau.runs(2)
    bad.directory.create()
    (bad.directory.path / "summary.json").write_text("{")
    bureau.workers.submit(bad.task())
    (event,) = bureau.until(1, Outcome)
    assert event.what.status == "failed"
    assert "is damaged" in event.what.reason
    bureau.workers.submit(good.task())
    (event,) = bureau.until(1, Outcome)
    assert event.what.status == "finished"


def test_a_dataset_that_is_not_the_same_is_refused(bureau):
    (one,) = bureau.runs(1)
    (mark,) = bureau.shelf.folder.glob("*/fingerprint")
    mark.write_text("another")
    bureau.workers.submit(one.task())
    (event,) = bureau.until(1, Outcome)
    assert event.what.status == "failed"
    assert event.what.reason.startswith("synthetic, or the version of optrun, is another")


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only Linux tells")
def test_workers_have_one_thread_for_blas(bureau):
    before = dict(os.environ)
    (one,) = bureau.runs(1)
    bureau.workers.submit(one.task())
    bureau.until(1, Outcome)
    (worker,) = bureau.workers.workers
    environment = Path(f"/proc/{worker.process.pid}/environ").read_text().split("\0")
    assert "OPENBLAS_NUM_THREADS=1" in environment
    assert dict(os.environ) == before


ORPHAN = """
import sys, time
from pathlib import Path
from optrun.training.observer import Pulse
from tests.sweeps.engines.test_local import ENDLESS, busy, local_bureau
bureau = local_bureau(Path(sys.argv[1]), 1)  # which a worker must not come to
(run,) = bureau.runs(1, ENDLESS)
bureau.workers.submit(run.task())
bureau.until(1, Pulse)
print(run.directory.path, busy(bureau)[0].process.pid, flush=True)
time.sleep(60)
"""


def test_workers_save_their_run_and_end_when_their_parent_is_killed(tmp_path):
    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN)
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert parent.stdout
    path, pid = parent.stdout.readline().split()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() or RunDirectory(Path(path)).is_locked():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert RunDirectory(Path(path)).read_summary()["status"] == "stopped"
    assert RunDirectory(Path(path)).has_checkpoint()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, "its process was ended by SIGKILL; the system may have run out of memory"),
        (-11, "its process was ended by SIGSEGV"),
        (3, "its process ended with status 3"),
    ],
)
def test_how_a_process_ended_in_words(code, words):
    assert manner(code) == words
