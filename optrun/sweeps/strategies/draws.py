"""Which candidates are drawn from the points of a space, and in which order."""

from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from optrun.sweeps.space.candidates import Candidate, Key, Point


def drawn_key(points: Sequence[Point]) -> Key | None:
    """The first key that is drawn; None if everything is listed."""
    return next((key for point in points for key in point.distributions), None)


def nothing_to_draw(points: Sequence[Point]) -> str | None:
    """What to write where a strategy draws and everything is listed; None if something is drawn."""
    if drawn_key(points):
        return None
    return (
        "everything is listed, so there is nothing to draw; give a key a distribution such as "
        "`loguniform(1e-4, 1)`, or choose `strategy: grid`"
    )


def wrong_samples(name: str, samples: int | None, points: Sequence[Point]) -> str | None:
    """What is wrong with a strategy that needs `samples` exactly where something is drawn."""
    key = drawn_key(points)
    if key and samples is None:
        return f"`{key}` is drawn, so say how often: `strategy: {{name: {name}, samples: 20}}`"
    if not key and samples is not None:
        return "everything is listed, so there is nothing to draw; leave `samples` out"
    return None


def draws(points: Sequence[Point], samples: int, seed: int) -> list[Candidate]:
    """The first draw of every point, then the second of every point, and so on.

    A point in which nothing is drawn comes once.
    """
    return [
        point.draw(draw, seed)
        for draw in range(samples)
        for point in points
        if draw == 0 or point.distributions
    ]


def shuffled_draws(
    points: Sequence[Point], seed: int, samples: int | None = None
) -> Iterator[Candidate]:
    """The same in an order that the seed shuffles, anew for each round through the points.

    Without `samples` it goes on until no point is left in which something is drawn: for ever, or
    after one round.
    """
    for draw in count() if samples is None else range(samples):
        left = [point for point in points if draw == 0 or point.distributions]
        if not left:
            return
        for place in np.random.default_rng([seed, draw]).permutation(len(left)):
            yield left[place].draw(draw, seed)


def in_order(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates in the order of tables."""
    return sorted(candidates, key=lambda candidate: candidate.number)
