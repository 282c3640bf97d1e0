"""What the README and the comments of shipped configs say of results, as settings to compare."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Setting = Mapping[str, Any]
"""What differs from the config, by dotted key."""


@dataclass(frozen=True)
class Claim:
    """Settings of one shipped config that are compared over seeds.

    Attributes:
        config: below `configs/`, without `.yaml`.
        figures: what is reported of each run, by the names of `results.FIGURES`.
        settings: by what the table calls them; the others are compared with the first.
        seeds: how many, from the config's own on.
        timed: whether seconds are reported, for which runs are made one at a time.
        about: which of several claims about one config it is.
    """

    config: str
    figures: tuple[str, ...]
    settings: Mapping[str, Setting]
    seeds: int = 5
    timed: bool = False
    about: str = ""

    @property
    def title(self) -> str:
        """What tells it from all others."""
        return f"{self.config}, {self.about}" if self.about else self.config


AS_SHIPPED: dict[str, Setting] = {"as shipped": {}}
ACCURACY = "test_accuracy"
BOTH_ACCURACIES = ("train_accuracy", ACCURACY)
ALL_LOSSES = ("train_loss", "val_loss", "test_loss")
SHIPPED = (
    Claim("mnist_linear", (ACCURACY,), AS_SHIPPED, timed=True),
    Claim("mnist_mlp", (ACCURACY,), AS_SHIPPED, timed=True),
    Claim("cifar10_linear", (ACCURACY,), AS_SHIPPED, timed=True),
    Claim("cifar10_mlp", (ACCURACY,), AS_SHIPPED, seeds=3, timed=True),
)
"""The README's "What to expect"."""

EXPERIMENTS = (
    Claim("experiments/random_search", (ACCURACY,), AS_SHIPPED, seeds=3),
    Claim(
        "experiments/random_search",
        (ACCURACY,),
        {"local": {"optimizer": "random_local_search", "initialization.std": 0.001}},
        seeds=3,
        about="random local search",
    ),
    Claim(
        "experiments/optimizers",
        ("train_loss", ACCURACY),
        {
            name: {"optimizer.name": name}
            for name in ("rmsprop", "adam", "adagrad", "momentum", "sgd")
        },
    ),
    Claim(
        "experiments/vanishing_signal",
        ("first_layer_std", "last_layer_std", ACCURACY),
        {
            "xavier_normal": {"initialization.name": "xavier_normal"},
            "normal, std 0.01": {},
        },
        about="tanh",
    ),
    Claim(
        "experiments/vanishing_signal",
        ("first_layer_std", "last_layer_std", ACCURACY),
        {
            "he_normal": {"model.activation": "relu", "initialization.name": "he_normal"},
            "xavier_normal": {"model.activation": "relu", "initialization.name": "xavier_normal"},
        },
        about="relu",
    ),
    Claim(
        "experiments/vanishing_signal",
        (ACCURACY,),
        {
            name: {
                "dataset.subset": 6000,
                "dataset.validation": 1000,
                "training.epochs": 3,
                "model.activation": "relu",
                "initialization.name": name,
            }
            for name in ("he_normal", "xavier_normal")
        },
        about="relu, 5000 digits, 3 epochs",
    ),
    Claim(
        "experiments/dropout",
        ("test_errors",),
        {"dropout and max-norm": {}, "without": {"regularization": {}}},
        seeds=3,
    ),
    Claim("experiments/random_labels", BOTH_ACCURACIES, AS_SHIPPED, seeds=2),
    Claim(
        "experiments/polynomial",
        ALL_LOSSES,
        {f"degree {degree}": {"dataset.degree": degree} for degree in (2, 1, 9)},
        seeds=10,
    ),
    Claim(
        "experiments/noisy_quadratic",
        ("test_loss",),
        {
            "sgd": {},
            "momentum": {"optimizer.name": "momentum", "optimizer.lr": 0.002},
            "adam": {"optimizer.name": "adam", "optimizer.lr": 0.03},
        },
        seeds=10,
    ),
    Claim(
        "experiments/batch_norm",
        (ACCURACY,),
        {str(name): {"model.normalization": name} for name in ("batch", "layer", "rms", "weight")}
        | {"none": {"model.normalization": None}},
    ),
)
"""The README's "Known results"."""

COMMENTS = (
    Claim(
        "mnist_linear",
        ("train_loss", ACCURACY),
        {f"lr {lr}": {"optimizer.lr": lr} for lr in (0.5, 0.05)},
        about="two rates",
    ),
    Claim(
        "mnist_mlp",
        (ACCURACY,),
        {name: {"scheduler": name} for name in ("cosine", "constant")},
        about="what the schedule is worth",
    ),
    Claim(
        "cifar10_mlp",
        BOTH_ACCURACIES,
        {
            "as shipped": {},
            "neither": {"regularization.dropout": 0, "optimizer.weight_decay": 0},
        },
        seeds=3,
        about="dropout and weight decay",
    ),
    Claim(
        "spirals",
        (ACCURACY,),
        {
            "as shipped": {},
            "4 units": {"model.hidden": [4]},
            "linear": {"model": "linear"},
        },
        seeds=10,
    ),
)
"""The comments of config files."""

STARTS = tuple(
    Claim(name, ("start_against_chance",), {"untrained": {"training.epochs": 0}}, about="the start")
    for name in (
        *("quickstart", "spirals", "mnist_linear", "mnist_mlp", "cifar10_linear", "cifar10_mlp"),
        *(
            f"experiments/{name}"
            for name in (
                *("batch_norm", "dropout", "optimizers", "random_labels", "random_search"),
                "vanishing_signal",
            )
        ),
    )
)
"""That shipped classifiers start near the loss of a guess."""

CLAIMS = (*SHIPPED, *EXPERIMENTS, *COMMENTS, *STARTS)
