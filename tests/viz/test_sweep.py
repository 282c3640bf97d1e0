"""sweep.png: best settings over epochs, the metric over a number or by setting, and its marks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optrun.errors import RunError
from optrun.store.reading import load_run
from optrun.sweeps.directory import SweepDirectory
from optrun.sweeps.results.comparison import Comparison, compare
from optrun.sweeps.results.rows import ResultRow, write_results
from optrun.sweeps.space.candidates import Point
from optrun.sweeps.space.distributions import LogUniform, Uniform
from optrun.viz import sweep as viz
from optrun.viz.sensitivity import is_log
from optrun.viz.sweep import chosen_so_far, draw_sweep
from optrun.yaml_text import to_yaml
from tests.runs_factory import resolved_config, write_run
from tests.sweeps.results.rows import row

Figure = Any
NAME, LR, BATCH = "optimizer.name", "optimizer.lr", "training.batch_size"


@dataclass
class Made:
    """A sweep's directory, and what came of it."""

    directory: Path
    comparison: Comparison
    rows: list[ResultRow]


def sweep_figure(made: Made) -> Figure:
    return viz.sweep_figure(made.directory, made.comparison)


def make(
    root: Path,
    points: list[dict[str, Any]],
    values: list[list[Any]],
    metric: str = "val_accuracy",
    name: str = "rates",
    paused: Sequence[tuple[int, dict[str, Any]]] = (),
    epochs: int = 4,
    **options: Any,
) -> Made:
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
                runs[kind] = write_run(root, config, epochs=2 if kind[1] else epochs, **end).name
            status = {"status": "paused"} if (seed, point) in paused else {}
            there = runs.get(kind, "-")
            rows.append(replace(row(point, seed, value, metric), directory=there, **status))
    directory = SweepDirectory.named(root, name).path
    directory.mkdir(parents=True)
    keys = list(dict.fromkeys(k for p in points for k in p))
    return Made(directory, compare(rows, keys, metric, **options), rows)


def written(made: Made) -> Path:
    """The sweep's directory, with the files that are read of a sweep."""
    keys = list(dict.fromkeys(key for row in made.rows for key in row.settings))
    write_results(made.directory / "results.csv", made.rows, keys)
    block = {"sweep": {"metric": made.comparison.metric}}
    (made.directory / "sweep.yaml").write_text(to_yaml(block), encoding="utf-8")
    return made.directory


def two_optimizers(root: Path, **options: Any) -> Made:
    points = [{NAME: name, LR: lr} for name in ("adam", "sgd") for lr in (0.001, 0.01, 0.1)]
    values = [[0.5, 0.6], [0.8, 0.9], [0.7, 0.7], [0.4, 0.4], [0.5, 0.5], [0.6, 0.8]]
    return make(root, points, values, **options)


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for item in figure.legends for text in item.get_texts()]


def lines(axes: Any) -> list[Any]:
    """What joins points."""
    return [line for line in axes.lines if line.get_linestyle() != "None"]


def marked(axes: Any, *markers: str) -> list[list[float]]:
    """Where single marks of these kinds stand."""
    return [line.get_xydata()[0].tolist() for line in points_of(axes, *markers)]


def points_of(axes: Any, *markers: str) -> list[Any]:
    return [
        line
        for line in axes.lines
        if line.get_linestyle() == "None" and line.get_marker() in markers
    ]


MEANS = ("o", "s", "^", "D", "v", "P")


