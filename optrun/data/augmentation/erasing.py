"""Steps that black out a part of an image."""

from abc import abstractmethod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optrun.component import Count
from optrun.data.augmentation.boxes import Area, Ratio, around_a_pixel, fitting
from optrun.data.augmentation.step import Augmentation, Probability, Shape, crossed


class Blackout(Augmentation):
    """A step that sets the pixels of a rectangle to 0, the stored value of black."""

    @abstractmethod
    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> NDArray[np.int64]:
        """(count, 4): top, bottom, left, right of each image's rectangle; empty for none.

        Bottom and right are the first row and column after it.
        """


class Erasing(Blackout):
    """A rectangle of any size, shape and place blacked out, in a share of the images.

    Its share of the area is uniform in [min, max], the logarithm of its ratio of width to height
    uniform over [1/ratio, ratio] as far as such rectangles fit, its place uniform. Zhong et al.
    2020, who fill it with noise or the mean; PyTorch's RandomErasing, too, fills it with 0, but
    after normalization.
    """

    name: Literal["erasing"] = "erasing"
    probability: Probability = 0.5
    """Share of the images that lose a rectangle."""
    min: Area = 0.02
    """Least share of the image's area."""
    max: Area = 0.33
    """Greatest share of the image's area."""
    ratio: Ratio = 3.3
    """Greatest ratio of the rectangle's sides."""

    def problems(self, shape: Shape) -> dict[str, str]:
        return crossed(self.min, self.max)

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> NDArray[np.int64]:
        sides = fitting(random, random.uniform(self.min, self.max, count), self.ratio, shape)
        height, width = (np.maximum(np.rint(side), 1).astype(np.int64) for side in sides)
        top = random.integers(0, shape[1] - height, endpoint=True)
        left = random.integers(0, shape[2] - width, endpoint=True)
        bottom = np.where(random.random(count) < self.probability, top + height, top)
        return np.stack([top, bottom, left, left + width], axis=1)


class Cutout(Blackout):
    """A square of fixed size blacked out in every image.

    Its middle is any pixel with equal probability; what lies beyond the image is cut off.
    DeVries & Taylor 2017, who cut out 16 pixels of CIFAR-10's 32, after normalization.
    """

    name: Literal["cutout"] = "cutout"
    size: Count = 8
    """Side of the square, in pixels."""

    def problems(self, shape: Shape) -> dict[str, str]:
        side = min(shape[1:])
        if self.size <= side:
            return {}
        size = f"{shape[1]}×{shape[2]}"
        return {
            "size": f"{self.size} pixels are more than a {size} image has; write {side} or less"
        }

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> NDArray[np.int64]:
        return around_a_pixel(random, count, self.size, self.size, shape)
