"""How losses and accuracies are told."""

import pytest

from optrun.measures import figure_text, higher_is_better, spread_text


@pytest.mark.parametrize(
    ("mean", "deviation", "metric", "text"),
    [
        (0.9, None, "val_accuracy", "90.00 %"),
        (0.912345, 0.00123, "test_accuracy", "91.23 ± 0.12 %"),
        (0.0312345, 0.00123, "val_loss", "0.03123 ± 0.0012"),
        (None, None, "val_loss", "–"),
    ],
)
def test_figures_as_text(mean: float | None, deviation: float | None, metric: str, text: str):
    assert spread_text(mean, deviation, metric) == text


@pytest.mark.parametrize(
    ("measure", "higher", "text"),
    [("val_accuracy", True, "91.23%"), ("train_loss", False, "0.9123")],
)
def test_a_figure_alone(measure: str, higher: bool, text: str):
    assert (higher_is_better(measure), figure_text(0.912345, measure)) == (higher, text)
