"""What is compared with PyTorch: optimizers and models, as configs and as torch objects."""

from collections.abc import Iterator
from typing import Any

STEPS = 200
MODELS: dict[str, list[int]] = {"linear": [], "three_layers": [6, 5]}
"""Sizes of the hidden layers; they are tanh, so that no kink magnifies rounding."""

# the name of the case: (optimizer section of the config, class in torch.optim, its arguments)
OPTIMIZERS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "sgd": ({"name": "sgd", "lr": 0.3}, "SGD", {"lr": 0.3}),
    "momentum": (
        {"name": "momentum", "lr": 0.1, "momentum": 0.8},
        "SGD",
        {"lr": 0.1, "momentum": 0.8},
    ),
    "momentum_dampened": (
        {"name": "momentum", "lr": 0.1, "momentum": 0.9, "dampening": 0.4},
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.4},
    ),
    "momentum_velocity": (
        {"name": "momentum", "lr": 0.1, "momentum": 0.8, "form": "velocity"},
        "SGD",
        {"lr": 0.1, "momentum": 0.8},
    ),
    "nesterov": (
        {"name": "nesterov", "lr": 0.1, "momentum": 0.9},
        "SGD",
        {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    "adagrad": ({"name": "adagrad", "lr": 0.05}, "Adagrad", {"lr": 0.05}),
    "rmsprop": (
        {"name": "rmsprop", "lr": 0.001, "alpha": 0.95},
        "RMSprop",
        {"lr": 0.001, "alpha": 0.95},
    ),
    "adam": (
        {"name": "adam", "lr": 0.01, "beta1": 0.85, "beta2": 0.99},
        "Adam",
        {"lr": 0.01, "betas": [0.85, 0.99]},
    ),
    "adamw": (
        {"name": "adamw", "lr": 0.01, "weight_decay": 0.1},
        "AdamW",
        {"lr": 0.01, "weight_decay": 0.1},
    ),
}


def cases() -> Iterator[tuple[str, str]]:
    """Every (optimizer case, model)."""
    for optimizer in OPTIMIZERS:
        for model in MODELS:
            yield optimizer, model
