"""Trying runs out before they are begun: kernels are compiled, and steps are timed."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from optrun.config.load import resolved
from optrun.config.schema import Config
from optrun.data.prepare import Data
from optrun.engine.compiler import compile_program
from optrun.engine.program import LONGEST_CHUNK, Program
from optrun.numerics.blas import one_thread
from optrun.numerics.kernel_cache import mark_of
from optrun.numerics.sums import norms

TIMED_SECONDS = 0.05
BUDGET_SECONDS = 5.0
OVERHEAD_SECONDS = 0.03
"""What a run takes besides training and evaluation: files, above all."""


@dataclass(frozen=True)
class Speed:
    """Seconds an epoch takes: its steps, and evaluating what came of it."""

    training: float
    evaluation: float

    def seconds(self, epochs: int) -> float:
        """What a run of so many epochs takes; its start is evaluated as well."""
        return epochs * self.training + (epochs + 1) * self.evaluation + OVERHEAD_SECONDS


def lacking_kernels(configs: Iterable[Config]) -> list[Config]:
    """Of each kind of config, one whose kernels are not known to be in the cache."""
    kinds = {kind_of(config): config for config in configs}
    return [config for kind, config in kinds.items() if not mark_of(kind).exists()]


def compile_for(config: Config, data: Data) -> None:
    """Have all kernels that configs of this kind need in the cache, so that no worker compiles."""
    rehearse(config, data, seconds=0.0)
    mark = mark_of(kind_of(config))
    with suppress(OSError):  # without a mark it is tried out again, which is all
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def kind_of(config: Config) -> str:
    """What decides which kernels a config needs."""
    return json.dumps(without_numbers(resolved(config) | {"name": None}))


def estimate(configs: Sequence[Config], data_of: Callable[[Config], Data]) -> float:
    """Seconds of work that the configs come to, from trying out one of each size.

    Where there are so many sizes that this takes too long, the rest count as the mean.
    """
    begun = perf_counter()
    speeds: dict[str, Speed] = {}
    measured, unmeasured = [], 0
    for config in configs:
        size = json.dumps(size_of(config))
        if size not in speeds and perf_counter() - begun < BUDGET_SECONDS:
            speeds[size] = rehearse(config, data_of(config))
        if size in speeds:
            measured.append(speeds[size].seconds(config.training.epochs))
        else:
            unmeasured += 1
    return sum(measured) * (1 + unmeasured / max(1, len(measured)))


def rehearse(config: Config, data: Data, seconds: float = TIMED_SECONDS) -> Speed:
    """Do once what a run does again and again, and time it for about so long."""
    with one_thread(), np.errstate(all="ignore"):
        program = compile_program(config, data)
        per_step = time_training(program, seconds) if config.training.epochs else 0.0
        per_example = time_evaluation(program)
        program.penalty(program.parameters.weights)
        norms(program.parameters.weights)
    examples = len(data.train) + (len(data.validation) if data.validation else 0)
    return Speed(per_step * program.steps_per_epoch, per_example * examples)


def time_training(program: Program, seconds: float) -> float:
    """Seconds that a step takes, from running the first ones over and over for about so long.

    It is the best of ever longer stretches, so that what else the machine does counts little.
    """
    epoch = program.epoch(0)
    program.run(0, 1, epoch, np.inf)
    count, taken, best = 1, 0.0, np.inf
    while taken < seconds:
        begun = perf_counter()
        steps = program.run(0, count, epoch, np.inf)
        stretch = perf_counter() - begun
        taken, best = taken + stretch, min(best, stretch / steps)
        count = min(2 * count, program.steps_per_epoch, LONGEST_CHUNK)
    return best if taken else 0.0


def time_evaluation(program: Program) -> float:
    """Seconds that evaluating an example takes, on the smaller of the splits; the best of some."""
    data, weights = program.data, program.parameters.weights
    split = data.validation or data.train
    stretches = []
    for _ in range(3):
        begun = perf_counter()
        program.evaluate(split, weights)
        stretches.append(perf_counter() - begun)
    return min(stretches) / len(split)


def without_numbers(value: Any) -> Any:
    """The value with every number as whether it is 0."""
    if isinstance(value, dict):
        return {key: without_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(without_numbers(item)) for item in value})
    return value != 0 if isinstance(value, int | float) else value


def size_of(config: Config) -> Any:
    """What a run's speed depends on: neither the seed nor numbers with a fraction."""
    values = resolved(config)
    training = {key: value for key, value in values["training"].items() if key != "epochs"}
    return without_fractions({**values, "training": training, "seed": None, "name": None})


def without_fractions(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_fractions(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_fractions(item) for item in value]
    return None if isinstance(value, float) else value
