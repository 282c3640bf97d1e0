"""What an optimizer is, and how the rule of one that steps block by block is called.

Every rule is called once a parameter block (a weight matrix, a bias, a gain) and step:

    update(w, g, s, h, lr, t, shape)

    w      weights of the block, flat, changed in place
    g      gradient of the objective, flat; clipped already, penalties included
    s      state, (slots, width), zero before the first step
    h      hyperparameters, float64, as `hyper()` packs them
    lr     learning rate of this step, schedule and warmup included
    t      step, counted from 1
    shape  (rows, columns, 1 for a weight matrix and 0 for a vector, which has one row)

Scalars are worked out in float64 and rounded to the weights' type once, outside the loop. The
arithmetic is `torch.optim`'s where it has the rule; a docstring says where a rule differs. Its
`weight_decay` that adds λw to the gradient is `regularization.l2` here; a rule has a field of that
name where decay is a part of the rule itself.
"""

from abc import abstractmethod
from typing import ClassVar

import numpy as np

from optrun.component import Component, Positive
from optrun.numerics.jit import Kernel
from optrun.optim.clipping import Clipping


class Optimizer(Component):
    """What moves the weights."""

    ignores_schedule: ClassVar[str | None] = None
    """Why a schedule changes nothing, if it does not."""
    full_batches: ClassVar[bool] = False
    """Whether it compares gradients of successive steps, which take the same examples then."""
    draws: ClassVar[bool] = False
    """Whether its steps are drawn at random."""
    rate_key: ClassVar[str] = "lr"
    """Where `rate` stands in the section, dotted."""

    @property
    @abstractmethod
    def rate(self) -> float:
        """Learning rate before schedule and warmup; NaN where there is none."""

    @property
    def rule(self) -> "Rule | None":
        """What turns the gradient of a step into a change of every block, if anything does."""
        return None

    def ascent(self) -> float:
        """ρ, how far uphill the gradient is taken; 0 for where the weights are."""
        return 0.0

    def lookahead(self) -> list[float]:
        """[steps between two synchronisations with slow weights or 0 for none, share]."""
        return [0.0, 0.0]

    def problems(self) -> dict[str, str]:
        """What is wrong between the fields, by the dotted path to change."""
        return {}


class Rule(Optimizer):
    """A rule that turns gradients into steps."""

    lr: Positive
    """Learning rate, before schedule and warmup."""

    clipping: Clipping | None = None
    """Bounds on the gradient before the rule sees it."""

    slots: ClassVar[int]
    update: ClassVar[Kernel]
    remakes_weights: ClassVar[bool] = False
    """Whether w is made anew from s at every step, so that no change from outside lasts."""

    @property
    def rate(self) -> float:
        return self.lr

    @property
    def rule(self) -> "Rule":
        return self

    @property
    def gain(self) -> float:
        """How many times the rate a constant gradient moves weights by at every step, in the end.

        More than 1 where gradients are summed with momentum. Scaling weight by weight or layer by
        layer is left out.
        """
        return 1.0

    def variant(self) -> Kernel:
        """The kernel this configuration runs."""
        return self.update

    def state_slots(self) -> int:
        """Numbers that this configuration keeps for every weight."""
        return self.slots

    def state_shape(self, rows: int, columns: int, is_matrix: bool) -> tuple[int, int]:
        """(slots, width) of what this configuration keeps for a block."""
        return self.state_slots(), rows * columns

    def evaluated(self, w: np.ndarray, s: np.ndarray) -> np.ndarray:
        """The weights of a block that are to be evaluated, given w and s as `update` left them."""
        return w

    def hyper(self) -> list[float]:
        """The rule's own numbers, in the order their fields are declared; text is left out.

        Raises:
            TypeError: a field is no number, so that leaving it out would shift the others.
        """
        values = {
            name: getattr(self, name)
            for name in type(self).model_fields
            if name not in Rule.model_fields
        }
        for name, value in values.items():
            if not isinstance(value, int | float | str):
                raise TypeError(f"{self.name}.{name} is no number: pack it in `hyper` yourself")
        return [float(value) for value in values.values() if not isinstance(value, str)]
