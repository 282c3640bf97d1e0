"""curves.png: what is on it, for every kind of run."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optrun.errors import RunError
from optrun.store.reading import load_run
from optrun.store.run_directory import RunDirectory
from optrun.viz.curves import curves_figure, draw_curves
from tests.runs_factory import COSINE, cosine_rates, resolved_config, write_run

FALLING = 0.1 * 0.99 ** np.arange(1000)
RUNS: dict[str, dict[str, Any]] = {
    "finished": {"test_accuracy": 0.9712, "best_epoch": 7},
    "cosine": {"config": resolved_config(scheduler=COSINE), "rates": cosine_rates(1000)},
    "falling rate": {"rates": FALLING},
    "diverged": {"epochs": 2, "diverged_step": 287, "status": "diverged", "best_epoch": 1},
    "diverged at once": {"epochs": 0, "diverged_step": 7, "status": "diverged"},
    "stopped": {"epochs": 4, "status": "stopped", "reason": "early stopping: no gain"},
    "running": {"epochs": 3, "status": "running"},
    "no epochs": {"epochs": 0},
    "one epoch": {"epochs": 1},
    "no validation": {"validation": False},
    "no labels": {"labels": False, "test_loss": 0.0505},
    "all nan": {"start_loss": np.nan},
    "huge": {"start_loss": 1e300},
    "tiny": {"start_loss": 1e-300},
    "strange name": {"config": resolved_config(name="_a$b$ 漢字 {x}")},
}


def figure_of(kind: str, root: Path) -> Any:
    return curves_figure(load_run(write_run(root, **RUNS[kind])))


def legend(figure: Any) -> list[str]:
    return [text.get_text() for item in figure.legends for text in item.get_texts()]


@pytest.mark.parametrize("kind", RUNS)
def test_every_kind_of_run_is_drawn_without_a_warning(tmp_path: Path, kind: str):
    path = draw_curves(write_run(tmp_path, **RUNS[kind]))
    assert path.name == "curves.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert not list(path.parent.glob(".*"))


def test_panels_axes_and_legend_are_labelled(tmp_path: Path):
    figure = figure_of("finished", tmp_path)
    loss, accuracy, rate = figure.axes
    assert [panel.get_ylabel() for panel in figure.axes] == [
        "cross-entropy (nats)", "accuracy (%)", "learning rate",
    ]  # fmt: skip
    assert rate.get_xlabel() == "step"
    assert loss.child_axes[0].get_xlabel() == "epoch"
    assert legend(figure) == [
        "batch, moving average", "training", "validation", "chosen weights (epoch 7)",
    ]  # fmt: skip
    assert "SGD" not in loss.get_title() and "adam, lr 0.001" in loss.get_title()
    assert "test accuracy 97.12 %" in loss.get_title()
    assert loss.texts[0].get_text() == "glyphs-mlp"
    assert accuracy.get_ylim()[1] > 1


def test_epochs_stand_above_their_steps(tmp_path: Path):
    figure = figure_of("finished", tmp_path)
    figure.draw_without_rendering()
    loss = figure.axes[0]
    low, high = loss.get_xlim()
    np.testing.assert_allclose(loss.child_axes[0].get_xlim(), (low / 100, high / 100))


def test_curves_differ_without_colour(tmp_path: Path):
    loss = figure_of("finished", tmp_path).axes[0]
    lines = [line for line in loss.lines if not line.get_label().startswith("_")]
    looks = {(str(line._dash_pattern), line.get_marker(), line.get_alpha()) for line in lines}
    assert len(lines) == len(looks) == 4


def test_the_curves_are_the_run(tmp_path: Path):
    run = load_run(write_run(tmp_path))
    loss, accuracy, rate = curves_figure(run).axes
    lines = {line.get_label(): line for line in loss.lines}
    np.testing.assert_array_equal(lines["validation"].get_xdata(), run.metrics["step"])
    np.testing.assert_array_equal(lines["validation"].get_ydata(), run.metrics["val_loss"])
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), 100 * run.metrics["train_accuracy"])
    assert rate.lines[0].get_xydata().tolist() == [[0, 0.001], [1000, 0.001]]


def test_divergence_is_marked_at_its_step(tmp_path: Path):
    loss = figure_of("diverged", tmp_path).axes[0]
    cross = next(line for line in loss.lines if line.get_label() == "diverged at step 287")
    assert cross.get_marker() == "X" and cross.get_xdata()[0] == 287
    assert loss.texts[0].get_text() == "glyphs-mlp (diverged)"


def test_no_validation_means_no_validation_curve(tmp_path: Path):
    figure = figure_of("no validation", tmp_path)
    _, accuracy, _ = figure.axes
    assert legend(figure) and "validation" not in legend(figure)
    assert [line.get_label() for line in accuracy.lines if "valid" in line.get_label()] == []


def test_no_labels_means_no_accuracy(tmp_path: Path):
    figure = figure_of("no labels", tmp_path)
    assert [panel.get_ylabel() for panel in figure.axes] == [
        "cross-entropy (nats)", "learning rate",
    ]  # fmt: skip
    assert "test loss 0.0505" in figure.axes[0].get_title()


@pytest.mark.parametrize(
    ("kind", "loss", "rate"),
    [
        ("finished", "linear", "linear"),
        ("diverged", "log", "linear"),
        ("cosine", "linear", "linear"),
        ("falling rate", "linear", "log"),
        ("no epochs", "linear", "linear"),
    ],
)
def test_wide_ranges_are_logarithmic(tmp_path: Path, kind: str, loss: str, rate: str):
    axes = figure_of(kind, tmp_path).axes
    assert [axes[0].get_yscale(), axes[2].get_yscale()] == [loss, rate]


def test_an_empty_panel_says_so(tmp_path: Path):
    loss, accuracy, rate = figure_of("no epochs", tmp_path).axes
    assert [text.get_text() for text in rate.texts] == ["no values"]
    loss, accuracy, _ = figure_of("all nan", tmp_path / "nan").axes
    assert accuracy.texts[0].get_text() == "no values"
    assert "no values" in [text.get_text() for text in loss.texts]


def test_one_wild_batch_does_not_flatten_the_curves(tmp_path: Path):
    path = write_run(tmp_path, epochs=30)
    steps = load_run(path).steps
    steps.loc[150, "loss"] = 1e6
    with RunDirectory(path).open_steps() as table:
        table.append(steps.to_dict("records"))
    figure = curves_figure(load_run(path))
    assert figure.axes[0].get_ylim()[1] < 1e6


def test_no_run_no_picture(tmp_path: Path):
    with pytest.raises(RunError, match="no run"):
        draw_curves(tmp_path / "absent")


def test_the_accuracy_panel_shows_what_was_trained_not_the_start(tmp_path: Path):
    directory = write_run(tmp_path, **RUNS["finished"])
    run = load_run(directory)
    low, high = curves_figure(run).axes[1].get_ylim()
    percent = 100 * run.metrics[["train_accuracy", "val_accuracy"]].to_numpy()
    assert percent[0].max() < low < percent[1:].min()
    assert percent.max() < high


def test_a_long_title_stays_inside_the_picture(tmp_path: Path):
    sizes = {"name": "mlp", "hidden": [512] * 12, "activation": {"name": "relu"}}
    config = resolved_config(model=sizes, scheduler=COSINE)
    figure = curves_figure(load_run(write_run(tmp_path, config=config, test_accuracy=0.5)))
    figure.draw_without_rendering()
    title = figure.axes[0].title.get_window_extent()
    assert figure.bbox.x0 <= title.x0 and title.x1 <= figure.bbox.x1
    assert len(figure.axes[0].get_title().splitlines()) == 3


@pytest.mark.parametrize("name", ["long-name-" * 11, "x" * 110])
def test_a_long_name_is_wrapped_and_the_panels_keep_their_width(tmp_path: Path, name: str):
    settings = {"epochs": 2, "diverged_step": 287, "status": "diverged"}
    figure = curves_figure(load_run(write_run(tmp_path, resolved_config(name=name), **settings)))
    figure.draw_without_rendering()
    heading, (below,) = figure.axes[0].texts[0].get_window_extent(), figure.legends
    assert heading.x0 >= 0 and heading.x1 <= figure.bbox.x1 and heading.y1 <= figure.bbox.y1
    assert len(figure.axes[0].texts[0].get_text().splitlines()) == 2
    assert all(panel.get_window_extent().width > 0.8 * figure.bbox.width for panel in figure.axes)
    box = below.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0
    assert box.y1 <= figure.axes[2].get_tightbbox().y0


@pytest.mark.parametrize("kind", ["one epoch", "diverged", "running"])
def test_epochs_are_ticked_at_whole_numbers(tmp_path: Path, kind: str):
    figure = figure_of(kind, tmp_path)
    figure.draw_without_rendering()
    ticks = figure.axes[0].child_axes[0].get_xticks()
    assert len(ticks) > 1 and all(tick == round(tick) for tick in ticks)
