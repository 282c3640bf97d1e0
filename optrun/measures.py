"""Losses and accuracies, by which runs are judged: what is better, and how they are told."""


def is_accuracy(measure: str) -> bool:
    """Whether the figure is a share of all examples, told in per cent."""
    return measure.endswith("accuracy")


def higher_is_better(measure: str) -> bool:
    return is_accuracy(measure)


def figure_text(value: float, measure: str) -> str:
    """`91.23%`, `0.3124`."""
    return f"{value:.2%}" if is_accuracy(measure) else f"{value:.4g}"


def spread_text(mean: float | None, deviation: float | None, measure: str) -> str:
    """`91.23 ± 0.10 %`, `0.3124 ± 0.0021`; a figure of one seed has no deviation."""
    if mean is None:
        return "–"
    if is_accuracy(measure):
        spread = "" if deviation is None else f" ± {100 * deviation:.2f}"
        return f"{100 * mean:.2f}{spread} %"
    return f"{mean:.4g}" + ("" if deviation is None else f" ± {deviation:.2g}")
