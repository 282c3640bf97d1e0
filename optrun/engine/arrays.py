"""What the compiled loop reads and writes: tuples of arrays; nothing is compiled in."""

from typing import Any, NamedTuple


class Examples(NamedTuple):
    """A dataset as the loop reads it.

    Attributes:
        storage: rows as bytes, uint8 (N, features × bytes a value).
        labels: int64 (N,); empty if numbers are to be predicted.
        values: numbers to predict, (N, outputs); empty for labels.
        shift, scale: the preprocessing, (features,): x = (value − shift)·scale,
        low, high: cut off at these bounds, (features,); empty if nothing is cut off.
    """

    storage: Any
    labels: Any
    values: Any
    shift: Any
    scale: Any
    low: Any
    high: Any


class Parameters(NamedTuple):
    """What training changes, of one float type. Running statistics stand behind the P weights.

    Attributes:
        weights: (P + statistics,).
        gradient: (P,), of the objective at the last step.
        state: the optimizer's, block by block.
        slow: Lookahead's weights, as long as `weights`; else empty.
        average: the averaged weights, as long as `weights`; else empty.
    """

    weights: Any
    gradient: Any
    state: Any
    slow: Any
    average: Any


class Numbers(NamedTuple):
    """The numbers of a config: float64 arrays, and scalars where there is one alone.

    Attributes:
        hyper, activation, normalization, loss: those of the components.
        dropout: rate before each layer, (L,).
        penalty: [l1, l2], as they count in the objective.
        threshold: what a step takes from |w| for every unit of the rate, 0 for nothing; l1 is then
            not in the gradient.
        bounds: [norm, least, greatest] of clipping.
        noise: [η, γ] of the noise added to gradients, η 0 for none.
        adversarial: [ε, share] of adversarial examples, ε 0 for none.
        ascent: ρ of sharpness-aware minimization, 0 for none.
        lookahead: [every, share], `every` 0 for none.
        max_norm: the longest a unit's incoming weights may be.
        small: the largest product that BLAS is to make at once where there are few columns.
    """

    hyper: Any
    activation: Any
    normalization: Any
    loss: Any
    dropout: Any
    penalty: Any
    threshold: Any
    bounds: Any
    noise: Any
    adversarial: Any
    ascent: Any
    lookahead: Any
    max_norm: Any
    small: Any


class Curves(NamedTuple):
    """What is known of every step of the run beforehand, float64 (steps,).

    Attributes:
        rates: learning rates.
        shares: what the weights after a step count for in their average; empty without one.
    """

    rates: Any
    shares: Any


class Epoch(NamedTuple):
    """What an epoch trains on.

    Attributes:
        order: the training rows in the order they are seen, int64.
        views: how each of them is seen.
    """

    order: Any
    views: Any


class Record(NamedTuple):
    """What the steps of a chunk report, float64, one entry a step.

    Attributes:
        loss: of the batch, without penalties.
        penalty: what the penalties add to it.
        norm: of the gradient that is stepped by, noise included, before clipping.
        ratio: ‖Δw‖/‖w‖ of the step, w being all trained parameters before it. Only the last step
            of a chunk and those to be logged have one.
    """

    loss: Any
    penalty: Any
    norm: Any
    ratio: Any
