"""Every candidate of a sweep judged before anything runs, and what they have in common."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from optrun.config.problems import Problem, count
from optrun.config.schema import Config
from optrun.metrics import AVERAGE
from optrun.settings import value_text
from optrun.sweeps.space.candidates import Candidate, Point
from optrun.sweeps.space.combinations import Combination, Draw, Given
from optrun.sweeps.space.composing import Composed, Composer

NUMBER = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?")


@dataclass
class ComposedSpace:
    """The combinations of a space, and the configs that their candidates come to."""

    composer: Composer
    combinations: list[Combination]

    def points(self) -> tuple[Point, ...]:
        """A point for each combination, in order."""
        return tuple(
            Point(
                number,
                {part.key: part.origin.value for part in parts if isinstance(part, Given)},
                {part.key: part.distribution for part in parts if isinstance(part, Draw)},
            )
            for number, parts in enumerate(self.combinations)
        )

    def compose(self, candidate: Candidate) -> Composed:
        """What a candidate of one of the points comes to."""
        parts = self.combinations[candidate.number[0]]
        return self.composer.compose(
            part if isinstance(part, Given) else part.given(candidate.settings[part.key])
            for part in parts
        )

    def without_repeats(self) -> tuple["ComposedSpace", str | None]:
        """Without what comes to the same as a combination before, and a note if there was any."""
        kept: dict[str, Point] = {}
        repeats: list[tuple[Point, Point]] = []
        for point in self.points():
            config = self.compose(middle(point)).config
            identity = f"{config.model_dump_json() if config else ''} {point.distributions}"
            if point is not (first := kept.setdefault(identity, point)):
                repeats.append((point, first))
        if not repeats:
            return self, None
        combinations = [self.combinations[point.number] for point in kept.values()]
        one = len(repeats) == 1
        note = (
            f"{count(len(repeats), 'combination')} of {len(self.combinations)} "
            f"{'is the same run as one' if one else 'are the same runs as others'} before and left "
            f"out: {'' if one else 'the first is '}{settings_text(repeats[0][0])}"
        )
        return ComposedSpace(self.composer, combinations), note


def middle(point: Point) -> Candidate:
    """The candidate with a usual value for what is drawn."""
    return point.candidate(0, {key: d.quantile(0.5) for key, d in point.distributions.items()})


def extremes(point: Point) -> Iterator[Candidate]:
    """Candidates that are sound only if all draws are, as far as keys go one by one."""
    usual = middle(point).settings
    for key, distribution in point.distributions.items():
        for value in distribution.extremes():
            yield point.candidate(0, {**usual, key: value})


def settings_text(point: Point) -> str:
    """ "optimizer=sgd optimizer.lr=0.1"."""
    return " ".join(f"{key}={value_text(value)}" for key, value in point.settings.items())


@dataclass
class _Finding:
    problem: Problem
    first: Point
    number: int = 0


@dataclass
class Review:
    """The problems of many candidates, each told once.

    Attributes:
        configs: of the sound candidates, each with the number of its point.
    """

    configs: list[tuple[int, Config]] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)
    found: dict[object, _Finding] = field(default_factory=dict)
    doubted: dict[object, _Finding] = field(default_factory=dict)

    def add(self, point: Point, composed: Composed) -> None:
        """What one candidate of the point came to."""
        if composed.config:
            self.configs.append((point.number, composed.config))
        self.notes |= dict.fromkeys(composed.notes)
        _count(self.found, composed.problems, point)
        _count(self.doubted, composed.warnings, point)

    def problems(self, points: Sequence[Point], seeds: int) -> list[Problem]:
        """Each once, with how many runs it concerns unless these are all, or some are drawn."""
        if any(point.distributions for point in points):
            return self.all()
        return [self._told(finding, len(points), seeds) for finding in self.found.values()]

    def warnings(self, points: Sequence[Point], seeds: int) -> list[Problem]:
        """What is seldom meant, told like the problems."""
        if any(point.distributions for point in points):
            return [finding.problem for finding in self.doubted.values()]
        return [self._told(finding, len(points), seeds) for finding in self.doubted.values()]

    def all(self) -> list[Problem]:
        """Each once."""
        return [finding.problem for finding in self.found.values()]

    def _told(self, finding: _Finding, points: int, seeds: int) -> Problem:
        problem = finding.problem
        if finding.number == points:
            return problem
        where = f"in {finding.number * seeds} of {count(points * seeds, 'run')}"
        key, point = ".".join(map(str, problem.path)), finding.first
        if not any(f"{key}.".startswith(f"{varied}.") for varied in point.settings):
            where += f", the first with {settings_text(point)}"
        return replace(problem, message=f"{problem.message} ({where})")


def _count(found: dict[object, _Finding], problems: Sequence[Problem], point: Point) -> None:
    for identity, problem in {_identity(problem): problem for problem in problems}.items():
        found.setdefault(identity, _Finding(problem, point)).number += 1


def _identity(problem: Problem) -> object:
    """The same for what is said of many numbers at one place."""
    if problem.place is None:
        return problem.path, problem.message
    return problem.path, problem.place, NUMBER.sub("", problem.message)


def review(space: ComposedSpace, points: Sequence[Point]) -> Review:
    """Every combination, with the ends of everything that is drawn."""
    found = Review()
    for point in points:
        found.add(point, space.compose(middle(point)))
        for candidate in extremes(point):
            found.add(point, space.compose(candidate))
    return found


def measure(config: Config) -> str:
    """What a run is best in by itself, its averaged weights apart."""
    if config.training.best_by and config.training.best_by != "last":
        return config.training.best_by.removeprefix(AVERAGE)
    if not config.dataset.sizes().validation:
        return "train_loss"
    return "val_accuracy" if config.dataset.outline.labelled else "val_loss"


def common_measure(given: str | None, configs: Sequence[Config]) -> tuple[str, str, str]:
    """What all runs are compared by; or what is wrong with it, and what to write instead."""
    lacking = [c for c in configs if not c.dataset.sizes().validation]
    unlabelled = [c for c in configs if not c.dataset.outline.labelled]
    plain = [c for c in configs if not c.averaging]
    if given is None:
        front = "" if plain else AVERAGE
        own = Counter(front + measure(config) for config in configs)
        if len(own) == 1:
            return next(iter(own)), "", ""
        shared = "train_loss" if lacking else "val_loss" if unlabelled else "val_accuracy"
        shared = front + shared
        ways = " and ".join(f"{number} by {name}" for name, number in own.items())
        message = f"is needed, for the runs are not chosen alike: {ways}"
        return "", message, f"write `metric: {shared}`, which all have"
    bare = given.removeprefix(AVERAGE)
    front = given.removesuffix(bare)
    if front and plain:
        return "", f"`{given}` needs `averaging`{_in(plain, configs)}", f"take `{bare}`"
    if bare.startswith("val") and lacking:
        hint = f"take `{front}train_loss`"
        return "", f"`{given}` needs validation data{_in(lacking, configs)}", hint
    if bare == "val_accuracy" and unlabelled:
        hint = f"take `{front}val_loss`"
        return "", f"`{given}` needs class labels{_in(unlabelled, configs)}", hint
    return given, "", ""


def averaging_notes(metric: str, configs: Sequence[Config]) -> list[str]:
    """What to say where only some runs average their weights and all are compared without."""
    averaged = [config for config in configs if config.averaging]
    if metric.startswith(AVERAGE) or not 0 < len(averaged) < len(configs):
        return []
    return [
        f"runs with and without `averaging` have the same {metric}, which is of the weights "
        f"themselves; to compare averages by {AVERAGE}{metric}, give all runs `averaging`"
    ]


def _in(some: Sequence[Config], configs: Sequence[Config]) -> str:
    if len(some) == len(configs):
        return ", and there are none"
    return f", and {len(some)} of {count(len(configs), 'combination')} have none"
