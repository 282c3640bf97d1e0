"""Regression in one dimension: a curve too stiff, one that fits, and one that bends to noise."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from optrun.component import Count, NonNegative
from optrun.data.dataset import Outline, Raw, ValidationField
from optrun.data.synthetic import Synthetic
from optrun.numerics.streams import Purpose, stream


class Polynomial(Synthetic):
    """Noisy points of the parabola 2x² − x − ½; the features are powers of x.

        features (x, x², …, x^degree),   target 2x² − x − ½ + N(0, noise²),   −1 ≤ x < 1

    The interval is cut into equal cells, one for each example, and x is uniform in its cell. A
    linear model of `degree: 1` underfits, of 2 fits well, and of 9 overfits the dozen points left
    for training, if it is trained to the end. Powers are so alike that gradient descent is far from
    it after 20,000 steps, where L-BFGS takes some hundreds and Newton's method one.
    """

    kind: Literal["polynomial"] = "polynomial"
    degree: Count = 2
    """Greatest power of x, and number of features."""
    noise: NonNegative = 0.2
    """Standard deviation of the noise."""
    samples: Count = 24
    """Examples that training and validation share."""
    validation: ValidationField = 0.5
    """Examples set aside for validation: a number, or a fraction of the training examples."""

    @property
    def outline(self) -> Outline:
        return Outline(
            self.samples, self.test_samples, outputs=1, features=self.degree, labelled=False
        )

    def load(self, seed: int, data_dir: Path | None = None) -> Raw:
        train = self._draw(self.samples, stream(seed, Purpose.SYNTHETIC))
        test = self._draw(self.test_samples, stream(seed, Purpose.SYNTHETIC_TEST))
        return Raw(*train, *test)

    def _draw(self, count: int, random: np.random.Generator) -> tuple[NDArray[Any], NDArray[Any]]:
        x = 2 * (np.arange(count) + random.random(count)) / count - 1
        y = 2 * x**2 - x - 0.5 + random.normal(0, self.noise, count)
        return x[:, None] ** np.arange(1, self.degree + 1), y[:, None]