def test_the_best_settings_are_drawn_over_their_epochs(tmp_path: Path):
    figure = sweep_figure(two_optimizers(tmp_path))
    best, _ = figure.axes
    assert legend(figure) == [
        "adam\nbest: lr=0.01\n85.00 ± 7.07 % (2 seeds)",
        "sgd\nbest: lr=0.1\n70.00 ± 14.14 % (2 seeds)",
    ]
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
    seeds = np.concatenate([line.get_xydata() for line in points_of(axes, ".")])
    assert {(round(x, 9), round(y, 9)) for x, y in seeds} == {
        (0.001, 50), (0.001, 60), (0.01, 80), (0.01, 90), (0.1, 70),
        (0.001, 40), (0.01, 50), (0.1, 60), (0.1, 80),
    }  # fmt: skip
    assert axes.get_xscale() == "log" and axes.get_xlabel() == "learning rate"
    for group in (adam, sgd):
        assert group.get_color() in [line.get_color() for line in lines(figure.axes[0])]


def test_all_settings_are_shown_over_every_number(tmp_path: Path):
    points = [{LR: lr, BATCH: size} for lr in (0.1, 0.2) for size in (8, 64)]
    figure = sweep_figure(make(tmp_path, points, [[0.5], [0.6], [0.8], [0.7]]))
    rate, batch = figure.axes[1:]
    (line,) = lines(rate)
    np.testing.assert_allclose(line.get_xydata(), [[0.1, 60], [0.2, 80]], err_msg="the best")
    means = [[0.1, 50], [0.1, 60], [0.2, 80], [0.2, 70]]
    np.testing.assert_allclose(sorted(marked(rate, *MEANS)), sorted(means))
    assert rate.get_xscale() == "linear", "less than a decade"
    (line,) = lines(batch)
    np.testing.assert_allclose(line.get_xydata(), [[8, 80], [64, 70]])
    assert batch.get_xlabel() == "batch_size"


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        ([1, 5, 10, 15, 20], False),
        (list(range(1, 40, 3)), False),
        ([8, 16, 32, 64, 128], True),
        ([1, 10, 100], True),
        ([0.001, 0.01, 0.1], True),
        ([0.1, 0.2, 0.4], False),
        ([0.0, 0.1, 10.0], False),
    ],
)
def test_numbers_are_logarithmic_if_they_grow_by_factors(tried: list[float], expected: bool):
    assert is_log("a", tried, ()) == expected


@pytest.mark.parametrize(
    ("drawn", "expected"), [(Uniform(0.01, 1), False), (LogUniform(0.01, 1), True)]
)
def test_drawn_numbers_have_the_scale_they_were_drawn_on(drawn: Any, expected: bool):
    assert is_log("a", [0.01, 0.3, 0.5], [Point(0, {}, {"a": drawn})]) == expected


def test_penalties_with_a_0_among_them_are_spread_evenly(tmp_path: Path):
    points = [{"regularization.l2": l2} for l2 in (0.0, 1e-4, 1e-3, 1e-2)]
    axes = sweep_figure(make(tmp_path, points, [[0.5], [0.6], [0.8], [0.7]])).axes[1]
    assert (axes.get_xscale(), axes.get_xlabel()) == ("symlog", "l2")
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "0.0001", "0.001", "0.01"]


def test_settings_come_in_the_order_of_their_numbers_each_in_a_colour_of_its_own(tmp_path: Path):
    rates = [0.3, 0.001, 0.1, 0.03, 0.01, 1.0, 3.0, 10.0]
    made = make(tmp_path, [{LR: lr} for lr in rates], [[0.5 + lr / 100] for lr in rates])
    figure = sweep_figure(made)
    ordered = [text.partition("\n")[0] for text in legend(figure)]
    assert ordered == [f"lr={lr:g}" for lr in sorted(rates)]
    colours = {tuple(line.get_color()) for line in lines(figure.axes[0])}
    assert len(colours) == len(rates)


@pytest.mark.parametrize("count", [7, 8, 12])
def test_no_two_groups_have_the_same_colour(tmp_path: Path, count: int):
    points = [{NAME: f"rule-{i:02}"} for i in range(count)]
    figure = sweep_figure(make(tmp_path, points, [[0.5 + i / 100] for i in range(count)]))
    drawn = lines(figure.axes[0])
    assert len({str(line.get_color()) for line in drawn}) == len(drawn) == min(count, 10)


