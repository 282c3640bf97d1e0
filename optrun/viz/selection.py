"""Which runs to draw: named by directories, patterns or sweeps, and picked by their settings."""

import difflib
import glob
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optrun.errors import RunError, UserError
from optrun.metrics import label_of
from optrun.settings import flatten, short, value_text
from optrun.store.reading import Run, check_is_run, looks_like_run
from optrun.store.run_directory import RunDirectory
from optrun.sweeps.directory import SweepDirectory, named_sweep
from optrun.sweeps.results.comparison import Comparison, Setting, compare
from optrun.sweeps.results.rows import read_results
from optrun.viz.groups import read_runs
from optrun.viz.labels import compared_keys, listed, short_names

MOST_SETTINGS = 10  # of a sweep that are drawn unless all are asked for
MOST_NAMED = 20  # values of a setting in a message
COMMON = 2 / 3  # the share of runs whose setting is that of most
Named = str | Path | Run


@dataclass
class Selection:
    """The runs to draw.

    Attributes:
        runs: in the order they were named.
        metric: of the sweep, if one was named.
        notes: on what was chosen of a sweep, a sentence each.
        exceptions: on runs that may not belong to the others, a sentence each.
    """

    runs: list[Run] = field(default_factory=list)
    metric: str | None = None
    notes: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)


def select(
    named: Sequence[Named],
    sweep: str | Path | None = None,
    where: Sequence[str] = (),
    every: bool = False,
    root: Path = Path("runs"),
    warn: Callable[[str], object] = lambda text: None,
) -> Selection:
    """Find the runs that are named, and read them.

    Args:
        named: run directories, patterns such as `runs/mnist-*`, sweeps by directory or name, runs.
        sweep: keep the runs of this sweep only; all of them if nothing is named.
        where: keep the runs with these settings only, each `key=value`.
        every: draw all settings of a sweep. Otherwise, of many, the best of each group.
        root: where sweeps are looked for by name.
        warn: called with a sentence on what is left out because it is no run or cannot be read.

    Raises:
        UserError: nothing is left; RunError: something is not there or cannot be read.
    """
    if not named and sweep is None:
        raise UserError(
            "no run is named; give run directories, such as runs/*, or a sweep by its name"
        )
    chosen = Selection()
    directories: list[Path | Run] = []
    if sweep is not None and not named:
        add_sweep(
            chosen, find_sweep(sweep, root) or named_sweep(root, str(sweep)), where, every, warn
        )
    for each in named:
        directory = None if isinstance(each, Run) else find_sweep(each, root)
        if directory is None:
            directories += [each] if isinstance(each, Run) else expand(each, root)
        else:
            add_sweep(chosen, directory, where, every, warn)
    directories = only_runs(directories, warn)
    if named and sweep is not None:
        directories = within_sweep(directories, sweep, root)
    if directories:
        kept = fitting(read_runs(directories, warn), where)
        chosen.exceptions += odd_runs(kept)
        chosen.runs += kept
    return chosen


def find_sweep(name: str | Path, root: Path) -> SweepDirectory | None:
    """The sweep that is meant by a directory, or by a name where no such file exists."""
    path = Path(name)
    if (path / "sweep.yaml").exists():
        return SweepDirectory(path)
    by_name = SweepDirectory.named(root, str(name))
    return by_name if not path.exists() and by_name.spec.exists() else None


def expand(named: str | Path, root: Path) -> list[Path]:
    """The paths that a pattern matches, or the path itself.

    Raises:
        RunError: there is nothing of that name.
    """
    path = Path(named)
    if path.exists():
        return [path]
    if glob.has_magic(str(named)):
        found = sorted(map(Path, glob.glob(str(named))))  # noqa: PTH207  # may be absolute
        if not found:
            raise RunError(f"nothing matches {named}; `optrun runs` lists the runs there are")
        return found
    try:
        check_is_run(path)
    except RunError as error:
        sweeps = sorted(spec.parent.name for spec in root.glob("sweeps/*/sweep.yaml"))
        near = difflib.get_close_matches(str(named), sweeps, n=1, cutoff=0.6)
        hint = f"; or the sweep {near[0]}?" if near else ""
        raise RunError(f"{error}{hint}") from None
    return [path]


def only_runs(named: Sequence[Path | Run], warn: Callable[[str], object]) -> list[Path | Run]:
    """Without what is no run, if something else is left."""
    runs = [each for each in named if isinstance(each, Run) or looks_like_run(each)]
    others = [each for each in named if not (isinstance(each, Run) or looks_like_run(each))]
    if others and not runs:
        check_is_run(others[0])
    if others:
        names = ", ".join(map(str, others[:3])) + (", …" if len(others) > 3 else "")
        warn(f"left out, as not a run: {names}")
    return runs


# Sweeps


def add_sweep(
    chosen: Selection,
    directory: SweepDirectory,
    where: Sequence[str],
    every: bool,
    warn: Callable[[str], object],
) -> None:
    """Choose among the runs of a sweep."""
    comparison = begun_settings(directory, where)
    tried, shown = comparison.settings, comparison.settings
    chosen.metric = chosen.metric or comparison.metric
    if len(tried) > MOST_SETTINGS and not every:
        shown, what = best_settings(comparison)
        chosen.notes.append(
            f"{directory.path.name}: {len(shown)} of {len(tried)} settings, {what} by "
            f"{label_of(comparison.metric)}; --all draws all"
        )
    paths = [directory.runs / row.directory for setting in shown for row in setting.rows]
    known = {run.path.resolve() for run in chosen.runs}
    chosen.runs += read_runs([path for path in paths if path.resolve() not in known], warn)


