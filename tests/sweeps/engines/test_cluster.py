"""Runs on a Dask cluster: a real scheduler and real workers, on this machine's loopback."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import chdir
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from optrun.cli.main import app
from optrun.errors import UserError
from optrun.sweeps.engines.cluster import DaskWorkers, connect
from optrun.sweeps.engines.cluster_worker import software
from optrun.sweeps.engines.executor import Death, Outcome
from optrun.training.observer import Plan, Pulse
from optrun.training.run import run
from tests.sweeps.parts import ENDLESS, TOY, Bureau
from tests.training.runs import same_results

ROOT = Path(__file__).parents[3]
QUIET = os.environ | {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error"}
pytestmark = [
    pytest.mark.xdist_group("cluster"),
    # Dask's own, on the way out
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def start(*command: str, folder: Path, sources: Path = ROOT) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=QUIET | {"PYTHONPATH": str(sources)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


class Cluster:
    """A scheduler and its workers, each a process."""

    def __init__(self, folder: Path, workers: int = 2):
        self.folder = folder
        file = folder / "scheduler.json"
        self.scheduler = start(
            "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
            "--no-dashboard", "--scheduler-file", str(file), folder=folder,
        )  # fmt: skip
        wait_for(file.exists)
        self.address = json.loads(file.read_text())["address"].removeprefix("tcp://")
        self.workers = [self.start_worker() for _ in range(workers)]

    def start_worker(self, sources: Path = ROOT) -> subprocess.Popen:
        return start(
            "distributed.cli.dask_worker", self.address, "--nthreads", "1", "--no-nanny",
            "--no-dashboard", "--host", "127.0.0.1", folder=self.folder, sources=sources,
        )  # fmt: skip

    def wait(self, count: int) -> None:
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=60)

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def wait_for(condition, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.wait(2)
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(params=["in common", "apart"])
def bureau(cluster, tmp_path, monkeypatch, request):
    """With a file system in common, or with folders that only this process can see."""
    cluster.wait(2)  # one may have been killed by the test before
    folder = tmp_path
    if request.param == "apart":
        if not Path("/proc/self/cwd").exists():
            pytest.skip("needs a path that means another folder to each process")
        monkeypatch.chdir(tmp_path)
        folder = Path("/proc/self/cwd")
    bureau = Bureau(folder, lambda shelf: DaskWorkers(cluster.address, shelf, None))
    assert bureau.workers.in_common == (request.param == "in common")
    yield bureau
    bureau.workers.close()


def test_runs_on_a_cluster_are_those_of_one_process_alone(bureau, tmp_path):
    runs = bureau.runs(2, seeds=(0, 1))
    left, outcomes = list(runs), []
    while len(outcomes) < len(runs):
        while left and bureau.workers.free():
            bureau.workers.submit(left.pop().task())
        outcomes += bureau.until(1, Outcome)
    assert [event.what for event in outcomes] == [Outcome("finished")] * 4
    for one in runs:
        assert same_results(one.directory.path, run(one.config, tmp_path / "alone"))
        assert not one.directory.is_locked()


def test_a_paused_run_goes_on_wherever_it_comes_to(bureau, tmp_path):
    (one,) = bureau.runs(1)
    one.want(1)
    bureau.workers.submit(one.task())
    (paused,) = bureau.until(1, Outcome)
    assert paused.what == Outcome("stopped", "paused after epoch 1 of 4")
    assert one.directory.read_summary()["epochs"] == 1
    one.want(None)
    bureau.workers.submit(one.task())
    (plan, finished) = bureau.until(2, Plan, Outcome)
    assert plan.what.resumed_at > 0
    assert finished.what == Outcome("finished")
    assert same_results(one.directory.path, run(one.config, tmp_path / "alone"))


def test_stopped_runs_are_saved(bureau):
    runs = bureau.runs(2, ENDLESS)
    for one in runs:
        bureau.workers.submit(one.task())
    bureau.until(2, Plan)
    bureau.workers.stop()
    assert [e.what.status for e in bureau.until(2, Outcome)] == ["stopped", "stopped"]
    for one in runs:
        assert one.directory.has_checkpoint()
        assert not one.directory.is_locked()


def test_a_run_of_another_process_is_left_to_it(bureau):
    (one,) = bureau.runs(1)
    one.directory.create()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(one.directory.path.resolve())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=QUIET,
    )
    assert holder.stdout
    holder.stdout.readline()
    bureau.workers.submit(one.task())
    (event,) = bureau.until(1, Outcome)
    holder.communicate(b"\n")
    assert event.what.status == "busy"


HOLDER = """
import sys
from pathlib import Path
from optrun.store.run_directory import RunDirectory
with RunDirectory(Path(sys.argv[1])).lock():
    print(flush=True)
    sys.stdin.readline()
