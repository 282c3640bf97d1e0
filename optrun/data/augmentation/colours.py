"""Steps that change an image's values: brightness, contrast, saturation, hue, noise.

Values count from 0, black, to 1, white, which are the bytes 0 and 255. The colour steps of a list
are composed into one linear map an image, and what leaves [0, 1] is cut off once, at the end. So
their order does not matter; to PyTorch's ColorJitter, which cuts off after each step, it does.
"""

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from optrun.component import Positive
from optrun.data.augmentation.step import Augmentation, Shape

LUMA = np.array([0.299, 0.587, 0.114])
"""What red, green and blue add to the grey of a colour, ITU-R BT.601."""
YIQ = np.array([LUMA, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])
"""From red, green and blue to grey and two coordinates of colour, those of NTSC television."""

Amount = Annotated[float, Field(ge=0)]
Matrices = NDArray[np.float64]


class Palette(NamedTuple):
    """Linear colour maps, one an image: v ← M·v + Q·(mean v over the image).

    Both (n, channels, channels).
    """

    m: Matrices
    q: Matrices

    def then(self, after: "Palette") -> "Palette":
        """These maps followed by others, whose means are of what these leave."""
        return Palette(after.m @ self.m, after.m @ self.q + after.q @ (self.m + self.q))


class Colour(Augmentation):
    """A step that changes an image's colours, all pixels in the same way."""

    needs_bytes: ClassVar[bool] = True

    @abstractmethod
    def draw(self, random: np.random.Generator, count: int, channels: int) -> Palette:
        """A map for each of `count` images."""

    def problems(self, shape: Shape) -> dict[str, str]:
        if shape[0] in (1, 3):
            return {}
        return {"": f"needs grey or colour images, of 1 or 3 channels; these have {shape[0]}"}


class Brightness(Colour):
    """Lighter or darker.

    v ← b·v,   b ~ U(max(0, 1 − amount), 1 + amount)
    """

    name: Literal["brightness"] = "brightness"
    amount: Amount = 0.2
    """Greatest change of the factor b from 1."""

    def draw(self, random: np.random.Generator, count: int, channels: int) -> Palette:
        b = factors(random, count, self.amount)
        return Palette(b * np.eye(channels), np.zeros((1, channels, channels)))


class Contrast(Colour):
    """Farther from or nearer to the image's mean grey.

        v ← c·v + (1 − c)·(mean grey of the image),   c ~ U(max(0, 1 − amount), 1 + amount)

    The grey of a colour is 0.299·red + 0.587·green + 0.114·blue. The mean is taken after the
    geometry, the black beyond the image's edges included.
    """

    name: Literal["contrast"] = "contrast"
    amount: Amount = 0.2
    """Greatest change of the factor c from 1."""

    def draw(self, random: np.random.Generator, count: int, channels: int) -> Palette:
        c = factors(random, count, self.amount)
        return Palette(c * np.eye(channels), (1 - c) * to_grey(channels))


class Hued(Colour):
    """A step that grey images have nothing for."""

    def problems(self, shape: Shape) -> dict[str, str]:
        if shape[0] == 3:
            return {}
        return {"": f"needs colour images, of 3 channels; these have {shape[0]}"}


class Saturation(Hued):
    """Stronger or paler colours.

    v ← s·v + (1 − s)·(grey of the pixel),   s ~ U(max(0, 1 − amount), 1 + amount)
    """

    name: Literal["saturation"] = "saturation"
    amount: Amount = 0.2
    """Greatest change of the factor s from 1."""

    def draw(self, random: np.random.Generator, count: int, channels: int) -> Palette:
        s = factors(random, count, self.amount)
        m = s * np.eye(channels) + (1 - s) * to_grey(channels)
        return Palette(m, np.zeros((1, channels, channels)))


class Hue(Hued):
    """Colours turned around the circle of hues.

        (I, Q) ← (I·cos θ − Q·sin θ,  I·sin θ + Q·cos θ),   θ ~ U(−degrees, degrees)

    in YIQ coordinates, where Y, the pixel's grey, stays: a linear map, as in Haeberli, Matrix
    Operations for Image Processing (1993). PyTorch turns the hue of HSV, by a share of the circle.
    """

    name: Literal["hue"] = "hue"
    degrees: Annotated[float, Field(ge=0, le=180)] = 18.0
    """Greatest turn to either side, in degrees."""

    def draw(self, random: np.random.Generator, count: int, channels: int) -> Palette:
        turn = np.radians(random.uniform(-self.degrees, self.degrees, count))
        turned = np.zeros((count, 3, 3))
        turned[:, 0, 0] = 1
        turned[:, 1, 1] = turned[:, 2, 2] = np.cos(turn)
        turned[:, 2, 1] = np.sin(turn)
        turned[:, 1, 2] = -turned[:, 2, 1]
        return Palette(np.linalg.inv(YIQ) @ turned @ YIQ, np.zeros((1, 3, 3)))


class GaussianNoise(Augmentation):
    """Noise on every value of every channel, after the colours.

        v ← v + N(0, std²)

    Not cut off at 0 and 1: on a black background that would halve the noise and brighten it.
    PyTorch's GaussianNoise cuts unless told otherwise.
    """

    name: Literal["gaussian_noise"] = "gaussian_noise"
    std: Positive = 0.1
    """Standard deviation; 1 is the difference between black and white."""

    needs_bytes: ClassVar[bool] = True


def factors(random: np.random.Generator, count: int, amount: float) -> Matrices:
    """(count, 1, 1), uniform around 1, never below 0."""
    return random.uniform(max(0.0, 1 - amount), 1 + amount, (count, 1, 1))


def to_grey(channels: int) -> Matrices:
    """(channels, channels), from a colour to its grey in every channel."""
    return np.tile(LUMA, (3, 1)) if channels == 3 else np.eye(1)
