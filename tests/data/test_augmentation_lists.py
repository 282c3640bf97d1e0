"""Lists of augmentation: what is refused and where, which random numbers are whose, crops."""

from itertools import permutations

import numpy as np
import pytest
from pydantic import TypeAdapter

from optrun.data.augmentation.colours import Colour, GaussianNoise, Palette
from optrun.data.augmentation.erasing import Blackout
from optrun.data.augmentation.geometry import Geometry
from optrun.data.augmentation.mixing import Mixing
from optrun.data.augmentation.steps import AUGMENTATION, misplaced
from optrun.data.augmentation.test_time import TEST_TIME
from optrun.data.augmentation.views import draw_views, no_views
from optrun.data.catalog import AnyDataset
from tests.augmented import apply

ADAPTER: TypeAdapter = TypeAdapter(AnyDataset)
GREY, COLOUR = (1, 28, 28), (3, 32, 32)


def steps(*names):
    return [AUGMENTATION[name]() for name in names]


def dataset(**fields):
    return ADAPTER.validate_python(fields)


def test_a_dataset_takes_names_and_sections():
    section = {"name": "rotation", "degrees": 5.0}
    found = dataset(name="mnist", augmentation=["shift", section], test_time="five_crops")
    assert [step.name for step in found.augmentation] == ["shift", "rotation"]
    assert found.augmentation[1].degrees == 5
    assert found.test_time.padding == 4
    assert found.problems() == {}


@pytest.mark.parametrize("name", AUGMENTATION)
def test_every_step_suits_colour_images_with_its_defaults(name):
    assert list(misplaced(steps(name), COLOUR, is_bytes=True)) == []


@pytest.mark.parametrize("name", AUGMENTATION)
def test_all_but_mixup_are_refused_on_data_without_images(name):
    problems = list(misplaced(steps(name), None, is_bytes=False))
    if name == "mixup":
        assert problems == []
    else:
        assert problems == [
            ((0,), f"`{name}` changes images, and these examples are none; remove it")
        ]


@pytest.mark.parametrize("name", AUGMENTATION)
def test_steps_in_units_of_black_and_white_are_refused_on_other_numbers(name):
    problems = list(misplaced(steps("mixup", name), COLOUR, is_bytes=False))
    in_units = issubclass(AUGMENTATION[name], Colour | GaussianNoise)
    assert any("preprocessing turns" in message for _, message in problems) == in_units


REFUSED = [
    ("cifar10", ["erasing", "erasing"], "augmentation.1", "stands there twice"),
    ("cifar10", ["mixup", "shift", "cutmix"], "augmentation.2", "`cutmix` and `mixup` both mix"),
    ("mnist", ["saturation"], "augmentation.0", "needs colour images, of 3 channels"),
    ("mnist", ["shift", "hue"], "augmentation.1", "needs colour images, of 3 channels"),
    ("mnist", [{"name": "random_crop", "padding": 28}], "augmentation.0.padding", "at most 27"),
    ("mnist", [{"name": "cutout", "size": 29}], "augmentation.0.size", "write 28 or less"),
    ("mnist", [{"name": "zoom", "min": 2.0}], "augmentation.0.min", "2 is above `max` 1.2"),
    ("mnist", [{"name": "stretch", "max": 0.5}], "augmentation.0.min", "0.8 is above `max` 0.5"),
    ("mnist", [{"name": "erasing", "max": 0.01}], "augmentation.0.min", "0.02 is above `max` 0.01"),
]


@pytest.mark.parametrize(("name", "augmentation", "path", "message"), REFUSED)
def test_contradictions_are_told_at_their_place(name, augmentation, path, message):
    problems = dataset(name=name, augmentation=augmentation).problems()
    assert list(problems) == [path]
    assert message in problems[path]


def test_colours_need_one_channel_or_three():
    assert "1 or 3 channels" in dict(misplaced(steps("contrast"), (2, 8, 8), is_bytes=True))[0,]


@pytest.mark.parametrize("name", TEST_TIME)
def test_crops_need_images_larger_than_their_border(name):
    spirals = dataset(name="synthetic", kind="spirals", test_time=name)
    assert spirals.problems() == {
        "test_time": f"`{name}` crops images, and these examples are none; write `null`"
    }
    wide = dataset(name="mnist", test_time={"name": name, "padding": 28})
    assert "at most 27" in wide.problems()["test_time.padding"]


