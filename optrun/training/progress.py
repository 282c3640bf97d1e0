"""How far a run has come: what a checkpoint holds besides its arrays."""

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any

from optrun.engine.program import Program
from optrun.store.table import Mark
from optrun.training.divergence import EXPLOSION


@dataclass
class Progress:
    """How far a run has come; with its arrays, all that resuming needs.

    Attributes:
        step, epoch: steps and whole epochs done.
        norms: sum of the gradient's norms over the epoch under way.
        limit: the batch loss that counts as exploded.
        seconds_train, seconds_eval, seconds_compile: spent so far, in all processes.
        watched: the metric that the schedule answers to, after each epoch.
        last_step: the row of the last step, as steps.csv has or would have it.
        logged: the last step in steps.csv.
        metrics, steps: what the two tables held at the last checkpoint.
    """

    step: int = 0
    epoch: int = 0
    norms: float = 0.0
    limit: float = math.inf
    seconds_train: float = 0.0
    seconds_eval: float = 0.0
    seconds_compile: float = 0.0
    watched: list[float | None] = field(default_factory=list)
    last_step: dict[str, Any] = field(default_factory=dict)
    logged: int = 0
    metrics: Mark | None = None
    steps: Mark | None = None

    def check(self, program: Program) -> None:
        """Raise a ValueError unless a run of this program can have come so far."""
        per_epoch, epochs = program.steps_per_epoch, program.config.training.epochs
        whole = all(type(n) is int for n in (self.step, self.epoch, self.logged))
        if not whole or not 0 <= self.epoch <= epochs or not 0 <= self.logged <= self.step:
            raise ValueError("its steps and epochs are not those of this run")
        if not self.epoch * per_epoch <= self.step <= min(self.epoch + 1, epochs) * per_epoch:
            raise ValueError("its steps and epochs do not agree")
        seconds = (self.seconds_train, self.seconds_eval, self.seconds_compile)
        numbers = all(type(n) is float and n >= 0 for n in (*seconds, self.limit))
        # what has no gradients has no norms of them: NaN
        if not numbers or type(self.norms) is not float or self.limit < EXPLOSION:
            raise ValueError("a number of it is out of range")
        if len(self.watched) not in (0, self.epoch):
            raise ValueError("it has watched another number of epochs")

    def state(self) -> str:
        """The text that `restored` reads back."""
        return json.dumps(asdict(self))

    @classmethod
    def restored(cls, text: str) -> "Progress":
        """The progress that `state` gave."""
        values = json.loads(text)
        marks = {table: Mark(**values.pop(table)) for table in ("metrics", "steps")}
        return cls(**values | marks)
