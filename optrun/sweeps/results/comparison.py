"""Which settings of a sweep do best: seeds taken together, within a group and between groups.

The choice is made by one figure of each run, its metric at the epoch that the run itself chose;
nothing here knows the test set.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean, stdev
from typing import Any

from optrun.metrics import higher_is_better
from optrun.settings import SELF_EXPLAINING, distinguish, flatten, piece, short, varies
from optrun.sweeps.results.rows import ResultRow
from optrun.sweeps.space.candidates import Point

BAD = ("diverged", "failed")

Figures = Mapping[int, float]
"""The metric of a setting's runs, by seed."""


@dataclass(frozen=True, eq=False)
class Setting:
    """One choice for everything that varies but the seed, and its runs.

    Attributes:
        settings: what was chosen for each key, as a candidate has it.
        values: the same with sections spelled out: `optimizer.name`, `optimizer.lr`.
        label: the values in short, which tells it from the sweep's other settings.
        rows: its runs, one a seed.
        figures: the metric of the runs that neither diverged nor failed.
        complete: whether it was trained to the end with every seed of the sweep.
    """

    settings: Mapping[str, Any]
    values: Mapping[str, Any]
    label: str
    rows: Sequence[ResultRow]
    figures: Figures
    complete: bool

    @cached_property
    def mean(self) -> float | None:
        """Over the seeds that have a figure; None if none has."""
        return fmean(self.figures.values()) if self.figures else None

    @property
    def deviation(self) -> float | None:
        """Between seeds, with n − 1 in the denominator; None for fewer than two."""
        return stdev(self.figures.values()) if len(self.figures) > 1 else None

    @property
    def bad(self) -> int:
        """How many of its runs diverged or failed."""
        return sum(row.status in BAD for row in self.rows)

    @property
    def paused(self) -> bool:
        """Whether one of its figures is of a run paused before its last epoch."""
        return any(row.status == "paused" and row.seed in self.figures for row in self.rows)


@dataclass(frozen=True, eq=False)
class Group:
    """Settings that share a component, such as the optimizer.

    Attributes:
        label: what they share; empty if the sweep has but one group.
        settings: the best one first.
    """

    label: str
    settings: Sequence[Setting]

    @property
    def best(self) -> Setting | None:
        """The setting chosen; None if no run of the group came to a figure."""
        first = self.settings[0]
        return None if first.mean is None else first

    @property
    def rows(self) -> list[ResultRow]:
        """All runs of the group."""
        return [row for setting in self.settings for row in setting.rows]


@dataclass(frozen=True, eq=False)
class Comparison:
    """The settings of a sweep, ranked.

    Attributes:
        metric: which the best is best in.
        key: what the groups differ in; None if there is one group only.
        groups: the best one first.
        points: of the sweep, which tell what else there was to choose from.
        baseline: the setting that the others are compared with; None: the best.
        depends_on_seed: whether another seed gives another figure.
        has_examples: whether there are data; a function has none.
    """

    metric: str
    key: str | None
    groups: Sequence[Group]
    points: Sequence[Point] = ()
    baseline: Setting | None = None
    depends_on_seed: bool = True
    has_examples: bool = True

    @cached_property
    def settings(self) -> list[Setting]:
        """All settings, group by group."""
        return [setting for group in self.groups for setting in group.settings]

    @cached_property
    def ranked(self) -> list[Setting]:
        """All settings, the best one first."""
        return sorted(self.settings, key=lambda setting: rank(setting, self.metric))

    @property
    def leader(self) -> Setting | None:
        """The setting that did best of all."""
        return self.groups[0].best if self.groups else None

    @property
    def rival(self) -> Setting | None:
        """The best of the other groups, or of the other settings where there is one group.

        One that was not trained in full with every seed is no rival of one that was.
        """
        chosen = [group.best for group in self.groups]
        others = chosen[1:] if self.key else [s for s in self.settings[1:] if s.mean is not None]
        second = others[0] if others else None
        if self.leader is None or second is None or second.complete < self.leader.complete:
            return None
        return second


