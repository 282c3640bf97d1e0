"""Asking for memory before it is needed.

Examples are read in random order, so that the processor cannot guess which comes next; loading
one while the one before is worked on hides most of the wait.
"""

from typing import Any

from optrun.numerics.jit import Intrinsic, external, kernel

LINE = 64
"""Bytes that are loaded at once."""


@kernel
def prefetch_row(matrix, i):
    """Have row i of a matrix of bytes loaded."""
    row = matrix[i]
    for offset in range(0, row.size, LINE):
        prefetch(row, offset)


@Intrinsic
def prefetch(context, array, offset):
    """Have the line loaded that lies so many bytes from the beginning of an array."""
    from llvmlite import ir
    from numba import types

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number, pointer = ir.IntType(32), ir.IntType(8).as_pointer()
        start = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(builder.bitcast(start, pointer), [arguments[1]])
        load = external(builder, "llvm.prefetch", ir.VoidType(), pointer, *[number] * 3)
        builder.call(load, [place, number(0), number(3), number(1)])  # to read, soon, data
        return context.get_dummy_value()

    return types.void(array, offset), code
