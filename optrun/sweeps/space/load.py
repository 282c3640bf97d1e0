"""From a sweep file, or a config with axes on the command line, to a sweep that can be run."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from optrun.config.document import Document, Unreadable
from optrun.config.problems import KeyPath, Problem, count, render, render_warning
from optrun.config.schema import Config
from optrun.errors import ConfigError
from optrun.settings import value_text
from optrun.sweeps.results.comparison import has_values, spelled_out
from optrun.sweeps.space.candidates import Candidate, Point
from optrun.sweeps.space.checking import (
    ComposedSpace,
    Review,
    averaging_notes,
    common_measure,
    review,
)
from optrun.sweeps.space.combinations import BLOCK, normal, read_space
from optrun.sweeps.space.command_line import typed, write_axes
from optrun.sweeps.space.composing import Composer
from optrun.sweeps.space.schema import Space, SweepBlock
from optrun.sweeps.space.seeds import SEEDS, move_seeds, read_seeds
from optrun.sweeps.space.source import SweepSource, place_of, read_block, read_source
from optrun.sweeps.strategies.strategy import Strategy

MOST_PROBLEMS = 20
"""That are told at once."""


@dataclass(frozen=True)
class Sweep:
    """A sweep that can be run.

    Attributes:
        name: of its directory.
        points: every combination of what is listed, in order.
        seeds: that every candidate is trained with.
        strategy: which candidates are trained, and for how long.
        metric: which the best is best in, such as `val_accuracy`.
        epochs: of a run in full; of the longest, if they differ.
        keys: what varies, the seed apart, in the order of a table.
        baseline: values of the settings that the others are compared with; None: the best.
        notes: what a person might not expect of it.
        warnings: what in its runs is allowed but seldom meant, each once.
        source: the file's name as it was given.
    """

    name: str
    points: tuple[Point, ...]
    seeds: tuple[int, ...]
    strategy: Strategy
    metric: str
    epochs: int
    keys: tuple[str, ...]
    baseline: Mapping[str, Any] | None
    notes: tuple[str, ...]
    warnings: tuple[Problem, ...]
    source: str
    _space: ComposedSpace = field(repr=False, compare=False)
    _written: Mapping[str, Any] = field(repr=False, compare=False)

    def told(self) -> Iterator[str]:
        """The notes and warnings as a person reads them."""
        yield from (f"note: {note}" for note in self.notes)
        yield from (render_warning(warning, self.source) for warning in self.warnings)

    def configs(self, candidate: Candidate) -> list[Config]:
        """The candidate's configs, one a seed.

        Raises:
            ConfigError: a value that was drawn does not go with the others.
        """
        composed = self._space.compose(candidate)
        if composed.config is None:
            raise ConfigError(render(composed.problems, self.source))
        return [composed.config.model_copy(update={"seed": seed}) for seed in self.seeds]

    def written(self) -> dict[str, Any]:
        """What sweep.yaml holds: the same sweep, with nothing to be looked up elsewhere."""
        head = {"name": self.name, **self._written, "seeds": list(self.seeds)}
        strategy = self.strategy.model_dump(mode="json")
        baseline = {"baseline": dict(self.baseline)} if self.baseline else {}
        return {"sweep": {**head, "strategy": strategy, "metric": self.metric, **baseline}}


def load_sweep(
    source: Path | Mapping[str, Any], overrides: Sequence[str] = (), samples: int | None = None
) -> Sweep:
    """Read and check a sweep, and every run of it that is known beforehand.

    Args:
        source: a sweep file, or a config; or a mapping of the same shape as either.
        overrides: axes and values such as `optimizer.lr=0.1,0.01`, and changes to the sweep
            itself such as `sweep.seeds=5`.
        samples: how often to draw, in place of what the strategy says.

    Raises:
        ConfigError: lists every problem of the files, the command line and the runs, each once.
    """
    read = read_source(source)
    notes = write_axes(read.document, overrides, samples)
    move_seeds(read.document)
    draft = _Draft(read, read_block(read))
    draft.judge()
    return draft.finished(notes)


class _Draft:
    """A sweep on its way to one that can be run."""

    def __init__(self, source: SweepSource, block: SweepBlock | None):
        self.source = source
        self.document = source.document
        self.block = block
        self.seeds = self._read_seeds()
        read = read_space(self.document)
        self.document.problems += read.problems
        self.is_whole = not self.document.problems
        composer = Composer(source.base or Document("", {}), read.fixed)
        self.space = ComposedSpace(composer, read.combinations)
        self.review = Review()

    def judge(self) -> None:
        """Find everything that is wrong.

        Raises:
            ConfigError: something is.
        """
        points = self.space.points()
        if self.source.base:
            self.review = review(self.space, points)
        if self.block and self.is_whole:
            self._judge_strategy(self.block.strategy, points)
        told = self.review.problems(points, self._number_of_seeds())
        if self.block and self.is_whole and not told:
            self._judge_metric(self.block)
            self._judge_baseline(self.block, points)
        # what was unreadable in a value has come up with each run that has it
        known = {(problem.place, problem.message) for problem in self.review.all()}
        read = [p for p in self.document.problems if (p.place, p.message) not in known]
        if problems := read + told or self._sameness(points):
            raise ConfigError(render(problems, self.document.source, MOST_PROBLEMS))

    def finished(self, notes: Sequence[str]) -> Sweep:
        """The sweep, of a draft without problems."""
        if self.block is None:
            raise TypeError("a sweep without problems has its section")
        warnings = self.review.warnings(self.space.points(), self._number_of_seeds())
        space, repeats = self.space.without_repeats()
        configs = [config for _, config in self.review.configs]
        first, parts = configs[0], chain.from_iterable(self.space.combinations)
        seeds, metric = self.seeds, common_measure(self.block.metric, configs)[0]
        said = (*notes, *self.review.notes, *averaging_notes(metric, configs))
        return Sweep(
            name=self.block.name or self.source.name or first.name,
            points=space.points(),
            seeds=tuple(range(first.seed, first.seed + seeds)) if isinstance(seeds, int) else seeds,
            strategy=self.block.strategy,
            metric=metric,
            epochs=max(config.training.epochs for config in configs),
            keys=tuple(dict.fromkeys(part.key for part in parts)),
            baseline=self.block.baseline,
            notes=(*said, *([repeats] if repeats else ())),
            warnings=tuple(warnings),
            source=self.document.source,
            _space=space,
            _written=self._written(),
        )

    def _read_seeds(self) -> tuple[int, ...] | int:
        if any(problem.path[: len(SEEDS)] == SEEDS for problem in self.document.problems):
            return 1
        try:
            return read_seeds(self.document)
        except Unreadable as error:
            problem = error.problem
            self._note(SEEDS, problem.message, problem.hint)
            return 1

    def _judge_strategy(self, strategy: Strategy, points: tuple[Point, ...]) -> None:
        path = (*BLOCK, "strategy")
        lengths = {config.training.epochs for _, config in self.review.configs}
        if not lengths:
            return
        if problem := strategy.problem(points, max(lengths)):
            place = place_of(self.document, path)
            self.document.problems.append(Problem(path, self._as_typed(problem), "", place))
            return
        if len(lengths) > 1 and strategy.pauses:
            message = (
                f"runs of {min(lengths)} to {count(max(lengths), 'epoch')} cannot be compared on "
                "the way"
            )
            self._note(path, message, "give all the same `training.epochs`, or take another")
            return
        for candidate in strategy.candidates(points, max(lengths)):
            point = points[candidate.number[0]]
            if point.distributions:  # what is listed has been judged
                self.review.add(point, self.space.compose(candidate))

    def _judge_metric(self, block: SweepBlock) -> None:
        configs = [config for _, config in self.review.configs]
        _, message, hint = common_measure(block.metric, configs)
        if message:
            self._note((*BLOCK, "metric"), message, self._as_typed(hint))

    def _judge_baseline(self, block: SweepBlock, points: Sequence[Point]) -> None:
        settings = spelled_out([point.settings for point in points])
        if block.baseline and not any(has_values(each, block.baseline) for each in settings):
            key, value = next(iter(settings[0].items()), ("optimizer.name", "sgd"))
            hint = f"write values that are listed, such as `{{{key}: {value_text(value)}}}`"
            self._note((*BLOCK, "baseline"), "no setting of the sweep has these values", hint)

    def _sameness(self, points: Sequence[Point]) -> list[Problem]:
        """That nothing varies; told last, for a mistake elsewhere is mostly the reason."""
        if len(points) > 1 or points[0].distributions or self._number_of_seeds() > 1:
            return []
        message, place = (
            "nothing varies, so there is nothing to compare",
            place_of(self.document, ()),
        )
        return [Problem((), message, self._ways_to_vary(), place)]

    def _ways_to_vary(self) -> str:
        if self.source.name is None:
            return 'name an axis: optimizer.lr=0.1,0.01 or "optimizer.lr=logspace(1e-4,1,9)"'
        return "add an axis: `grid: {optimizer.lr: [0.1, 0.01]}`, or `seeds: 3`"

    def _as_typed(self, advice: str) -> str:
        """With `strategy: grid` as on the command line, where there is no sweep file."""
        if self.source.name is not None:
            return advice
        return re.sub(
            r"`(strategy|metric): ([^`]*)`", lambda m: typed(f"sweep.{m[1]}={m[2]}"), advice
        )

    def _number_of_seeds(self) -> int:
        return self.seeds if isinstance(self.seeds, int) else len(self.seeds)

    def _written(self) -> dict[str, Any]:
        block = self.document.values["sweep"]
        base = self.source.base.values if self.source.base else {}
        space = {key: value for key, value in block.items() if key in Space.model_fields}
        if "set" in space:  # its seed is among the seeds
            space["set"] = {k: v for k, v in space["set"].items() if normal(k) != "seed"}
        return {"base": base, **{key: value for key, value in space.items() if value}}

    def _note(self, path: KeyPath, message: str, hint: str = "") -> None:
        place = place_of(self.document, path)
        self.document.problems.append(Problem(path, message, hint, place))
