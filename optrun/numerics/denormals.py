"""Flushing denormal numbers to zero while a kernel runs.

Moments of weights that no longer get a gradient decay into denormals, and arithmetic on those is
up to thirty times slower. The setting belongs to the calling thread, so it is put back on leaving.
On processors other than x86-64 and 64-bit Arm nothing is changed.
"""

import platform
from typing import Any

from optrun.numerics.jit import Intrinsic, external

MACHINE = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
FLUSH = {"x86_64": 0x8040, "aarch64": 1 << 24}  # MXCSR: FTZ and DAZ; FPCR: FZ


@Intrinsic
def flush_denormals(context):
    """Count denormals as zero from here on; returns the setting before, int64."""
    from numba import types

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        before = read_setting(builder, MACHINE)
        write_setting(builder, builder.or_(before, before.type(FLUSH.get(MACHINE, 0))), MACHINE)
        return before

    return types.int64(), code


@Intrinsic
def restore_denormals(context, setting):
    """Put back what `flush_denormals` returned."""
    from numba import types

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        write_setting(builder, arguments[0], MACHINE)
        return context.get_dummy_value()

    return types.void(types.int64), code


def read_setting(builder: Any, machine: str) -> Any:
    """Emit the reading of the floating-point control register, as an i64."""
    from llvmlite import ir

    word, wide, pointer = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()
    if machine == "x86_64":
        slot = builder.alloca(word)
        store = external(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), pointer)
        builder.call(store, [builder.bitcast(slot, pointer)])
        return builder.zext(builder.load(slot), wide)
    if machine == "aarch64":
        return builder.call(external(builder, "llvm.aarch64.get.fpcr", wide), [])
    return wide(0)


def write_setting(builder: Any, setting: Any, machine: str) -> None:
    """Emit the writing of an i64 to the floating-point control register."""
    from llvmlite import ir

    word, wide, pointer = ir.IntType(32), ir.IntType(64), ir.IntType(8).as_pointer()
    if machine == "x86_64":
        slot = builder.alloca(word)
        builder.store(builder.trunc(setting, word), slot)
        load = external(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), pointer)
        builder.call(load, [builder.bitcast(slot, pointer)])
    if machine == "aarch64":
        write = external(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), wide)
        builder.call(write, [setting])
