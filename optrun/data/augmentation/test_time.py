"""Augmentation when evaluating: an image is seen several times and its scores are averaged."""

from abc import abstractmethod
from typing import Literal

import numpy as np

from optrun.component import Component, Count, table
from optrun.data.augmentation.geometry import Maps, too_wide
from optrun.data.augmentation.step import Shape
from optrun.data.augmentation.views import Views, no_views, with_maps


class Crops(Component):
    """Crops of the image's own size from the image with a black border."""

    padding: Count = 4
    """Width of the border on every side, in pixels."""

    @abstractmethod
    def maps(self) -> list[Maps]:
        """Each crop as a map for all images."""

    def problems(self, shape: Shape | None) -> dict[str, str]:
        """What is wrong with it on such data, by field; ``""`` is all of it."""
        if shape is None:
            return {"": f"`{self.name}` crops images, and these examples are none; write `null`"}
        return too_wide(self.padding, shape)

    def views(self, shape: Shape, rows: int) -> Views:
        """Views with the first crop at positions 0 … rows − 1, the second from `rows` on, …"""
        maps = np.concatenate([crop.in_pixels(rows, shape) for crop in self.maps()])
        return with_maps(no_views()._replace(shape=np.array(shape, np.int64)), maps)


class FiveCrops(Crops):
    """The scores of five crops averaged: the image itself and the corners of its padded self.

        (x, y) ← (x, y) + (u, v),   (u, v) = (0, 0), (±padding, ±padding)

    In validation and test; training sees its own augmentation.
    """

    name: Literal["five_crops"] = "five_crops"

    def maps(self) -> list[Maps]:
        return middle_and_corners(self.padding)


class TenCrops(Crops):
    """The scores of ten crops averaged: those of `five_crops` and their mirror images.

    Krizhevsky et al. 2012.
    """

    name: Literal["ten_crops"] = "ten_crops"

    def maps(self) -> list[Maps]:
        crops = middle_and_corners(self.padding)
        return [*crops, *(crop.then(Maps(a=-1.0)) for crop in crops)]


def middle_and_corners(padding: int) -> list[Maps]:
    """The crop from the middle of a padded image, and those from its corners."""
    u = float(padding)
    return [Maps(), Maps(c=-u, f=-u), Maps(c=u, f=-u), Maps(c=-u, f=u), Maps(c=u, f=u)]


TEST_TIME: dict[str, type[Crops]] = table([FiveCrops, TenCrops])
