"""What each step of augmentation does to images and targets that are known."""

import numpy as np
import pytest

from optrun.data.augmentation.steps import AUGMENTATION
from tests.augmented import augment

N = 600
HEIGHT, WIDTH = 12, 15
PLACES = (3, HEIGHT, WIDTH)
COLOURS = (3, 6, 7)


def uniform(values, low, high):
    """Whether the values look drawn uniformly from [low, high], by Kolmogorov and Smirnov."""
    shares = np.sort((values - low) / (high - low))
    steps = np.arange(1, len(shares) + 1) / len(shares)
    return shares[0] >= -1e-9 and shares[-1] <= 1 + 1e-9 and abs(shares - steps).max() < 0.1


def measured_maps(step):
    """(N, 6) a, b, c, d, e, f of N maps, read off an image that shows where its pixels are.

    Its channels are x, y (from the middle) and 1; what is seen without the border is fitted.
    """
    y, x = np.mgrid[:HEIGHT, :WIDTH] - np.array([HEIGHT - 1, WIDTH - 1]).reshape(2, 1, 1) / 2
    image = np.stack([x, y, np.ones_like(x)])
    seen, _ = augment([step], np.tile(image.reshape(1, -1), (N, 1)), PLACES)
    maps = []
    for shown in seen.reshape(N, *PLACES):
        whole = abs(shown[2] - 1) < 1e-12
        here = np.stack([x[whole], y[whole], np.ones(whole.sum())], axis=1)
        there = np.stack([shown[0][whole], shown[1][whole]], axis=1)
        solution = np.linalg.lstsq(here, there, rcond=None)[0]
        np.testing.assert_allclose(here @ solution, there, atol=1e-9)
        maps.append(solution.T.reshape(-1))
    return np.array(maps)


def flips(sign, others):
    return set(np.rint(sign)) == {-1, 1} and abs((sign < 0).mean() - 0.3) < 0.08 and others


def whole(moves, most):
    return set(np.round(moves, 9)) == set(range(-most, most + 1))


def fits(a, c, e, f):
    width, height = a * WIDTH, e * HEIGHT
    inside = (abs(c) + width / 2 <= WIDTH / 2 + 1e-9) & (abs(f) + height / 2 <= HEIGHT / 2 + 1e-9)
    ratio = width / height
    shape = (ratio <= 1.5 + 1e-9) & (ratio >= 1 / 1.5 - 1e-9)
    return inside.all() and shape.all() and ratio.std() > 0.1 and uniform(a * e, 0.3, 1)


GEOMETRY = {
    "horizontal_flip": (
        {"probability": 0.3},
        lambda a, b, c, d, e, f: flips(a, np.allclose([b, c, d, e - 1, f], 0)),
    ),
    "vertical_flip": (
        {"probability": 0.3},
        lambda a, b, c, d, e, f: flips(e, np.allclose([a - 1, b, c, d, f], 0)),
    ),
    "random_crop": (
        {"padding": 2},
        lambda a, b, c, d, e, f: (
            np.allclose([a - 1, b, d, e - 1], 0)
            and len({*zip(np.rint(c), np.rint(f), strict=True)}) == 25
            and whole(c, 2)
            and whole(f, 2)
        ),
    ),
    "resized_crop": (
        {"min": 0.3, "ratio": 1.5},
        lambda a, b, c, d, e, f: np.allclose([b, d], 0) and fits(a, c, e, f),
    ),
    "shift": (
        {"horizontal": 0.2, "vertical": 0.08},
        lambda a, b, c, d, e, f: (
            np.allclose([a - 1, b, d, e - 1], 0) and whole(c, 3) and whole(f, 1)
        ),
    ),
    "rotation": (
        {"degrees": 25.0},
        lambda a, b, c, d, e, f: (
            np.allclose([a - e, b + d, a**2 + d**2 - 1, c, f], 0)
            and uniform(np.degrees(np.arctan2(d, a)), -25, 25)
        ),
    ),
    "shear": (
        {"degrees": 20.0},
        lambda a, b, c, d, e, f: (
            np.allclose([a - 1, c, d, e - 1, f], 0) and uniform(np.degrees(np.arctan(b)), -20, 20)
        ),
    ),
    "zoom": (
        {"min": 0.7, "max": 1.5},
        lambda a, b, c, d, e, f: np.allclose([b, c, d, f, a - e], 0) and uniform(1 / a, 0.7, 1.5),
    ),
    "stretch": (
        {"min": 0.7, "max": 1.5},
        lambda a, b, c, d, e, f: (
            np.allclose([b, c, d, f], 0)
            and uniform(1 / a, 0.7, 1.5)
            and uniform(1 / e, 0.7, 1.5)
            and abs(np.corrcoef(a, e)[0, 1]) < 0.1
        ),
    ),
}