"""


def test_a_worker_that_is_killed_is_told_once_and_another_takes_the_run_up(
    cluster, bureau, tmp_path
):
    base = TOY | {"training": {"epochs": 800, "batch_size": 30, "log_every": 1000}}
    (one,) = bureau.runs(1, base)
    bureau.workers.submit(one.task())
    bureau.until(1, Pulse)
    (pid,) = [pid for pid, tasks in bureau.workers.client.run(running).values() if tasks]
    os.kill(pid, signal.SIGKILL)
    cluster.workers.append(cluster.start_worker())
    (event,) = bureau.until(1, Outcome, Death)
    assert event.what == Death("its worker on the cluster died")
    assert not one.directory.is_locked()
    bureau.workers.submit(one.task())
    (event,) = bureau.until(1, Outcome, Death)
    assert event.what == Outcome("finished")
    assert same_results(one.directory.path, run(one.config, tmp_path / "alone"))


def running(dask_worker) -> tuple[int, int]:
    """(process id, tasks under way) of a worker."""
    return os.getpid(), dask_worker.state.executing_count


def test_nobody_at_the_address(tmp_path, monkeypatch):
    monkeypatch.setattr("optrun.sweeps.engines.cluster.PATIENCE_SECONDS", 1)
    with pytest.raises(UserError, match="no Dask scheduler answers at 127"):
        Bureau(tmp_path, lambda shelf: DaskWorkers("127.0.0.1:9", shelf, None))


def answering(reply: bytes) -> int:
    """The port of a server that answers every connection so, or says nothing."""
    server = socket.create_server(("127.0.0.1", 0))
    held = []

    def serve() -> None:
        with server:
            for _ in range(10):
                connection, _ = server.accept()
                held.append(connection)
                if reply:
                    connection.sendall(reply)
                    connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_server_that_is_no_scheduler_is_told_at_once(tmp_path, monkeypatch, capfd, reply):
    monkeypatch.setattr("optrun.sweeps.engines.cluster.PATIENCE_SECONDS", 1)
    begun = time.monotonic()
    with pytest.raises(UserError, match="no Dask scheduler answers at 127"):
        connect(f"127.0.0.1:{answering(reply)}")
    assert time.monotonic() - begun < 5
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("address", ["nonsense", "a:b:c", "bogus://x:1"])
def test_what_is_no_address_is_told(address):
    with pytest.raises(UserError, match="no Dask scheduler answers at"):
        connect(address)


@pytest.fixture
def altered(tmp_path) -> Path:
    """A copy of optrun with one more comment."""
    shutil.copytree(ROOT / "optrun", tmp_path / "altered" / "optrun")
    with (tmp_path / "altered/optrun/training/run.py").open("a") as file:
        file.write("# changed\n")
    return tmp_path / "altered"


def test_workers_with_other_sources_are_refused_and_later_ones_not_used(
    tmp_path, altered, monkeypatch
):
    monkeypatch.setattr("optrun.sweeps.engines.cluster.COUNT_SECONDS", 0)
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(tmp_path / "cluster", workers=1)
    try:
        cluster.wait(1)
        bureau = Bureau(tmp_path, lambda shelf: DaskWorkers(cluster.address, shelf, None))
        assert bureau.workers.obstacle() is None and bureau.workers.free() == 1
        cluster.workers.append(cluster.start_worker(altered))
        cluster.wait(2)
        assert "has other source files" in bureau.workers.obstacle()
        assert bureau.workers.free() == 1
        bureau.workers.submit(bureau.runs(1)[0].task())
        assert bureau.until(1, Outcome)[0].what == Outcome("finished")
        bureau.workers.close()
        with pytest.raises(UserError, match="cannot carry out runs: its optrun has other source"):
            Bureau(altered, lambda shelf: DaskWorkers(cluster.address, shelf, None))
    finally:
        cluster.close()


def test_unlike_software_is_named():
    here = software()
    assert here.lacks(software()) is None
    other = replace(here, versions={**here.versions, "numpy": "1.0"})
    assert here.lacks(other) == f"it has numpy 1.0, and here is {here.versions['numpy']}"


def test_a_cluster_of_unlike_processors_says_so(cluster, tmp_path):
    bureau = Bureau(tmp_path, lambda shelf: DaskWorkers(cluster.address, shelf, None))
    workers = bureau.workers.workers
    first = next(iter(workers))
    workers[first] = replace(software(), processor="Another")
    assert "the workers have different processors (" in bureau.workers.obstacle()
    bureau.workers.close()


def test_a_cluster_without_workers_is_told_until_there_are_some(tmp_path, monkeypatch):
    monkeypatch.setattr("optrun.sweeps.engines.cluster.COUNT_SECONDS", 0)
    (tmp_path / "cluster").mkdir()
    cluster = Cluster(tmp_path / "cluster")
    try:
        cluster.wait(2)
        bureau = Bureau(tmp_path, lambda shelf: DaskWorkers(cluster.address, shelf, None))
        assert bureau.workers.obstacle() is None
        bureau.workers.submit(bureau.runs(1, ENDLESS)[0].task())
        for worker in cluster.workers:
            worker.kill()
            worker.wait()
        wait_for(bureau.workers.obstacle)
        assert "has no workers any more" in bureau.workers.obstacle()
        assert bureau.workers.free() == 0
        cluster.workers.append(cluster.start_worker())
        wait_for(lambda: bureau.workers.obstacle() is None)
        bureau.workers.close()
    finally:
        cluster.close()


def test_a_scheduler_that_dies_is_told(tmp_path):
    (tmp_path / "cluster").mkdir()
    doomed = Cluster(tmp_path / "cluster")
    try:
        doomed.wait(1)
        bureau = Bureau(tmp_path, lambda shelf: DaskWorkers(doomed.address, shelf, None))
        bureau.workers.submit(bureau.runs(1, ENDLESS)[0].task())
        bureau.until(1, Pulse)
        doomed.scheduler.kill()
        with pytest.raises(UserError, match="is gone; what was finished is kept"):
            while True:
                list(bureau.workers.events(0.2))
                bureau.workers.free()
        bureau.workers.close()
    finally:
        doomed.close()


def test_a_sweep_is_the_same_on_either_engine(cluster, tmp_path):
    cluster.wait(2)
    found = []
    for engine in ("local", f"dask://{cluster.address}"):
        folder = tmp_path / engine.partition(":")[0]
        folder.mkdir()
        (folder / "toy.yaml").write_text(json.dumps(TOY))
        with chdir(folder):
            done = CliRunner().invoke(
                app,
                [
                    "sweep", "toy.yaml", "optimizer.lr=logspace(0.01,1,4)", "seed=range(2)",
                    "sweep.strategy=successive_halving", "--workers", "2", "--engine", engine,
                ],
            )  # fmt: skip
        assert done.exit_code == 0, done.stderr
        directory = folder / "runs/sweeps/toy"
        files = [(directory / name).read_bytes() for name in ("results.csv", "summary.md")]
        found.append((done.stdout, files))
    assert found[0] == found[1]
