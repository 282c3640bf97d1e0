"""What every learning-rate schedule is, and how its durations become steps."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from optrun.component import Component
from optrun.durations import Duration

WHOLE = Duration(1.0, "fraction")
ONE_STEP = Duration(1.0, "steps")
Factor = Annotated[float, Field(gt=0, le=1)]

Place = tuple[str | int, ...]
"""Where in a schedule's section: a key, or a key and an index."""


class Length:
    """Turns durations into steps for one run: its steps per epoch and those after warmup."""

    def __init__(self, steps_per_epoch: int, total: int):
        self.steps_per_epoch = steps_per_epoch
        self.total = total

    def __call__(self, duration: Duration) -> int:
        return duration.steps(self.steps_per_epoch, self.total)


class Schedule(Component):
    """The rate as a function of time."""

    paces: ClassVar[frozenset[str]] = frozenset()
    """Durations that set a pace, and so may be longer than the run."""
    optional: ClassVar[frozenset[str]] = frozenset()
    """Durations that may come to 0 steps."""
    begins_in_warmup: ClassVar[bool] = False
    """Whether its step 0 is the last step of a warmup, and not the first step after it."""

    def watched(self) -> str | None:
        """The column of metrics.csv that it answers to, if it does."""
        return None

    def own_climb(self, length: Length) -> str:
        """The field that gives the length of a climb it begins with; empty where it has none."""
        return ""

    @abstractmethod
    def rates(self, lr: float, steps: int, length: Length) -> np.ndarray:
        """The rate at each of `steps` steps for the optimizer's `lr`, float64 (steps,)."""

    def durations(self) -> Iterator[tuple[Place, Duration]]:
        """Every duration of the section with its place."""
        for key, value in dict(self).items():
            if isinstance(value, Duration):
                yield (key,), value
            elif isinstance(value, list):
                yield from (((key, i), v) for i, v in enumerate(value) if isinstance(v, Duration))

    def problems(self, length: Length) -> Iterator[tuple[Place, str, str]]:
        """What is wrong between its fields in a run of this length: place, message, hint."""
        yield from ()


def progress(steps: int, over: int) -> np.ndarray:
    """t/T at each step, no more than 1."""
    return np.minimum(np.arange(steps) / max(over, 1), 1.0)
