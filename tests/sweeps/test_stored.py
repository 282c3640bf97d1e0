"""What run directories say of runs, and what a run is worth after some epochs."""

import math
import os
from pathlib import Path

import pytest

from optrun.config.load import load
from optrun.errors import RunError
from optrun.metrics import EPOCH_COLUMNS
from optrun.store.run_directory import RunDirectory
from optrun.sweeps.stored import Stored, stored, value_after
from tests.sweeps.parts import TOY

LOSSES = [0.9, 0.5, 0.7, 0.3, 0.6]
ACCURACIES = [0.1, 0.8, 0.7, 0.6, 0.9]
AVERAGES = [None, None, 0.8, 0.4, 0.2]
"""Losses of an average that begins in the second epoch; its accuracies are 1 minus these."""


def directory_with(path: Path, epochs: int, status: str = "finished") -> RunDirectory:
    """A run with these losses and accuracies on validation data, and the losses plus 1 before."""
    directory = RunDirectory(path)
    directory.create()
    with directory.open_metrics() as table:
        for epoch in range(epochs + 1):
            row = {
                "epoch": epoch,
                "step": epoch,
                "val_loss": LOSSES[epoch],
                "val_accuracy": ACCURACIES[epoch],
                "train_loss": 1 + LOSSES[epoch],
            }
            if (average := AVERAGES[epoch]) is not None:
                row |= {
                    "average_val_loss": average,
                    "average_val_accuracy": 1 - average,
                    "average_train_loss": 1 + average,
                }
            table.append([row])
    directory.write_summary({"status": status, "epochs": epochs})
    return directory


@pytest.mark.parametrize(
    ("best_by", "metric", "epochs", "value"),
    [
        ("val_accuracy", "val_accuracy", 2, -0.8),
        ("val_accuracy", "val_accuracy", None, -0.9),
        ("val_accuracy", "val_loss", 3, 0.5),
        ("val_accuracy", "train_loss", None, 1.6),
        ("val_loss", "val_loss", 2, 0.5),
        ("val_loss", "val_loss", None, 0.3),
        ("val_loss", "val_accuracy", None, -0.6),
        ("last", "val_loss", 2, 0.7),
        ("last", "val_accuracy", None, -0.9),
        ("val_loss", "average_val_loss", 3, 0.4),  # of its own epoch
        ("val_loss", "average_val_accuracy", None, -0.8),
        ("average_val_accuracy", "average_val_accuracy", 2, pytest.approx(-0.2)),
        ("average_val_accuracy", "val_accuracy", 3, -0.8),
        ("average_val_loss", "val_loss", None, 0.3),
        ("last", "average_train_loss", None, 1.2),
        ("val_accuracy", "average_val_accuracy", 1, -0.8),  # there is none yet
    ],
)
def test_the_value_is_the_metric_at_the_epoch_chosen_by_then(
    tmp_path, best_by, metric, epochs, value
):
    config = load(TOY, [f"training.best_by={best_by}", "averaging=ema"]).config
    assert value_after(directory_with(tmp_path, 4), config, metric, epochs) == value


@pytest.mark.parametrize(("epochs", "value"), [(1, 0.5), (2, 0.5), (3, math.inf), (None, math.inf)])
def test_a_run_that_diverges_later_keeps_what_it_was_worth_before(tmp_path, epochs, value):
    directory = directory_with(tmp_path, 2, "diverged")
    assert value_after(directory, load(TOY).config, "val_loss", epochs) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (",".join(EPOCH_COLUMNS) + "\n", "it has no epochs"),
        ("epoch,val_loss\n", "it has no column average_train_accuracy"),
    ],
)
def test_damaged_metrics_are_told(tmp_path, text, says):
    directory = directory_with(tmp_path, 4)
    (tmp_path / "metrics.csv").write_text(text)
    with pytest.raises(RunError, match=says):
        value_after(directory, load(TOY).config, "val_accuracy", None)


@pytest.mark.parametrize(
    ("status", "epochs", "pause_after", "done"),
    [
        ("finished", 4, None, True),
        ("finished", 4, 2, True),
        ("diverged", 1, None, True),
        ("diverged", 1, 2, True),
        ("stopped", 2, 2, True),
        ("stopped", 3, 2, True),
        ("stopped", 1, 2, False),
        ("stopped", 3, None, False),
        ("failed", 4, 2, False),
        ("running", 4, 2, False),
        ("waiting", 0, 1, False),
    ],
)
def test_whether_anything_is_left_to_do(status, epochs, pause_after, done):
    assert Stored(status, epochs).has_come_to(pause_after) == done


def test_nothing_there_is_waiting(tmp_path):
    assert stored(RunDirectory(tmp_path / "absent")) == Stored("waiting")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_directory_that_may_not_be_read_is_told(tmp_path):
    directory = directory_with(tmp_path / "run", 1)
    directory.path.chmod(0)
    try:
        with pytest.raises(RunError, match="cannot be read: Permission denied"):
            stored(directory)
    finally:
        directory.path.chmod(0o700)


def test_any_trouble_in_looking_is_told_as_such(tmp_path, monkeypatch):
    def refuse(path, **options):
        raise PermissionError(13, "Permission denied", str(path))

    directory = directory_with(tmp_path / "run", 1)
    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(RunError, match="cannot be read: Permission denied"):
        stored(directory)
