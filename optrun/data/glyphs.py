"""The ten digits, drawn with a different hand every time: an image set that needs no file."""

from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from optrun.component import Count, NonNegative
from optrun.data.dataset import Outline, PreprocessingField
from optrun.data.font import DIGITS, FINENESS, HALF, SPAN, distance_fields
from optrun.data.preprocessing import Rescale
from optrun.data.synthetic import Classes
from optrun.numerics.streams import Purpose, stream

SIDE = 28
"""Height and width of an image, in pixels."""
CHUNK = 500
"""Images drawn at a time, which bounds the memory for coordinates."""

SIZE = (0.8, 1.1)
WIDTH_TO_HEIGHT = (0.8, 1.15)
SLANT = (-0.3, 0.3)
PEN_RADIUS = (0.9, 1.9)
WAVE_PHASE = (0.0, 2 * np.pi)
WAVE_HEIGHT = 1.0
WAVE_RATE = 0.3


class Glyphs(Classes):
    """The digits 0 to 9 as 28×28 grey images, white on black, of MNIST's shape.

        grey = 255·(clip(pen radius + ½ − distance to the strokes, 0, 1) + N(0, noise²))

    Every example has a place, turn, slant, size and pen of its own, drawn uniformly, and its
    strokes are bent by a gentle wave.
    """

    kind: Literal["glyphs"] = "glyphs"
    samples: Count = 6000
    """Examples that training and validation share."""
    shift: Annotated[float, Field(ge=0, le=8)] = 2.0
    """Greatest shift from the middle, right, left, up and down, in pixels."""
    turn: Annotated[float, Field(ge=0, le=180)] = 20.0
    """Greatest turn to either side, in degrees."""
    noise: NonNegative = 0.1
    """Standard deviation of the pixel noise; 1 is the difference between black and white."""
    preprocessing: PreprocessingField = Field([Rescale()])
    """Steps applied in turn, fitted on the training examples only."""

    @property
    def outline(self) -> Outline:
        shape = (1, SIDE, SIDE)
        return Outline(self.samples, self.test_samples, len(DIGITS), SIDE * SIDE, shape)

    def draw(self, labels: NDArray[np.int64], seed: int, purpose: Purpose) -> NDArray[Any]:
        generator = stream(seed, purpose)
        hands = self._hands(labels.size, generator)
        images = np.empty((labels.size, SIDE * SIDE), np.uint8)
        for start in range(0, labels.size, CHUNK):
            part = slice(start, start + CHUNK)
            hand = hands[part].T[:, :, None]
            distance = distance_fields()[_places_in_font(hand, labels[part])]
            size, radius = hand[4], hand[6]
            grey = np.clip(radius + np.float32(0.5) - size * distance, 0, 1)
            grey += np.float32(self.noise) * generator.standard_normal(grey.shape, np.float32)
            images[part] = np.clip(255 * grey, 0, 255)
        return images

    def _hands(self, count: int, generator: np.random.Generator) -> NDArray[np.float32]:
        """(count, 9): how each example is written, in the order `_places_in_font` reads it."""
        turn = np.radians(self.turn)
        low, high = np.transpose(
            [
                (-self.shift, self.shift),
                (-self.shift, self.shift),
                (-turn, turn),
                SLANT,
                SIZE,
                WIDTH_TO_HEIGHT,
                PEN_RADIUS,
                WAVE_PHASE,
                WAVE_PHASE,
            ]
        )
        return generator.uniform(low, high, (count, len(low))).astype(np.float32)


def _places_in_font(
    hand: NDArray[Any], labels: NDArray[np.int64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Where in the distance fields each pixel of each image looks.

    Args:
        hand: (9, n, 1), how each image is written.
        labels: (n,) the digits.

    Returns:
        Rows and columns, each (n, SIDE·SIDE), within the digit's own box.
    """
    right, down, turn, slant, size, ratio, _, phase_u, phase_v = hand
    pixels = np.arange(SIDE, dtype=np.float32) - np.float32((SIDE - 1) / 2)
    x, y = pixels - right, pixels - down
    v_x, v_y = -np.sin(turn) / size, np.cos(turn) / size
    u_x, u_y = np.cos(turn) / size + slant * v_x, np.sin(turn) / size + slant * v_y
    wave_u = WAVE_HEIGHT * np.sin(WAVE_RATE * y + phase_u)
    wave_v = WAVE_HEIGHT * np.sin(WAVE_RATE * x + phase_v)
    u = (u_x / ratio * x)[:, None, :] + (u_y / ratio * y + wave_u)[:, :, None]
    v = (v_x * x + wave_v)[:, None, :] + (v_y * y)[:, :, None]
    return _sample(v), _sample(u) + (SPAN * labels)[:, None]


def _sample(places: NDArray[np.float32]) -> NDArray[np.intp]:
    """The nearest sample within the box, (n, SIDE·SIDE), to places (n, SIDE, SIDE)."""
    samples = np.clip((places + HALF) * FINENESS + 0.5, 0, SPAN - 1)
    return samples.astype(np.intp).reshape(len(places), SIDE * SIDE)
