"""What is compared with PyTorch: optimizers and models, as configs and as torch objects."""

from collections.abc import Iterator
from typing import Any

STEPS = 200
MODELS: dict[str, list[int]] = {"linear": [], "three_layers": [6, 5]}
"""Sizes of the hidden layers; they are tanh, so that no kink magnifies rounding."""

# the name of the case: (optimizer section of the config, class in torch.optim, its arguments).
# Rates are such that the run is not chaotic: else rounding alone would tell two runs apart.
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
    "rmsprop_momentum": (
        {"name": "rmsprop", "lr": 0.001, "alpha": 0.95, "momentum": 0.8},
        "RMSprop",
        {"lr": 0.001, "alpha": 0.95, "momentum": 0.8},
    ),
    "rmsprop_centered": (
        {"name": "rmsprop", "lr": 0.001, "eps": 1e-3, "centered": True},
        "RMSprop",
        {"lr": 0.001, "eps": 1e-3, "centered": True},
    ),
    "rmsprop_centered_momentum": (
        {"name": "rmsprop", "lr": 0.001, "eps": 1e-3, "momentum": 0.5, "centered": True},
        "RMSprop",
        {"lr": 0.001, "eps": 1e-3, "momentum": 0.5, "centered": True},
    ),
    "adadelta": ({"name": "adadelta", "lr": 0.3}, "Adadelta", {"lr": 0.3}),
    "adadelta_options": (
        {"name": "adadelta", "lr": 0.1, "rho": 0.95, "eps": 1e-3},
        "Adadelta",
        {"lr": 0.1, "rho": 0.95, "eps": 1e-3},
    ),
    "adam": (
        {"name": "adam", "lr": 0.01, "beta1": 0.85, "beta2": 0.99},
        "Adam",
        {"lr": 0.01, "betas": [0.85, 0.99]},
    ),
    "amsgrad": (
        {"name": "adam", "lr": 0.01, "beta1": 0.85, "beta2": 0.9, "amsgrad": True},
        "Adam",
        {"lr": 0.01, "betas": [0.85, 0.9], "amsgrad": True},
    ),
    "adamw": (
        {"name": "adamw", "lr": 0.01, "weight_decay": 0.1},
        "AdamW",
        {"lr": 0.01, "weight_decay": 0.1},
    ),
    "adamw_amsgrad": (
        {"name": "adamw", "lr": 0.01, "beta2": 0.9, "weight_decay": 0.1, "amsgrad": True},
        "AdamW",
        {"lr": 0.01, "betas": [0.9, 0.9], "weight_decay": 0.1, "amsgrad": True},
    ),
    "adamax": ({"name": "adamax"}, "Adamax", {}),
    "adamax_options": (
        {"name": "adamax", "lr": 0.005, "beta1": 0.8, "beta2": 0.9, "eps": 1e-3},
        "Adamax",
        {"lr": 0.005, "betas": [0.8, 0.9], "eps": 1e-3},
    ),
    "nadam": ({"name": "nadam"}, "NAdam", {}),
    "nadam_options": (
        {"name": "nadam", "lr": 0.01, "beta1": 0.95, "beta2": 0.99, "momentum_decay": 0.5},
        "NAdam",
        {"lr": 0.01, "betas": [0.95, 0.99], "momentum_decay": 0.5},
    ),
    "radam": ({"name": "radam", "lr": 0.01}, "RAdam", {"lr": 0.01}),
    "radam_unrectified": (
        {"name": "radam", "lr": 0.01, "beta1": 0.8, "beta2": 0.6},
        "RAdam",
        {"lr": 0.01, "betas": [0.8, 0.6]},
    ),
    "rprop": (
        {"name": "rprop", "lr": 0.001, "step_max": 0.003},
        "Rprop",
        {"lr": 0.001, "step_sizes": [1e-6, 0.003]},
    ),
    "rprop_options": (
        {
            "name": "rprop",
            "lr": 0.001,
            "eta_minus": 0.7,
            "eta_plus": 1.1,
            "step_min": 3e-4,
            "step_max": 0.002,
        },
        "Rprop",
        {"lr": 0.001, "etas": [0.7, 1.1], "step_sizes": [3e-4, 0.002]},
    ),
    "asgd": ({"name": "asgd", "lr": 0.1}, "ASGD", {"lr": 0.1}),
    "asgd_averaging": (
        {"name": "asgd", "lr": 0.3, "lambd": 0.01, "alpha": 0.5, "t0": 50.0},
        "ASGD",
        {"lr": 0.3, "lambd": 0.01, "alpha": 0.5, "t0": 50},
    ),
    "adafactor": ({"name": "adafactor", "lr": 0.003}, "Adafactor", {"lr": 0.003}),
    "adafactor_options": (
        {
            "name": "adafactor",
            "lr": 0.003,
            "beta2_decay": -0.5,
            "eps1": 0.01,
            "eps2": 0.5,
            "d": 1.1,
            "weight_decay": 0.1,
        },
        "Adafactor",
        {"lr": 0.003, "beta2_decay": -0.5, "eps": [0.01, 0.5], "d": 1.1, "weight_decay": 0.1},
    ),
    "muon": ({"name": "muon"}, "Muon", {}),
    "muon_options": (
        {
            "name": "muon",
            "lr": 0.01,
            "momentum": 0.8,
            "nesterov": False,
            "weight_decay": 0.02,
            "ns_steps": 3,
            "adjust_lr": "match_rms_adamw",
            "bias_lr": 0.5,
            "beta2": 0.99,
        },
        "Muon",
        {
            "lr": 0.01,
            "momentum": 0.8,
            "nesterov": False,
            "weight_decay": 0.02,
            "ns_steps": 3,
            "adjust_lr_fn": "match_rms_adamw",
        },
    ),
}

BIASES: dict[str, dict[str, Any]] = {
    "muon": {"lr": 0.001, "weight_decay": 0.1},
    "muon_options": {"lr": 0.005, "betas": [0.9, 0.99], "weight_decay": 0.02},
}
"""Arguments of AdamW for the biases, in the cases whose class takes matrices only."""


def cases() -> Iterator[tuple[str, str]]:
    """Every (optimizer case, model)."""
    for optimizer in OPTIMIZERS:
        for model in MODELS:
            yield optimizer, model
