"""What an optimizer is, and how its rule is called.

Every rule is called once a parameter block (a weight matrix or a bias vector) and step:

    update(w, g, s, h, lr, t, shape)

    w      weights of the block, flat, changed in place
    g      gradient of the objective, flat; clipped already, penalties included
    s      state, (slots, w.size), zero before the first step
    h      hyperparameters, float64, as `hyper()` packs them
    lr     learning rate of this step, schedule and warmup included
    t      step, counted from 1
    shape  (rows, columns) of the block; a bias has one row

Scalars are worked out in float64 and rounded to the weights' type once, outside the loop. The
arithmetic is `torch.optim`'s where it has the rule; a docstring says where a rule differs. Its
`weight_decay` that adds λw to the gradient is `regularization.l2` here; a rule has a field of that
name where decay is a part of the rule itself.
"""

from typing import ClassVar

from optrun.component import Component, Positive
from optrun.numerics.jit import Kernel
from optrun.optim.clipping import Clipping


class Optimizer(Component):
    """A rule that turns gradients into steps."""

    lr: Positive
    """Learning rate, before schedule and warmup."""

    clipping: Clipping | None = None
    """Bounds on the gradient before the rule sees it."""

    slots: ClassVar[int]
    follows_schedule: ClassVar[bool] = True
    update: ClassVar[Kernel]

    def rule(self) -> Kernel:
        """The kernel this configuration runs."""
        return self.update

    def state_slots(self) -> int:
        """Numbers that this configuration's rule keeps for every weight."""
        return self.slots

    def problems(self) -> dict[str, str]:
        """What is wrong between the rule's fields, by the field to change."""
        return {}

    def hyper(self) -> list[float]:
        """The rule's own numbers, in the order their fields are declared; text is left out.

        Raises:
            TypeError: a field is no number, so that leaving it out would shift the others.
        """
        shared = Optimizer.model_fields
        values = {
            name: getattr(self, name) for name in type(self).model_fields if name not in shared
        }
        for name, value in values.items():
            if not isinstance(value, int | float | str):
                raise TypeError(f"{self.name}.{name} is no number: pack it in `hyper` yourself")
        return [float(value) for value in values.values() if not isinstance(value, str)]
