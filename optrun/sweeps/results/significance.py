"""Whether two settings differ by more than their seeds do."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 0.05
POWER = 0.8
MOST_SEEDS = 100  # that `seeds_needed` looks at
MOST_EXAMPLES = 10**6  # that an accuracy is taken over


@dataclass(frozen=True)
class PairedTest:
    """The paired t-test of two settings on the seeds that both have.

        t = d̄·√n / s,   s² = var(d) + r₁²/12 + r₂²/12,   n − 1 degrees of freedom

    d are the differences, first less second, seed by seed; var has n − 1 in the denominator. An
    accuracy over m examples moves in steps of r = 1/m, so that few seeds often differ by the same
    number of steps. r²/12 is the variance that rounding to such steps adds (Sheppard 1898). With
    it the test holds its level of 5 % from two seeds and from 20 examples on; it assumes that
    differences of equally good settings are symmetric with a single peak.

    Attributes:
        n: common seeds.
        difference: d̄; None if they share no seed.
        deviation: s; None for fewer than two seeds.
        p: two-sided; None for fewer than two seeds, and where all seeds give the same difference
            and no rounding explains it: then seeds change nothing, and there is nothing to test.
    """

    n: int
    difference: float | None
    deviation: float | None
    p: float | None

    def interval(self, level: float = SIGNIFICANT) -> tuple[float, float] | None:
        """The confidence interval at 1 − level: p < level exactly where 0 lies outside of it."""
        if self.difference is None or self.deviation is None or self.p is None:
            return None
        from scipy.special import stdtrit  # scipy.stats takes a second to import

        reach = float(stdtrit(self.n - 1, 1 - level / 2)) * self.deviation / math.sqrt(self.n)
        return self.difference - reach, self.difference + reach

    def seeds_needed(self, level: float = SIGNIFICANT) -> int | None:
        """The seeds with which a difference and deviation like these give p < level in four of five
        sweeps; None if these are more than MOST_SEEDS.
        """
        if not self.difference or not self.deviation:
            return None
        from scipy.special import nctdtr, stdtrit

        n = np.arange(2, MOST_SEEDS + 1)
        shift = abs(self.difference) * np.sqrt(n) / self.deviation
        power = 1 - nctdtr(n - 1, shift, stdtrit(n - 1, 1 - level / 2))
        enough = n[(power >= POWER) | (shift > 1e3)]  # nctdtr overflows for very large shifts
        return int(enough[0]) if enough.size else None


def paired_test(
    first: Mapping[int, float],
    second: Mapping[int, float],
    steps: tuple[float, float] = (0.0, 0.0),
) -> PairedTest:
    """Compare the figures of two settings, by seed, on the seeds that both have.

    Args:
        first: figures by seed.
        second: the same of the other setting.
        steps: in which the figures of each move; 0 for losses.
    """
    differences = np.array([first[seed] - second[seed] for seed in sorted({*first} & {*second})])
    n = len(differences)
    if n < 2:
        return PairedTest(n, float(differences[0]) if n else None, None, None)
    rounding = (steps[0] ** 2 + steps[1] ** 2) / 12
    mean, deviation, p = (float(each) for each in t_test(differences, rounding))
    return PairedTest(n, mean, deviation, None if math.isnan(p) else p)


def t_test(differences: NDArray[np.float64], rounding: float) -> tuple[NDArray[Any], ...]:
    """Mean, deviation and two-sided p of differences, (..., n); p is NaN where nothing varies.

    Args:
        differences: between two settings, over n ≥ 2 seeds.
        rounding: the variance that the rounding of figures adds to them.
    """
    from scipy.special import stdtr

    n = differences.shape[-1]
    # equal differences have a mean that may be off by a rounding, which is no variance
    same = np.ptp(differences, axis=-1) <= 1e-12 * np.abs(differences).max(axis=-1)
    mean = differences.mean(axis=-1)
    variance = np.where(same, 0.0, differences.var(axis=-1, ddof=1)) + rounding
    deviation = np.sqrt(variance)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(n - 1, -np.abs(mean) * math.sqrt(n) / deviation)
    p = np.where(deviation > 0, p, np.nan)
    return mean, deviation, np.where(mean == 0, 1.0, p)


def step_of(accuracies: Sequence[float]) -> float:
    """The step 1/m in which these accuracies over m examples move.

    m is taken for the least number of examples that can give all of them. The true one is a
    multiple of it, so the step may be too large, and the test too careful, but not too small.
    """
    fractions = (Fraction(accuracy).limit_denominator(MOST_EXAMPLES) for accuracy in accuracies)
    return 1 / math.lcm(*(fraction.denominator for fraction in fractions))


def holm(p: Sequence[float]) -> list[tuple[float, int]]:
    """Holm's correction for several tests: of each its corrected p, and the factor it went by.

    Tests are taken from the least p up; the k-th of K is multiplied by K − k + 1, and is at least
    what came before it. From the first that is not significant on, the factor stays what it was
    there, so that a corrected p < 0.05 is the same as p times factor < 0.05. Holm 1979.
    """
    corrected: list[tuple[float, int]] = [(1.0, 1)] * len(p)
    highest, factor, rejecting = 0.0, len(p), True
    for place, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, p[index] * (len(p) - place)))
        if rejecting:
            factor = len(p) - place
            rejecting = p[index] * factor < SIGNIFICANT
        corrected[index] = highest, factor
    return corrected
