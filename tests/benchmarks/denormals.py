"""Whether training slows down as moments decay into denormals: MLP 784-256-10, Adam, batch 128."""

import math
from collections.abc import Iterator
from statistics import median
from time import perf_counter

from threadpoolctl import threadpool_limits

from optrun.engine.program import Program
from tests.benchmarks.images import load_images, origin
from tests.benchmarks.optrun_side import OptrunEpoch
from tests.benchmarks.suite import Row, at_most

EPOCHS = 6
JUDGED = 5
REPEATS = 3
CHUNK = 67
"""Steps timed at a time; a disturbance from outside spoils a chunk, not the median."""


def measure() -> Iterator[Row]:
    """A row an epoch: the median time of a step, and how it compares with the first epoch's."""
    side = OptrunEpoch(
        load_images("mnist"),
        model={"name": "mlp", "hidden": [256]},
        optimizer={"name": "adam"},
        training={"epochs": EPOCHS, "batch_size": 128, "best_by": "last"},
    )
    side.warm_up()
    chunks: list[list[float]] = [[] for _ in range(EPOCHS)]
    for _ in range(REPEATS):
        side.restart()
        with threadpool_limits(limits=1, user_api="blas"):
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


def step_seconds(program: Program, epoch: int) -> list[float]:
    """Train an epoch; the mean time of a step in each of its whole chunks."""
    order = program.order(epoch)
    begin = epoch * program.steps_per_epoch
    end, found = begin + program.steps_per_epoch, []
    for step in range(begin, end, CHUNK):
        count = min(CHUNK, end - step)
        begun = perf_counter()
        program.run(step, count, order, math.inf)
        found.append((perf_counter() - begun) / count)
    return found
