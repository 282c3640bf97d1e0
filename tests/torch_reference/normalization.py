"""What PyTorch's normalizations put out and pass back over a few steps, and in evaluation.

`make.py` writes it to normalization.json and checks it. Only `made` needs torch.
"""

from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("normalization.json")

ROWS, UNITS, STEPS, RATE = 6, 5, 4, 0.1
# the section of the config, the class in torch.nn, its arguments
CASES: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"name": "batch"}, "BatchNorm1d", {}),
    (
        {"name": "batch", "momentum": 0.3, "eps": 0.1},
        "BatchNorm1d",
        {"momentum": 0.3, "eps": 0.1},
    ),
    ({"name": "layer"}, "LayerNorm", {}),
    ({"name": "layer", "eps": 0.1}, "LayerNorm", {"eps": 0.1}),
    ({"name": "rms"}, "RMSNorm", {"eps": 1e-5}),
    ({"name": "rms", "eps": 0.1}, "RMSNorm", {"eps": 0.1}),
]
SECTIONS = [section for section, _, _ in CASES]
WEIGHT = "weight"
"""What the case of weight normalization is called in the file."""


def key(section: dict[str, Any]) -> str:
    """What a case is called in the file."""
    return " ".join(str(value) for value in section.values())


def inputs(step: int) -> np.ndarray:
    """What goes in at a step, (ROWS, UNITS), each unit with a mean and a spread of its own."""
    i, j = np.arange(ROWS)[:, None], np.arange(UNITS)[None, :]
    return (1 + j) * np.sin(1.7 * i + 2.3 * j + 0.9 * step + 0.1 * i * j) + j - 2.0


def slopes(step: int) -> np.ndarray:
    """∂L/∂(what comes out), (ROWS, UNITS)."""
    i, j = np.arange(ROWS)[:, None], np.arange(UNITS)[None, :]
    return np.cos(1.1 * i * (j + 1) + 0.7 * step)


GAIN = np.linspace(0.5, 2.0, UNITS)
"""What weight normalization's gain starts at."""


def made() -> dict[str, list[float]]:
    """Of every case the numbers at each step, after which gain and shift descend.

    For the first three kinds y, ∂L/∂z, gain, shift if any, running statistics if any, and at the
    end y in evaluation. For weight normalization w, v and gain.
    """
    import torch

    results = {WEIGHT: weight_norm()}
    for section, kind, arguments in CASES:
        module = getattr(torch.nn, kind)(UNITS, **arguments).double()
        rule, record = torch.optim.SGD(module.parameters(), lr=RATE), []
        for step in range(STEPS):
            z = torch.from_numpy(inputs(step)).requires_grad_()
            y = module(z)
            rule.zero_grad()
            (y * torch.from_numpy(slopes(step))).sum().backward()
            rule.step()
            statistics = [buffer for buffer in module.buffers() if buffer.ndim]
            record += flat([y, z.grad, *module.parameters(), *statistics])
        record += flat([module.eval()(torch.from_numpy(inputs(STEPS)))])
        results[key(section)] = record
    return results


def weight_norm() -> list[float]:
    """The same of a linear layer, `inputs` and `slopes` standing for its weights and theirs."""
    import torch

    linear = torch.nn.Linear(ROWS, UNITS, bias=False).double()
    parts = torch.nn.utils.parametrizations.weight_norm(linear).parametrizations.weight
    gain, v = parts.original0, parts.original1
    with torch.no_grad():
        v.copy_(torch.from_numpy(inputs(0).T))
        gain.copy_(torch.from_numpy(GAIN[:, None]))
    rule, record = torch.optim.SGD([v, gain], lr=RATE), []
    for step in range(STEPS):
        w = linear.weight
        rule.zero_grad()
        (w.T * torch.from_numpy(slopes(step))).sum().backward()
        rule.step()
        record += flat([w.T, v.T, gain])
    return record


def flat(parts: list[Any]) -> list[float]:
    """All numbers, one part after the other."""
    return [number for part in parts for number in part.detach().flatten().tolist()]