@pytest.mark.parametrize("name", GEOMETRY)
def test_pixels_come_from_where_the_step_says(name):
    fields, holds = GEOMETRY[name]
    assert holds(*measured_maps(AUGMENTATION[name](**fields)).T)


def colours(low=60, high=160):
    """(N, 3, pixels): one image N times, of values that no moderate change cuts off."""
    image = np.random.default_rng(0).integers(low, high, (1, 3, 42), dtype=np.uint8)
    return np.repeat(image, N, axis=0)


def recoloured(step, images):
    seen, _ = augment([step], images.reshape(N, -1), COLOURS)
    return seen.reshape(images.shape)


def grey(images):
    return (0.299 * images[:, 0] + 0.587 * images[:, 1] + 0.114 * images[:, 2])[:, None]


def factor(before, after):
    """(N,), the one number by which `before` has become `after` in each image."""
    found = (before * after).sum(axis=(1, 2)) / (before**2).sum(axis=(1, 2))
    np.testing.assert_allclose(found[:, None, None] * before, after, atol=1e-9)
    return found


def turn(before, after):
    """(N,), the degrees by which the hues have turned; strength of colour and grey are kept."""

    def chroma(images):
        y = grey(images)[:, 0]
        red, blue = images[:, 0] - y, images[:, 2] - y
        return 0.7355 * red - 0.268 * blue + 1j * (0.4776 * red + 0.4126 * blue)

    np.testing.assert_allclose(grey(after), grey(before), rtol=1e-9)
    ratio = chroma(after) / chroma(before)
    np.testing.assert_allclose(ratio, ratio[:, :1] * np.ones(42), rtol=0.01)
    np.testing.assert_allclose(abs(ratio), 1, rtol=0.01)
    return np.degrees(np.angle(ratio[:, 0]))


CHANGES = {
    "brightness": lambda v, seen: uniform(factor(v, seen), 0.6, 1.4),
    "contrast": lambda v, seen: uniform(
        factor(v - grey(v).mean(), seen - grey(v).mean()), 0.6, 1.4
    ),
    "saturation": lambda v, seen: uniform(factor(v - grey(v), seen - grey(v)), 0.6, 1.4),
    "hue": lambda v, seen: uniform(turn(v, seen), -30, 30),
}


@pytest.mark.parametrize("name", CHANGES)
def test_colours_change_as_the_step_says(name):
    step = AUGMENTATION[name](**({"degrees": 30.0} if name == "hue" else {"amount": 0.4}))
    images = colours()
    assert CHANGES[name](images.astype(float), recoloured(step, images))


def test_colours_are_cut_off_at_black_and_white_once():
    images = colours(0, 256)
    brighter, darker = AUGMENTATION["brightness"](amount=1.0), AUGMENTATION["contrast"](amount=1.0)
    seen = recoloured(brighter, images)
    factors = seen.max(axis=(1, 2), where=seen < 255, initial=0) / images.max(
        axis=(1, 2), where=seen < 255, initial=0
    )
    np.testing.assert_allclose(seen, np.minimum(factors[:, None, None] * images, 255), rtol=1e-9)
    assert seen.max() == 255
    both, _ = augment([brighter, darker], images.reshape(N, -1), COLOURS)
    assert both.min() >= 0
    assert both.max() <= 255
    lit = images[0].astype(float) * factors[:, None, None]
    mean = grey(lit).mean(axis=(1, 2))[:, None, None]
    inside = (both.reshape(lit.shape) > 0) & (both.reshape(lit.shape) < 255)
    ratio = (both.reshape(lit.shape) - mean) / (lit - mean)
    spread = [np.ptp(ratio[i][inside[i]]) for i in range(N) if inside[i].any()]
    assert max(spread) < 1e-6


def test_noise_is_normal_and_different_everywhere():
    images = np.full((N, 3 * 42), 200, np.uint8)
    step = AUGMENTATION["gaussian_noise"](std=0.1)
    noise = (augment([step], images, COLOURS)[0] - 200) / 25.5
    others = (augment([step], images, COLOURS, epoch=1)[0] - 200) / 25.5
    count = np.sqrt(noise.size)
    assert abs(noise.mean()) < 4 / count
    assert abs(noise.var() - 1) < 4 * np.sqrt(2) / count
    assert abs((noise**4).mean() - 3) < 0.15
    for other in (others, np.roll(noise, 1, axis=0), np.roll(noise, 1, axis=1)):
        assert abs((noise * other).mean()) < 4 / count


def blackened(step):
    """(N, 4): top, bottom, left, right of what is black; checked to be a rectangle."""
    images = np.full((N, 3 * HEIGHT * WIDTH), 9, np.uint8)
    black = augment([step], images, PLACES)[0].reshape(N, *PLACES) == 0
    boxes = np.zeros((N, 4), int)
    for box, mask in zip(boxes, black, strict=True):
        rows, columns = np.nonzero(mask[0])
        if rows.size:
            box[:] = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        expected = np.zeros_like(mask)
        expected[:, box[0] : box[1], box[2] : box[3]] = True
        np.testing.assert_array_equal(mask, expected)
    return boxes


