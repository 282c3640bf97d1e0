"""Averages of the weights by torch.optim.swa_utils over a run, running statistics included.

Also with the statistics that its `update_bn` computes for them in batches.

`make.py` writes them to averages.json and checks them. Only `made` needs torch.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tests.toys import toy_data, toy_weights

FILE = Path(__file__).with_name("averages.json")
HIDDEN, STEPS, LR = [6, 5], 60, 0.3
BATCH = 8
"""Rows of a batch of `update_bn`; the last has fewer."""
RECOMPUTED = "recomputed"
"""What stands behind the name of a case whose statistics `update_bn` has computed."""
# the section of the config, the steps after which torch averages, how much ema keeps
CASES: dict[str, tuple[dict[str, Any], range, float | None]] = {
    "ema": ({"name": "ema", "decay": 0.9}, range(1, STEPS + 1), 0.9),
    "ema_slow": ({"name": "ema"}, range(1, STEPS + 1), 0.999),
    "swa": ({"name": "swa", "start": "50%"}, range(31, STEPS + 1), None),
    "swa_every": (
        {"name": "swa", "start": "20 steps", "every": "4 steps"},
        range(24, STEPS + 1, 4),
        None,
    ),
}


def made() -> dict[str, list[float]]:
    """The averaged parameters of every case in optrun's order, running statistics behind them."""
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # else swa's shares are float32
    try:
        made = {}
        for name, (_, steps, decay) in CASES.items():
            made[name], made[f"{name} {RECOMPUTED}"] = trained(steps, decay)
        return made
    finally:
        torch.set_default_dtype(before)


def trained(steps: range, decay: float | None) -> tuple[list[float], list[float]]:
    """Full batches, tanh and batch normalization; the average after the last step, twice.

    First with averaged running statistics, then with those of `update_bn`.
    """
    import torch
    from torch.optim import swa_utils

    x, y = toy_data()
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)
    model = build(x.shape[1], int(y.max()) + 1)
    multi = swa_utils.get_ema_multi_avg_fn(decay) if decay else swa_utils.get_swa_multi_avg_fn()
    average = swa_utils.AveragedModel(model, multi_avg_fn=multi, use_buffers=True)
    rule = torch.optim.SGD(model.parameters(), lr=LR)
    for t in range(1, STEPS + 1):
        rule.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), labels).backward()
        rule.step()
        if t in steps:
            average.update_parameters(model)
    averaged = flat(average.module)
    for module in average.module:
        if isinstance(module, torch.nn.BatchNorm1d):
            module.num_batches_tracked = torch.tensor(0)  # by which update_bn weighs a batch
    swa_utils.update_bn(inputs.split(BATCH), average)
    return averaged, flat(average.module)


def build(features: int, classes: int) -> Any:
    """The model, the parts of its layers filled with the toy weights one after the other."""
    import torch

    widths, layers = [features, *HIDDEN, classes], []
    for fan_in, fan_out in pairwise(widths[:-1]):
        norm = torch.nn.BatchNorm1d(fan_out)
        norm.num_batches_tracked = None  # a whole number, which torch cannot average
        layers += [torch.nn.Linear(fan_in, fan_out, bias=False), norm, torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers, torch.nn.Linear(widths[-2], classes)).double()
    parts = [part for module in model for part in matrix_first(module)]
    values, start = toy_weights(sum(part.numel() for part in parts)), 0
    with torch.no_grad():
        for part in parts:
            block = values[start : start + part.numel()].reshape(part.shape)
            part.copy_(torch.from_numpy(block))
            start += part.numel()
    return model


def matrix_first(module: Any) -> list[Any]:
    """The parameters of a layer, a matrix as (fan_in, fan_out)."""
    return [part.T if part.ndim == 2 else part for part in module.parameters()]


def flat(model: Any) -> list[float]:
    """All parameters of the model, then the running statistics."""
    parts = [part for module in model for part in matrix_first(module)]
    parts += [buffer for buffer in model.buffers() if buffer.ndim]
    return np.concatenate([part.detach().numpy().ravel() for part in parts]).tolist()
