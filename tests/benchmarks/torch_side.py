"""The same epoch in PyTorch, as a careful user writes it: eager, data in memory, no DataLoader."""

import math
from itertools import pairwise
from time import perf_counter
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from optrun.engine.program import Program
from optrun.optim.optimizer import Optimizer
from tests.benchmarks.optrun_side import WARM_UP_STEPS


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
        model = build_model(self.program.places.layers, self.start)
        optimizer = build_optimizer(self.program.config.optimizer, model, self.fused)
        begun = perf_counter()
        losses = train(model, optimizer, self.x, self.y, order, self.program.batch_size)
        seconds = perf_counter() - begun
        self.loss = sum(losses) / len(losses)
        return seconds


def train(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    y: torch.Tensor,
    order: torch.Tensor,
    batch_size: int,
) -> list[float]:
    """One pass over the examples in the given order; the loss of every step."""
    losses = []
    for batch in order.split(batch_size):
        optimizer.zero_grad(set_to_none=True)
        loss = cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def build_model(layers: Any, start: dict[str, Any]) -> torch.nn.Sequential:
    """Linear layers with relu between them, and the start's weights in them."""
    widths = [int(layers["fan_in"][0]), *layers["fan_out"].tolist()]
    modules: list[torch.nn.Module] = []
    for index, (fan_in, fan_out) in enumerate(pairwise(widths)):
        linear = torch.nn.Linear(fan_in, fan_out)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(start[f"layers.{index}.weight"].T))
            linear.bias.copy_(torch.from_numpy(start[f"layers.{index}.bias"]))
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def build_optimizer(
    optimizer: Optimizer, model: torch.nn.Module, fused: bool
) -> torch.optim.Optimizer:
    """PyTorch's optimizer of the same rule and numbers."""
    parameters, given = model.parameters(), optimizer.model_dump()
    match given["name"]:
        case "sgd":
            return torch.optim.SGD(parameters, given["lr"])
        case "momentum":
            return torch.optim.SGD(parameters, given["lr"], given["momentum"])
        case "adam":
            betas = given["beta1"], given["beta2"]
            return torch.optim.Adam(parameters, given["lr"], betas, given["eps"], fused=fused)
    raise ValueError(f"{given['name']} has no peer here")