def test_erasing_blacks_out_rectangles_of_the_sizes_asked_for():
    boxes = blackened(AUGMENTATION["erasing"](probability=0.7, min=0.1, max=0.4, ratio=2.0))
    boxes = boxes[boxes[:, 1] > 0]
    height, width = boxes[:, 1] - boxes[:, 0], boxes[:, 3] - boxes[:, 2]
    share, ratio = height * width / (HEIGHT * WIDTH), width / height
    assert abs(len(boxes) / N - 0.7) < 0.08
    assert uniform(np.clip(share, 0.1, 0.4), 0.1, 0.4)
    assert ratio.max() < 2 * 1.3
    assert ratio.min() > 0.5 / 1.3
    assert boxes[:, [0, 2]].min() == 0
    assert (boxes[:, 1].max(), boxes[:, 3].max()) == (HEIGHT, WIDTH)


def test_cutout_blacks_out_a_square_around_any_pixel():
    boxes = blackened(AUGMENTATION["cutout"](size=5))
    expected = {
        (max(y - 2, 0), min(y + 3, HEIGHT), max(x - 2, 0), min(x + 3, WIDTH))
        for y in range(HEIGHT)
        for x in range(WIDTH)
    }
    found = {tuple(box) for box in boxes.tolist()}
    assert found <= expected
    assert len(found) > 0.8 * len(expected)


def batches_of(n, size):
    return [np.arange(start, min(start + size, n)) for start in range(0, n, size)]


def mixed(name, n, size, **fields):
    """Made-up examples before and after, and the targets, one-hot, after."""
    generator = np.random.default_rng(1)
    x = generator.normal(size=(n, 3 * 42))
    shape = None if name == "mixup" else COLOURS
    step = AUGMENTATION[name](**fields)
    return x, *augment([step], x, shape, np.eye(n), batch_size=size)


@pytest.mark.parametrize("size", [8, 30, 100])
def test_mixup_blends_examples_and_targets_alike(size):
    n, shares = 29, []
    x, seen, targets = mixed("mixup", n, size, alpha=0.5)
    for batch in batches_of(n, size):
        partner = np.roll(batch, -1)
        share = targets[batch[0], batch[0]]
        shares.append(share)
        expected = share * x[batch] + (1 - share) * x[partner]
        np.testing.assert_allclose(seen[batch], expected, atol=1e-12)
        labels = share * np.eye(n)[batch] + (1 - share) * np.eye(n)[partner]
        np.testing.assert_allclose(targets[batch], labels, atol=1e-12)
    assert len(set(shares)) == len(shares)


@pytest.mark.parametrize("size", [8, 30, 100])
def test_cutmix_pastes_a_rectangle_and_mixes_targets_by_its_area(size):
    n = 29
    x, seen, targets = mixed("cutmix", n, size)
    for batch in batches_of(n, size):
        partner = np.roll(batch, -1)
        pasted = (seen[batch] != x[batch]).reshape(-1, *COLOURS)
        assert (pasted == pasted[:1, :1]).all()
        flat = pasted.reshape(len(batch), -1)
        np.testing.assert_array_equal(seen[batch], np.where(flat, x[partner], x[batch]))
        rows, columns = np.nonzero(pasted[0, 0])
        area = len(rows)
        if area:
            assert area == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        share = 1 - area / 42
        labels = share * np.eye(n)[batch] + (1 - share) * np.eye(n)[partner]
        np.testing.assert_allclose(targets[batch], labels, atol=1e-12)


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_an_example_alone_in_its_batch_stays_as_it_is(name):
    x, seen, targets = mixed(name, 9, 4)
    np.testing.assert_allclose(seen[8], x[8], rtol=1e-15)
    np.testing.assert_allclose(targets[8], np.eye(9)[8], rtol=1e-15)


def test_mixup_mixes_numbers_to_predict():
    x, y = np.random.default_rng(2).normal(size=(2, 10, 3))
    seen, targets = augment([AUGMENTATION["mixup"]()], x, None, y, batch_size=10)
    share = ((targets[0] - y[1]) / (y[0] - y[1]))[0]
    np.testing.assert_allclose(targets, share * y + (1 - share) * np.roll(y, -1, axis=0))
    np.testing.assert_allclose(seen, share * x + (1 - share) * np.roll(x, -1, axis=0))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_follow_the_beta_distribution(alpha):
    step = AUGMENTATION["mixup"](alpha=alpha)
    shares, _ = step.draw(step.stream(0, 0), 20_000, None)
    assert shares.mean() == pytest.approx(0.5, abs=0.02)
    assert shares.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)


def test_every_step_is_tested_here():
    others = {"gaussian_noise", "erasing", "cutout", "mixup", "cutmix"}
    assert {*GEOMETRY, *CHANGES, *others} == set(AUGMENTATION)