def begun_settings(directory: SweepDirectory, where: Sequence[str]) -> Comparison:
    """The settings of a sweep's runs that have begun, ranked.

    Raises:
        UserError: none is left; RunError: results.csv cannot be read, or no run has begun.
    """
    results, metric = read_results(directory.results), directory.metric()
    rows = [
        row
        for row in results.rows
        if row.status != "failed" and looks_like_run(directory.runs / row.directory)
    ]
    if not rows:
        raise RunError(
            f"no run of the sweep {directory.path.name} has begun; "
            f"`optrun sweep {directory.spec}` begins them"
        )
    if where:
        configs = [RunDirectory(directory.runs / row.directory).read_config() for row in rows]
        rows = [row for row, keep in zip(rows, keeping(configs, where), strict=True) if keep]
    return compare(rows, results.keys, metric)


def best_settings(comparison: Comparison) -> tuple[list[Setting], str]:
    """The best setting of each group, or the best of all if there is one group; and what it is."""
    if comparison.key:
        return [group.settings[0] for group in comparison.groups], (
            f"the best of each {short(comparison.key)}"
        )
    return comparison.settings[:MOST_SETTINGS], "the best"


def within_sweep(
    directories: Sequence[Path | Run], sweep: str | Path, root: Path
) -> list[Path | Run]:
    """Those that are runs of the sweep.

    Raises:
        UserError: none is; RunError: there is no such sweep.
    """
    directory = find_sweep(sweep, root) or named_sweep(root, str(sweep))
    rows = read_results(directory.results).rows
    members = {(directory.runs / row.directory).resolve() for row in rows}
    kept = [d for d in directories if (d.path if isinstance(d, Run) else d).resolve() in members]
    if directories and not kept:
        raise UserError(
            f"none of the {len(directories)} runs named belongs to the sweep {directory.path.name}"
        )
    return kept


# Settings


def fitting(runs: Sequence[Run], where: Sequence[str]) -> list[Run]:
    """The runs with these settings.

    Raises:
        UserError: no run has such a key, or such a value of it.
    """
    kept = keeping([run.config for run in runs], where)
    return [run for run, keep in zip(runs, kept, strict=True) if keep]


def keeping(configs: Sequence[Mapping[str, Any]], where: Sequence[str]) -> list[bool]:
    """Which configs have all of these settings."""
    flats = [flatten(config) for config in configs]
    kept = [True] * len(flats)
    for condition in where:
        key, equals, value = condition.partition("=")
        if not equals:
            raise UserError(f"--where is {condition}; write it as key=value, such as seed=0")
        found = [values_of(key, flat) for flat in flats]
        known = list(dict.fromkeys(text for values in found for text in values))
        if not known:
            raise UserError(f"no run has a setting {key}{nearest_key(key, flats)}")
        matches = [any(same(text, value) for text in values) for values in found]
        kept = [keep and match for keep, match in zip(kept, matches, strict=True)]
        if not any(kept):
            there = listed(sorted(known, key=by_size)[:MOST_NAMED], "or")
            raise UserError(f"no run has {' and '.join(where)}; {key} is {there} here")
    return kept


def values_of(key: str, flat: Mapping[str, Any]) -> list[str]:
    """The values of the settings that `key` names, in full or by its last words."""
    names = {name: (name, name.removesuffix(".name")) for name in flat}
    exact = [name for name, both in names.items() if key in both]
    ending = [name for name, both in names.items() if any(n.endswith(f".{key}") for n in both)]
    return [value_text(flat[name]) for name in exact or ending]


def same(text: str, wanted: str) -> bool:
    """Whether a setting is the value that was written, be it a number written otherwise."""
    try:
        return float(text) == float(wanted)
    except ValueError:
        return text == wanted


def by_size(text: str) -> tuple[float, str]:
    """What texts are put in order by: numbers by size, and before other words."""
    try:
        return float(text), text
    except ValueError:
        return math.inf, text


def nearest_key(key: str, flats: Sequence[Mapping[str, Any]]) -> str:
    """What key may have been meant, as the end of a sentence."""
    keys = {key for flat in flats for key in flat}
    names = {key.removesuffix(".name") for key in keys} | {short(key) for key in keys}
    near = difflib.get_close_matches(key, sorted(names), n=1)
    return f"; did you mean {near[0]}?" if near else "; see config.yaml of a run for all of them"


def odd_runs(runs: Sequence[Run]) -> list[str]:
    """Which runs differ from most in settings that do not seem to be what is compared.

    That is a setting that most runs share, where there is another that no value of is so common.
    """
    flats = [flatten(run.config) for run in runs]
    keys = compared_keys([run.config for run in runs])
    keys = [key for key in keys if key != "seed" and not key.endswith(".lr")]
    usual: dict[str, str] = {}
    for key in keys:
        value, count = Counter(value_text(flat[key]) for flat in flats).most_common(1)[0]
        if count >= COMMON * len(runs):
            usual[key] = value
    if len(usual) == len(keys):
        return []
    exceptions: dict[tuple[int, ...], list[str]] = {}
    for key, value in usual.items():
        odd = tuple(i for i, flat in enumerate(flats) if value_text(flat[key]) != value)
        exceptions.setdefault(odd, []).append(key)
    return [exception_text([runs[i] for i in odd], keys, usual) for odd, keys in exceptions.items()]


def exception_text(odd: Sequence[Run], keys: Sequence[str], usual: Mapping[str, str]) -> str:
    """`runs/a-1 and 2 more differ from most in epochs; --where training.epochs=5 leaves …`."""
    more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
    verb = "differ" if more else "differs"
    key = keys[0].removesuffix(".name")
    return (
        f"{odd[0].path}{more} {verb} from most runs in {listed(short_names(keys))}; "
        f"--where {key}={usual[keys[0]]} leaves {'them' if more else 'it'} out"
    )
