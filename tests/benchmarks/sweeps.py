"""Whole sweeps as commands: their overhead, against PyTorch and other tuners, workers, memory.

Set OPTRUN_BENCHMARKS_RAY to a Python that has `ray[tune]` to have Ray Tune measured as well.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from optrun.config.load import load, resolved
from tests.benchmarks.images import is_stored, origin
from tests.benchmarks.suite import Row, at_least, at_most
from tests.benchmarks.sweep_command import ROOT, SweepCommand, image_set
from tests.benchmarks.timing import duel, take_turns
from tests.benchmarks.worker_memory import peaks

RUNS, FEW, WORKERS = 200, 2, 2
CROWD = 8
ROUNDS = 5
TOY: dict[str, Any] = {
    "name": "toy",
    "dataset": {"name": "synthetic", "kind": "moons"},
    "model": {"name": "mlp", "hidden": [16]},
    "optimizer": {"name": "sgd", "lr": 0.1},
    "training": {"epochs": 3},
}
RAY = "OPTRUN_BENCHMARKS_RAY"
TUNERS: dict[str, tuple[str, list[str], int]] = {
    "optuna in memory": ("optuna_trials", ["memory"], RUNS),
    "optuna, journal on disk": ("optuna_trials", ["journal"], RUNS),
    "optuna, SQLite": ("optuna_trials", ["sqlite"], RUNS),
    "Ray Tune": ("ray_trials", [], 22),
}
"""Their modules, what those are told besides, and the trials to measure, from which the time of
all follows: one of Ray's takes a second."""


def measure() -> Iterator[Row]:
    """Rows of every kind."""
    from tests.benchmarks import sweep_against_torch  # tests of this module have no torch

    yield from measure_toys()
    yield from sweep_against_torch.measure()
    yield from measure_workers()
    yield from measure_memory()


# Overhead


def measure_toys() -> Iterator[Row]:
    """Rows for runs so small that all but their overhead is nothing, ours and other tuners'."""
    many, few = toys(RUNS), toys(FEW)
    few()  # kernels
    rounds = [toy_round(many, few) for _ in range(ROUNDS)]
    whole, bare, overheads, work = (list(figures) for figures in zip(*rounds, strict=True))
    case = f"{RUNS} runs on moons, MLP of 16, 3 epochs"
    figures = {"workers": WORKERS, "optrun_min_s": min(whole), "optrun_median_s": median(whole)}
    row = {"case": case, **figures, "training_and_evaluation_s": median(work)}
    yield at_most("optrun_median_s", row, 12)
    row = {"case": f"{case}: overhead", "workers": WORKERS, "ms_a_run": 1e3 * median(overheads)}
    yield at_most("ms_a_run", row, 50)
    yield from measure_tuners(median(bare), 1e3 * median(overheads) / WORKERS)


def toys(runs: int) -> SweepCommand:
    return SweepCommand(TOY, [f"optimizer.lr=linspace(0.001,1,{runs})"], WORKERS)


def toy_round(many: SweepCommand, few: SweepCommand) -> tuple[float, float, float, float]:
    """Seconds of many runs: the whole command, that less its runs' work, overhead a run, work."""
    whole, shortest = many(), few()
    less = overhead_a_run(whole - shortest, many.work - few.work, RUNS - FEW, WORKERS)
    return whole, whole - many.work / WORKERS, less, many.work


def overhead_a_run(seconds: float, work: float, runs: int, workers: int) -> float:
    """Seconds that a worker loses over a run, given what so many more of them add to a command.

    Args:
        seconds: that the command takes longer.
        work: seconds of training and evaluation in those runs, one after the other.
        runs: how many.
        workers: that share them.
    """
    return (workers * seconds - work) / runs


def measure_tuners(ours_s: float, ours_ms: float) -> Iterator[Row]:
    """A row a tuner that leads as many trials of nothing, its command and its trial beside ours."""
    for name, (module, storage, trials) in TUNERS.items():
        python = os.environ.get(RAY) if module == "ray_trials" else sys.executable
        if not python:
            print(f"{name} is left out: {RAY} names no Python that has it", file=sys.stderr)
            continue
        run = partial(seconds_of_trials, python, module, storage)
        few, many = run(FEW), run(trials)
        each = (many - few) / (trials - FEW)
        row = {
            "case": f"{RUNS} trials of nothing, against {name}",
            "workers": WORKERS,
            "optrun_less_work_s": ours_s,
            "peer_s": many + each * (RUNS - trials),
            "optrun_ms_a_trial": ours_ms,
            "peer_ms_a_trial": 1e3 * each,
        }
        row["peer_against_optrun"] = row["peer_s"] / ours_s
        yield at_least("peer_against_optrun", row, 1.0)


def seconds_of_trials(python: str, module: str, storage: Sequence[str], trials: int) -> float:
    """Seconds of a command that has a tuner lead so many trials in as many processes as ours."""
    arguments = [str(trials), str(WORKERS), *storage]
    begun = perf_counter()
    subprocess.run(
        [python, "-m", f"tests.benchmarks.{module}", *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return perf_counter() - begun


# Workers


def measure_workers() -> Iterator[Row]:
    """A row for two workers against one, on about a minute of work."""
    config = {
        "name": "workers",
        "dataset": image_set("mnist"),
        "model": {"name": "mlp", "hidden": [128]},
        "optimizer": {"name": "adam"},
        "training": {"epochs": 2, "batch_size": 128},
    }
    axes = ["optimizer.lr=logspace(1e-4,1e-2,48)"]
    sides = {workers: SweepCommand(config, axes, workers) for workers in (1, 2)}
    sides[2]()  # kernels
    seconds = take_turns(sides, 3)
    row = {
        "case": "48 runs on MNIST, MLP 784-128-10, 2 epochs, against one worker",
        "data": origin("mnist"),
        "workers": 2,
        **duel("optrun", seconds[2], "peer", seconds[1]),
    }
    yield at_least("speedup", row, 1.8)


def measure_memory() -> Iterator[Row]:
    """A row a shipped config for CIFAR-10: what each of eight workers takes at most."""
    if not is_stored("cifar10") or not Path("/proc/self/smaps_rollup").exists():
        print("memory is left out: it takes Linux and the real CIFAR-10", file=sys.stderr)
        return
    for name in ("cifar10_linear", "cifar10_mlp"):
        config = resolved(load(ROOT / "configs" / f"{name}.yaml", ["training.epochs=1"]).config)
        rates = f"optimizer.lr=logspace(1e-4,1e-2,{CROWD})"
        with SweepCommand(config, [rates], CROWD).prepared() as (command, _):
            held = peaks(command, ROOT, CROWD)
        row = {
            "case": f"memory: {name}",
            "data": origin("cifar10"),
            "workers": CROWD,
            "private_mb": held.own,
            "with_share_of_common_mb": held.proportional,
        }
        yield at_most("private_mb", row, 150)
