"""The same epoch in PyTorch, as a careful user writes it: eager, data in memory, no DataLoader."""

import math
from time import perf_counter

import torch

from optrun.engine.program import Program
from tests.benchmarks.optrun_side import WARM_UP_STEPS
from tests.benchmarks.torch_training import build_model, build_optimizer, train


class TorchEpoch:
    """The first epoch of a program's config, from its start, in its order of examples.

    Attributes:
        loss: mean over the steps run last.
    """

    def __init__(
        self,
        program: Program,
        x: torch.Tensor,
        y: torch.Tensor,
        threads: int,
        fused: bool = False,
    ):
        self.program = program
        self.x, self.y = x, y
        self.threads, self.fused = threads, fused
        self.start = program.named_weights(program.parameters.weights.copy())
        self.order = torch.from_numpy(program.epoch(0).order)
        self.loss = math.nan

    def __call__(self) -> float:
        """Seconds of an epoch."""
        return self.run(self.order)

    def warm_up(self) -> None:
        self.run(self.order[: WARM_UP_STEPS * self.program.batch_size])

    def run(self, order: torch.Tensor) -> float:
        """Seconds of the steps that these examples make; building the model is not timed."""
        torch.set_num_threads(self.threads)
        given = self.program.config.optimizer.model_dump()
        model = build_model(self.start)
        optimizer = build_optimizer(given, model, self.fused)
        begun = perf_counter()
        losses = train(model, optimizer, self.x, self.y, order, self.program.batch_size)
        seconds = perf_counter() - begun
        self.loss = sum(losses) / len(losses)
        return seconds
