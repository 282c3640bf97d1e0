"""Rectangles inside images, at random."""

from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from optrun.data.augmentation.step import Shape

Area = Annotated[float, Field(gt=0, le=1)]
"""A share of an image's area."""
Ratio = Annotated[float, Field(ge=1)]
"""How many times one side of a rectangle is as long as the other."""


def fitting(
    random: np.random.Generator, area: NDArray[np.float64], ratio: float, shape: Shape
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Heights and widths (n,), in pixels, of rectangles that fit into the image.

    Args:
        area: their shares of the image's area, (n,), above 0 and up to 1.
        ratio: width to height is between 1/ratio and ratio, its logarithm uniform over what of
            this fits; where nothing does, it is the nearest that fits.
    """
    _, height, width = shape
    narrowest, widest = area * (width / height), (width / height) / area
    least = np.clip(1 / ratio, narrowest, widest)
    greatest = np.clip(ratio, narrowest, widest)
    drawn = least * (greatest / least) ** random.random(area.size)
    pixels = area * (height * width)
    return np.sqrt(pixels / drawn), np.sqrt(pixels * drawn)


def around_a_pixel(
    random: np.random.Generator,
    count: int,
    height: NDArray[np.int64] | int,
    width: NDArray[np.int64] | int,
    shape: Shape,
) -> NDArray[np.int64]:
    """(count, 4): top, bottom, left, right of rectangles around pixels chosen at random.

    What lies beyond the image is cut off; bottom and right are the first row and column after.
    """
    top = random.integers(0, shape[1], count) - height // 2
    left = random.integers(0, shape[2], count) - width // 2
    rows = np.clip([top, top + height], 0, shape[1])
    columns = np.clip([left, left + width], 0, shape[2])
    return np.stack([*rows, *columns], axis=1)
