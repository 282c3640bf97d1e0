"""curves.png: one run's loss, accuracy if it predicts labels, and learning rate over its steps."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optrun.store.reading import Run, load_run
from optrun.store.run_directory import RunDirectory
from optrun.viz import style
from optrun.viz.labels import describe, loss_label, wrap
from optrun.viz.rates import changes, learning_rates, steps_per_epoch
from optrun.viz.smoothing import moving_average

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TRAIN: dict[str, Any] = {"color": "#0072B2", "linestyle": "-", "marker": "o"}
VALIDATION: dict[str, Any] = {"color": "#D55E00", "linestyle": (0, (5, 1.6)), "marker": "s"}
AVERAGE: dict[str, Any] = {"color": "#009E73", "linestyle": (0, (2, 1)), "marker": "^"}
ACCURACIES = ["train_accuracy", "val_accuracy", "average_val_accuracy"]
LOSS_DECADES = 1.5
TITLE_WIDTH = 90  # letters that fit above the panels
NAME_WIDTH = 56  # letters of the run's name, which is larger
WINDOWS = 50  # neighbours count less with a distance of 1/50 of the logged steps


def draw_curves(directory: str | Path) -> Path:
    """Write the run's curves.png, whatever state the run is in, and return its path.

    Raises:
        RunError: the directory is no run, or a file of it is damaged or cannot be written.
    """
    run = load_run(directory)
    return style.save(curves_figure(run), RunDirectory(run.path).curves)


def update_curves(directory: str | Path) -> None:
    """Draw the run's curves unless the picture is newer than its last summary."""
    files = RunDirectory(Path(directory))
    summary = files.path / "summary.json"
    if not files.curves.exists() or files.curves.stat().st_mtime < summary.stat().st_mtime:
        draw_curves(directory)


def curves_figure(run: Run) -> "Figure":
    """The picture: panels above one another over a common axis of steps."""
    rows = [(draw_loss, 3.0), (draw_accuracy, 2.2), (draw_rate, 1.4)]
    if not has_accuracy(run):
        del rows[1]
    heights = [height for _, height in rows]
    figure = style.new_figure(7.2, 1.2 + sum(heights))
    panels = figure.subplots(len(rows), 1, sharex=True, height_ratios=heights)
    for panel, (draw, _) in zip(panels, rows, strict=True):
        draw(panel, run)
    loss, rate = panels[0], panels[-1]
    for panel in panels:
        style.plain_axes(panel)
        mark_chosen(panel, run)
        mark_divergence(panel, run)
        style.plain_numbers(panel.yaxis)
    rate.set_xlabel("step")
    style.whole_numbers(rate.xaxis)
    add_epochs(loss, run)
    show_whole_run(rate, run)
    write_title(loss, run)
    figure.align_ylabels(panels)
    handles = loss.get_legend_handles_labels()[0]
    if handles:
        style.legend_below(figure, handles)
    return figure


def has_accuracy(run: Run) -> bool:
    """Whether the run predicts labels, as far as it tells yet."""
    rows = run.metrics
    return bool(rows["train_accuracy"].notna().any() or rows["train_loss"].isna().all())


def draw_loss(axes: "Axes", run: Run) -> None:
    """Batch loss, faint, its moving average, and the losses of each epoch."""
    steps, metrics = run.steps, run.metrics
    batch = steps["loss"].where(np.isfinite(steps["loss"]))
    average = moving_average(batch, 1 - 1 / max(1, len(batch) / WINDOWS))
    if batch.notna().any():
        axes.plot(steps["step"], batch, color=style.FAINT, alpha=0.35, linewidth=0.7, zorder=1)
        axes.plot(
            steps["step"], average, color=style.FAINT, linewidth=1.3, label="batch, moving average"
        )
    draw_epochs(axes, metrics, "train_loss", "training", TRAIN)
    draw_epochs(axes, metrics, "val_loss", "validation", VALIDATION)
    draw_epochs(axes, metrics, "average_val_loss", "validation, averaged weights", AVERAGE)
    epochs = [metrics[c] for c in ("train_loss", "val_loss", "average_val_loss")]
    lines = np.concatenate([average, *epochs])
    if style.spans_decades(lines, LOSS_DECADES):
        axes.set_yscale("log", nonpositive="mask")
    fit_to_lines(axes, lines, batch.to_numpy())
    axes.set_ylabel(loss_label(run.config))
    say_if_empty(axes, lines)


def draw_accuracy(axes: "Axes", run: Run) -> None:
    """Accuracies of each epoch, in percent."""
    percent = run.metrics[["step", *ACCURACIES]].copy()
    percent[ACCURACIES] *= 100
    draw_epochs(axes, percent, "train_accuracy", "training", TRAIN)
    draw_epochs(axes, percent, "val_accuracy", "validation", VALIDATION)
    draw_epochs(axes, percent, "average_val_accuracy", "validation, averaged weights", AVERAGE)
    axes.set_ylabel("accuracy (%)")
    leave_out_start(axes, percent)
    say_if_empty(axes, percent[ACCURACIES].to_numpy().ravel())


def leave_out_start(axes: "Axes", percent: "pd.DataFrame") -> None:
    """Limits that show all epochs but the start, whose chance accuracy squeezes the others."""
    trained = percent[ACCURACIES].to_numpy()[1:]
    trained = trained[np.isfinite(trained)]
    if trained.size > 2 and trained.min() < trained.max():
        margin = 0.08 * (trained.max() - trained.min())
        axes.set_ylim(trained.min() - margin, trained.max() + margin)


