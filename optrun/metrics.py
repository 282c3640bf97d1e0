"""Metrics: every figure that a run records, with its name, label, direction and format."""

from dataclasses import dataclass

AVERAGE = "average_"
"""What the names of the averaged weights' figures begin with."""
WHOSE = ("", AVERAGE)
"""The weights that have figures of their own, by what their names begin with."""
SPLITS = {"train": "training", "val": "validation", "test": "test"}
"""The splits of a dataset, as names of metrics abbreviate them, in words."""


@dataclass(frozen=True)
class Metric:
    """A column of a table of figures.

    Attributes:
        name: in files and on the command line.
        label: in sentences and on axes.
        meaning: what is measured, in one line.
        unit: on axes, after the label.
        accuracy: whether it is a share of the examples, shown in per cent; more is better.
    """

    name: str
    label: str
    meaning: str
    unit: str = ""
    accuracy: bool = False

    @property
    def heading(self) -> str:
        """The name in words, for the head of a narrow table."""
        return self.name.replace("_", " ").replace("accuracy", "acc")

    @property
    def axis(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def evaluated(split: str, whose: str = "") -> tuple[Metric, Metric]:
    """Loss and accuracy of weights on a split; `whose` is one of `WHOSE`."""
    words, weights = SPLITS[split], "the averaged weights" if whose else "the weights"
    label = f"{words} {{}} of the average" if whose else f"{words} {{}}"
    return (
        Metric(
            f"{whose}{split}_loss",
            label.format("loss"),
            f"Mean loss of {weights} over the {words} examples, without penalties.",
        ),
        Metric(
            f"{whose}{split}_accuracy",
            label.format("accuracy"),
            f"Share of the {words} examples that {weights} classify correctly.",
            unit="%",
            accuracy=True,
        ),
    )


STEP = Metric("step", "step", "Optimizer steps done.")
LR = Metric("lr", "learning rate", "Learning rate of this step.")
PENALTY = Metric("penalty", "penalty", "Penalties of the regularization, which add to the loss.")
SECONDS = Metric("seconds", "training time", "Seconds of training so far.", unit="s")

PER_EPOCH: tuple[Metric, ...] = (
    Metric("epoch", "epoch", "Passes over the training data; 0 is the start."),
    STEP,
    LR,
    *(
        metric
        for whose in WHOSE
        for split in ("train", "val")
        for metric in evaluated(split, whose)
    ),
    PENALTY,
    Metric("grad_norm", "gradient norm", "Mean over the epoch's steps of the gradient's norm."),
    Metric("weight_norm", "weight norm", "Euclidean norm of all parameters."),
    Metric("sparsity", "sparsity", "Share of the weights, biases left out, that are exactly 0."),
    Metric("update_norm", "update norm", "Norm of the parameters' change over the whole epoch."),
    Metric(
        "update_ratio",
        "update ratio",
        "Norm of the parameters' change in the epoch's last step over their norm before it.",
    ),
    SECONDS,
)
"""The columns of metrics.csv."""

PER_STEP: tuple[Metric, ...] = (
    STEP,
    Metric("epoch", "epoch", "Passes over the training data, in fractions."),
    LR,
    Metric("loss", "batch loss", "Mean loss of the step's batch, without penalties."),
    PENALTY,
    Metric("grad_norm", "gradient norm", "Norm of the step's gradient, before clipping."),
    Metric(
        "update_ratio",
        "update ratio",
        "Norm of the parameters' change in the step over their norm before it.",
    ),
    SECONDS,
)
"""The columns of steps.csv."""

EPOCH_COLUMNS = tuple(metric.name for metric in PER_EPOCH)
STEP_COLUMNS = tuple(metric.name for metric in PER_STEP)
EVALUATED = tuple(name for name in EPOCH_COLUMNS if name.endswith(("_loss", "_accuracy")))
"""Losses and accuracies of metrics.csv."""
TESTED = tuple(m.name for whose in ("", "average_") for m in evaluated("test", whose))
"""Losses and accuracies on the test set."""

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        *PER_STEP,
        *PER_EPOCH,
        *(m for whose in WHOSE for m in evaluated("test", whose)),
    )
}
"""Every metric by name."""


def whose(name: str) -> str:
    """Whose figure a metric is, one of `WHOSE`: `average_` for `average_val_loss`."""
    return AVERAGE if name.startswith(AVERAGE) else ""


def is_accuracy(name: str) -> bool:
    """Whether the metric is a share of the examples, shown in per cent."""
    return name in METRICS and METRICS[name].accuracy


def higher_is_better(name: str) -> bool:
    """Whether more of the metric is better; of losses, less is."""
    return is_accuracy(name)


def label_of(name: str) -> str:
    """The metric in words: `validation accuracy`."""
    return METRICS[name].label if name in METRICS else name.replace("_", " ")


def heading_of(name: str) -> str:
    """The metric in few words, for the head of a table: `val acc`."""
    return METRICS[name].heading if name in METRICS else name.replace("_", " ")


def axis_of(name: str) -> str:
    """The metric in words with its unit: `validation accuracy (%)`."""
    return METRICS[name].axis if name in METRICS else name.replace("_", " ")


def figure_text(value: float, name: str) -> str:
    """`91.23%`, `0.3124`."""
    return f"{value:.2%}" if is_accuracy(name) else f"{value:.4g}"


def spread_text(mean: float | None, deviation: float | None, name: str) -> str:
    """`91.23 ± 0.10 %`, `0.3124 ± 0.0021`; a figure of one seed has no deviation."""
    if mean is None:
        return "–"
    if is_accuracy(name):
        spread = "" if deviation is None else f" ± {100 * deviation:.2f}"
        return f"{100 * mean:.2f}{spread} %"
    return f"{mean:.4g}" + ("" if deviation is None else f" ± {deviation:.2g}")


def difference_text(value: float, name: str) -> str:
    """A difference of two figures, accuracies in percentage points: `+1.20`, `−0.0031`."""
    text = f"{100 * value:+.2f}" if is_accuracy(name) else f"{value:+.3g}"
    return f"−{text[1:]}" if value < 0 else text


def points_of(name: str) -> str:
    """The unit of a difference, after a blank: ` points` for accuracies, none for losses."""
    return " points" if is_accuracy(name) else ""
