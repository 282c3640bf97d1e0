"""Normalization (placeholder until the family is merged)."""

from typing import ClassVar

import numpy as np

from optrun.component import Component
from optrun.numerics.jit import kernel


class Normalization(Component):
    drops_bias: ClassVar[bool] = False
    shifts: ClassVar[bool] = False
    keeps_statistics: ClassVar[bool] = False
    of_weights: ClassVar[bool] = False

    def hyper(self) -> list[float]:
        return []


from typing import Literal


class WeightNorm(Normalization):
    name: Literal["weight"] = "weight"
    of_weights = True


class Other(Normalization):
    name: Literal["other"] = "other"


NORMALIZATIONS = {"weight": WeightNorm, "other": Other}


@kernel
def normalize_nothing(z, y, gain, shift, running, kept, h, training):
    pass


@kernel
def denormalize_nothing(z, d, gain, dgain, dshift, kept, h):
    pass


@kernel
def reparametrize(v, gain, w):
    for j in range(v.shape[1]):
        s = 0.0
        for i in range(v.shape[0]):
            s += v[i, j] ** 2
        for i in range(v.shape[0]):
            w[i, j] = gain[j] * v[i, j] / np.sqrt(s)


@kernel
def unreparametrize(v, gain, dw, dgain):
    for j in range(v.shape[1]):
        s = 0.0
        dot = 0.0
        for i in range(v.shape[0]):
            s += v[i, j] ** 2
            dot += dw[i, j] * v[i, j]
        n = np.sqrt(s)
        dgain[j] = dot / n
        for i in range(v.shape[0]):
            dw[i, j] = gain[j] / n * (dw[i, j] - dgain[j] * v[i, j] / n)
