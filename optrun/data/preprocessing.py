"""Preprocessing: what happens to the stored values before the model sees them.

Fitted on the training examples only, and applied to all.
"""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from optrun.component import NonNegative, Positive, table
from optrun.data.statistics import FeatureMap, MappedStatistics
from optrun.data.step import Clip, Form, Preprocessing, ShiftAndScale, Stage
from optrun.data.whitening import PcaWhiten, ZcaWhiten
from optrun.numerics.blas import one_thread

SMALLEST = float(np.finfo(np.float32).tiny)
"""The least spread whose reciprocal is finite in float32."""


class Rescale(ShiftAndScale):
    """Bytes to numbers from 0 to 1.

    x ← x/255
    """

    name: Literal["rescale"] = "rescale"

    def problem(self, seen: Form, stored: Form, examples: int) -> str | None:
        if not stored.is_bytes:
            return (
                "`rescale` divides bytes by 255, but this dataset is no image set; "
                "use `standardize` or leave it out"
            )
        if not seen.is_bytes:
            return "`rescale` turns bytes into numbers from 0 to 1, so it must be the first step"
        return None

    def fit(self, seen: MappedStatistics) -> FeatureMap:
        return FeatureMap.affine(np.zeros(seen.features), np.full(seen.features, 1 / 255))


class MinMax(ShiftAndScale):
    """Give each feature the least value 0 and the greatest 1 over the training examples.

        x ← (x − min)/(max − min),   then cut off at 0 and 1 if `clip`

    A feature that never varies is divided by 1. scikit-learn's MinMaxScaler, where `clip` is false
    by default: of a pixel that is 0 in all training images but one, other images are then far
    above 1.
    """

    name: Literal["min_max"] = "min_max"
    clip: bool = True
    """Cut off at 0 and 1 what lies outside, in examples that the step is not fitted on."""

    def fit(self, seen: MappedStatistics) -> FeatureMap:
        bounds = (0.0, 1.0) if self.clip else (-np.inf, np.inf)
        return FeatureMap.affine(seen.min, reciprocal(seen.max - seen.min, seen), bounds)


class Center(ShiftAndScale):
    """Subtract each feature's mean over the training examples (of images: the mean image).

    x ← x − mean
    """

    name: Literal["center"] = "center"

    def fit(self, seen: MappedStatistics) -> FeatureMap:
        return FeatureMap.affine(seen.mean, np.ones(seen.features))


class Standardize(ShiftAndScale):
    """Give each feature mean 0 and standard deviation 1 over the training examples.

        x ← (x − mean)/std,   then cut off at ±clip

    std is the population's, √(Σ(x − mean)²/n). A feature that never varies is divided by 1.
    scikit-learn's StandardScaler, which cuts nothing off.
    """

    name: Literal["standardize"] = "standardize"
    clip: Clip = 10.0
    """Most deviations from the mean; null for no bound. A normal feature never comes that far, a
    pixel that is 0 in nearly all training images comes hundreds of deviations away where it is
    not."""

    def fit(self, seen: MappedStatistics) -> FeatureMap:
        bound = np.inf if self.clip is None else self.clip
        return FeatureMap.affine(seen.mean, reciprocal(seen.std, seen), (-bound, bound))


def reciprocal(spread: NDArray[np.float64], seen: MappedStatistics) -> NDArray[np.float64]:
    """1/spread, or 1 where a feature varies by no more than rounding does."""
    size = np.maximum(np.abs(seen.min), np.abs(seen.max))
    varies = spread > np.maximum(10 * np.finfo(np.float64).eps * size, SMALLEST)
    return 1 / np.where(varies, spread, 1)


class PerExample(Preprocessing):
    """A step that looks at one example at a time, so there is nothing to fit."""

    keeps_storage: ClassVar[bool] = False

    def problem(self, seen: Form, stored: Form, examples: int) -> str | None:
        if seen.features == 1:
            return f"`{self.name}` leaves only zeros where an example is a single value"
        return None


class SampleMean(PerExample):
    """Subtract from each example the mean of its own values (of images: the brightness).

    x ← x − mean(x),   over all features, and so over all channels
    """

    name: Literal["sample_mean"] = "sample_mean"

    def apply(self, stage: Stage) -> Stage:
        return stage.carried_out(_without_own_mean)


class ContrastNormalize(PerExample):
    """Global contrast normalization: the same spread of values in every example.

        x ← s·(x − mean(x))/max(ε, √(λ + mean((x − mean(x))²)))

    Means are over all features of the example; no value exceeds s·√features. Goodfellow et al.,
    Deep Learning (2016), eq. 12.3.
    """

    name: Literal["contrast_normalize"] = "contrast_normalize"
    scale: Positive = 1.0
    """s, the standard deviation that an example gets where λ is 0."""
    smoothing: NonNegative = 0.0
    """λ, added to the variance so that examples of little contrast stay so, in squared units."""
    eps: Positive = 1e-8
    """ε, the least divisor, for examples without any contrast."""

    def apply(self, stage: Stage) -> Stage:
        return stage.carried_out(self._normalized)

    def _normalized(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        deviation = _without_own_mean(x)
        variance = np.mean(deviation**2, axis=1, keepdims=True)
        return self.scale * deviation / np.maximum(self.eps, np.sqrt(self.smoothing + variance))


def _without_own_mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return x - x.mean(axis=1, keepdims=True)


def preprocess(steps: list[Preprocessing], stage: Stage) -> Stage:
    """The examples after all steps, each fitted on what the ones before it leave.

    With one thread, for the bits of a decomposition depend on how many there are.
    """
    with one_thread():
        for step in steps:
            stage = step.apply(stage)
    return stage


PREPROCESSING: dict[str, type[Preprocessing]] = table(
    [Rescale, MinMax, Center, Standardize, SampleMean, ContrastNormalize, PcaWhiten, ZcaWhiten]
)
