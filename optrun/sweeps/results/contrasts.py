"""Each setting of a sweep against the best one, or against the baseline that the sweep names."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from optrun.metrics import higher_is_better, is_accuracy
from optrun.sweeps.results.comparison import Comparison, Setting
from optrun.sweeps.results.significance import (
    SIGNIFICANT,
    PairedTest,
    holm,
    paired_test,
    step_of,
)


@dataclass(frozen=True, eq=False)
class Contrast:
    """How much a setting differs from another.

    Attributes:
        setting: the one.
        other: the other.
        test: the paired test of the one less the other.
        p: corrected for all comparisons with the other setting; None where there is no test.
        level: that a single test must reach for a corrected p of 0.05.
        tests: how many comparisons it is corrected for.
    """

    setting: Setting
    other: Setting
    test: PairedTest
    p: float | None = None
    level: float = SIGNIFICANT
    tests: int = 1

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of the difference, at 95 %, corrected: p < 0.05 exactly where 0 lies outside of it."""
        return self.test.interval(self.level) if self.p is not None else None

    @property
    def significant(self) -> bool:
        """Whether the two differ by more than seeds do."""
        return self.p is not None and self.p < SIGNIFICANT

    def reversed(self) -> "Contrast":
        """The same, of the other setting less this one."""
        difference = None if self.test.difference is None else -self.test.difference
        test = replace(self.test, difference=difference)
        return replace(self, setting=self.other, other=self.setting, test=test)


@dataclass(frozen=True, eq=False)
class Lead:
    """What the best setting is ahead by.

    Attributes:
        contrast: of the best less the baseline, or less its rival.
        ahead: whether it does better where both have a figure.
        holds: whether another sweep would show it too: it is significant, or no seed can change it.
    """

    contrast: Contrast
    ahead: bool
    holds: bool


def contrasts(comparison: Comparison) -> dict[Setting, Contrast]:
    """Every other setting less the reference, which is the baseline or else the best.

    A setting that was not trained as far as the reference, with as many seeds, has none.
    """
    reference = comparison.baseline or comparison.leader
    if reference is None:
        return {}
    others = [
        setting
        for setting in comparison.settings
        if setting is not reference
        and setting.mean is not None
        and setting.complete >= reference.complete
    ]
    steps = resolutions(comparison)
    tests = [
        paired_test(each.figures, reference.figures, (steps[each], steps[reference]))
        for each in others
    ]
    if not comparison.depends_on_seed:
        tests = [replace(test, p=None) for test in tests]
    tested = [i for i, test in enumerate(tests) if test.p is not None]
    corrected = dict(zip(tested, holm([tests[i].p or 0.0 for i in tested]), strict=True))
    found = {}
    for i, (setting, test) in enumerate(zip(others, tests, strict=True)):
        contrast = Contrast(setting, reference, test)
        if i in corrected:
            p, factor = corrected[i]
            level = SIGNIFICANT / factor
            contrast = replace(contrast, p=p, level=level, tests=len(tested))
        found[setting] = contrast
    return found


def resolutions(comparison: Comparison) -> dict[Setting, float]:
    """The step in which each setting's figures move: 0 for losses.

    It is read off all accuracies of the settings that have the same dataset.
    """
    if not is_accuracy(comparison.metric):
        return dict.fromkeys(comparison.settings, 0.0)
    seen: dict[str, list[float]] = {}
    for setting in comparison.settings:
        seen.setdefault(data_of(setting.values), []).extend(setting.figures.values())
    return {s: step_of(seen[data_of(s.values)]) for s in comparison.settings}


def data_of(values: Mapping[str, object]) -> str:
    """What a setting says of the dataset."""
    return repr({key: value for key, value in values.items() if key.startswith("dataset")})


def lead(comparison: Comparison, against: Mapping[Setting, Contrast]) -> Lead | None:
    """What the best setting is ahead by; None where there is nothing to compare it with.

    Args:
        comparison: of the sweep.
        against: its contrasts.
    """
    leader, rival = comparison.leader, comparison.rival
    if leader is None:
        return None
    if leader in against:  # the reference is the baseline
        contrast = against[leader]
    elif rival is not None and rival in against:
        contrast = against[rival].reversed()
    else:
        return None
    difference = contrast.test.difference or 0.0
    ahead = difference > 0 if higher_is_better(comparison.metric) else difference < 0
    holds = ahead and (contrast.significant or not comparison.depends_on_seed)
    return Lead(contrast, ahead, holds)
