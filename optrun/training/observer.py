"""What a run tells whoever watches it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Plan:
    """What is about to run.

    Attributes:
        directory: of the run.
        epochs, steps: in all.
        parameters: number of weights and biases.
        resumed_at: steps already done by an earlier process.
        chance: the loss of a model that has learned nothing, if that can be told.
    """

    directory: Path
    epochs: int
    steps: int
    parameters: int
    resumed_at: int
    chance: float | None = None


@dataclass(frozen=True)
class Pulse:
    """Where training is, several times a second.

    Attributes:
        step, epoch: steps done, and the epoch under way counted from 1.
        loss: of the last batch.
        rate: learning rate of the last step, if the optimizer has any.
        examples_per_second: over the run's training time.
        seconds_left: at that speed, to the last epoch.
    """

    step: int
    epoch: int
    loss: float
    rate: float | None
    examples_per_second: float
    seconds_left: float


class Observer:
    """Hears of a run as it goes. This one keeps silent; override what is of interest.

    Attributes:
        wants_stop: set it to have the run saved and stopped at the next chance.
    """

    wants_stop = False

    def notice(self, text: str) -> None:
        """Something that takes a moment has begun."""

    def begin(self, plan: Plan) -> None:
        """Training is about to start."""

    def pulse(self, pulse: Pulse) -> None:
        """A chunk of steps is done."""

    def epoch(self, row: dict[str, Any]) -> None:
        """An epoch is done; `row` is its row of metrics.csv."""

    def stopping(self) -> None:
        """Somebody asked the run to stop; it is about to be saved."""

    def reuse(self, directory: Path) -> None:
        """The run was there already, finished; nothing is done."""

    def close(self) -> None:
        """Nothing more will be heard."""