def test_long_numbers_have_three_digits(tmp_path: Path):
    points = [{LR: 10**-i / 3, "regularization.dropout": 0.1234567 * i} for i in (1, 2)]
    figure = sweep_figure(make(tmp_path, points, [[0.5], [0.6]]))
    assert [text.partition("\n")[0] for text in legend(figure)] == [
        "lr=0.00333, dropout=0.247", "lr=0.0333, dropout=0.123",
    ]  # fmt: skip
    assert [axes.get_xlabel() for axes in figure.axes[1:]] == ["learning rate", "dropout"]


@pytest.mark.parametrize(("values", "stars"), [([[0.9, 0.9], [0.1, 0.1]], 1), ([[0.9], [0.1]], 0),
                                               ([[0.9, 0.7], [0.8, 0.7]], 0)])  # fmt: skip
@pytest.mark.parametrize("points", [[{LR: 0.1}, {LR: 0.2}], [{NAME: "adam"}, {NAME: "sgd"}]])
def test_a_star_stands_only_where_the_lead_holds(
    tmp_path: Path, values: Any, stars: int, points: Any
):
    values = [[v + 0.01 * (i % 2) for i, v in enumerate(each)] for each in values]
    figure = sweep_figure(make(tmp_path, points, values))
    assert len(points_of(figure.axes[1], "*")) == stars
    assert legend(figure)[2:] == ["best of all, and its lead holds"] * stars


def test_a_function_has_a_star_without_seeds(tmp_path: Path):
    made = make(tmp_path, [{LR: 0.1}, {LR: 0.2}], [[0.5], [0.25]], "train_loss",
                depends_on_seed=False)  # fmt: skip
    figure = sweep_figure(made)
    np.testing.assert_allclose(marked(figure.axes[1], "*"), [[0.2, 0.25]])
    assert "seed" not in " ".join(legend(figure))


def measured(root: Path, metric: str, config: dict[str, Any], **columns: list[Any]) -> Any:
    """A run whose metrics.csv has these columns."""
    path = write_run(root, resolved_config(**config), epochs=len(next(iter(columns.values()))) - 1)
    run = load_run(path)
    return replace(run, metrics=run.metrics.assign(**columns))


@pytest.mark.parametrize(
    ("metric", "best_by", "columns", "expected"),
    [
        ("val_accuracy", "val_accuracy", {"val_accuracy": [0.5, 0.7, 0.6, 0.8, 0.75]},
         [50, 70, 70, 80, 80]),
        ("val_loss", "val_accuracy",
         {"val_accuracy": [0.5, 0.7, 0.6, 0.7], "val_loss": [3.0, 2.0, 1.0, 0.5]},
         [3.0, 2.0, 2.0, 0.5]),
        ("val_loss", "val_loss", {"val_loss": [3.0, 1.0, 2.0]}, [3.0, 1.0, 1.0]),
        ("val_loss", "last", {"val_loss": [3.0, 1.0, 2.0]}, [3.0, 1.0, 2.0]),
        ("average_val_loss", "val_loss",
         {"val_loss": [3.0, 1.0, 2.0, 2.0], "average_val_loss": [np.nan, 3.0, 2.5, 2.7]},
         [3.0, 2.5, 2.5]),
    ],
)  # fmt: skip
def test_a_curve_is_at_the_epoch_chosen_so_far(
    tmp_path: Path, metric: str, best_by: str, columns: dict[str, list[Any]], expected: list[float]
):
    run = measured(tmp_path, metric, {"training__best_by": best_by}, **columns)
    curve = chosen_so_far(run, metric)
    np.testing.assert_allclose(curve[:, 1], expected)
    assert curve[-1, 0] == len(next(iter(columns.values()))) - 1