def draw_rate(axes: "Axes", run: Run) -> None:
    """The learning rate of every step."""
    known = learning_rates(run)
    rates = known["lr"].to_numpy()
    shown = changes(known, "lr")
    axes.plot(shown["step"], shown["lr"], color=style.INK, linewidth=1.4, drawstyle="steps-pre")
    positive = rates[rates > 0]
    # The lowest tenth does not count: a cosine that ends in zero should look like a cosine.
    if positive.size and style.spans_decades(np.quantile(positive, [0.1, 1])):
        axes.set_yscale("log", nonpositive="mask")
    elif positive.size:
        axes.set_ylim(0, 1.15 * positive.max())
    axes.set_ylabel("learning rate")
    say_if_empty(axes, rates)


def draw_epochs(
    axes: "Axes", metrics: "pd.DataFrame", column: str, label: str, line: dict[str, Any]
) -> None:
    """One curve with a value an epoch, if it has any."""
    values = metrics[column].where(np.isfinite(metrics[column]))
    if values.notna().any():
        every = style.sparse_markers(len(values))
        axes.plot(
            metrics["step"], values, **line, label=label,
            linewidth=1.8, markersize=5, markevery=every, zorder=3,
        )  # fmt: skip


def fit_to_lines(axes: "Axes", lines: np.ndarray, batch: np.ndarray) -> None:
    """Limits that show the lines and all but the wildest hundredth of single batches."""
    shown = lines[np.isfinite(lines)]
    batch = batch[np.isfinite(batch)]
    if batch.size:
        shown = np.concatenate([shown, np.quantile(batch, [0.005, 0.995])])
    log = axes.get_yscale() == "log"
    if log:
        shown = np.log10(shown[shown > 0])
    if shown.size == 0 or shown.min() == shown.max():
        return
    low, high = shown.min(), shown.max()
    margin = 0.05 * (high - low)
    limits = np.array([low - margin, high + margin])
    axes.set_ylim(*(10.0**limits if log else limits))


def say_if_empty(axes: "Axes", values: np.ndarray) -> None:
    """Write in an empty panel that it is meant to be empty."""
    if not np.isfinite(values).any():
        axes.set_yticks([])
        axes.text(
            0.5, 0.5, "no values", transform=axes.transAxes, ha="center", va="center",
            color=style.FAINT,
        )  # fmt: skip


def mark_chosen(axes: "Axes", run: Run) -> None:
    """A line at the epoch whose weights were kept."""
    best = run.summary.get("best_epoch")
    chosen = run.metrics[run.metrics["epoch"] == best]
    if len(chosen):
        axes.axvline(
            chosen["step"].iloc[0], color=style.INK, linestyle=(0, (1, 2)), linewidth=1.2,
            label=f"chosen weights (epoch {best})", zorder=2,
        )  # fmt: skip


def mark_divergence(axes: "Axes", run: Run) -> None:
    """A × on the panel's upper edge at the step where the run diverged."""
    step = run.summary.get("diverged_step")
    if step is not None:
        axes.axvline(step, color=style.ALARM, linewidth=0.8, zorder=1)
        axes.plot(
            [step], [1], transform=axes.get_xaxis_transform(), clip_on=False, linestyle="none",
            marker="X", markersize=9, color=style.ALARM, markeredgecolor="white",
            label=f"diverged at step {step}", zorder=5,
        )  # fmt: skip


def add_epochs(axes: "Axes", run: Run) -> None:
    """A second axis on top that counts the same steps in epochs."""
    per_epoch = steps_per_epoch(run)
    if per_epoch:
        top = axes.secondary_xaxis(
            "top",
            functions=(
                lambda step: np.asarray(step) / per_epoch,
                lambda epoch: np.asarray(epoch) * per_epoch,
            ),
        )
        top.set_xlabel("epoch", fontsize=9)
        style.whole_numbers(top.xaxis)
        top.tick_params(labelsize=9, color=style.FAINT)


def show_whole_run(axes: "Axes", run: Run) -> None:
    """From step 0 to the last, with a little room; a run of no steps gets room as well."""
    reached = [run.metrics["step"].max(), run.steps["step"].max(), run.summary.get("diverged_step")]
    last = max((step for step in reached if step is not None and step > 0), default=1)
    axes.set_xlim(-0.03 * last, 1.03 * last)


def write_title(axes: "Axes", run: Run) -> None:
    """The run's name, and under it what was trained and how it ended."""
    summary = run.summary
    outcome = "" if summary["status"] == "finished" else f" ({summary['status']})"
    lines = textwrap.wrap(describe(run.config), TITLE_WIDTH)
    if summary.get("test_accuracy") is not None:
        lines.append(f"test accuracy {100 * summary['test_accuracy']:.2f} %")
    elif summary.get("test_loss") is not None:
        lines.append(f"test loss {summary['test_loss']:.4g}")
    words = "\n".join(style.printable(line) for line in lines)
    under = axes.set_title(words, fontsize=9.5, color=style.INK)
    name = f"{summary.get('name', run.path.name)}{outcome}"
    axes.annotate(
        style.printable(wrap(name, NAME_WIDTH, 2)),
        xy=(0.5, 1), xycoords=under, xytext=(0, 5), textcoords="offset points", ha="center",
        fontsize=13, fontweight="bold", color=style.INK,
    )  # fmt: skip
