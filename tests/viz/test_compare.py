"""Comparison pictures: curves, labels, bands, marks, and what is refused."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optrun.errors import RunError, UserError
from optrun.store.reading import load_run
from optrun.store.run_directory import RunDirectory
from optrun.viz.compare import compare, compare_figure
from tests.runs_factory import SGD, resolved_config, write_run


def rates(root: Path, count: int) -> list[Path]:
    """`count` runs that differ in their rate."""
    return [write_run(root, resolved_config(optimizer__lr=0.5 / 2**i)) for i in range(count)]


def diverged(root: Path, **settings: Any) -> Path:
    config = resolved_config(optimizer__lr=5.0, **settings)
    return write_run(root, config, epochs=2, diverged_step=287, status="diverged")


def legend(figure: Any) -> list[str]:
    legends = [axes.get_legend() for axes in figure.axes] + figure.legends
    return [text.get_text() for item in legends if item for text in item.get_texts()]


def labelled(figure: Any) -> list[Any]:
    return [line for line in figure.axes[0].lines if not line.get_label().startswith("_")]


def test_curves_are_the_runs_under_their_labels(tmp_path: Path):
    paths = [*rates(tmp_path, 2), write_run(tmp_path, resolved_config(optimizer=SGD))]
    figure = compare_figure(paths)
    assert legend(figure) == ["adam, lr=0.25", "adam, lr=0.5", "sgd, lr=0.1"]
    for line, path in zip(labelled(figure), [paths[1], paths[0], paths[2]], strict=True):
        metrics = load_run(path).metrics
        np.testing.assert_array_equal(line.get_xdata(), metrics["epoch"])
        np.testing.assert_array_equal(line.get_ydata(), metrics["val_loss"])
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "epoch", "validation loss (cross-entropy, nats)",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "x", "points", "label"),
    [
        ("loss", "step", 100, "batch loss (cross-entropy, nats)"),
        ("lr", "epoch", 2, "learning rate"),
        ("val_accuracy", "seconds", 11, "validation accuracy (%)"),
        ("update_norm", "step", 10, "update norm"),
    ],
)
def test_any_column_of_either_table(tmp_path: Path, metric: str, x: str, points: int, label: str):
    figure = compare_figure(rates(tmp_path, 2), metric=metric, x=x)
    assert len(labelled(figure)[0].get_xdata()) == points
    assert figure.axes[0].get_ylabel() == label


def test_accuracies_are_in_percent(tmp_path: Path):
    (path,) = rates(tmp_path, 1)
    drawn = labelled(compare_figure([path], metric="val_accuracy"))[0].get_ydata()
    np.testing.assert_allclose(drawn, 100 * load_run(path).metrics["val_accuracy"])


def test_log_axes(tmp_path: Path):
    axes = compare_figure(rates(tmp_path, 2), log_x=True, log_y=True).axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_a_log_axis_without_positive_values_is_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"no value on the horizontal .* --log-x"):
        compare_figure([write_run(tmp_path, epochs=0)], log_x=True)
    with pytest.raises(UserError, match=r"no value on the vertical .* --log-y"):
        compare_figure(rates(tmp_path, 1), metric="penalty", log_y=True)


def test_smoothing_keeps_the_values_faint(tmp_path: Path):
    (path,) = rates(tmp_path, 1)
    figure = compare_figure([path], metric="loss", smooth=0.9)
    raw, smooth = figure.axes[0].lines
    np.testing.assert_array_equal(raw.get_ydata(), load_run(path).steps["loss"])
    assert raw.get_alpha() < 0.5 and smooth.get_alpha() is None
    assert np.std(np.diff(smooth.get_ydata())) < 0.3 * np.std(np.diff(raw.get_ydata()))
    assert figure.legends[0].get_title().get_text() == "moving average 0.9, values faint"


def test_smoothing_seeds_keeps_their_mean_faint(tmp_path: Path):
    paths = [write_run(tmp_path, resolved_config(seed=seed)) for seed in range(3)]
    raw, smooth = compare_figure(paths, metric="loss", smooth=0.9).axes[0].lines
    losses = np.array([load_run(path).steps["loss"] for path in paths])
    np.testing.assert_allclose(raw.get_ydata(), losses.mean(axis=0))
    assert raw.get_alpha() < 0.5 and smooth.get_label() != raw.get_label()


def test_smoothing_leaves_learning_rates_exact(tmp_path: Path):
    path = write_run(tmp_path, rates=np.repeat([0.1, 0.01], 500))
    figures = [compare_figure([path], "lr", smooth=smooth) for smooth in (0.0, 0.9)]
    one, other = (figure.axes[0].lines[0].get_xydata().tolist() for figure in figures)
    assert one == other and not figures[1].legends[0].get_title().get_text()


def test_each_metric_has_a_panel_with_the_same_looks(tmp_path: Path):
    without = write_run(tmp_path, resolved_config(optimizer__lr=9.0), validation=False)
    paths = [*rates(tmp_path, 2), without]
    with pytest.warns(UserWarning, match="no value of val_accuracy"):
        figure = compare_figure(paths, ["train_loss", "val_accuracy", "train_loss"])
    top, bottom = figure.axes
    assert top.get_ylabel().startswith("training loss") and not top.get_xlabel()
    assert (bottom.get_xlabel(), bottom.get_ylabel()) == ("epoch", "validation accuracy (%)")
    assert top.get_xlim() == bottom.get_xlim()
    assert legend(figure) == ["lr=0.25", "lr=0.5", "lr=9"]
    looks = [
        [(line.get_label(), line.get_color(), line.get_marker()) for line in axes.lines]
        for axes in (top, bottom)
    ]
    assert len(looks[0]) == 3 and looks[1] == looks[0][:2]


def test_labels_of_panels_do_not_reach_into_each_other(tmp_path: Path):
    metrics = ["average_val_accuracy", "loss", "average_train_loss"]
    path = rates(tmp_path, 1)[0]
    table = load_run(path).metrics
    table[["average_val_accuracy", "average_train_loss"]] = 0.0
    with RunDirectory(path).open_metrics() as file:
        file.append(table.astype(object).where(table.notna(), None).to_dict("records"))
    figure = compare_figure([path], metrics, log_y=False, smooth=0.9)
    figure.draw_without_rendering()
    boxes = [axes.yaxis.label.get_window_extent() for axes in figure.axes]
    assert all(upper.y0 > lower.y1 for upper, lower in pairwise(boxes))
    assert all(box.x0 >= 0 for box in boxes)


def test_a_single_epoch_is_drawn_from_0_to_1(tmp_path: Path):
    path = write_run(tmp_path, epochs=1)
    for metric in ("val_loss", "update_norm"):
        low, high = compare_figure([path], metric).axes[0].get_xlim()
        assert -0.1 < low < 0 and 1 < high < 1.1


@pytest.mark.parametrize("damage", ["summary.json", "metrics.csv", "config.yaml"])
def test_an_unreadable_run_among_others_is_named_and_left_out(tmp_path: Path, damage: str):
    paths = rates(tmp_path, 3)
    (paths[1] / damage).write_text("{")
    with pytest.warns(UserWarning, match=rf"left out: .*{paths[1].name}.{damage}"):
        assert len(legend(compare_figure(paths))) == 2
    with pytest.raises(RunError, match=damage):
        compare_figure([paths[1]])
    with pytest.raises(RunError, match="there is no run"):
        compare_figure([paths[0], tmp_path / "absent"])


def told(paths: list[Path], metric: Any = None) -> str:
    said: list[str] = []
    compare(paths, metric, out=paths[0].parent / "x.png", tell=said.append)
    return said[0]


def test_what_was_drawn_is_told(tmp_path: Path):
    paths = [write_run(tmp_path, resolved_config(seed=seed)) for seed in range(3)]
    band = "mean over seeds, band from min to max"
    assert told(paths[:1]) == "drew 1 run"
    assert told(paths) == f"drew 3 runs as 1 curve, which differ in seed alone; {band}"
    sgd = write_run(tmp_path, resolved_config(optimizer=SGD, regularization__dropout=0.5))
    assert told([*paths[:1], sgd]) == "drew 2 runs, which differ in optimizer, lr and dropout"
    assert told([*paths, sgd, diverged(tmp_path)], ["val_loss", "train_loss"]) == (
        f"drew 5 runs as 3 curves, which differ in optimizer, lr and dropout; {band}; 1 diverged, ×"
    )


def test_seeds_become_a_mean_in_a_band(tmp_path: Path):
    paths = [write_run(tmp_path, resolved_config(seed=seed)) for seed in range(3)]
    figure = compare_figure([*paths, *rates(tmp_path, 1)])
    assert legend(figure) == ["lr=0.001 (3 seeds)", "seed=0, lr=0.5"]
    axes = figure.axes[0]
    title = figure.legends[0].get_title().get_text()
    assert title == "mean over seeds, band from min to max"
    losses = np.array([load_run(path).metrics["val_loss"] for path in paths])
    np.testing.assert_allclose(labelled(figure)[0].get_ydata(), losses.mean(axis=0))
    (band,) = axes.collections
    edges = band.get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([edges.min(), edges.max()], [losses.min(), losses.max()])


def test_the_mean_ends_where_the_first_seed_ends_and_the_others_go_on_alone(tmp_path: Path):
    paths = [
        write_run(tmp_path, resolved_config(seed=seed), epochs=epochs)
        for seed, epochs in enumerate([10, 6, 10])
    ]
    figure = compare_figure(paths)
    assert labelled(figure)[0].get_xdata()[-1] == 6
    alone = [line for line in figure.axes[0].lines if line.get_xdata()[-1] == 10]
    assert len(alone) == 2 and all(line.get_xdata()[0] == 6 for line in alone)


def test_a_seed_that_diverged_without_a_value_hides_no_other(tmp_path: Path):
    none = write_run(tmp_path, epochs=0, diverged_step=3, status="diverged", start_loss=np.nan)
    other = write_run(tmp_path, resolved_config(seed=1))
    axes = compare_figure([none, other]).axes[0]
    assert max(len(line.get_xdata()) for line in axes.lines) == 11


def test_equal_configs_fall_back_to_name_and_id(tmp_path: Path):
    paths = [write_run(tmp_path / str(i), resolved_config(name=f"n{i}")) for i in range(2)]
    assert legend(compare_figure(paths)) == [path.name for path in paths]


def test_equal_configs_with_long_names_keep_their_ids(tmp_path: Path):
    name = "a-name-that-is-long-" * 10
    path = write_run(tmp_path / "0", resolved_config(name=name))
    other = write_run(tmp_path / "1", resolved_config(name=name, training__log_every=2))
    texts = [text.replace("\n", "") for text in legend(compare_figure([path, other]))]
    assert sorted(text[-10:] for text in texts) == sorted(p.name[-10:] for p in (path, other))


def test_a_run_named_twice_is_drawn_once(tmp_path: Path):
    (path,) = rates(tmp_path, 1)
    assert len(legend(compare_figure([path, path / ".." / path.name]))) == 1


@pytest.mark.parametrize("metric", ["val_loss", "loss"])
def test_a_diverged_run_is_drawn_as_far_as_it_got(tmp_path: Path, metric: str):
    figure = compare_figure([*rates(tmp_path, 1), diverged(tmp_path)], metric=metric, x="step")
    assert legend(figure) == ["lr=0.5", "lr=5 (× diverged at step 287)"]
    line = labelled(figure)[1]
    (cross,) = [item for item in figure.axes[0].lines if item.get_marker() == "X"]
    assert cross.get_xydata()[0].tolist() == line.get_xydata()[-1].tolist()
    assert line.get_xdata()[-1] == (200 if metric == "val_loss" else 280)


def test_a_diverged_run_without_any_value_stays_in_the_legend(tmp_path: Path):
    path = write_run(tmp_path, epochs=0, diverged_step=3, status="diverged", start_loss=np.nan)
    assert legend(compare_figure([path]))[0].endswith("(× diverged at step 3)")


def test_diverged_seeds_are_counted(tmp_path: Path):
    paths = [diverged(tmp_path), write_run(tmp_path, resolved_config(optimizer__lr=5.0, seed=1))]
    assert legend(compare_figure(paths)) == [f"{paths[0].name}\n(2 seeds, 1 diverged ×)"]


@pytest.mark.parametrize("count", [7, 8, 10, 14, 24])
def test_many_runs_differ_in_colour_and_without(tmp_path: Path, count: int):
    lines = labelled(compare_figure([write_run(tmp_path, resolved_config(optimizer__lr=0.5 / 2**i),
                                               epochs=1) for i in range(count)]))  # fmt: skip
    assert len({(str(line._dash_pattern), line.get_marker()) for line in lines}) == count
    assert len({str(line.get_color()) for line in lines}) == count


def many_settings(root: Path, index: int) -> Path:
    """A run that differs in eight settings from those of other indices."""
    return write_run(root, resolved_config(
        name=f"name-{index}", seed=index, dtype=f"float{32 + index}", model__hidden=[64] * index,
        optimizer__lr=0.1 / 2**index, optimizer__eps=10.0**-index, regularization__l2=0.1 * index,
        training__epochs=index + 1, training__batch_size=2**index, training__log_every=index + 1,
    ), epochs=2)  # fmt: skip


@pytest.mark.parametrize(
    ("runs", "count"), [(many_settings, 2), (many_settings, 9), (None, 3), (None, 14), (None, 40)]
)
def test_a_legend_is_whole_and_covers_nothing(tmp_path: Path, runs: Any, count: int):
    paths = [runs(tmp_path, i) for i in range(count)] if runs else rates(tmp_path, count)
    figure = compare_figure(paths)
    figure.draw_without_rendering()
    (axes,), (below,) = figure.axes, figure.legends
    box, frame = below.get_window_extent(), axes.get_tightbbox()
    assert box.y1 <= frame.y0 and box.y0 >= 0
    assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
    assert frame.x0 >= 0 and frame.x1 <= figure.bbox.x1
    assert figure.get_size_inches()[0] == 8
    assert axes.get_window_extent().width > 0.85 * figure.bbox.width
    assert axes.get_window_extent().height > 4 * figure.dpi
    assert not any(word in text for text in legend(figure) for word in ("log_every", "name="))


def test_order_and_looks_depend_on_the_labels_alone(tmp_path: Path):
    paths = rates(tmp_path, 5)
    shuffled = [paths[i] for i in (3, 0, 4, 2, 1)]
    looks = [
        [(line.get_label(), line.get_color(), line.get_marker()) for line in labelled(figure)]
        for figure in (compare_figure(paths), compare_figure(shuffled))
    ]
    assert looks[0] == looks[1]
    assert [label for label, *_ in looks[0]] == [
        f"lr={rate}" for rate in (0.03125, 0.0625, 0.125, 0.25, 0.5)
    ]


def test_a_logarithmic_axis_says_what_it_cannot_show(tmp_path: Path):
    paths = rates(tmp_path, 2)
    axes = compare_figure(paths, log_x=True).axes[0]
    assert axes.get_xlabel() == "epoch, logarithmic: 0 is not shown"
    start = max(load_run(path).metrics["val_loss"][0] for path in paths)
    assert axes.get_ylim()[1] < start, "a value that is not shown sets no limits"
    assert compare_figure(paths, log_x=True, metric="loss").axes[0].get_xlabel() == "epoch"


@pytest.mark.parametrize("epochs", [1, 2, 3, 10])
def test_epochs_are_ticked_at_whole_numbers(tmp_path: Path, epochs: int):
    figure = compare_figure([write_run(tmp_path, epochs=epochs)])
    ticks = figure.axes[0].get_xticks()
    assert len(ticks) > 1 and all(tick == round(tick) for tick in ticks)


@pytest.mark.parametrize("start", [0.02, 0.7, 2.3, 60.0, 3000.0])
def test_logarithmic_ticks_are_written_in_one_way(tmp_path: Path, start: float):
    figure = compare_figure([write_run(tmp_path, start_loss=start)], log_y=True)
    figure.draw_without_rendering()
    axis = figure.axes[0].yaxis
    texts = [t.get_text() for t in axis.get_ticklabels(which="both") if t.get_text()]
    assert len(texts) > 1
    assert not [text for text in texts if "e" in text or "10^" in text]


def test_an_unknown_metric_names_the_nearest_and_all(tmp_path: Path):
    with pytest.raises(RunError, match=r"val_los; did you mean val_loss\? There are .*grad_norm"):
        compare_figure(rates(tmp_path, 1), metric="val_los")


def test_a_run_without_the_metric_is_named_and_hides_no_other(tmp_path: Path):
    without = write_run(tmp_path, resolved_config(seed=9), validation=False)
    with pytest.warns(UserWarning, match=rf"{without.name} has no value of val_loss"):
        figure = compare_figure([without, *rates(tmp_path, 2)])
    assert legend(figure) == ["lr=0.25", "lr=0.5"]
    with pytest.raises(RunError, match=r"no run here has a value of val_loss.*train_loss"):
        compare_figure([without], "val_loss")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"x": "time"}, "--x is time.*epoch, step, seconds"),
        ({"smooth": 1.0}, "--smooth is 1.*not including, 1"),
        ({"smooth": float("nan")}, "not including, 1"),
        ({"out": "x.jpg"}, r"\.png, \.pdf, \.svg"),
        ({"directories": []}, "no run is named"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path: Path, arguments: dict, says: str):
    given: dict[str, Any] = {"directories": rates(tmp_path, 1)} | arguments
    with pytest.raises(UserError, match=says):
        compare(**given)


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")]
)
def test_the_suffix_is_the_format(tmp_path: Path, suffix: str, magic: bytes):
    out = tmp_path / f"picture{suffix}"
    assert compare(rates(tmp_path, 2), out=out) == out
    assert out.read_bytes().startswith(magic)


def test_by_default_the_picture_is_named_by_the_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert compare(rates(tmp_path, 1), metric="train_loss") == Path("train_loss.png")
    assert (tmp_path / "train_loss.png").exists()
