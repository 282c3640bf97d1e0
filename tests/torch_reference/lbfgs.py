"""Runs of torch.optim.LBFGS, one iteration a step, on the toy data; its line search on curves.

`make.py` writes them to lbfgs.json and checks them. Only `made` needs torch.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.toys import toy_data

FILE = Path(__file__).with_name("lbfgs.json")

# the model: sizes of its hidden layers, steps compared. On three layers a line search magnifies
# rounding: PyTorch's own runs from starts 2e-16 apart are 1e-11 apart after 20 steps, 1e-8 after
# 40 and 1e-2 after 80. On the linear model all runs stop at the tolerances, and at the same step.
MODELS: dict[str, tuple[list[int], int]] = {"linear": ([], 200), "three_layers": ([6, 5], 20)}

# the name of the case: what both are given; `max_eval` is 1 in PyTorch if it is not
CASES: dict[str, dict[str, Any]] = {
    "default": {"max_eval": 25},
    "short_history": {"max_eval": 25, "history_size": 5},
    "options": {
        "lr": 5.0,
        "max_eval": 10,
        "history_size": 10,
        "tolerance_grad": 1e-5,
        "tolerance_change": 1e-6,
    },
    "few_tries": {"lr": 0.5, "max_eval": 3},
}

# value and slope at a length; falling at 0
CURVES: dict[str, Callable[[float], tuple[float, float]]] = {
    "quadratic": lambda a: ((a - 3) ** 2, 2 * (a - 3)),
    "far": lambda a: ((a - 300) ** 2, 2 * (a - 300)),
    "near": lambda a: ((a - 1e-3) ** 2, 2 * (a - 1e-3)),
    "flat": lambda a: (-np.arctan(a), -1 / (1 + a**2)),
    "valley": lambda a: (-a / (a**2 + 2), (a**2 - 2) / (a**2 + 2) ** 2),
    "steep": lambda a: (np.exp(a) - 4 * a, np.exp(a) - 4),
    "bumpy": lambda a: (-np.sin(a) + 0.1 * np.cos(9 * a), -np.cos(a) - 0.9 * np.sin(9 * a)),
    "wavy": lambda a: (0.02 * a**2 - np.sin(3 * a), 0.04 * a - 3 * np.cos(3 * a)),
    "stairs": lambda a: (2 * np.cos(6 * a + 1) - 2 * a, -12 * np.sin(6 * a + 1) - 2),
    "slow": lambda a: (
        (a + 0.004) ** 5 - 2 * (a + 0.004) ** 4,
        5 * (a + 0.004) ** 4 - 8 * (a + 0.004) ** 3,
    ),
    "kinked": lambda a: (abs(a - 0.7), -1.0 if a < 0.7 else 1.0),
}
FIRST = [0.01, 0.3, 1.0, 7.0, 40.0]
"""Lengths that the search tries first."""
TRIES, RESOLUTION = 24, 1e-9


def made() -> dict[str, list[float]]:
    """Values at the start of steps and last weights, in optrun's order; lengths of searches."""
    results = {}
    for case in CASES:
        for model in MODELS:
            results[f"{case}/{model}/values"], results[f"{case}/{model}/weights"] = run(case, model)
    for name in CURVES:
        for first in FIRST:
            results[f"{name}/{first}"] = lengths(name, first)
    return results


def lengths(name: str, first: float) -> list[float]:
    """Every length at which PyTorch evaluates the curve, and the one that it chooses."""
    import torch
    from torch.optim.lbfgs import _strong_wolfe

    tried = []

    def evaluate(x: torch.Tensor, length: Any, d: torch.Tensor) -> tuple[float, torch.Tensor]:
        tried.append(float(length))
        value, slope = CURVES[name](float(length))
        return float(value), torch.tensor([slope], dtype=torch.float64)

    value, slope = CURVES[name](0.0)
    g, d = torch.tensor([slope], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    _, _, chosen, _ = _strong_wolfe(
        evaluate, None, first, d, float(value), g, g.dot(d),
        tolerance_change=RESOLUTION, max_ls=TRIES,
    )  # fmt: skip
    return [*tried, float(chosen)]


def run(case: str, model: str) -> tuple[list[float], list[float]]:
    """Values and last weights of one case."""
    import torch

    from tests.torch_reference.make import build, flat

    (hidden, steps), (x, y) = MODELS[model], toy_data()
    network = build(hidden, x.shape[1], int(y.max()) + 1, torch.float64)
    inputs, labels = torch.from_numpy(x), torch.from_numpy(y)
    rule = torch.optim.LBFGS(
        network.parameters(), max_iter=1, line_search_fn="strong_wolfe", **CASES[case]
    )

    def closure() -> torch.Tensor:
        network.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(inputs), labels)
        loss.backward()
        return loss

    values = [rule.step(closure).item() for _ in range(steps)]
    linears = [layer for layer in network if isinstance(layer, torch.nn.Linear)]
    return values, flat([p for m in linears for p in (m.weight.T, m.bias)])
