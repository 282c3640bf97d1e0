"""Datasets drawn at random: no files, any size, and a difficulty one can set."""

from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from optrun.component import Count, NonNegative, Positive
from optrun.data.dataset import Dataset, Outline, Raw
from optrun.numerics.streams import Purpose, stream

Several = Annotated[int, Field(ge=2)]


class Synthetic(Dataset):
    """A dataset that is drawn, as large as one likes.

    Training and test examples come from streams of their own, so changing the number of one
    leaves the other as it was.
    """

    name: Literal["synthetic"] = "synthetic"
    kind: str
    samples: Count = 600
    """Examples that training and validation share."""
    test_samples: Count = 1000
    """Examples of the test set."""


class Classes(Synthetic):
    """Classes drawn from the run's seed, equally frequent."""

    @abstractmethod
    def draw(self, labels: NDArray[np.int64], seed: int, purpose: Purpose) -> NDArray[Any]:
        """One example (n, features) for each of the labels (n,), from the stream of `purpose`."""

    def load(self, seed: int, data_dir: Path | None = None) -> Raw:
        classes = self.outline.outputs
        parts: list[NDArray[Any]] = []
        for count, purpose in (
            (self.samples, Purpose.SYNTHETIC),
            (self.test_samples, Purpose.SYNTHETIC_TEST),
        ):
            labels = np.arange(count, dtype=np.int64) % classes
            parts += [self.draw(labels, seed, purpose), labels]
        return Raw(*parts)

    def problems(self) -> dict[str, str]:
        found = super().problems()
        classes = self.outline.outputs
        if self.samples < classes:
            found["samples"] = f"must be at least one for each of the {classes} classes"
        return found


class Blobs(Classes):
    """Gaussian clouds around the corners of a regular polygon.

        x ~ N(corner of its class, spread²·I)

    The polygon has radius 1 and lies in a random plane, so neighbouring centers are
    2·sin(π/classes) apart whatever the seed.
    """

    kind: Literal["blobs"] = "blobs"
    classes: Several = 3
    """Number of clouds."""
    features: Several = 2
    """Values an example; those beyond the polygon's plane are noise."""
    spread: Positive = 0.3
    """Standard deviation of a cloud in every direction."""

    @property
    def outline(self) -> Outline:
        return Outline(self.samples, self.test_samples, self.classes, self.features)

    def draw(self, labels: NDArray[np.int64], seed: int, purpose: Purpose) -> NDArray[Any]:
        shape = (labels.size, self.features)
        noise = stream(seed, purpose).normal(0, self.spread, shape)
        return self.centers(seed)[labels] + noise

    def centers(self, seed: int) -> NDArray[np.float64]:
        """(classes, features), the same for training and test."""
        directions = stream(seed, Purpose.SYNTHETIC, index=1).normal(size=(self.features, 2))
        plane, _ = np.linalg.qr(directions)
        angles = 2 * np.pi * np.arange(self.classes) / self.classes
        return np.column_stack([np.cos(angles), np.sin(angles)]) @ plane.T


class Moons(Classes):
    """Two interleaved half circles of radius 1.

        class 0: (cos t, sin t),   class 1: (1 − cos t, ½ − sin t),   t uniform in [0, π]

    Normal noise is added to both coordinates.
    """

    kind: Literal["moons"] = "moons"
    noise: NonNegative = 0.15
    """Standard deviation of the noise."""

    @property
    def outline(self) -> Outline:
        return Outline(self.samples, self.test_samples, outputs=2, features=2)

    def draw(self, labels: NDArray[np.int64], seed: int, purpose: Purpose) -> NDArray[Any]:
        generator = stream(seed, purpose)
        t = generator.uniform(0, np.pi, labels.size)
        lower = labels == 1
        x = np.where(lower, 1 - np.cos(t), np.cos(t))
        y = np.where(lower, 0.5 - np.sin(t), np.sin(t))
        return np.column_stack([x, y]) + generator.normal(0, self.noise, (labels.size, 2))


class Circles(Classes):
    """Two circles around the origin, one within the other.

        class 0: (cos t, sin t),   class 1: inner·(cos t, sin t),   t uniform in [0, 2π]

    Normal noise is added to both coordinates.
    """

    kind: Literal["circles"] = "circles"
    inner: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Radius of the inner circle."""
    noise: NonNegative = 0.1
    """Standard deviation of the noise."""

    @property
    def outline(self) -> Outline:
        return Outline(self.samples, self.test_samples, outputs=2, features=2)

    def draw(self, labels: NDArray[np.int64], seed: int, purpose: Purpose) -> NDArray[Any]:
        generator = stream(seed, purpose)
        t = generator.uniform(0, 2 * np.pi, labels.size)
        radius = np.where(labels == 1, self.inner, 1)
        circle = np.column_stack([radius * np.cos(t), radius * np.sin(t)])
        return circle + generator.normal(0, self.noise, (labels.size, 2))


class Spirals(Classes):
    """Arms that wind out of the origin, one a class.

    x = r·(cos φ, sin φ),   φ = 2π·(class/classes + turns·r) + noise,   r uniform in [0, 1]
    """

    kind: Literal["spirals"] = "spirals"
    classes: Several = 3
    """Number of arms."""
    turns: Positive = 0.75
    """Turns an arm makes from the origin to radius 1."""
    noise: NonNegative = 0.2
    """Standard deviation of the angle φ, in radians."""

    @property
    def outline(self) -> Outline:
        return Outline(self.samples, self.test_samples, self.classes, features=2)

    def draw(self, labels: NDArray[np.int64], seed: int, purpose: Purpose) -> NDArray[Any]:
        generator = stream(seed, purpose)
        r = generator.uniform(0, 1, labels.size)
        turn = 2 * np.pi * (labels / self.classes + self.turns * r)
        angle = turn + generator.normal(0, self.noise, labels.size)
        return np.column_stack([r * np.cos(angle), r * np.sin(angle)])


class Xor(Classes):
    """Gaussian clouds around the corners of a square, those opposite each other of one class.

        x ~ N((±1, ±1), spread²·I),   class 0 where the signs are equal, 1 where they differ

    No straight line tells the classes apart.
    """

    kind: Literal["xor"] = "xor"
    spread: Positive = 0.3
    """Standard deviation of a cloud in every direction."""

    @property
    def outline(self) -> Outline:
        return Outline(self.samples, self.test_samples, outputs=2, features=2)

    def draw(self, labels: NDArray[np.int64], seed: int, purpose: Purpose) -> NDArray[Any]:
        generator = stream(seed, purpose)
        first = generator.choice([-1, 1], labels.size)
        corners = np.column_stack([first, np.where(labels == 1, -first, first)])
        return corners + generator.normal(0, self.spread, (labels.size, 2))
