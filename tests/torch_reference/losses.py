"""Values of PyTorch's losses, their gradients, and second derivatives in one direction.

`make.py` writes them to losses.json and checks them. Only `made` needs torch.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("losses.json")

SCORES = {
    "near": 3 * np.sin(np.arange(28.0)).reshape(7, 4),
    "far": 1000.0 * np.array([[1, -1, 0, 0], [-1, -1, -1, -1], [0, 1, 1, -1]]),
    "equal": np.full((3, 4), 1e8),
    "offset": 2.0**20 + np.array([[0, 1, 2, 0.5], [3, 0, 0.125, 0], [-2, 0, 1, 1.75]]),
}
"""All but "near" are exact in float32."""
KINDS = {
    "softmax": ("labels", "mixed"),
    "hinge": ("labels",),
    "squared_hinge": ("labels",),
    "mse": ("labels", "mixed", "numbers"),
}
"""The targets that a loss is compared for."""
SECTIONS: list[dict[str, Any]] = [
    {"name": "softmax"},
    {"name": "softmax", "label_smoothing": 0.1},
    {"name": "softmax", "confidence_penalty": 0.3},
    {"name": "softmax", "label_smoothing": 0.2, "confidence_penalty": 1.5},
    {"name": "hinge"},
    {"name": "squared_hinge"},
    {"name": "mse"},
]


def cases() -> Iterator[tuple[dict[str, Any], str, str]]:
    """Every (section of the config, scores, kind of targets)."""
    for section in SECTIONS:
        for scores in SCORES:
            for kind in KINDS[section["name"]]:
                yield section, scores, kind


def key(section: dict[str, Any], scores: str, kind: str) -> str:
    """What a case is called in the file."""
    return " ".join([*(f"{value}" for value in section.values()), scores, kind])


def targets_of(kind: str, n: int) -> np.ndarray:
    """Made-up targets, (n, 4): one-hot, mixed of two of those, or any numbers."""
    labels = np.eye(4)[np.arange(n) * 3 % 4]
    mixed = 0.7 * labels + 0.3 * labels[::-1]
    numbers = np.cos(np.arange(4.0 * n)).reshape(n, 4)
    return {"labels": labels, "mixed": mixed, "numbers": numbers}[kind]


def direction(n: int) -> np.ndarray:
    """A made-up change of the scores, (n, 4)."""
    return np.cos(1.3 * np.arange(4.0 * n)).reshape(n, 4)


def made() -> dict[str, list[float]]:
    """The value, the gradient and, but for hinges, the second derivative of every case."""
    import torch

    results = {}
    for section, name, kind in cases():
        scores = torch.tensor(SCORES[name], requires_grad=True)
        value = torch_loss(section, scores, torch.from_numpy(targets_of(kind, len(scores))))
        twice = "hinge" not in section["name"]  # of those PyTorch has no second derivative
        (gradient,) = torch.autograd.grad(value, scores, create_graph=twice)
        parts = [value, gradient]
        if twice:
            change = (gradient * torch.from_numpy(direction(len(scores)))).sum()
            parts.append(torch.autograd.grad(change, scores)[0])
        results[key(section, name, kind)] = torch.cat([p.flatten() for p in parts]).tolist()
    return results


def torch_loss(section: dict[str, Any], scores: Any, targets: Any) -> Any:
    """The section's loss as PyTorch computes it."""
    import torch

    functional, outputs = torch.nn.functional, scores.shape[1]
    if section["name"] == "mse":
        return functional.mse_loss(scores, targets)
    if section["name"] == "softmax":
        smoothing, penalty = section.get("label_smoothing", 0), section.get("confidence_penalty", 0)
        log_p = functional.log_softmax(scores, 1)
        entropy = -(log_p.exp() * log_p).sum(1).mean()
        plain = functional.cross_entropy(scores, targets, label_smoothing=smoothing)
        return plain - penalty * entropy
    power = {"hinge": 1, "squared_hinge": 2}[section["name"]]
    return outputs * functional.multi_margin_loss(scores, targets.argmax(1), power)