def compare(
    rows: Sequence[ResultRow],
    keys: Sequence[str],
    metric: str,
    points: Sequence[Point] = (),
    baseline: Mapping[str, Any] | None = None,
    depends_on_seed: bool = True,
    has_examples: bool = True,
) -> Comparison:
    """Rank the settings of a sweep by the mean of `metric` over their seeds.

    Settings that were trained in full with every seed come first; the others follow, those without
    a figure last and before them those with diverged or failed runs, the fewer the better. Ties
    keep the order of `rows`.

    Settings are grouped by their optimizer if that varies, otherwise by the first key that varies
    and is not a number.

    Args:
        rows: of the sweep, in the order of its candidates.
        keys: that the sweep sets, in its order.
        metric: which the best is best in.
        points: of the sweep: what was listed, and what the rest was drawn from.
        baseline: values of the setting that the others are compared with, the best of those that
            have them; None: the best of all.
        depends_on_seed: whether another seed gives another figure.
        has_examples: whether there are data.
    """
    settings = gather(rows, keys, metric)
    key = group_key([setting.values for setting in settings])
    groups: dict[str, list[Setting]] = {}
    for setting in settings:
        label = piece(key, setting.values[key], {short(key): 1}) if key else ""
        groups.setdefault(label, []).append(setting)

    ranked = [
        Group(label, sorted(group, key=lambda setting: rank(setting, metric)))
        for label, group in groups.items()
    ]
    ranked.sort(key=lambda group: rank(group.settings[0], metric))
    found = Comparison(metric, key, ranked, points, None, depends_on_seed, has_examples)
    return replace(found, baseline=baseline_of(found, baseline)) if baseline else found


def baseline_of(comparison: Comparison, wanted: Mapping[str, Any]) -> Setting | None:
    """The best setting that has the wanted values and a figure."""
    return next(
        (s for s in comparison.ranked if s.mean is not None and has_values(s.values, wanted)), None
    )


def has_values(values: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether a setting has the wanted values; a component may be wanted by its bare name."""
    missing = object()
    flat = flatten(wanted)
    return all(values.get(k, values.get(f"{k}.name", missing)) == v for k, v in flat.items())


def rank(setting: Setting, metric: str) -> tuple[float, ...]:
    """What settings are put in order by, as `compare` says."""
    mean = setting.mean
    if mean is None:
        return (2,)
    return (not setting.complete, setting.bad, -mean if higher_is_better(metric) else mean)


def gather(rows: Sequence[ResultRow], keys: Sequence[str], metric: str) -> list[Setting]:
    """The settings in order of their first run, each with the runs of all its seeds."""
    alike: dict[str, list[ResultRow]] = {}
    for row in rows:
        alike.setdefault(json.dumps(row.settings, sort_keys=True), []).append(row)
    seeds = {row.seed for row in rows}
    chosen = [runs[0].settings for runs in alike.values()]
    values = spelled_out([{k: c[k] for k in keys if k in c} for c in chosen])
    alone = ["the only setting"] if len(values) == 1 else []
    labels = distinguish(values, alone or [f"setting {i}" for i, _ in enumerate(values, 1)])
    return [
        Setting(
            settings=runs[0].settings,
            values=value,
            label=label,
            rows=runs,
            figures=figures_of(runs, metric),
            complete={row.seed for row in runs if row.status == "finished"} == seeds,
        )
        for runs, value, label in zip(alike.values(), values, labels, strict=True)
    ]


def figures_of(rows: Sequence[ResultRow], metric: str) -> dict[int, float]:
    """The metric of each run that has one and neither diverged nor failed, by seed."""
    return {
        row.seed: value
        for row in rows
        if row.status not in BAD and (value := row.best[metric]) is not None
    }


def spelled_out(settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Sections as dotted keys; a component written as a bare name has it under `.name`."""
    named = {key.removesuffix(".name") for key in SELF_EXPLAINING}
    named |= {k for chosen in settings for k, v in chosen.items() if isinstance(v, Mapping)}
    return [
        flatten({k: {"name": v} if k in named and isinstance(v, str) else v for k, v in c.items()})
        for c in settings
    ]


def group_key(values: Sequence[Mapping[str, Any]]) -> str | None:
    """What to group settings by: the optimizer, or the first key that varies and is no number."""
    shared = [key for key in varying(values) if all(key in each for each in values)]
    candidates = [key for key in shared if key not in numeric_keys(values)]
    return "optimizer.name" if "optimizer.name" in candidates else next(iter(candidates), None)


def numeric_keys(values: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys for which more than one number was tried, in the order of the sweep."""
    return [key for key in varying(values) if len(numbers_of(key, values)) > 1]


def varying(values: Sequence[Mapping[str, Any]]) -> list[str]:
    """The keys that settings disagree on, in the order of the sweep."""
    keys = dict.fromkeys(key for each in values for key in each)
    return [key for key in keys if varies(key, [dict(each) for each in values])]


def numbers_of(key: str, values: Sequence[Mapping[str, Any]]) -> list[float]:
    """The different numbers that settings have for a key, from the least up."""
    return sorted({each[key] for each in values if is_number(each.get(key))})


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
