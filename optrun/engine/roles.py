"""The signatures rules are called by, one a role.

A rule reaches the loop as an argument of a function type, so one compiled loop serves every rule
and each rule is compiled and cached by itself.
"""

from functools import cache
from typing import Any, NamedTuple


class Roles(NamedTuple):
    """Numba function types for weights of one float type."""

    gather: Any
    activate: Any
    backpropagate: Any
    loss: Any
    update: Any


@cache
def roles(dtype: str) -> Roles:
    """The function type of every role for `float32` or `float64` weights."""
    from numba import types

    real = getattr(types, dtype)
    vector, matrix = real[::1], real[:, ::1]
    integers, doubles = types.int64[::1], types.float64[::1]
    shape = types.UniTuple(types.int64, 2)

    def role(result: Any, *arguments: Any) -> Any:
        return types.FunctionType(result(*arguments))

    return Roles(
        gather=role(types.void, types.uint8[:, ::1], integers, matrix, vector, vector),
        activate=role(types.void, vector, vector, doubles),
        backpropagate=role(types.void, vector, vector, vector, doubles),
        loss=role(types.float64, matrix, integers, matrix),
        update=role(types.void, vector, vector, matrix, doubles, types.float64, types.int64, shape),
    )
