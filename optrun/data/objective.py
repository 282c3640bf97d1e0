"""Datasets that are their own objective: what is trained is a point θ, and no model stands between.

loss(scores, targets, d, h)
curve(scores, targets, r, d, h)

scores   (n, outputs), θ in every row, kept
targets  (n, outputs), of the same type
r        (n, outputs), a direction for every row
d        (n, outputs), receives ∂loss/∂scores; of `curve` (∂²loss/∂scores²)·r
h        float64, the numbers that `hyper` gives
returns  of `loss`, the mean over the rows, float64
"""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from optrun.data.dataset import Dataset
from optrun.numerics.jit import Kernel


class Objective(Dataset):
    """A function of θ to make small, with its gradient and curvature beside it."""

    own_objective: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    """Whether the loss has a lower bound."""

    loss: ClassVar[Kernel]
    curve: ClassVar[Kernel]

    def hyper(self) -> NDArray[np.float64]:
        """The numbers that the kernels take as `h`."""
        return np.zeros(0)

    def evaluation_hyper(self) -> NDArray[np.float64]:
        """The same in evaluation."""
        return self.hyper()

    @abstractmethod
    def start_point(self) -> NDArray[np.float64]:
        """θ before the first step, (outputs,)."""
