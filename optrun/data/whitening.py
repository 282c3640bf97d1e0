"""Whitening: examples whose features are uncorrelated and of variance 1.

Both kinds come from the training examples' mean and covariance C = U·diag(λ)·Uᵀ, λ falling.
Centering is part of them, so nothing has to stand before; of images, `rescale` usually does, for
ε is in the squared units of what reaches the step. They take some 4·features² numbers, and
time that grows with features³.
"""

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, WithJsonSchema

from optrun.component import Positive
from optrun.data.step import Clip, Form, Preprocessing, Stage


def _parse_components(value: Any) -> Any:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    is_fraction = isinstance(value, float) and 0 < value < 1
    if not (value is None or is_count or is_fraction):
        raise ValueError(
            "neither a number of components nor a share of the variance; write a number such as "
            "50, a fraction between 0 and 1 such as 0.99, or null for all"
        )
    return value


ComponentsField = Annotated[
    int | float | None,
    BeforeValidator(_parse_components),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                {"type": "null"},
            ]
        }
    ),
]


class Whitening(Preprocessing):
    """A step x ← (x − mean)·W, then cut off at ±clip, carried out beforehand."""

    keeps_storage: ClassVar[bool] = False
    eps: Positive = 1e-5
    """ε, added to every variance: keeps directions of little variance from being blown up."""
    clip: Clip = 10.0
    """Most deviations from the mean, of the whitened values; null for no bound. Only rare values
    come that far, along directions in which the training examples hardly vary."""

    @abstractmethod
    def matrix(self, axes: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[Any]:
        """W, (features, features left), from the columns U and λ."""

    def problem(self, seen: Form, stored: Form, examples: int) -> str | None:
        if examples < 2:
            return f"`{self.name}` needs at least 2 training examples, for one has no variance"
        return None

    def room(self, seen: Form) -> int:
        return 4 * seen.features**2  # C, U, and as much again to find U and to make W

    def apply(self, stage: Stage) -> Stage:
        mean, dtype = stage.seen.mean, stage.dtype
        variances, axes = np.linalg.eigh(stage.seen.covariance())
        matrix = self.matrix(axes[:, ::-1], np.maximum(variances[::-1], 0)).astype(dtype)
        bound = np.inf if self.clip is None else self.clip
        return stage.carried_out(
            lambda x: np.clip((x - mean).astype(dtype) @ matrix, -bound, bound)
        )


class PcaWhiten(Whitening):
    """Coordinates along the directions of greatest variance, each divided by its deviation.

        x ← (x − mean)·U·diag(1/√(λ + ε)),   then cut off at ±clip

    The features are then components, so images are images no longer. The sign of a column of U is
    such that its entry of greatest size is positive. scikit-learn's PCA(whiten=True) has no ε and
    divides by n − 1.
    """

    name: Literal["pca_whiten"] = "pca_whiten"
    components: ComponentsField = None
    """How many to keep: a number, or as few as have this share of the variance. Default: all."""

    def problem(self, seen: Form, stored: Form, examples: int) -> str | None:
        most = min(seen.features, examples - 1)
        if isinstance(self.components, int) and self.components > most > 0:
            return (
                f"keeps {self.components} components, but {seen.features} features of {examples} "
                f"training examples have {most}; write at most `components: {most}`"
            )
        return super().problem(seen, stored, examples)

    def leaves(self, seen: Form) -> Form:
        features = 1 if isinstance(self.components, float) else self.components or seen.features
        return Form(features, image_shape=None, is_bytes=False)

    def matrix(self, axes: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[Any]:
        kept = self._kept(variances)
        largest = np.abs(axes).argmax(axis=0)
        signs = np.where(axes[largest, np.arange(len(axes))] < 0, -1, 1)
        return (axes * signs / np.sqrt(variances + self.eps))[:, :kept]

    def _kept(self, variances: NDArray[np.float64]) -> int:
        if not isinstance(self.components, float):
            return self.components or len(variances)
        shares = np.cumsum(variances)
        return int(np.argmax(shares >= self.components * shares[-1])) + 1


class ZcaWhiten(Whitening):
    """Whitening that changes the examples least, so images still look like images.

        x ← (x − mean)·U·diag(1/√(λ + ε))·Uᵀ,   then cut off at ±clip

    Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009), appendix A.
    """

    name: Literal["zca_whiten"] = "zca_whiten"

    def matrix(self, axes: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[Any]:
        return axes / np.sqrt(variances + self.eps) @ axes.T