def test_a_curve_ends_at_the_figure_in_its_legend(tmp_path: Path):
    rows, ends = [], []
    for seed, epochs in enumerate((3, 6)):  # as early stopping leaves them
        config = resolved_config(seed=seed, training__best_by="val_accuracy")
        path = write_run(tmp_path, config, epochs=epochs)
        ends.append(float(load_run(path).metrics["val_accuracy"].max()))
        rows.append(replace(row({LR: 0.1}, seed, ends[-1], "val_accuracy"), directory=path.name))
    directory = SweepDirectory.named(tmp_path, "early").path
    directory.mkdir(parents=True)
    made = Made(directory, compare(rows, [LR], "val_accuracy"), rows)
    (line,) = lines(sweep_figure(made).axes[0])
    assert line.get_xdata()[-1] == 6
    assert line.get_ydata()[-1] == pytest.approx(100 * np.mean(ends))
    assert made.comparison.leader is not None and made.comparison.leader.mean is not None
    assert line.get_ydata()[-1] == pytest.approx(100 * made.comparison.leader.mean)


def test_runs_of_one_epoch_are_drawn_from_their_start(tmp_path: Path):
    made = make(tmp_path, [{NAME: "adam"}, {NAME: "sgd"}], [[0.5, 0.6], [0.7, 0.8]], epochs=1)
    best, settings = sweep_figure(made).axes[:2]
    assert [line.get_xdata().tolist() for line in lines(best)] == [[0, 1]] * 2
    low, high = best.get_xlim()
    assert -0.1 < low < 0 and 1 < high < 1.1
    assert len(points_of(settings, "o")) == 2 and len(points_of(settings, ".")) == 2


def test_settings_drawn_at_random_are_points_that_nothing_joins(tmp_path: Path):
    points = [{LR: 0.1 * i, "regularization.l2": 0.01 * (i % 4)} for i in range(1, 6)]
    made = make(tmp_path, points, [[0.5, 0.5 + 0.01 * i] for i in range(5)])
    rate = sweep_figure(made).axes[1]
    assert not lines(rate) and len(marked(rate, *MEANS)) == 5


def test_settings_paused_early_are_hollow_and_on_no_line(tmp_path: Path):
    points = [{LR: lr} for lr in (0.1, 0.2, 0.3, 0.4)]
    made = make(tmp_path, points, [[0.5], [0.6], [0.7], [0.9]], paused=[(0, points[1])])
    figure = sweep_figure(made)
    (joined,) = lines(figure.axes[1])
    np.testing.assert_allclose(joined.get_xydata(), [[0.1, 50], [0.3, 70], [0.4, 90]])
    hollow = [
        p for p in points_of(figure.axes[1], *MEANS) if str(p.get_markerfacecolor()) == "white"
    ]
    np.testing.assert_allclose([p.get_xydata()[0] for p in hollow], [[0.2, 60]])
    assert legend(figure)[-1] == "paused early, after fewer epochs"


def test_settings_paused_early_are_hollow_where_there_is_no_number_too(tmp_path: Path):
    points = [{NAME: name} for name in ("adam", "sgd")]
    figure = sweep_figure(make(tmp_path, points, [[0.5], [0.6]], paused=[(0, points[1])]))
    full, hollow = points_of(figure.axes[1], "o")
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
    made = make(tmp_path, [{LR: 0.1}, {LR: 0.2}], [[0.5, "diverged"], ["diverged"] * 2])
    figure = sweep_figure(made)
    assert legend(figure)[0] == "lr=0.1\n50.00 % (1 seed, 1 diverged ×)"
    assert len(marked(figure.axes[0], "X")) == 1


@pytest.mark.parametrize(("losses", "scale"), [([0.1, 0.5], "linear"), ([0.1, 5.0], "log")])
def test_losses_over_more_than_a_decade_are_logarithmic(tmp_path: Path, losses: Any, scale: str):
    made = make(tmp_path, [{LR: 0.1}, {LR: 0.2}], [[loss] for loss in losses], "val_loss")
    axes = sweep_figure(made).axes[1]
    assert axes.get_yscale() == scale
    assert axes.get_ylabel() == "validation loss (cross-entropy, nats)"


