"""Denormals count as zero inside the loop, and the caller's setting comes back."""

import numpy as np
import pytest

from optrun.numerics.denormals import (
    flush_denormals,
    read_setting,
    restore_denormals,
    write_setting,
)
from optrun.numerics.jit import kernel

TINY = np.float32(1e-42)


@kernel
def halve(values):
    for i in range(values.size):
        values[i] *= np.float32(0.5)


@kernel
def halve_flushed(values):
    setting = flush_denormals()
    halve(values)
    restore_denormals(setting)


def test_denormals_are_flushed_inside_and_kept_outside():
    inside, outside = np.full(8, TINY), np.full(8, TINY)
    halve_flushed(inside)
    halve(outside)
    assert not inside.any()
    assert outside.all()
    assert np.float32(TINY) * np.float32(0.5) > 0


@pytest.mark.parametrize(
    ("machine", "triple", "instructions"),
    [
        ("x86_64", "x86_64-linux-gnu", ["stmxcsr", "ldmxcsr"]),
        ("aarch64", "aarch64-linux-gnu", ["FPCR, x", "x0, FPCR"]),
    ],
)
def test_the_control_register_is_read_and_written_on_every_machine(machine, triple, instructions):
    """Compiled for machines that the test does not run on, too."""
    from llvmlite import binding, ir

    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    module = ir.Module()
    module.triple = triple
    function = ir.Function(module, ir.FunctionType(ir.IntType(64), []), "swap")
    builder = ir.IRBuilder(function.append_basic_block())
    before = read_setting(builder, machine)
    write_setting(builder, before, machine)
    builder.ret(before)
    target = binding.Target.from_triple(triple).create_target_machine()
    assembly = target.emit_assembly(binding.parse_assembly(str(module)))
    for instruction in instructions:
        assert instruction in assembly


def test_training_leaves_the_callers_setting_alone():
    from tests.programs import make_config, make_program, train_all
    from tests.toys import toy_data

    train_all(make_program(make_config(), *toy_data()))
    assert np.float32(TINY) * np.float32(0.5) > 0