@pytest.mark.parametrize(("name", "count"), [("five_crops", 5), ("ten_crops", 10)])
def test_crops_are_the_middle_and_the_corners_of_the_padded_image(name, count):
    rows, p, shape = 3, 2, (2, 6, 7)
    x = np.random.default_rng(0).integers(1, 256, (rows, 84), dtype=np.uint8)
    images = np.pad(x.reshape(rows, *shape), [(0, 0), (0, 0), (p, p), (p, p)])
    crops = [
        images[:, :, top : top + 6, left : left + 7]
        for top, left in [(p, p), (0, 0), (0, 2 * p), (2 * p, 0), (2 * p, 2 * p)]
    ]
    crops += [crop[..., ::-1] for crop in crops]
    views = TEST_TIME[name](padding=p).views(shape, rows)
    assert len(views.maps) == count * rows
    for number, crop in enumerate(crops[:count]):
        seen, _ = apply(views, x, first=number * rows)
        np.testing.assert_array_equal(seen, crop.reshape(rows, -1))


def test_every_step_and_epoch_has_a_stream_of_its_own():
    draws = {
        (name, seed, epoch): step().stream(seed, epoch).random()
        for name, step in AUGMENTATION.items()
        for seed in (0, 1)
        for epoch in (0, 1, 1000)
    }
    assert len(set(draws.values())) == len(draws)


KINDS = {"maps": Geometry, "colours": Colour, "boxes": Blackout, "shares": Mixing}


@pytest.mark.parametrize("name", AUGMENTATION)
def test_a_step_draws_the_same_whatever_other_steps_there_are(name):
    kinds = [kind for kind in KINDS.values() if not issubclass(AUGMENTATION[name], kind)]
    others = [
        other
        for other, step in AUGMENTATION.items()
        if issubclass(step, tuple(kinds)) and other != "mixup"
    ]
    alone = draw_views(steps(name), COLOUR, 50, 8, 0, 3)
    among = draw_views(steps(*others, name), COLOUR, 50, 8, 0, 3)
    fields = [field for field, kind in KINDS.items() if issubclass(AUGMENTATION[name], kind)]
    for field in fields:
        np.testing.assert_array_equal(getattr(alone, field), getattr(among, field))
    assert bool(fields) != (name == "gaussian_noise")


@pytest.mark.parametrize("pair", permutations(["rotation", "horizontal_flip", "shift"], 2))
def test_geometry_is_composed_in_the_order_of_the_list(pair):
    """Flipping after a turn turns the other way; the draws are the same in either order."""
    maps = [draw_views(steps(name), GREY, 50, 8, 0, 0).maps for name in pair]
    both = draw_views(steps(*pair), GREY, 50, 8, 0, 0).maps
    for one, other, composed in zip(*maps, both, strict=True):
        np.testing.assert_allclose(source(composed, 5, 3), source(one, *source(other, 5, 3)))


def source(m, x, y):
    """Where the value at column x and row y comes from."""
    return m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]


def test_colour_maps_are_composed_in_order():
    """No two steps show it, for those that there are can be exchanged."""
    m, q, after_m, after_q = np.random.default_rng(0).normal(size=(4, 1, 3, 3))
    image = np.random.default_rng(1).normal(size=(3, 50))

    def apply_to(image, palette):
        return palette.m[0] @ image + palette.q[0] @ image.mean(axis=1, keepdims=True)

    first, after = Palette(m, q), Palette(after_m, after_q)
    expected = apply_to(apply_to(image, first), after)
    np.testing.assert_allclose(apply_to(image, first.then(after)), expected)


def test_views_have_one_type_whatever_is_drawn():
    from numba import typeof

    every = [name for name in AUGMENTATION if name != "mixup"]
    types = {
        typeof(no_views()),
        typeof(draw_views([], None, 50, 8, 2**63 - 1, 3)),
        typeof(draw_views(steps(*every), COLOUR, 50, 8, 0, 0)),
        typeof(draw_views(steps("mixup"), None, 50, 8, 0, 0)),
        typeof(TEST_TIME["five_crops"]().views(GREY, 7)),
    }
    assert len(types) == 1
