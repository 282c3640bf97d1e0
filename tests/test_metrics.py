"""Metrics: labels, directions and formats."""

import pytest

from optrun.metrics import (
    EPOCH_COLUMNS,
    EVALUATED,
    METRICS,
    STEP_COLUMNS,
    axis_of,
    difference_text,
    figure_text,
    heading_of,
    higher_is_better,
    label_of,
    spread_text,
)


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


@pytest.mark.parametrize(
    ("value", "metric", "text"),
    [
        (0.0123, "val_accuracy", "+1.23"),
        (-0.0123, "average_val_accuracy", "−1.23"),
        (0.0, "val_accuracy", "+0.00"),
        (-0.0031234, "val_loss", "−0.00312"),
        (1e-7, "val_loss", "+1e-07"),
    ],
)
def test_differences_have_a_sign(value: float, metric: str, text: str):
    assert difference_text(value, metric) == text


def test_every_column_of_the_tables_is_a_metric_with_a_meaning():
    for name in (*EPOCH_COLUMNS, *STEP_COLUMNS, *EVALUATED, "test_accuracy", "average_test_loss"):
        assert METRICS[name].meaning.endswith(".") and label_of(name)


@pytest.mark.parametrize(
    ("name", "label", "heading", "axis"),
    [
        ("val_accuracy", "validation accuracy", "val acc", "validation accuracy (%)"),
        ("average_test_loss", "test loss of the average", "average test loss", None),
        ("seconds", "training time", "seconds", "training time (s)"),
        ("no_such", "no such", "no such", "no such"),
    ],
)
def test_names_in_words(name: str, label: str, heading: str, axis: str | None):
    assert (label_of(name), heading_of(name), axis_of(name)) == (label, heading, axis or label)
