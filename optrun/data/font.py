"""A font of ten digits: pen strokes, and how far every point is from them."""

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Stroke = list[tuple[float, float]]

HALF = 14
"""The box of a digit reaches from −HALF to HALF in x (right) and y (down)."""
FINENESS = 6
"""Samples of the distance field for one unit of length: enough to read the nearest one."""
SPAN = 2 * HALF * FINENESS + 1
"""Samples along one side of a digit's box."""


def _arc(x: float, y: float, width: float, height: float, start: int, end: int) -> Stroke:
    """A piece of the ellipse around (x, y) with these half-axes; degrees, 270 is the top."""
    angles = np.radians(np.linspace(start, end, abs(end - start) // 18 + 1))
    return list(zip(x + width * np.cos(angles), y + height * np.sin(angles), strict=True))


_SIX = [_arc(0, 3.8, 4.8, 5.2, 0, 360), _arc(5.5, 3.5, 10.3, 12.5, 180, 262)]

DIGITS: list[list[Stroke]] = [
    [_arc(0, 0, 5, 9, 0, 360)],
    [[(-3, -5.5), (0.5, -9), (0.5, 9)]],
    [[*_arc(0, -4.5, 4.8, 4.5, 190, 395), (-5, 9), (5, 9)]],
    [[*_arc(-0.4, -4.6, 4.4, 4.4, 200, 450), *_arc(-0.4, 4.4, 5, 4.6, 288, 520)]],
    [[(2, 9), (2, -9), (-5.5, 3.5), (5.5, 3.5)]],
    [[(4.2, -9), (-3.6, -9), (-4.2, -1), *_arc(-0.2, 3.2, 5, 5.8, 222, 510)]],
    _SIX,
    [[(-5, -9), (5, -9), (-1.5, 9)]],
    [_arc(0, -4.6, 4, 4.4, 0, 360), _arc(0, 4.4, 5, 4.6, 0, 360)],
    [[(-x, -y) for x, y in stroke] for stroke in _SIX],
]
"""The strokes of 0 to 9, each a polyline, within a box about 11 wide and 18 high."""


@cache
def distance_fields() -> NDArray[np.float32]:
    """Distance to the nearest stroke, (SPAN, 10·SPAN): the digits' boxes side by side."""
    fields = np.hstack([_distance_field(strokes) for strokes in DIGITS])
    fields.flags.writeable = False
    return fields


def _distance_field(strokes: list[Stroke]) -> NDArray[np.float32]:
    axis = np.linspace(-HALF, HALF, SPAN, dtype=np.float32)
    x, y = axis[None, :], axis[:, None]
    nearest = np.full((SPAN, SPAN), np.inf, np.float32)
    for stroke in strokes:
        for start, end in pairwise(stroke):
            np.minimum(nearest, _squared_distance(x, y, start, end), out=nearest)
    return np.sqrt(nearest)


def _squared_distance(x: Any, y: Any, start: Any, end: Any) -> NDArray[np.float32]:
    """From the points (x, y) to the segment between start and end."""
    (x0, y0), (dx, dy) = start, np.subtract(end, start).astype(np.float32)
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
    return (x - x0 - along * dx) ** 2 + (y - y0 - along * dy) ** 2
