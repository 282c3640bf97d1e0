"""Steps that move an image's pixels: flips, crops, shifts, turns.

Each draws one affine map an image, from a pixel of the result to the point of the image whose
value it takes. Maps of a list are composed, so an image is resampled once (bilinearly), and what
one step moves out of sight another can bring back. Beyond the image all is 0, black. Flips and
moves by whole pixels resample nothing: they copy values.
"""

from abc import abstractmethod
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from optrun.component import Count
from optrun.data.augmentation.boxes import Area, Ratio, fitting
from optrun.data.augmentation.step import Augmentation, Probability, Shape, crossed

Numbers = NDArray[np.float64] | float
Fraction = Annotated[float, Field(ge=0, lt=1)]
Factor = Annotated[float, Field(ge=0.01, le=100)]


class Maps(NamedTuple):
    """Affine maps, one an image: a pixel (x, y) of the result takes the value at

        (a·x + b·y + c,  d·x + e·y + f)

    of the image, both counted in pixels from the middle, right and down. Each entry is (n,), or
    one number for all.
    """

    a: Numbers = 1.0
    b: Numbers = 0.0
    c: Numbers = 0.0
    d: Numbers = 0.0
    e: Numbers = 1.0
    f: Numbers = 0.0

    def then(self, after: "Maps") -> "Maps":
        """The image after these maps, mapped again."""
        return Maps(
            a=self.a * after.a + self.b * after.d,
            b=self.a * after.b + self.b * after.e,
            c=self.a * after.c + self.b * after.f + self.c,
            d=self.d * after.a + self.e * after.d,
            e=self.d * after.b + self.e * after.e,
            f=self.d * after.c + self.e * after.f + self.f,
        )

    def in_pixels(self, count: int, shape: Shape) -> NDArray[np.float64]:
        """(count, 6), the same maps between columns and rows, counted from the top left."""
        middle, center = (shape[2] - 1) / 2, (shape[1] - 1) / 2
        rows = np.empty((count, 6))
        for column, values in enumerate(self):
            rows[:, column] = values
        rows[:, 2] += middle - rows[:, 0] * middle - rows[:, 1] * center
        rows[:, 5] += center - rows[:, 3] * middle - rows[:, 4] * center
        return rows


class Geometry(Augmentation):
    """A step that moves an image's pixels."""

    @abstractmethod
    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> Maps:
        """A map for each of `count` images."""


class HorizontalFlip(Geometry):
    """Left and right exchanged, in a share of the images.

    x ← −x with the given probability
    """

    name: Literal["horizontal_flip"] = "horizontal_flip"
    probability: Probability = 0.5
    """Share of the images that are flipped."""

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> Maps:
        return Maps(a=signs(random, count, self.probability))


class VerticalFlip(Geometry):
    """Top and bottom exchanged, in a share of the images.

    y ← −y with the given probability
    """

    name: Literal["vertical_flip"] = "vertical_flip"
    probability: Probability = 0.5
    """Share of the images that are flipped."""

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> Maps:
        return Maps(e=signs(random, count, self.probability))


class RandomCrop(Geometry):
    """A crop of the image's own size from the image with a black border.

        (x, y) ← (x, y) + (u, v),   u, v ∈ {−padding, …, padding}, all equally likely

    He et al. 2016, with 4 pixels of border on CIFAR-10.
    """

    name: Literal["random_crop"] = "random_crop"
    padding: Count = 4
    """Width of the border on every side, in pixels."""

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> Maps:
        moves = random.integers(-self.padding, self.padding, (2, count), endpoint=True)
        return Maps(c=moves[0].astype(float), f=moves[1].astype(float))

    def problems(self, shape: Shape) -> dict[str, str]:
        return too_wide(self.padding, shape)


