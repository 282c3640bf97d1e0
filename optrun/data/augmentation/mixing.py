"""Steps that mix two examples of a batch, and their targets.

Every example of a batch is mixed with the next in the epoch's order, the last with the first.
As that order is random, so are the pairs; PyTorch's MixUp and CutMix do the same. A batch of one
example, which an epoch may end with, stays as it is.
"""

from abc import abstractmethod
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optrun.component import Positive
from optrun.data.augmentation.boxes import around_a_pixel
from optrun.data.augmentation.step import Augmentation, Shape


class Mixtures(NamedTuple):
    """How the batches of an epoch are mixed.

    Attributes:
        shares: (batches,), what an example keeps of its targets, in [0, 1].
        boxes: (batches, 4), top, bottom, left, right of what it takes from the other; of size 0
            where whole examples are blended.
    """

    shares: NDArray[np.float64]
    boxes: NDArray[np.int64]


class Mixing(Augmentation):
    """A step that mixes examples, by λ ~ Beta(alpha, alpha), one λ a batch."""

    alpha: Positive = 1.0
    """Of the Beta distribution of λ: 1 is uniform, less is nearer to 0 and 1, more nearer to ½."""

    @abstractmethod
    def draw(self, random: np.random.Generator, batches: int, shape: Shape | None) -> Mixtures:
        """A mixture for each batch."""


class Mixup(Mixing):
    """Blend every example, and its targets, with another.

        x ← λx + (1 − λ)x′,   t ← λt + (1 − λ)t′,   λ ~ Beta(alpha, alpha), one a batch

    x′ is another example of the batch, both preprocessed; any data will do. Zhang et al. 2018.
    """

    name: Literal["mixup"] = "mixup"

    needs_images: ClassVar[bool] = False

    def draw(self, random: np.random.Generator, batches: int, shape: Shape | None) -> Mixtures:
        shares = random.beta(self.alpha, self.alpha, batches)
        return Mixtures(shares, np.zeros((0, 4), np.int64))


class Cutmix(Mixing):
    """Paste a rectangle of another image into every image, and mix the targets by area.

        x ← x′ inside the rectangle,   t ← λt + (1 − λ)t′

    The rectangle is the same for a batch: ⌊√(1 − λ)·height⌋ × ⌊√(1 − λ)·width⌋ pixels around any
    pixel, λ ~ Beta(alpha, alpha). What lies beyond the image is cut off, and λ becomes the share
    of the image that is left. Yun et al. 2019.
    """

    name: Literal["cutmix"] = "cutmix"

    def draw(self, random: np.random.Generator, batches: int, shape: Shape | None) -> Mixtures:
        assert shape is not None
        side = np.sqrt(1 - random.beta(self.alpha, self.alpha, batches))
        height, width = (side * shape[1]).astype(np.int64), (side * shape[2]).astype(np.int64)
        boxes = around_a_pixel(random, batches, height, width, shape)
        top, bottom, left, right = boxes.T
        return Mixtures(1 - (bottom - top) * (right - left) / (shape[1] * shape[2]), boxes)
