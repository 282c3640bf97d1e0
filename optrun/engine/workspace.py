"""Everything that the steps of a run compute with."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optrun.data.prepare import Data
from optrun.engine.arrays import Curves, Examples, Numbers, Parameters, Record
from optrun.engine.layout import named_parts
from optrun.engine.roles import Roles
from optrun.nn.network import Buffers, Places
from optrun.numerics.sums import norms

if TYPE_CHECKING:
    from optrun.config.schema import Config


@dataclass(frozen=True)
class Workspace:
    """The arrays and kernels of training. Only parameters and rates change as it runs.

    Attributes:
        examples: the rows of train and validation.
        parameters: weights, gradient and what goes with them.
        places: where layers and blocks lie in them.
        work: room for a batch.
        record: what the steps of a chunk report.
        curves: what is known of every step beforehand.
        steps_per_epoch: optimizer steps in an epoch.
        rules: the dispatchers of the config's kernels, by their roles.
    """

    config: "Config"
    data: Data
    examples: Examples
    parameters: Parameters
    places: Places
    numbers: Numbers
    work: Buffers
    record: Record
    curves: Curves
    steps_per_epoch: int
    batch_size: int
    rules: Roles

    @property
    def rates(self) -> np.ndarray:
        """Learning rate of every step of the run, float64 (steps,)."""
        return self.curves.rates

    def rate_at(self, t: int) -> float | None:
        """The learning rate of step t, counted from 1; None where the optimizer has none."""
        rate = float(self.rates[t - 1])
        return None if math.isnan(rate) else rate

    def penalty(self, weights: np.ndarray) -> float:
        """What the penalties add to the loss."""
        l1, l2 = self.numbers.penalty
        total = 0.0
        for block in self.places.blocks:
            if block["penalized"] and (l1 or l2):
                w = weights[block["start"] :][: block["rows"] * block["columns"]]
                absolute, squares = norms(w)
                total += float(l1 * absolute + 0.5 * l2 * squares)
        return total

    def sparsity(self, weights: np.ndarray) -> float | None:
        """The share of weights, biases left out, that are exactly 0; None if there are none."""
        matrices = [block for block in self.places.blocks if block["is_matrix"]]
        parts = [weights[b["start"] :][: b["rows"] * b["columns"]] for b in matrices]
        size = sum(part.size for part in parts)
        return 1 - sum(map(np.count_nonzero, parts)) / size if size else None

    def named_weights(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """A flat parameter array as `layers.0.weight` (fan_in, fan_out), `layers.0.bias`, …"""
        return named_parts(self.places, flat)
