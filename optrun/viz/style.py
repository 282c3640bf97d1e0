"""The look that all pictures share: sizes, colours, line styles, scales, saving.

Figures are built without pyplot, so that drawing needs no display and changes no global state.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from optrun.errors import UserError
from optrun.store.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

DPI = 150
FORMATS = (".png", ".pdf", ".svg")
DECADES = 2.0

# Okabe and Ito's colours, which colour-blind readers tell apart, without the too light yellow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
INK, FAINT, ALARM = "#222222", "#8a8a8a", "#B00020"
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (5, 1.4, 1.2, 1.4)))
MARKERS = ("o", "s", "^", "D", "v", "P")
LEGEND: dict[str, Any] = {
    "loc": "outside lower center",
    "fontsize": 8.5,
    "title_fontsize": 8.5,
    "frameon": False,
}
COLUMNS = 5  # of a legend, at most


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure of this size in inches that lays itself out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = figure_type()(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@cache
def figure_type() -> "type[Figure]":
    """A figure that a notebook shows as the value of a cell, though pyplot does not know it."""
    from io import BytesIO

    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        def _repr_png_(self) -> bytes:
            content = BytesIO()
            self.savefig(content, format="png")
            return content.getvalue()

    return NotebookFigure


def plain_axes(axes: "Axes") -> None:
    """Take away what carries no information."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, which="major", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", labelsize=9, color=FAINT)
    axes.tick_params(which="minor", pad=5)  # shorter ticks, labels on one line with the others


def plain_numbers(axis: "Axis") -> None:
    """Write numbers in full, without a common factor, where powers of ten are not shorter."""
    from matplotlib.ticker import FuncFormatter, ScalarFormatter

    low, high = axis.get_view_interval()
    if axis.get_scale() == "linear" and max(-low, high) < 1e6:
        formatter = ScalarFormatter(useOffset=False)
        formatter.set_scientific(False)
        axis.set_major_formatter(formatter)
    elif axis.get_scale() == "linear":
        axis.set_major_formatter("{x:g}")
    elif low > 1e-4 and high < 1e5:
        digits = log_digits(low, high)
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(FuncFormatter(lambda x, _: f"{x:g}" if digits(x) else ""))


def log_digits(low: float, high: float) -> Callable[[float], bool]:
    """Which ticks between powers of ten to label, so that there is room: all, 2 and 5, or none."""
    decades = np.log10(high / low)
    if decades < 0.8:
        return lambda x: True
    labelled = {2, 5} if decades < 2.5 else set()
    return lambda x: round(x / 10 ** np.floor(np.log10(x) + 1e-9)) in labelled


def whole_numbers(axis: "Axis") -> None:
    """Ticks at whole numbers only, on an axis that counts and is not logarithmic."""
    from matplotlib.ticker import MaxNLocator

    if axis.get_scale() != "log":
        axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))


def legend_below(figure: "Figure", handles: Sequence[Any], title: str | None = None) -> None:
    """A legend under the axes, where it covers nothing; the figure grows by its height."""
    labels = [handle.get_label() for handle in handles]
    width, height = figure.get_size_inches()
    count = len(labels)
    evenly = {math.ceil(count / math.ceil(count / columns)) for columns in range(1, COLUMNS + 1)}
    for columns in sorted(evenly, reverse=True):
        legend = figure.legend(handles, labels, ncols=columns, title=title, **LEGEND)
        size = legend.get_window_extent()
        if size.width <= figure.bbox.width or columns == 1:
            break
        legend.remove()
    figure.set_size_inches(width, height + size.height / DPI)


def line_styles(count: int, ordered: bool = False) -> list[dict[str, Any]]:
    """Styles for `count` curves: no colour twice; up to 24 differ in dash or marker as well.

    The colours of `ordered` curves go from dark to light.
    """
    if count <= len(COLOURS) and not ordered:
        colours: list[Any] = list(COLOURS[:count])
    else:
        import matplotlib

        colours = list(matplotlib.colormaps["viridis"](np.linspace(0, 0.9, count)))
    return [
        {"color": colour, "linestyle": DASHES[i % 4], "marker": MARKERS[(i + i // 12) % 6]}
        for i, colour in enumerate(colours)
    ]


def sparse_markers(points: int) -> int:
    """Every how many points to set a marker, so that some ten are on the line."""
    return max(1, points // 10)


def spans_decades(values: np.ndarray, decades: float = DECADES) -> bool:
    """Whether the positive values among `values` range over more than so many powers of ten."""
    positive = values[np.isfinite(values) & (values > 0)]
    return positive.size > 0 and bool(np.log10(positive.max() / positive.min()) > decades)


@cache
def drawable() -> frozenset[int]:
    """The characters that the font of the pictures has."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())


def printable(text: str) -> str:
    """`text` as it can be drawn: no mathematics in dollars, no characters the font lacks."""
    known = drawable() | {ord("\n")}
    shown = "".join(letter if ord(letter) in known else "?" for letter in text)
    # Matplotlib leaves labels that begin with an underscore out of legends.
    return (" " + shown if shown.startswith("_") else shown).replace("$", r"\$")


def check_format(path: Path) -> None:
    """Raise a UserError unless the suffix of `path` is a format that pictures are written in."""
    if path.suffix.lower() not in FORMATS:
        raise UserError(
            f"{path}: pictures are written as {', '.join(FORMATS)}; end the name in one of them"
        )


def save(figure: "Figure", path: Path) -> Path:
    """Write the figure to `path` in the format of its suffix, whole or not at all."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=DPI)
    return path
