"""Runs of torch.optim.LBFGS, one iteration a step, on the toy data.

`make.py` writes them to lbfgs.json and checks them. Only `made` needs torch.
"""

from pathlib import Path
from typing import Any

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


def made() -> dict[str, list[float]]:
    """The value at the start of every step and the last weights, in optrun's order."""
    results = {}
    for case in CASES:
        for model in MODELS:
            results[f"{case}/{model}/values"], results[f"{case}/{model}/weights"] = run(case, model)
    return results


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
