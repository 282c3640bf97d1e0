"""Learning-rate curves of torch.optim.lr_scheduler, for the schedules and warmups it has.

`make.py` writes them to curves.json and checks them. Only `made` needs torch.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("curves.json")
LR, STEPS, WARMUP_STEPS, STEPS_PER_EPOCH = 0.3, 60, 12, 6
Build = Callable[[Any, Any, int], Any]
"""(torch.optim.lr_scheduler, optimizer, steps) → its scheduler."""

# the name of the case: (section of the config, how torch builds it)
SCHEDULES: dict[str, tuple[dict[str, Any], Build]] = {
    "constant": ({"name": "constant"}, lambda s, o, n: s.ConstantLR(o, 1.0)),
    "step": (
        {"name": "step", "every": "2 epochs", "gamma": 0.5},
        lambda s, o, n: s.StepLR(o, 12, 0.5),
    ),
    "piecewise": (
        {"name": "piecewise", "milestones": ["7 steps", "4 epochs", 0.75],
         "factors": [0.2, 0.04, 0.008]},
        lambda s, o, n: s.MultiStepLR(o, [7, 24, n * 3 // 4], 0.2),
    ),
    "exponential": (
        {"name": "exponential", "gamma": 0.9},
        lambda s, o, n: s.ExponentialLR(o, 0.9),
    ),
    "linear": (
        {"name": "linear", "min": 0.03, "over": "40 steps"},
        lambda s, o, n: s.LinearLR(o, 1.0, 0.1, 40),
    ),
    "linear_whole": ({"name": "linear"}, lambda s, o, n: s.LinearLR(o, 1.0, 0.0, n)),
    "polynomial": (
        {"name": "polynomial", "power": 2.5},
        lambda s, o, n: s.PolynomialLR(o, n, 2.5),
    ),
    "cosine": (
        {"name": "cosine", "min": 0.01},
        lambda s, o, n: s.CosineAnnealingLR(o, n, 0.01),
    ),
    "warm_restarts": (
        {"name": "warm_restarts", "period": "7 steps", "t_mult": 2, "min": 0.01},
        lambda s, o, n: s.CosineAnnealingWarmRestarts(o, 7, 2, 0.01),
    ),
    "warm_restarts_equal": (
        {"name": "warm_restarts", "period": "1 epochs"},
        lambda s, o, n: s.CosineAnnealingWarmRestarts(o, 6),
    ),
    "triangular": (
        {"name": "cyclic", "min": 0.02, "up": "5 steps"},
        lambda s, o, n: s.CyclicLR(o, 0.02, LR, 5, cycle_momentum=False),
    ),
    "triangular2": (
        {"name": "cyclic", "min": 0.02, "up": "5 steps", "down": "9 steps", "mode": "triangular2"},
        lambda s, o, n: s.CyclicLR(o, 0.02, LR, 5, 9, "triangular2", cycle_momentum=False),
    ),
    "exp_range": (
        {"name": "cyclic", "min": 0.02, "up": "1 epochs", "mode": "exp_range", "gamma": 0.95},
        lambda s, o, n: s.CyclicLR(o, 0.02, LR, 6, None, "exp_range", 0.95, cycle_momentum=False),
    ),
    "one_cycle": (
        {"name": "one_cycle", "up": 0.25},
        lambda s, o, n: s.OneCycleLR(o, LR, n, pct_start=0.25, cycle_momentum=False),
    ),
    "one_cycle_linear": (
        {"name": "one_cycle", "up": "2 epochs", "anneal": "linear", "div_factor": 10.0,
         "final_div_factor": 100.0},
        lambda s, o, n: s.OneCycleLR(
            o, LR, n, pct_start=12 / n, anneal_strategy="linear", cycle_momentum=False,
            div_factor=10.0, final_div_factor=100.0,
        ),
    ),
    "one_cycle_three_phase": (
        {"name": "one_cycle", "up": "25%", "three_phase": True},
        lambda s, o, n: s.OneCycleLR(
            o, LR, n, pct_start=0.25, three_phase=True, cycle_momentum=False
        ),
    ),
}  # fmt: skip

WARMUPS: dict[str, tuple[dict[str, Any], Build]] = {
    "constant": (
        {"name": "constant", "factor": 0.2, "duration": "12 steps"},
        lambda s, o, n: s.ConstantLR(o, 0.2, n),
    ),
    # torch counts the climb from its first step, optrun from the step before it
    "linear": (
        {"name": "linear", "start": 0.2, "duration": "2 epochs"},
        lambda s, o, n: s.LinearLR(o, 0.2 + 0.8 / n, 1.0, n - 1),
    ),
}


def behind_warmups() -> list[str]:
    """The schedules that SequentialLR can put behind a warmup.

    OneCycleLR changes the optimizer's base rate as it is made, and with it the warmup before it.
    """
    return [name for name in SCHEDULES if not name.startswith("one_cycle")]


EPOCHS = 40
LOSSES = [1 / (1 + 0.3 * k) + 0.1 * math.sin(1.7 * k) ** 2 for k in range(EPOCHS)]
ACCURACIES = [1 - 0.9 * loss for loss in LOSSES]
"""Made-up metrics that get better by fits and starts, and then no more."""

# the name of the case: (section of the config, arguments of torch's ReduceLROnPlateau)
PLATEAUS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "loss": ({"patience": 2}, {"patience": 2}),
    "at_once": ({"factor": 0.5, "patience": 0}, {"factor": 0.5, "patience": 0}),
    "threshold": (
        {"factor": 0.3, "patience": 1, "threshold": 0.1},
        {"factor": 0.3, "patience": 1, "threshold": 0.1},
    ),
    "cooldown": (
        {"factor": 0.5, "patience": 1, "cooldown": 3},
        {"factor": 0.5, "patience": 1, "cooldown": 3},
    ),
    "least_rate": (
        {"factor": 0.5, "patience": 0, "min": 0.02},
        {"factor": 0.5, "patience": 0, "min_lr": 0.02},
    ),
    "accuracy": (
        {"watch": "val_accuracy", "factor": 0.5, "patience": 2},
        {"mode": "max", "factor": 0.5, "patience": 2},
    ),
    "accuracy_all": (
        {"watch": "train_accuracy", "factor": 0.6, "patience": 1, "threshold": 0.05,
         "cooldown": 2, "min": 0.05},
        {"mode": "max", "factor": 0.6, "patience": 1, "threshold": 0.05, "cooldown": 2,
         "min_lr": 0.05},
    ),
}  # fmt: skip


def watched(section: dict[str, Any]) -> list[float]:
    """The made-up values of what a plateau's section watches."""
    return ACCURACIES if section.get("watch", "val_loss").endswith("accuracy") else LOSSES


