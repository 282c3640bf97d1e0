"""Gathering through views: against a slow twin, and the bits it must keep."""

from itertools import permutations

import numpy as np
import pytest
from scipy import ndimage

from optrun.data.augmentation.steps import AUGMENTATION
from optrun.data.augmentation.views import draw_views, no_views
from optrun.engine.arrays import Examples
from optrun.engine.gather import gather_bytes, gather_reals
from tests.augmented import apply, augment
from tests.kernels import call

SHAPES = [(1, 9, 9), (3, 8, 11), (3, 11, 8), (1, 1, 6), (2, 5, 4)]
N = 40


def steps(*names):
    return [AUGMENTATION[name]() for name in names]


def images(shape, n=N):
    return np.random.default_rng(3).integers(0, 256, (n, int(np.prod(shape))), dtype=np.uint8)


def moved(image, m):
    """A channel at a time, by SciPy, in rows and columns; beyond the image all is 0."""
    a, b, c, d, e, f = m
    matrix, offset = np.array([[e, d], [b, a]]), [f, c]
    return np.stack(
        [
            ndimage.affine_transform(plane, matrix, offset, order=1, mode="grid-constant", cval=0)
            for plane in image
        ]
    )


def recoloured(image, palette):
    k = image.shape[0]
    m, q = palette.reshape(2, k, k)
    offset = q @ image.mean(axis=(1, 2))
    return np.clip(np.tensordot(m, image, 1) + offset[:, None, None], 0, 255)


def slowly(views, x, shape):
    """What `views` shows of images, but for noise, one step after the other, in float64."""
    out = []
    for i, image in enumerate(x.reshape(len(x), *shape).astype(np.float64)):
        if len(views.maps):
            image = moved(image, views.maps[i])
        if len(views.colours):
            image = recoloured(image, views.colours[i])
        for boxes in views.boxes:
            top, bottom, left, right = boxes[i]
            image[:, top:bottom, left:right] = 0
        out.append(image.reshape(-1))
    return np.array(out)


LISTS = [
    ["horizontal_flip", "vertical_flip", "random_crop"],
    ["rotation"],
    ["shift", "resized_crop", "shear"],
    ["stretch", "rotation", "horizontal_flip", "zoom"],
    ["brightness", "contrast"],
    ["contrast", "brightness", "rotation", "erasing", "horizontal_flip", "cutout"],
]


def fitting(names, shape):
    """The list, with what the shape refuses left out."""
    found = steps(*names)
    return [step for step in found if not step.problems(shape)]


@pytest.mark.parametrize("names", LISTS, ids="+".join)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_views_are_what_their_numbers_say(names, shape, dtype):
    x = images(shape)
    views = draw_views(fitting(names, shape), shape, N, 8, 0, 0)
    seen, _ = apply(views, x, dtype=dtype, shift=100, scale=0.25)
    expected = (slowly(views, x, shape) - 100) * 0.25
    assert seen.dtype == dtype
    np.testing.assert_allclose(seen, expected, atol=1e-4 if dtype == "float32" else 1e-10)


def test_three_channels_are_recoloured_together():
    shape = (3, 6, 5)
    x = images(shape)
    list_ = steps("hue", "saturation", "contrast", "brightness", "rotation")
    views = draw_views(list_, shape, N, 8, 0, 0)
    np.testing.assert_allclose(apply(views, x)[0], slowly(views, x, shape), atol=1e-9)


@pytest.mark.parametrize("names", permutations(["brightness", "contrast", "saturation", "hue"], 3))
def test_colours_of_a_list_act_one_after_the_other(names):
    shape = (3, 6, 5)
    x = 100 + images(shape) // 8  # far from black and white, where nothing is cut off
    expected = x.reshape(N, *shape).astype(np.float64)
    for step in steps(*names):
        palettes = draw_views([step], shape, N, 8, 0, 0).colours
        expected = np.array([recoloured(*pair) for pair in zip(expected, palettes, strict=True)])
    seen, _ = augment(steps(*names), x, shape)
    np.testing.assert_allclose(seen, expected.reshape(N, -1), atol=1e-9)


@pytest.mark.parametrize("turn", np.linspace(0, 360, 25))
@pytest.mark.parametrize("size", [0.3, 1.0, 2.5])
def test_no_map_reads_beyond_the_image(turn, size):
    """Turns through all quadrants, at sizes at which much or little of the image is seen."""
    shape, angle = (1, 7, 9), np.radians(turn)
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    x = images(shape, 4)
    moves = np.array([(0, 0), (4.5, -3), (-20, 1), (3, 11.0)])
    rows = [(cos, -sin, c, sin, cos, f) for c, f in moves]
    views = no_views()._replace(
        shape=np.array(shape), maps=np.array(rows), exact=np.zeros(4, np.bool_)
    )
    np.testing.assert_allclose(apply(views, x)[0], slowly(views, x, shape), atol=1e-9)