class ResizedCrop(Geometry):
    """A part of the image, blown up to the image's size.

        x ← w·x + u,   y ← h·y + v

    The part's share of the area, w·h, is uniform in [min, 1], the logarithm of its ratio of width
    to height uniform over [1/ratio, ratio] as far as such parts fit, and its place uniform.
    Szegedy et al. 2015. PyTorch's RandomResizedCrop draws share and ratio again until they fit,
    which makes large parts rarer, and rounds the part to whole pixels.
    """

    name: Literal["resized_crop"] = "resized_crop"
    min: Area = 0.08
    """Least share of the image's area that is kept."""
    ratio: Ratio = 1.33
    """Greatest ratio of a part's sides."""

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> Maps:
        area = random.uniform(self.min, 1, count)
        height, width = fitting(random, area, self.ratio, shape)
        u, v = random.uniform(-0.5, 0.5, (2, count))
        return Maps(
            a=width / shape[2], c=u * (shape[2] - width),
            e=height / shape[1], f=v * (shape[1] - height),
        )  # fmt: skip


class Shift(Geometry):
    """The image moved sideways, up or down.

        (x, y) ← (x − u, y − v),   u ~ U(−horizontal, horizontal)·width,
                                   v ~ U(−vertical, vertical)·height

    both rounded to whole pixels, as in PyTorch's RandomAffine.
    """

    name: Literal["shift"] = "shift"
    horizontal: Fraction = 0.1
    """Greatest move to either side, as a fraction of the width."""
    vertical: Fraction = 0.1
    """Greatest move up or down, as a fraction of the height."""

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> Maps:
        u, v = random.uniform(-1, 1, (2, count))
        u, v = np.rint(u * self.horizontal * shape[2]), np.rint(v * self.vertical * shape[1])
        return Maps(c=-u, f=-v)


class Rotation(Geometry):
    """The image turned about its middle.

    (x, y) ← (x·cos θ − y·sin θ,  x·sin θ + y·cos θ),   θ ~ U(−degrees, degrees)
    """

    name: Literal["rotation"] = "rotation"
    degrees: Annotated[float, Field(ge=0, le=180)] = 15.0
    """Greatest turn to either side, in degrees."""

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> Maps:
        turn = np.radians(random.uniform(-self.degrees, self.degrees, count))
        cos, sin = np.cos(turn), np.sin(turn)
        return Maps(a=cos, b=-sin, d=sin, e=cos)


class Shear(Geometry):
    """The image slanted sideways.

    x ← x + y·tan φ,   φ ~ U(−degrees, degrees)
    """

    name: Literal["shear"] = "shear"
    degrees: Annotated[float, Field(ge=0, le=80)] = 10.0
    """Greatest slant to either side, in degrees."""

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> Maps:
        return Maps(b=np.tan(np.radians(random.uniform(-self.degrees, self.degrees, count))))


class Scaling(Geometry):
    """A change of size about the middle."""

    min: Factor = 0.8
    """Least factor; below 1 the image shrinks."""
    max: Factor = 1.2
    """Greatest factor; above 1 the image grows over its edges."""

    def problems(self, shape: Shape) -> dict[str, str]:
        return crossed(self.min, self.max)


class Zoom(Scaling):
    """The image larger or smaller, its sides by the same factor.

    (x, y) ← (x/z, y/z),   z ~ U(min, max)
    """

    name: Literal["zoom"] = "zoom"

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> Maps:
        scale = 1 / random.uniform(self.min, self.max, count)
        return Maps(a=scale, e=scale)


class Stretch(Scaling):
    """The image wider or narrower, and higher or lower, each by a factor of its own.

    (x, y) ← (x/s, y/t),   s, t ~ U(min, max)
    """

    name: Literal["stretch"] = "stretch"

    def draw(self, random: np.random.Generator, count: int, shape: Shape) -> Maps:
        across, down = 1 / random.uniform(self.min, self.max, (2, count))
        return Maps(a=across, e=down)


def signs(random: np.random.Generator, count: int, probability: float) -> NDArray[np.float64]:
    """(count,), −1 with the given probability, else 1."""
    return np.where(random.random(count) < probability, -1.0, 1.0)


def too_wide(padding: int, shape: Shape) -> dict[str, str]:
    """That a crop of an image with such a border may hold nothing of the image."""
    side = min(shape[1:])
    if padding < side:
        return {}
    size = f"{shape[1]}×{shape[2]}"
    return {
        "padding": f"{padding} pixels move all of a {size} image out of sight; "
        f"write at most {side - 1}"
    }
