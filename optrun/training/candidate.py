"""What a run can be chosen for: its weights, and their average, each with an epoch of its own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from optrun.data.splits import Split
from optrun.engine.program import Program
from optrun.metrics import AVERAGE, EVALUATED, whose
from optrun.training.selection import Selection, rank

Figures = dict[str, float | None]


@dataclass
class Candidate:
    """Weights that are evaluated after every epoch, and kept from their own best one.

    Attributes:
        whose: what the names of their figures begin with, one of `optrun.metrics.WHOSE`.
        kept: those of the best epoch, running statistics included.
        weights: those of now; None as long as there are none.
        row: the best epoch's row of metrics.csv; empty before there is one.
    """

    program: Program
    whose: str
    kept: np.ndarray
    weights: np.ndarray | None = None
    row: dict[str, Any] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)

    def measure(self, step: int) -> Figures:
        """Turn to the weights after `step` steps: their losses and accuracies."""
        data, averages = self.program.data, self.whose == AVERAGE
        of = self.program.averaged_weights if averages else self.program.evaluation_weights
        self.weights = of(step)
        if self.weights is None:
            return {}
        figures = self.figures("train", data.train, self.weights)
        if data.validation is not None:
            figures |= self.figures("val", data.validation, self.weights)
        return figures

    def offer(self, row: dict[str, Any]) -> None:
        """Keep the weights if an epoch, whose row this is, is their best."""
        training = self.program.config.training
        found = rank(row, str(training.best_by), self.whose)
        if self.selection.offer(found, training.early_stopping) and self.weights is not None:
            self.kept[:] = self.weights
            self.row = row

    def test(self) -> Figures:
        """Loss and accuracy of the kept weights on the test set, which nothing else looks at."""
        return self.figures("test", self.program.data.test, self.kept) if self.row else {}

    def figures(self, name: str, split: Split, weights: np.ndarray) -> Figures:
        """Loss and accuracy of weights on a split, as tables and summaries name them."""
        loss, accuracy = self.program.evaluate(split, weights)
        return {f"{self.whose}{name}_loss": loss, f"{self.whose}{name}_accuracy": accuracy}

    def summary(self) -> dict[str, Any]:
        """The best epoch and its figures."""
        figures = {name: self.row.get(name) for name in EVALUATED if whose(name) == self.whose}
        return {f"{self.whose}best_epoch": self.row.get("epoch"), **figures}

    def named(self) -> dict[str, np.ndarray]:
        """The kept weights as best.npz has them; those of an average are `average.layers.0.…`."""
        if self.whose and not self.row:
            return {}
        front = self.whose.replace("_", ".")
        named = self.program.named_weights(self.kept)
        return {f"{front}{name}": part for name, part in named.items()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it, `kept` apart."""
        return {"row": self.row, "selection": asdict(self.selection)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up what a checkpoint has kept, `kept` apart."""
        self.row, self.selection = dict(state["row"]), Selection(**state["selection"])


def candidates(program: Program) -> list[Candidate]:
    """The run's weights, and their average if there is to be one."""
    weights, average = program.parameters.weights, program.parameters.average
    found = [Candidate(program, "", weights.copy())]
    if program.config.averaging:
        found.append(Candidate(program, AVERAGE, average.copy()))
    return found
