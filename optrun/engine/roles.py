"""The signatures rules are called by, one a role.

A rule reaches the loop as an argument of a function type, so one compiled loop serves every rule
and each rule is compiled and cached by itself.
"""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from optrun.data.augmentation.views import no_views
from optrun.engine.arrays import Examples


class Roles(NamedTuple):
    """Numba function types for weights of one float type.

    `gather` gathers for training, `look` for evaluation.
    """

    gather: Any
    look: Any
    normalize: Any
    denormalize: Any
    activate: Any
    backpropagate: Any
    loss: Any
    update: Any

    def of_gradient(self) -> tuple[Any, ...]:
        """Those that `objective_gradient` takes, in its order."""
        return self.normalize, self.denormalize, self.activate, self.backpropagate, self.loss

    def of_steps(self) -> tuple[Any, ...]:
        """Those that `train_steps` takes, in its order."""
        return self.gather, *self.of_gradient(), self.update


@cache
def roles(dtype: str) -> Roles:
    """The function type of every role for `float32` or `float64` weights."""
    from numba import typeof, types

    real = getattr(types, dtype)
    vector, matrix = real[::1], real[:, ::1]
    integers, doubles = types.int64[::1], types.float64[::1]
    shape = types.UniTuple(types.int64, 3)
    examples = typeof(no_examples(dtype))

    gather = role(types.void, examples, integers, types.int64, typeof(no_views()), matrix, matrix)
    return Roles(
        gather=gather,
        look=gather,
        normalize=role(
            types.void, matrix, matrix, vector, vector, vector, vector, doubles, types.boolean
        ),
        denormalize=role(types.void, matrix, matrix, vector, vector, vector, vector, doubles),
        activate=role(types.void, vector, vector, doubles),
        backpropagate=role(types.void, vector, vector, vector, doubles),
        loss=role(types.float64, matrix, matrix, matrix, doubles),
        update=role(types.void, vector, vector, matrix, doubles, types.float64, types.int64, shape),
    )


class CurvatureRoles(NamedTuple):
    """Numba function types of what gives second derivatives."""

    curve_activation: Any
    curve_loss: Any
    factor: Any


@cache
def curvature_roles(dtype: str) -> CurvatureRoles:
    """The function type of every role of second derivatives."""
    from numba import types

    real = getattr(types, dtype)
    vector, matrix, doubles = real[::1], real[:, ::1], types.float64[::1]
    return CurvatureRoles(
        curve_activation=role(types.void, vector, vector, vector, vector, vector, doubles),
        curve_loss=role(types.void, matrix, matrix, matrix, matrix, doubles),
        factor=role(types.void, matrix, types.int64, matrix, doubles),
    )


def role(result: Any, *arguments: Any) -> Any:
    """The type of functions of this signature."""
    from numba import types

    return types.FunctionType(result(*arguments))


def no_examples(dtype: str) -> Examples:
    """Examples of the right types, and none of them."""
    return Examples(
        storage=np.zeros((0, 0), np.uint8),
        labels=np.zeros(0, np.int64),
        values=np.zeros((0, 0), dtype),
        shift=np.zeros(0, dtype),
        scale=np.zeros(0, dtype),
        low=np.zeros(0, dtype),
        high=np.zeros(0, dtype),
    )
