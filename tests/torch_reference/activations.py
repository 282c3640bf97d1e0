"""Values and two derivatives of PyTorch's activations over the whole range of numbers.

`make.py` writes them to activations.json and checks them. Only `made` needs torch.
"""

from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("activations.json")

SIZES = [0.0, 1e-3, 0.1, 0.5, 1.0, 2.0, 3.5, 5.0, 10.0, 19.0, 21.0, 50.0, 100.0, 800.0]
VALUES = [-size for size in reversed(SIZES)] + SIZES[1:]

# the section of the config, the class in torch.nn, its arguments
CASES: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"name": "identity"}, "Identity", {}),
    ({"name": "relu"}, "ReLU", {}),
    ({"name": "leaky_relu"}, "LeakyReLU", {}),
    ({"name": "leaky_relu", "slope": 0.3}, "LeakyReLU", {"negative_slope": 0.3}),
    ({"name": "elu"}, "ELU", {}),
    ({"name": "elu", "alpha": 1.7}, "ELU", {"alpha": 1.7}),
    ({"name": "selu"}, "SELU", {}),
    ({"name": "softplus"}, "Softplus", {}),
    (
        {"name": "softplus", "beta": 2.0, "threshold": 6.0},
        "Softplus",
        {"beta": 2.0, "threshold": 6.0},
    ),
    ({"name": "silu"}, "SiLU", {}),
    ({"name": "gelu"}, "GELU", {}),
    ({"name": "tanh"}, "Tanh", {}),
    ({"name": "sigmoid"}, "Sigmoid", {}),
]
SECTIONS = [section for section, _, _ in CASES]


def key(section: dict[str, Any]) -> str:
    """What a case is called in the file."""
    return " ".join(str(value) for value in section.values())


def made() -> dict[str, list[float]]:
    """φ, φ′ and φ″ at `VALUES`, one after the other, of every case."""
    import torch

    results = {}
    for section, kind, arguments in CASES:
        z = torch.tensor(VALUES, dtype=torch.float64, requires_grad=True)
        a = getattr(torch.nn, kind)(**arguments)(z)
        (slope,) = torch.autograd.grad(a.sum(), z, create_graph=True)
        bend = torch.zeros_like(z)
        if slope.requires_grad:  # else φ is straight
            (bend,) = torch.autograd.grad(slope.sum(), z)
        results[key(section)] = a.tolist() + slope.tolist() + bend.tolist()
    return results
