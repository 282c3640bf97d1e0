"""The noisy quadratic: the simplest objective that is as ill-conditioned as a network's."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from optrun.component import Count, NonNegative, Section
from optrun.data.dataset import Outline, Raw, ValidationField
from optrun.data.objective import Objective
from optrun.data.synthetic import Synthetic
from optrun.numerics.blas import one_thread
from optrun.numerics.jit import kernel
from optrun.settings import value_text

PROBLEM, TEST = 42, 43
"""Seeds that DeepOBS fixed: of spectrum and rotation, and of the training points; of the test's."""


class Band(Section):
    """Eigenvalues drawn uniformly from one interval."""

    count: Count
    """How many."""
    low: NonNegative
    """Least value."""
    high: NonNegative
    """Greatest value."""


class Quadratic(Synthetic, Objective):
    """The stochastic quadratic of DeepOBS, its own objective: mean over x of ½(θ − x)ᵀQ(θ − x).

        Q = Rᵀ·diag(λ)·R,   x ~ N(0, noise²·I),   θ starts at (1, …, 1)

    λ is drawn as `spectrum` says, by default 90 eigenvalues below 1 and 10 between 30 and 60, and
    R is a random rotation. All are drawn from seeds that DeepOBS fixed, whatever the run's, which
    decides on the order of the points only. Schneider, Balles & Hennig, DeepOBS (2019). Its batches
    of 128 leave out the remainder, in the test too: `test_samples: 896` gives the same test points.
    """

    kind: Literal["quadratic"] = "quadratic"
    samples: Count = 1000
    """Points that training and validation share."""
    test_samples: Count = 1000
    """Points of the test set."""
    validation: ValidationField = 0
    """Points set aside for validation: a number, or a fraction of the training points."""
    noise: NonNegative = 0.6
    """Standard deviation of the points in every direction."""
    spectrum: Annotated[list[Band], Field(min_length=1)] = Field(
        [Band(count=90, low=0.0, high=1.0), Band(count=10, low=30.0, high=60.0)]
    )
    """Eigenvalues of Q, drawn band after band."""

    @property
    def dimensions(self) -> int:
        """Length of θ and of the points."""
        return sum(band.count for band in self.spectrum)

    @property
    def outline(self) -> Outline:
        return Outline(self.samples, self.test_samples, self.dimensions, features=0, labelled=False)

    def problems(self) -> dict[str, str]:
        found = super().problems()
        if self.dimensions < 2:
            found["spectrum"] = "gives 1 eigenvalue, and nothing to rotate; write at least 2"
        for position, band in enumerate(self.spectrum):
            if band.low > band.high:
                high, low = value_text(band.high), value_text(band.low)
                found[f"spectrum.{position}.high"] = f"{high} is below `low`, {low}"
        return found

    def room(self) -> int:
        return 2 * self.dimensions**2

    def load(self, seed: int, data_dir: Path | None = None) -> Raw:
        train, test = (
            np.random.RandomState(fixed).normal(0.0, self.noise, (count, self.dimensions))
            for fixed, count in ((PROBLEM, self.samples), (TEST, self.test_samples))
        )
        return Raw(np.empty((len(train), 0)), train, np.empty((len(test), 0)), test)

    def hyper(self) -> NDArray[np.float64]:
        return hessian(tuple((band.count, band.low, band.high) for band in self.spectrum)).ravel()

    def start_point(self) -> NDArray[np.float64]:
        return np.ones(self.dimensions)

    @kernel
    def loss(scores, targets, d, h):
        n, size = scores.shape
        total, offset, force = 0.0, np.empty(size), np.empty(size)
        for i in range(n):
            s, x, out = scores[i], targets[i], d[i]
            for j in range(size):
                offset[j] = np.float64(s[j]) - np.float64(x[j])
            multiply(h, offset, force)
            for j in range(size):
                total += 0.5 * offset[j] * force[j]
                out[j] = force[j] / n
        return total / n

    @kernel
    def curve(scores, targets, r, d, h):
        n, size = scores.shape
        direction, force = np.empty(size), np.empty(size)
        for i in range(n):
            direction[:] = r[i]
            multiply(h, direction, force)
            out = d[i]
            for j in range(size):
                out[j] = force[j] / n


@kernel
def multiply(matrix, v, out):
    """out = Qv for a symmetric matrix given row by row, all float64."""
    size = v.size
    out[:] = 0.0
    for k in range(size):
        row, factor = matrix[k * size : (k + 1) * size], v[k]
        for j in range(size):
            out[j] += factor * row[j]


@cache
def hessian(bands: tuple[tuple[int, float, float], ...]) -> NDArray[np.float64]:
    """Q for the (count, low, high) of the bands of its spectrum.

    With one thread, for the bits of a product depend on how many there are.
    """
    random = np.random.RandomState(PROBLEM)
    spectrum = np.concatenate([random.uniform(low, high, count) for count, low, high in bands])
    with one_thread():
        rotation = draw_rotation(len(spectrum), random)
        return rotation.T @ (spectrum[:, None] * rotation)


def draw_rotation(size: int, random: np.random.RandomState) -> NDArray[np.float64]:
    """A rotation of `size` ≥ 2 dimensions, uniform over all of them, (size, size).

    The subgroup algorithm, from 2 dimensions up: a rotation of the last d axes is followed by the
    reflection that takes the first axis to a random direction v, I − 2uuᵀ with u ∝ e₁ − v. With
    the sign at the end, size − 2 reflections leave the determinant 1. Diaconis & Shahshahani
    (1987).
    """
    angle = 2 * np.pi * random.uniform()
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for d in range(2, size):
        u = -random.normal(size=d + 1)
        u /= np.linalg.norm(u)
        u[0] += 1
        u /= np.linalg.norm(u)
        wider = np.eye(d + 1)
        wider[1:, 1:] = rotation
        rotation = wider - 2 * np.outer(u, u @ wider)
    return -rotation
