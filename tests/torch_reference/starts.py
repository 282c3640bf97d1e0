"""How PyTorch's initial weights are distributed.

`make.py` writes quantiles of many draws to starts.json and checks them. Only `made` needs torch.
"""

from math import sqrt
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("starts.json")

FAN_IN, FAN_OUT = 400, 600
SHARES = [share / 20 for share in range(1, 20)]

# by PyTorch's name: the section of the config, the arguments
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "kaiming_uniform_": ({"name": "he_uniform", "gain": sqrt(1 / 1.09)}, {"a": 0.3}),
    "kaiming_normal_": ({"name": "he_normal"}, {"nonlinearity": "relu"}),
    "xavier_uniform_": ({"name": "xavier_uniform", "gain": 5 / 3}, {"gain": 5 / 3}),
    "xavier_normal_": ({"name": "xavier_normal", "gain": 0.5}, {"gain": 0.5}),
    "orthogonal_": ({"name": "orthogonal", "gain": 1.5}, {"gain": 1.5}),
    "Linear": (
        {"name": "lecun_uniform", "gain": 0.5773502691896258, "bias": "like_weights"},
        {},
    ),
}


def made() -> dict[str, list[float]]:
    """The quantiles of weights, by the name of what drew them; and of biases of `Linear`."""
    import torch

    shares = torch.tensor(SHARES, dtype=torch.float64)
    results = {}
    for name, (_, arguments) in CASES.items():
        torch.manual_seed(0)
        layer = torch.nn.Linear(FAN_IN, FAN_OUT, dtype=torch.float64)
        if name != "Linear":
            getattr(torch.nn.init, name)(layer.weight, **arguments)
        results[name] = layer.weight.detach().flatten().quantile(shares).tolist()
    layers = [torch.nn.Linear(FAN_IN, FAN_OUT, dtype=torch.float64) for _ in range(100)]
    biases = torch.cat([layer.bias.detach() for layer in layers])
    return results | {"biases of Linear": biases.quantile(shares).tolist()}
