"""How every example of an epoch is seen: what the steps of a list have drawn for it.

All is drawn at once, before the epoch, from streams of (seed, step, epoch), and counted by an
example's position in the epoch's order. So it depends on no optimizer, on no other step of the
list, and not on where a run was interrupted.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optrun.data.augmentation.colours import Colour, GaussianNoise, Palette
from optrun.data.augmentation.erasing import Blackout
from optrun.data.augmentation.geometry import Geometry, Maps
from optrun.data.augmentation.mixing import Mixtures
from optrun.data.augmentation.step import Augmentation, Shape
from optrun.data.augmentation.steps import mixing_among


class Views(NamedTuple):
    """How the examples at positions 0 … n − 1 are seen. Arrays of what does not occur are empty.

    Attributes:
        shape: channels, height, width, int64 (3,); zeros for what is no images.
        maps: inverse affine maps, float64 (n, 6): column a·x + b·y + c and row d·x + e·y + f of
            the image are seen at column x and row y.
        exact: whether a map meets pixels only, so that values are copied, bool (n,).
        colours: M, then Q of v ← M·v + Q·mean, float64 (n, 2·channels²).
        noise: standard deviation of the noise on a scale of 0 to 1.
        boxes: what is blacked out, int64 (steps, n, 4): top, bottom, left, right.
        shares: what an example keeps of its targets, float64 (n,), the same within a batch.
        pasted: what it takes from its partner, int64 (n, 4); empty where wholes are blended.
        seed, epoch: key of the noise.
    """

    shape: Any
    maps: Any
    exact: Any
    colours: Any
    noise: float
    boxes: Any
    shares: Any
    pasted: Any
    seed: int
    epoch: int


def no_views(seed: int = 0, epoch: int = 0) -> Views:
    """Every example as it is."""
    return Views(
        shape=np.zeros(3, np.int64),
        maps=np.zeros((0, 6)),
        exact=np.zeros(0, np.bool_),
        colours=np.zeros((0, 0)),
        noise=0.0,
        boxes=np.zeros((0, 0, 4), np.int64),
        shares=np.zeros(0),
        pasted=np.zeros((0, 4), np.int64),
        seed=seed,
        epoch=epoch,
    )


def draw_views(
    steps: Sequence[Augmentation],
    shape: Shape | None,
    examples: int,
    batch_size: int,
    seed: int,
    epoch: int,
) -> Views:
    """Draw what the steps do to the examples of an epoch.

    Args:
        steps: the config's list, of which `misplaced` has nothing to say.
        shape: (channels, height, width) of images, else None.
        examples: in the epoch.
        batch_size: examples a step of the optimizer; the last batch may be smaller.
        seed: of the run.
        epoch: counted from 0.
    """
    views = no_views(seed, epoch)
    if shape is not None:
        views = views._replace(
            shape=np.array(shape, np.int64),
            noise=sum((step.std for step in steps if isinstance(step, GaussianNoise)), 0.0),
            colours=draw_colours(steps, shape[0], examples, seed, epoch),
            boxes=draw_boxes(steps, shape, examples, seed, epoch),
        )
        views = with_maps(views, draw_maps(steps, shape, examples, seed, epoch))
    if mixing := mixing_among(steps):
        batches = -(-examples // batch_size)
        mixtures = mixing.draw(mixing.stream(seed, epoch), batches, shape)
        views = with_mixtures(views, mixtures, examples, batch_size)
    return views


def draw_maps(
    steps: Sequence[Augmentation], shape: Shape, examples: int, seed: int, epoch: int
) -> NDArray[np.float64]:
    """(examples, 6), the geometry of the list; empty if it has none."""
    drawn = [
        step.draw(step.stream(seed, epoch), examples, shape)
        for step in steps
        if isinstance(step, Geometry)
    ]
    return reduce(Maps.then, drawn).in_pixels(examples, shape) if drawn else np.zeros((0, 6))


def with_maps(views: Views, maps: NDArray[np.float64]) -> Views:
    """The views with these maps, those found out that meet pixels only."""
    a, b, c, d, e, f = maps.T
    straight = (np.abs(a) == 1) & (b == 0) & (d == 0) & (np.abs(e) == 1)
    return views._replace(maps=maps, exact=straight & (c == np.rint(c)) & (f == np.rint(f)))


def draw_colours(
    steps: Sequence[Augmentation], channels: int, examples: int, seed: int, epoch: int
) -> NDArray[np.float64]:
    """(examples, 2·channels²), the colours of the list; empty if it has none."""
    drawn = [
        step.draw(step.stream(seed, epoch), examples, channels)
        for step in steps
        if isinstance(step, Colour)
    ]
    if not drawn:
        return np.zeros((0, 0))
    numbers = np.empty((examples, 2, channels, channels))
    numbers[:, 0], numbers[:, 1] = reduce(Palette.then, drawn)
    return numbers.reshape(examples, -1)


def draw_boxes(
    steps: Sequence[Augmentation], shape: Shape, examples: int, seed: int, epoch: int
) -> NDArray[np.int64]:
    """(steps that black out, examples, 4)"""
    drawn = [
        step.draw(step.stream(seed, epoch), examples, shape)
        for step in steps
        if isinstance(step, Blackout)
    ]
    return np.stack(drawn) if drawn else np.zeros((0, 0, 4), np.int64)


def with_mixtures(views: Views, mixtures: Mixtures, examples: int, batch_size: int) -> Views:
    """The views with a mixture for every batch, repeated for its examples."""
    shares, boxes = mixtures
    batch = np.arange(examples) // batch_size
    return views._replace(shares=shares[batch], pasted=boxes[batch] if boxes.size else boxes)
