"""Spaces, a made-up value for each job, and workers that finish in any order."""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from typing import Any

import pytest

from optrun.errors import UserError
from optrun.sweeps.space.candidates import Job, Point
from optrun.sweeps.space.distributions import Choice, LogUniform
from optrun.sweeps.strategies.strategy import Strategy
from optrun.sweeps.strategies.table import STRATEGIES

EPOCHS = 27

DRAWN = {
    "optimizer.lr": LogUniform(1e-4, 1.0),
    "model.hidden": Choice(([20], [20, 10], {"name": "none"})),
}

SPACES = {
    "listed": [Point(n, {"optimizer.name": f"rule{n}"}) for n in range(10)],
    "drawn": [Point(n, {"optimizer.name": f"rule{n}"}, DRAWN) for n in range(2)],
    "mixed": [Point(n, {"optimizer.name": f"rule{n}"}, DRAWN if n % 2 else {}) for n in range(3)],
}

SMALL = {"samples": 5, "startup": 1, "parallel": 3}


WITH_TORCH = (
    pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed"),
    pytest.mark.xdist_group("torch"),  # which takes seconds to import
)


def cases() -> Iterator[Any]:
    """Every strategy with every space that it takes."""
    for name, strategy in STRATEGIES.items():
        needs_torch = "torch" in getattr(strategy, "packages", ())
        for space in SPACES:
            if small(name, space) is not None:
                yield pytest.param(name, space, marks=WITH_TORCH if needs_torch else ())


def small(name: str, space: str) -> Strategy | None:
    """The strategy with a small budget, if it takes the space."""
    fields = {key: value for key, value in SMALL.items() if key in STRATEGIES[name].model_fields}
    for given in (fields, {key: fields[key] for key in fields if key != "samples"}):
        strategy = STRATEGIES[name](**given)
        with suppress(UserError):  # a package is missing: those tests are skipped
            if strategy.problem(SPACES[space], EPOCHS) is not None:
                continue
        return strategy
    return None


@cache
def begun(name: str, space: str, workers: int = 1, order: int = 0) -> list[Job]:
    """What so many workers do of the small search."""
    return simulate(small(name, space), SPACES[space], workers=workers, order=order)


def toy_value(job: Job) -> float:
    """Smooth in what is drawn, lower for longer runs; inf for rates above 0.5 and for `rule3`."""
    settings = job.candidate.settings
    lr = settings.get("optimizer.lr", 0.01 * (1 + job.candidate.number[0]))
    if lr > 0.5 or settings["optimizer.name"] == "rule3":
        return math.inf
    return (math.log10(lr) + 2) ** 2 + 1 / (job.epochs or EPOCHS) ** (1 + 5 * lr)


class Known(Mapping):
    """The values of all jobs that there could be."""

    def __getitem__(self, job: Job) -> float:
        return toy_value(job)

    def __contains__(self, job: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Job]:
        raise AssertionError("a strategy may not ask which jobs are known")

    def __len__(self) -> int:
        raise AssertionError("a strategy may not ask how many jobs are known")


def simulate(
    strategy: Strategy,
    points: list[Point],
    epochs: int = EPOCHS,
    value: Callable[[Job], float] = toy_value,
    workers: int = 1,
    order: int = 0,
) -> list[Job]:
    """All jobs in the order they are begun; which of those running ends first is drawn."""
    values: dict[Job, float] = {}
    jobs = strategy.jobs(points, epochs, values)
    draw = random.Random(order)
    done: list[Job] = []
    running: list[Job] = []
    while True:
        ended = False
        while len(running) < workers and not ended:
            job = next(jobs, "end")
            if job is None:
                break
            if job == "end":
                ended = True
            else:
                running.append(job)
                done.append(job)
        if not running:
            assert ended, "it waits and nothing runs"
            return done
        job = running.pop(draw.randrange(len(running)))
        values[job] = value(job)


def told(job: Job) -> tuple[Any, ...]:
    """What makes a job that job, in a form that can be compared."""
    settings = tuple(sorted(map(str, job.candidate.settings.items())))
    return job.candidate.number, settings, job.epochs or EPOCHS
