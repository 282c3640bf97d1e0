"""Training in PyTorch as a careful user writes it; nothing of optrun is loaded."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy


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


@torch.no_grad()
def evaluate(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Mean loss and accuracy."""
    scores = model(x)
    return cross_entropy(scores, y).item(), (scores.argmax(1) == y).double().mean().item()


def build_model(start: Mapping[str, np.ndarray]) -> torch.nn.Sequential:
    """Linear layers with relu between them, with the weights of a start as optrun names them."""
    modules: list[torch.nn.Module] = []
    for index in range(len(start) // 2):
        weight = torch.from_numpy(start[f"layers.{index}.weight"].T)
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(weight)
            linear.bias.copy_(torch.from_numpy(start[f"layers.{index}.bias"]))
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def build_optimizer(
    given: Mapping[str, Any], model: torch.nn.Module, fused: bool = False
) -> torch.optim.Optimizer:
    """PyTorch's optimizer of the same rule and numbers, which are a config's in full."""
    parameters = model.parameters()
    match given["name"]:
        case "sgd":
            return torch.optim.SGD(parameters, given["lr"])
        case "momentum":
            return torch.optim.SGD(parameters, given["lr"], given["momentum"])
        case "nesterov":
            return torch.optim.SGD(parameters, given["lr"], given["momentum"], nesterov=True)
        case "adam":
            betas = given["beta1"], given["beta2"]
            return torch.optim.Adam(parameters, given["lr"], betas, given["eps"], fused=fused)
    raise ValueError(f"{given['name']} has no peer here")