@pytest.mark.parametrize("names", [LISTS[0], ["shift", "vertical_flip"]], ids="+".join)
def test_whole_pixels_are_copied_not_interpolated(names):
    shape = (3, 8, 11)
    views = draw_views(steps(*names), shape, N, 8, 0, 0)
    assert views.exact.all()
    seen, _ = apply(views, images(shape))
    np.testing.assert_array_equal(seen, slowly(views, images(shape), shape))
    resampled = views._replace(exact=np.zeros(N, np.bool_))
    np.testing.assert_allclose(apply(resampled, images(shape))[0], seen, atol=1e-10)


WITHOUT_EFFECT = [
    ("horizontal_flip", {"probability": 0.0}),
    ("shift", {"horizontal": 0.0, "vertical": 0.0}),
    ("rotation", {"degrees": 0.0}),
    ("zoom", {"min": 1.0, "max": 1.0}),
    ("resized_crop", {"min": 1.0}),
    ("brightness", {"amount": 0.0}),
    ("contrast", {"amount": 0.0}),
    ("erasing", {"probability": 0.0}),
]


@pytest.mark.parametrize("fields", [None, *WITHOUT_EFFECT], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [gather_bytes, gather_reals], ids=["bytes", "reals"])
def test_what_changes_nothing_changes_no_bit(fields, dtype, kind):
    list_ = [AUGMENTATION[fields[0]](**fields[1])] if fields else []
    shape, x = (1, 9, 9), images((1, 9, 9))
    if kind is gather_reals:
        x = x.astype(dtype) / 3
    if kind is gather_reals and fields and AUGMENTATION[fields[0]].needs_bytes:
        x = x.clip(0, 255)
    seen, _ = augment(list_, x, shape, dtype=dtype, shift=0.3, scale=1 / 77)
    plain, features = np.zeros(x.shape, dtype), x.shape[1]
    shift, scale = np.full(features, 0.3, dtype), np.full(features, 1 / 77, dtype)
    labels, values = np.zeros(len(x), np.int64), np.zeros((0, 0), dtype)
    none = np.zeros(0, dtype)
    examples = Examples(x.view(np.uint8), labels, values, shift, scale, none, none)
    call(kind, examples, np.arange(N), 0, no_views(), plain, np.zeros((N, 1), dtype))
    np.testing.assert_array_equal(seen, plain)


EVERYTHING = [name for name in AUGMENTATION if name != "mixup"]
NO_UNITS = [name for name in EVERYTHING if not AUGMENTATION[name].needs_bytes]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bytes_and_the_same_numbers_as_floats_look_the_same(dtype):
    shape, x = (3, 16, 12), images((3, 16, 12))
    of_bytes, of_floats = (
        augment(steps(*NO_UNITS), kind, shape, np.eye(N), dtype=dtype, shift=2, scale=0.1)
        for kind in (x, x.astype(dtype))
    )
    np.testing.assert_array_equal(of_bytes[0], of_floats[0])
    np.testing.assert_array_equal(of_bytes[1], of_floats[1])


def test_float32_sees_what_float64_sees():
    shape, x = (3, 16, 12), images((3, 16, 12))
    single, double = (
        augment(steps(*EVERYTHING), x, shape, np.eye(N), dtype=dtype)
        for dtype in ("float32", "float64")
    )
    np.testing.assert_allclose(single[0], double[0], atol=1e-3)
    np.testing.assert_allclose(single[1], double[1], atol=1e-6)


def test_an_epoch_looks_the_same_whenever_it_is_seen():
    shape, x = (3, 16, 12), images((3, 16, 12))
    views = [draw_views(steps(*EVERYTHING), shape, N, 8, 5, epoch) for epoch in range(4)]
    whole = [apply(view, x, np.eye(N)) for view in views]
    again = draw_views(steps(*EVERYTHING), shape, N, 8, 5, 3)
    for part, first in ((x[:16], 0), (x[16:], 16)):
        seen, targets = apply(again, part, np.eye(N)[first : first + len(part)], first=first)
        np.testing.assert_array_equal(seen, whole[3][0][first : first + len(part)])
        np.testing.assert_array_equal(targets, whole[3][1][first : first + len(part)])
    assert len({seen.tobytes() for seen, _ in whole}) == 4
    other_seed = augment(steps(*EVERYTHING), x, shape, seed=6, epoch=3)[0]
    assert not np.array_equal(other_seed, whole[3][0])


def test_all_but_mixing_is_the_same_in_batches_of_any_size():
    shape, x = (3, 16, 12), images((3, 16, 12))
    names = [name for name in EVERYTHING if name != "cutmix"]
    seen = [augment(steps(*names), x, shape, batch_size=size)[0] for size in (1, 7, 40)]
    np.testing.assert_array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])
