"""Whether training slows down as moments decay into denormals: MLP 784-256-10, Adam, batch 128."""

import math
from collections.abc import Iterator
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np

from optrun.engine.program import Program
from optrun.numerics.blas import one_thread
from tests.benchmarks.images import load_images, origin
from tests.benchmarks.optrun_side import MNIST_MLP, OptrunEpoch
from tests.benchmarks.suite import Row, at_most
from tests.benchmarks.timing import ratio, take_turns

JUDGED = 5
REPEATS = 3
PRODUCTS = 101
CHUNK = 67
"""Steps timed at a time; a disturbance from outside spoils a chunk, not the median."""


def measure() -> Iterator[Row]:
    """A row an epoch: the median time of a step, and how it compares with the first epoch's.

    A last row says what was at stake: on some processors denormals cost nothing.
    """
    side = OptrunEpoch(load_images("mnist"), **MNIST_MLP)
    side.warm_up()
    chunks: list[list[float]] = [[] for _ in range(side.program.config.training.epochs)]
    for _ in range(REPEATS):
        side.restart()
        with one_thread():
            for epoch, seconds in enumerate(chunks):
                seconds += step_seconds(side.program, epoch)
    first = median(chunks[0])
    for epoch, seconds in enumerate(chunks, start=1):
        row = {
            "case": f"epoch {epoch}",
            "data": origin("mnist"),
            "median_ms_a_step": 1e3 * median(seconds),
            "against_first": median(seconds) / first,
        }
        yield at_most("against_first", row, 1.1) if epoch == JUDGED else row
    yield {
        "case": "a NumPy product, nothing flushed",
        "denormals_against_normals": penalty_of_processor(),
    }


def penalty_of_processor() -> float:
    """How much longer products take on denormals here, which is what flushing guards against."""
    sides = {name: partial(product_seconds, tiny) for name, tiny in (("d", 1e-40), ("n", 1e-20))}
    seconds = take_turns(sides, PRODUCTS)
    return ratio(seconds["d"], seconds["n"])


def product_seconds(value: float) -> float:
    """Seconds of halving an array of float32, small enough for the cache."""
    numbers = np.full(1 << 16, value, np.float32)
    halves = np.empty_like(numbers)
    begun = perf_counter()
    np.multiply(numbers, np.float32(0.5), out=halves)
    return perf_counter() - begun


def step_seconds(program: Program, epoch: int) -> list[float]:
    """Train an epoch; the mean time of a step in each of its chunks."""
    batches = program.epoch(epoch)
    begin = epoch * program.steps_per_epoch
    end, found = begin + program.steps_per_epoch, []
    for step in range(begin, end, CHUNK):
        count = min(CHUNK, end - step)
        begun = perf_counter()
        program.run(step, count, batches, math.inf)
        found.append((perf_counter() - begun) / count)
    return found
