"""An epoch of optrun, run as training runs it."""

import math
from time import perf_counter
from typing import Any

from optrun.data.prepare import Data
from optrun.engine.compiler import compile_program
from optrun.numerics.blas import one_thread
from tests.benchmarks.images import DTYPE
from tests.programs import make_config

WARM_UP_STEPS = 20
MNIST_MLP: dict[str, Any] = {
    "model": {"name": "mlp", "hidden": [256]},
    "optimizer": {"name": "adam"},
    "training": {"epochs": 6, "batch_size": 128, "best_by": "last"},
}
"""The MLP 784-256-10 that several benchmarks look at."""


class OptrunEpoch:
    """The first epoch of a config, as often as wanted, each time from the same start.

    Attributes:
        loss: mean over the steps run last.
    """

    def __init__(self, data: Data, **sections: Any):
        self.program = compile_program(make_config(dtype=DTYPE, **sections), data)
        self.start = self.program.parameters.weights.copy()
        self.epoch = self.program.epoch(0)
        self.loss = math.nan

    def __call__(self) -> float:
        """Seconds of an epoch, on one thread."""
        return self.run(self.program.steps_per_epoch)

    def warm_up(self) -> None:
        self.run(WARM_UP_STEPS)

    def run(self, steps: int) -> float:
        """Seconds of the first steps."""
        program = self.program
        self.restart()
        with one_thread():
            begun = perf_counter()
            done = program.run(0, steps, self.epoch, math.inf)
            seconds = perf_counter() - begun
        self.loss = float(program.record.loss[:done].mean())
        return seconds

    def restart(self) -> None:
        """Go back to the weights and the state before the first step."""
        self.program.parameters.weights[:] = self.start
        self.program.parameters.state[:] = 0