def made() -> dict[str, list[float]]:
    """Every curve by its name: schedules, schedules behind warmups, plateaus."""
    curves = {f"schedule/{name}": curve(build) for name, (_, build) in SCHEDULES.items()}
    for warmup in WARMUPS:
        for name in behind_warmups():
            curves[f"{warmup}/{name}"] = curve(behind(warmup, name))
    for name, (section, arguments) in PLATEAUS.items():
        curves[f"plateau/{name}"] = plateau(watched(section), arguments)
    return curves


def plateau(values: list[float], arguments: dict[str, Any]) -> list[float]:
    """The rate in each epoch, the first included and the one after the last."""
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, eps=0.0, **arguments)
    rates = [LR]
    for value in values:
        scheduler.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def behind(warmup: str, name: str) -> Build:
    """How torch builds a warmup and the schedule that takes over after it."""

    def build(schedulers: Any, optimizer: Any, steps: int) -> Any:
        first = WARMUPS[warmup][1](schedulers, optimizer, WARMUP_STEPS)
        second = SCHEDULES[name][1](schedulers, optimizer, steps - WARMUP_STEPS)
        return schedulers.SequentialLR(optimizer, [first, second], [WARMUP_STEPS])

    return build


def curve(build: Build) -> list[float]:
    """The rate at each step of a run that torch schedules."""
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=LR)
    scheduler = build(torch.optim.lr_scheduler, optimizer, STEPS)
    rates = []
    for step in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step < STEPS - 1:  # OneCycleLR refuses a step too many
            scheduler.step()
    return rates