def test_without_numbers_each_setting_is_a_dot_with_its_figures(tmp_path: Path):
    points = [{NAME: name, "model.hidden": hidden} for name in ("adam", "sgd") for hidden in
              ([8], [64, 64])]  # fmt: skip
    values: list[list[Any]] = [[0.5, 0.7], [0.8, 0.9], [0.55, 0.57], ["diverged", "diverged"]]
    axes = sweep_figure(make(tmp_path, points, values)).axes[1]
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["adam, hidden=[8]", "adam, hidden=[64, 64]", "sgd, hidden=[8]",
                      "sgd, hidden=[64, 64]"]  # fmt: skip
    np.testing.assert_allclose(marked(axes, "o"), [[60, 0], [85, 1], [56, 2]])
    bars = [c.get_segments()[0][:, 0].tolist() for c in axes.collections]
    np.testing.assert_allclose(bars, [[50, 70], [80, 90], [55, 57]])
    (right,) = axes.child_axes
    assert [text.get_text() for text in right.get_yticklabels()] == [
        "60.00 ± 14.14 %, n = 2", "85.00 ± 7.07 %, n = 2", "56.00 ± 1.41 %, n = 2", "",
    ]  # fmt: skip
    assert [y for _, y in marked(axes, "X")] == [3]
    assert axes.get_ylim()[0] > axes.get_ylim()[1] and axes.get_title() == "all settings"


def test_of_very_many_settings_the_best_are_shown(tmp_path: Path):
    points = [{"name": f"n{i}", "model.hidden": [i] * i} for i in range(1, 31)]
    axes = sweep_figure(make(tmp_path, points, [[i / 100] for i in range(30)])).axes[1]
    assert axes.get_title() == "the best 12 of 30 settings"
    assert len(axes.get_yticklabels()) == 12
    assert max(x for x, _ in marked(axes, "o")) == pytest.approx(29)


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
        assert axes.get_window_extent().width > 0.7 / len(figure.axes) * figure.bbox.width
        assert axes.get_window_extent().height > 2.5 * figure.dpi
    title = figure._suptitle.get_window_extent()
    assert title.x0 >= 0 and title.x1 <= figure.bbox.x1


@pytest.mark.parametrize("value", ["diverged", "failed", "waiting"])
@pytest.mark.parametrize("keys", [{LR: 0.1}, {"model.hidden": [8]}])
def test_a_sweep_without_a_value_has_a_picture_that_says_so(
    tmp_path: Path, value: str, keys: dict[str, Any]
):
    other = {key: [16] if key == "model.hidden" else 1.0 for key in keys}
    made = make(tmp_path, [keys, other], [[value], [value]])
    figure = sweep_figure(made)
    assert "no values" in [text.get_text() for text in figure.axes[0].texts]
    path = draw_sweep(made.directory, made.comparison)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_sweep_of_no_runs_has_a_picture(tmp_path: Path):
    made = make(tmp_path, [], [])
    assert draw_sweep(made.directory, made.comparison).exists()


def test_a_chosen_run_that_is_gone_is_named(tmp_path: Path):
    made = two_optimizers(tmp_path)
    for path in tmp_path.glob("glyphs-mlp-*"):
        (path / "metrics.csv").write_text("")
    with pytest.raises(RunError, match=r"metrics\.csv is damaged"):
        sweep_figure(made)


def test_the_picture_is_the_same_each_time(tmp_path: Path):
    made = two_optimizers(tmp_path)
    path = made.directory / "sweep.png"
    assert draw_sweep(made.directory, made.comparison) == path
    before = path.read_bytes()
    assert draw_sweep(made.directory, made.comparison).read_bytes() == before
