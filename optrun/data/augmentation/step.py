"""What all steps of augmentation have in common."""

from typing import Annotated, ClassVar
from zlib import crc32

import numpy as np
from pydantic import Field

from optrun.component import Component
from optrun.numerics.streams import Purpose, stream
from optrun.settings import value_text

Shape = tuple[int, int, int]
"""(channels, height, width) of an image, which is stored plane by plane, row by row."""

Probability = Annotated[float, Field(ge=0, le=1)]


class Augmentation(Component):
    """A change to training examples, drawn anew every epoch.

    Attributes:
        needs_images: whether other data is refused.
        needs_bytes: whether images are refused that preprocessing has turned into other numbers.
    """

    needs_images: ClassVar[bool] = True
    needs_bytes: ClassVar[bool] = False

    def problems(self, shape: Shape) -> dict[str, str]:
        """What is wrong with the step on such images, by field; the step itself is ``""``."""
        return {}

    def stream(self, seed: int, epoch: int) -> np.random.Generator:
        """The step's own random numbers in an epoch, whatever other steps there are."""
        return stream(seed, Purpose.AUGMENTATION, crc32(self.name.encode()) << 32 | epoch)


def crossed(least: float, greatest: float) -> dict[str, str]:
    """What is wrong with the fields `min` and `max` of a step."""
    if least <= greatest:
        return {}
    return {"min": f"{value_text(least)} is above `max` {value_text(greatest)}"}
