"""Contradictions between fields that are each right in themselves, and what is seldom meant.

A check is a function whose parameters are named after the sections it needs; it runs as far as
the fields that it reads are sound, even if others are not. To add one, write it and name it in
`CHECKS`, whose findings are errors, or in `DOUBTS`, whose findings are warnings.
"""

import inspect
from functools import cache
from typing import Any

from optrun.config.checks import choosing, doubtful, models, optimizers, sizes, times
from optrun.config.checks.contradiction import Check
from optrun.config.document import Document
from optrun.config.problems import Problem


def contradictions(sections: dict[str, Any], complete: bool, document: Document) -> list[Problem]:
    """Every contradiction between the sections given, at its place in the document.

    Args:
        sections: those that can be checked. Unless `complete`, they may lack attributes, and a
            check that asks for one ends there.
        complete: whether every section has all its attributes.
        document: knows the places.
    """
    return _found(CHECKS, sections, complete, document)


def doubts(sections: dict[str, Any], document: Document) -> list[Problem]:
    """What is allowed in a sound config and seldom meant, at its place in the document."""
    return _found(DOUBTS, sections, True, document)


def _found(
    checks: tuple[Check, ...], sections: dict[str, Any], complete: bool, document: Document
) -> list[Problem]:
    problems = []
    for check in checks:
        needed = _needed(check)
        if not all(name in sections for name in needed):
            continue
        try:
            for path, message, hint in check(*(sections[name] for name in needed)):
                problems.append(Problem(path, message, hint, document.value_place(path)))
        except AttributeError:
            if complete:
                raise
    return problems


@cache
def _needed(check: Check) -> tuple[str, ...]:
    return tuple(inspect.signature(check).parameters)


CHECKS: tuple[Check, ...] = (
    sizes.dataset_is_large_enough,
    sizes.batch_fits_into_data,
    sizes.run_can_be_counted,
    sizes.run_fits_into_memory,
    models.objective_is_whole,
    models.loss_fits_targets,
    models.loss_takes_mixtures,
    models.gain_is_known,
    models.pretrained_weights_fit,
    models.batch_can_be_normalized,
    models.weights_have_a_direction,
    models.dropout_matches_layers,
    models.what_is_regularized_is_there,
    models.penalties_are_given_once,
    optimizers.optimizer_agrees_with_itself,
    optimizers.rate_can_be_scaled,
    optimizers.weights_stay_as_they_are_left,
    optimizers.thresholds_can_act,
    optimizers.driver_is_asked_for_what_it_does,
    optimizers.statistics_are_of_the_weights,
    optimizers.curvature_is_known,
    optimizers.curvature_of_a_dataset_is_known,
    optimizers.search_has_something_to_draw,
    times.warmup_fits_into_run,
    times.schedule_fits_into_run,
    times.schedule_falls,
    times.rate_climbs_once,
    times.rate_lasts,
    times.rule_follows_schedule,
    times.slow_weights_move,
    times.average_fits_into_run,
    choosing.validation_is_there,
    choosing.accuracy_is_there,
    choosing.average_is_there,
    choosing.stopping_has_a_measure,
    choosing.schedule_has_a_measure,
    choosing.rate_is_cut_before_stopping,
)

DOUBTS: tuple[Check, ...] = (
    doubtful.warmup_takes_steps,
    doubtful.schedule_takes_steps,
    doubtful.average_takes_steps,
    doubtful.rate_stays_above_nothing,
    doubtful.rate_is_scaled_moderately,
    doubtful.stopping_can_act,
    doubtful.plateau_can_act,
    doubtful.batches_are_alike,
    doubtful.newton_goes_down,
    doubtful.whitening_has_enough_examples,
)
