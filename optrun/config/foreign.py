"""Files written for other tools' sweeps: what they are, and what their parts are called here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Form:
    """The form of another tool's file.

    Attributes:
        tool: whose it is.
        marks: sets of top-level keys; one of them all there gives the form away.
        parts: a key there with what is below it, and what to write instead: in backquotes, what
            stands under `sweep:` or is typed.
    """

    tool: str
    marks: tuple[frozenset[str], ...]
    parts: tuple[tuple[str, str], ...]


EXAMPLE = """\
sweep:
  base: config.yaml
  grid: {optimizer.name: [sgd, adam]}
  random: {optimizer.lr: loguniform(1e-4, 1)}
  strategy: {name: random, samples: 20}
  metric: val_accuracy
  seeds: 3"""
"""A sweep file with all that these tools have."""

LISTS = "`grid: {optimizer.lr: [0.1, 0.01]}`"
DRAWS = "`random: {optimizer.lr: loguniform(1e-4, 1)}`"
SEARCHES = "`strategy: {name: random, samples: 20}`, or `strategy: {name: tpe, samples: 30}`"
HALVES = "`strategy: hyperband`, or `strategy: asha`"
CONFIG = "`base: config.yaml`, which names dataset, model and optimizer"
BEST_IN = "`metric: val_accuracy`, from which follows what is better"


def _marks(*sets: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(keys.split()) for keys in sets)


FORMS = (
    Form(
        "Weights & Biases",
        _marks("method parameters", "program parameters", "parameters early_terminate"),
        (
            ("program", CONFIG),
            ("command", CONFIG),
            ("method", "`strategy: grid`, `strategy: random`; bayes is `strategy: tpe`"),
            ("parameters.….values", LISTS),
            ("parameters.….value", "`set: {optimizer.lr: 0.1}`"),
            ("parameters.….min, max", "`random: {optimizer.lr: uniform(0.001, 0.1)}`"),
            ("parameters.….distribution", DRAWS),
            ("metric", BEST_IN),
            ("early_terminate", HALVES),
            ("run_cap", SEARCHES),
            ("name", "`name: rates`"),
        ),
    ),
    Form(
        "FOB",
        _marks("task engine", "task optimizer"),
        (
            ("task", CONFIG),
            (
                "optimizer",
                "`each: [{set: {optimizer.name: adamw}, grid: {optimizer.lr: [0.1, 0.01]}}]`, "
                "an item for each optimizer",
            ),
            ("engine.seed", "`seeds: [1, 2, 3]`"),
            ("engine.output_dir", "`optrun sweep FILE --out DIRECTORY`"),
        ),
    ),
    Form(
        "Ludwig",
        _marks("hyperopt", "input_features output_features"),
        (
            ("hyperopt.parameters.….categories", LISTS),
            ("hyperopt.parameters.….lower, upper", DRAWS),
            ("hyperopt.search_alg, executor.num_samples", SEARCHES),
            ("hyperopt.executor.scheduler", HALVES),
            ("hyperopt.goal, metric", BEST_IN),
            ("input_features", CONFIG),
            ("trainer", CONFIG),
        ),
    ),
    Form(
        "Hydra",
        _marks("hydra", "defaults"),
        (
            ("defaults", CONFIG),
            ("hydra.sweeper.params: choice", LISTS),
            ("hydra.sweeper.params: interval", DRAWS),
            ("hydra.sweeper.n_trials", SEARCHES),
        ),
    ),
    Form(
        "Ray Tune",
        _marks("param_space", "tune_config", "run config", "num_samples config"),
        (
            ("run", CONFIG),
            ("param_space: grid_search, choice", LISTS),
            ("param_space: loguniform", DRAWS),
            ("config: grid_search, choice", LISTS),
            ("config: loguniform", DRAWS),
            ("tune_config.num_samples", SEARCHES),
            ("tune_config.scheduler", HALVES),
            ("tune_config.metric, mode", BEST_IN),
            ("num_samples", SEARCHES),
            ("scheduler", HALVES),
            ("stop", "`set: {training.epochs: 10}`"),
        ),
    ),
    Form(
        "Optuna",
        _marks("n_trials", "study_name", "search_space", "sampler pruner"),
        (
            ("search_space: categorical", LISTS),
            ("search_space: float", DRAWS),
            ("search_space: int", "`random: {training.batch_size: integer(16, 256)}`"),
            ("parameters: categorical", LISTS),
            ("parameters: float", DRAWS),
            ("n_trials, sampler", SEARCHES),
            ("sampler", SEARCHES),
            ("pruner", HALVES),
            ("direction", BEST_IN),
            ("study_name", "`name: rates`"),
        ),
    ),
)


def foreign_sweep(values: Mapping[str, Any]) -> str:
    """What to say of a file that is another tool's sweep; nothing of others.

    Args:
        values: of the whole file, or of its `sweep:` section.
    """
    inner = values.get("sweep")
    keys = set(inner if isinstance(inner, Mapping) else values)
    if keys & {"base", "dataset", "model"}:
        return ""
    form = next((form for form in FORMS if any(marks <= keys for marks in form.marks)), None)
    if form is None:
        return ""
    rows = [(key, ours) for key, ours in form.parts if re.split("[^a-z_]", key)[0] in keys]
    width = max(len(key) for key, _ in rows)
    lines = [f"  {key:{width}}  {ours}" for key, ours in rows]
    example = "\n".join(f"  {line}" for line in EXAMPLE.splitlines())
    return (
        f"this is a sweep in the form of {form.tool}. Here its parts are called:\n"
        + "\n".join(lines)
        + f"\nA sweep file looks like this, and `optrun sweep FILE` runs it:\n{example}"
    )
