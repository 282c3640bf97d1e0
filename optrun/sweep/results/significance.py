"""Whether two settings differ by more than their seeds do."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class PairedTest:
    """Whether two settings differ by more than seeds do: the paired t-test on common seeds.

    Attributes:
        n: common seeds.
        p: two-sided; None for fewer than two seeds.
        difference: mean of the first less that of the second; None if they share no seed.
    """

    n: int
    p: float | None
    difference: float | None


def paired_test(first: Mapping[int, float], second: Mapping[int, float]) -> PairedTest:
    """Compare the figures of two settings, by seed, on the seeds that both have.

    Where all differences are the same there is no spread to measure them by: p is 1 if they are
    zero and 0 if they are not.
    """
    differences = [first[seed] - second[seed] for seed in sorted(first.keys() & second.keys())]
    n = len(differences)
    if n < 2:
        return PairedTest(n, None, differences[0] if n else None)
    difference = fmean(differences)
    if min(differences) == max(differences):
        return PairedTest(n, float(difference == 0), difference)
    from scipy.special import stdtr  # scipy.stats takes a second to import

    t = difference / (stdev(differences) / math.sqrt(n))
    return PairedTest(n, 2 * float(stdtr(n - 1, -abs(t))), difference)
