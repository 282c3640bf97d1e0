"""sweep.png: best settings over epochs, the metric over a number or by setting, and its marks."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optrun.errors import RunError
from optrun.store.reading import load_run
from optrun.sweep.directory import SweepDirectory
from optrun.sweep.results.rows import write_results
from optrun.viz.sweep import draw_sweep, sweep_figure
from tests.runs_factory import resolved_config, write_run
from tests.sweep.results.rows import row

NAME, LR, BATCH = "optimizer.name", "optimizer.lr", "training.batch_size"
Figure = Any


def make(
    root: Path,
    points: list[dict[str, Any]],
    values: list[list[Any]],
    metric: str = "val_accuracy",
    name: str = "rates",
    paused: Sequence[tuple[int, dict[str, Any]]] = (),
) -> Path:
    """A sweep whose points have these values of the metric, or statuses, by seed.

    Those in `paused`, by seed and point, were paused early.

    All runs of a seed that came as far share one run directory.
    """
    runs: dict[tuple[int, bool], str] = {}
    rows = []
    for point, each in zip(points, values, strict=True):
        for seed, value in enumerate(each):
            kind = seed, value == "diverged"
            if kind not in runs and value not in ("waiting", "failed"):
                end: Any = {"status": "diverged", "diverged_step": 250} if kind[1] else {}
                config = resolved_config(seed=seed + 9 * kind[1])
                runs[kind] = write_run(root, config, epochs=2 if kind[1] else 4, **end).name
            status = {"status": "paused"} if (seed, point) in paused else {}
            there = runs.get(kind, "-")
            rows.append(replace(row(point, seed, value, metric), directory=there, **status))
    directory = SweepDirectory.named(root, name).path
    directory.mkdir(parents=True)
    (directory / "sweep.yaml").write_text(json.dumps({"sweep": {"metric": metric}}))
    write_results(
        directory / "results.csv", rows, list(dict.fromkeys(k for p in points for k in p))
    )
    return directory


def two_optimizers(root: Path, **options: Any) -> Path:
    points = [{NAME: name, LR: lr} for name in ("adam", "sgd") for lr in (0.001, 0.01, 0.1)]
    values = [[0.5, 0.6], [0.8, 0.9], [0.7, 0.7], [0.4, 0.4], [0.5, 0.5], [0.6, 0.8]]
    return make(root, points, values, **options)


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for item in figure.legends for text in item.get_texts()]


def lines(axes: Any) -> list[Any]:
    return [line for line in axes.lines if line.get_marker() not in ("*", "X")]


def marked(axes: Any, marker: str) -> list[list[float]]:
    return [line.get_xydata()[0].tolist() for line in axes.lines if line.get_marker() == marker]


def test_the_best_settings_are_drawn_over_their_epochs(tmp_path: Path):
    figure = sweep_figure(two_optimizers(tmp_path))
    best, _ = figure.axes
    assert legend(figure) == [
        "adam\nbest: lr=0.01\n85.00 ± 7.07 % (2 seeds)",
        "sgd\nbest: lr=0.1\n70.00 ± 14.14 % (2 seeds)",
        "best of all",
    ]  # fmt: skip
    runs = [load_run(path) for path in tmp_path.glob("glyphs-mlp-*")]
    curves = 100 * np.array([run.metrics["val_accuracy"][1:] for run in runs])
    line = lines(best)[0]
    np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, 4])
    np.testing.assert_allclose(line.get_ydata(), curves.mean(axis=0))
    edges = best.collections[0].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([edges.min(), edges.max()], [curves.min(), curves.max()])
    assert best.get_title() == "best setting of each optimizer"
    assert (best.get_xlabel(), best.get_ylabel()) == ("epoch", "validation accuracy (%)")


def test_the_metric_is_drawn_over_the_rate(tmp_path: Path):
    figure = sweep_figure(two_optimizers(tmp_path))
    axes = figure.axes[1]
    adam, sgd = lines(axes)
    np.testing.assert_allclose(adam.get_xydata(), [[0.001, 55], [0.01, 85], [0.1, 70]])
    np.testing.assert_allclose(sgd.get_xydata(), [[0.001, 40], [0.01, 50], [0.1, 70]])
    band = axes.collections[0].get_paths()[0].vertices
    assert {(round(x, 9), round(y, 9)) for x, y in band} == {
        (0.001, 50), (0.001, 60), (0.01, 80), (0.01, 90), (0.1, 70),
    }  # fmt: skip
    np.testing.assert_allclose(marked(axes, "*"), [[0.01, 85]])
    assert axes.get_xscale() == "log" and axes.get_xlabel() == "learning rate"
    assert axes.get_title() == "best setting at each learning rate"
    for group in (adam, sgd):
        assert group.get_color() in [line.get_color() for line in lines(figure.axes[0])]


def test_a_number_is_shown_by_the_best_over_all_others(tmp_path: Path):
    points = [{LR: lr, BATCH: size} for lr in (0.1, 0.2) for size in (8, 64)]
    directory = make(tmp_path, points, [[0.5], [0.6], [0.8], [0.7]])
    axes = sweep_figure(directory).axes[1]
    (line,) = lines(axes)
    np.testing.assert_allclose(line.get_xydata(), [[0.1, 60], [0.2, 80]])
    assert axes.get_xscale() == "linear", "less than a decade"


def test_without_a_rate_the_first_number_is_shown(tmp_path: Path):
    points = [{BATCH: size, "regularization.l2": l2} for size in (8, 64) for l2 in (0.0, 0.5)]
    axes = sweep_figure(make(tmp_path, points, [[0.5], [0.6], [0.8], [0.7]])).axes[1]
    assert axes.get_xlabel() == BATCH
    np.testing.assert_allclose(lines(axes)[0].get_xydata(), [[8, 60], [64, 80]])


def test_settings_drawn_at_random_are_points_that_nothing_joins(tmp_path: Path):
    points = [{LR: 0.1 * i, "regularization.l2": 0.01 * (i % 4)} for i in range(1, 6)]
    directory = make(tmp_path, points, [[0.5, 0.5 + 0.01 * i] for i in range(5)])
    (line,) = lines(sweep_figure(directory).axes[1])
    assert line.get_linestyle() == "None" and len(line.get_xdata()) == 5


def test_settings_paused_early_are_hollow_and_on_no_line(tmp_path: Path):
    points = [{LR: lr} for lr in (0.1, 0.2, 0.3, 0.4)]
    directory = make(tmp_path, points, [[0.5], [0.6], [0.7], [0.9]], paused=[(0, points[1])])
    figure = sweep_figure(directory)
    joined, hollow = lines(figure.axes[1])
    np.testing.assert_allclose(joined.get_xydata(), [[0.1, 50], [0.3, 70], [0.4, 90]])
    np.testing.assert_allclose(hollow.get_xydata(), [[0.2, 60]])
    assert hollow.get_linestyle() == "None" and hollow.get_markerfacecolor() == "white"
    assert joined.get_markerfacecolor() != "white"
    assert legend(figure)[-1] == "paused early, after fewer epochs"


def test_settings_paused_early_are_hollow_where_there_is_no_number_too(tmp_path: Path):
    points = [{NAME: name} for name in ("adam", "sgd")]
    figure = sweep_figure(make(tmp_path, points, [[0.5], [0.6]], paused=[(0, points[1])]))
    full, hollow = lines(figure.axes[1])
    assert (full.get_xdata()[0], hollow.get_xdata()[0]) == pytest.approx((50, 60))
    assert hollow.get_markerfacecolor() == "white" != full.get_markerfacecolor()


def test_rates_that_all_diverged_are_all_shown(tmp_path: Path):
    points = [{LR: lr} for lr in (0.01, 0.1, 1.0, 100.0)]
    figure = sweep_figure(make(tmp_path, points, [["diverged"] * 2] * 4))
    axes = figure.axes[1]
    figure.draw_without_rendering()
    assert axes.get_xscale() == "log"
    low, high = axes.get_xlim()
    assert 0.001 < low < 0.01 and 100 < high < 1000
    assert sorted(x for x, _ in marked(axes, "X")) == [0.01, 0.1, 1.0, 100.0]
    assert legend(figure)[-1] == "diverged or failed"


@pytest.mark.parametrize(("metric", "top"), [("val_accuracy", False), ("val_loss", True)])
def test_diverged_settings_are_marked_at_the_bad_edge(tmp_path: Path, metric: str, top: bool):
    points = [{NAME: name, LR: lr} for name in ("adam", "sgd") for lr in (0.1, 1.0, 10.0)]
    values = [[0.5, 0.5], [0.6, "diverged"], ["diverged"] * 2,
              [0.5, 0.5], [0.6, 0.6], ["diverged", "failed"]]  # fmt: skip
    figure = sweep_figure(make(tmp_path, points, values, metric))
    axes = figure.axes[1]
    crosses = marked(axes, "X")
    assert sorted(x for x, _ in crosses) == [1.0, 10.0, 10.0]
    assert all((y > 0.9) == top and (y < 0.1) != top for _, y in crosses)
    assert len({tuple(cross) for cross in crosses}) == 3, "none covers another"
    assert legend(figure)[-1] == "a seed or more diverged or failed"
    assert [len(line.get_xdata()) for line in lines(axes)] == [2, 2]
    assert axes.get_xlim()[1] > 10


def test_a_diverged_seed_of_the_best_setting_is_told(tmp_path: Path):
    directory = make(tmp_path, [{LR: 0.1}, {LR: 0.2}], [[0.5, "diverged"], ["diverged"] * 2])
    figure = sweep_figure(directory)
    assert legend(figure)[0] == "all settings\nbest: lr=0.1\n50.00 % (2 seeds, 1 diverged ×)"
    assert len(marked(figure.axes[0], "X")) == 1


@pytest.mark.parametrize(("losses", "scale"), [([0.1, 0.5], "linear"), ([0.1, 5.0], "log")])
def test_losses_over_more_than_a_decade_are_logarithmic(tmp_path: Path, losses: Any, scale: str):
    directory = make(tmp_path, [{LR: 0.1}, {LR: 0.2}], [[loss] for loss in losses], "val_loss")
    axes = sweep_figure(directory).axes[1]
    assert axes.get_yscale() == scale
    assert axes.get_ylabel() == "validation loss (cross-entropy, nats)"


def test_without_numbers_each_setting_is_a_dot_the_best_on_top(tmp_path: Path):
    points = [{NAME: name, "model.hidden": hidden} for name in ("adam", "sgd") for hidden in
              ([8], [64, 64])]  # fmt: skip
    values: list[list[Any]] = [[0.5, 0.7], [0.8, 0.9], [0.55, 0.57], ["diverged", "diverged"]]
    axes = sweep_figure(make(tmp_path, points, values)).axes[1]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["adam, hidden=[64, 64]", "adam, hidden=[8]", "sgd, hidden=[8]",
                      "sgd, hidden=[64, 64]"]  # fmt: skip
    dots = [line.get_xydata()[0].tolist() for line in lines(axes)]
    np.testing.assert_allclose(dots, [[85, 0], [60, 1], [56, 2]])
    bars = [c.get_segments()[0][:, 0].tolist() for c in axes.collections]
    np.testing.assert_allclose(bars, [[80, 90], [50, 70], [55, 57]])
    np.testing.assert_allclose(marked(axes, "*"), [[85, 0]])
    assert [y for _, y in marked(axes, "X")] == [3]
    assert axes.get_ylim()[0] > axes.get_ylim()[1] and axes.get_title() == "all settings"


def test_of_very_many_settings_the_best_are_shown(tmp_path: Path):
    points = [{"name": f"n{i}", "model.hidden": [i] * i} for i in range(1, 31)]
    axes = sweep_figure(make(tmp_path, points, [[i / 100] for i in range(30)])).axes[1]
    assert axes.get_title() == "the best 12 of 30 settings"
    assert len(axes.get_yticklabels()) == 12
    assert max(line.get_xdata()[0] for line in lines(axes)) == pytest.approx(29)


@pytest.mark.parametrize("count", [1, 12])
def test_long_labels_are_whole_and_cover_nothing(tmp_path: Path, count: int):
    points = [
        {NAME: f"an-optimizer-of-long-name-{i}", LR: 0.1 / (j + 1), "optimizer.eps": 1e-8 / (i + 1),
         "regularization.l2": 0.12345 / (i + 1), BATCH: 8 + i}
        for i in range(count) for j in range(2)
    ]  # fmt: skip
    figure = sweep_figure(make(tmp_path, points, [[0.5]] * 2 * count, name="long-" * 30))
    figure.draw_without_rendering()
    (below,) = figure.legends
    box = below.get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0
    for axes in figure.axes:
        frame = axes.get_tightbbox()
        assert box.y1 <= frame.y0 and frame.x0 >= 0 and frame.x1 <= figure.bbox.x1
        assert axes.get_window_extent().width > 0.38 * figure.bbox.width
        assert axes.get_window_extent().height > 2.5 * figure.dpi
    title = figure._suptitle.get_window_extent()
    assert title.x0 >= 0 and title.x1 <= figure.bbox.x1


@pytest.mark.parametrize("value", ["diverged", "failed", "waiting"])
@pytest.mark.parametrize("keys", [{LR: 0.1}, {"model.hidden": [8]}])
def test_a_sweep_without_a_value_has_a_picture_that_says_so(
    tmp_path: Path, value: str, keys: dict[str, Any]
):
    other = {key: [16] if key == "model.hidden" else 1.0 for key in keys}
    directory = make(tmp_path, [keys, other], [[value], [value]])
    figure = sweep_figure(directory)
    assert "no values" in [text.get_text() for text in figure.axes[0].texts]
    assert draw_sweep(directory).read_bytes().startswith(b"\x89PNG")


def test_a_sweep_of_no_runs_has_a_picture(tmp_path: Path):
    assert draw_sweep(make(tmp_path, [], [])).exists()


def test_a_chosen_run_that_is_gone_is_named(tmp_path: Path):
    directory = two_optimizers(tmp_path)
    for path in tmp_path.glob("glyphs-mlp-*"):
        (path / "metrics.csv").write_text("")
    with pytest.raises(RunError, match=r"metrics\.csv is damaged"):
        draw_sweep(directory)


def test_the_picture_is_the_same_each_time(tmp_path: Path):
    directory = two_optimizers(tmp_path)
    assert draw_sweep(directory) == (directory / "sweep.png")
    before = (directory / "sweep.png").read_bytes()
    assert draw_sweep(directory).read_bytes() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no metric is in it"),
        ("sweep: 3", "no metric is in it"),
        ("sweep: {name: a}", "no metric is in it"),
        ("sweep: [", "it is not YAML"),
    ],
)
def test_a_damaged_sweep_file_says_what_to_do(tmp_path: Path, text: str, says: str):
    directory = make(tmp_path, [], [])
    (directory / "sweep.yaml").write_text(text)
    with pytest.raises(RunError) as error:
        draw_sweep(directory)
    assert str(error.value).startswith(f"{directory / 'sweep.yaml'} is damaged: {says}")
    assert str(error.value).endswith("; start the sweep again, which writes it anew")
