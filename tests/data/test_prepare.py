"""From a config's section to the arrays the model sees."""

import numpy as np
import pytest

from optrun.data.augmentation.test_time import FiveCrops
from optrun.data.catalog import SYNTHETIC
from optrun.data.glyphs import Glyphs
from optrun.data.polynomial import Polynomial
from optrun.data.prepare import fingerprint, prepare
from optrun.data.preprocessing import PREPROCESSING, Center, Rescale, Standardize
from optrun.data.synthetic import Blobs, Spirals
from optrun.data.whitening import PcaWhiten
from optrun.errors import UserError
from optrun.numerics.streams import Purpose


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "dataset",
    [
        Blobs(features=5, preprocessing=[Standardize()]),
        Glyphs(samples=300, test_samples=50, preprocessing=[Rescale(), Center()]),
    ],
    ids=["floats", "bytes"],
)
def test_the_model_sees_the_preprocessed_rows(dataset, dtype):
    data, raw = prepare(dataset, 5, dtype), dataset.load(5)
    fitted = raw.train_x[data.train.indices].astype(np.float64)
    fitted /= 255 if data.image_shape else 1
    for split, x, y in (
        (data.train, raw.train_x, raw.train_y),
        (data.validation, raw.train_x, raw.train_y),
        (data.test, raw.test_x, raw.test_y),
    ):
        expected = x[split.indices] / (255 if data.image_shape else 1) - fitted.mean(axis=0)
        if not data.image_shape:
            expected /= fitted.std(axis=0)
        assert split.x.dtype == dtype
        assert len(split) == len(split.x) == len(split.y)
        tolerance = 1e-13 if dtype == "float64" else 2e-6
        np.testing.assert_allclose(split.x, expected, rtol=0, atol=tolerance)
        np.testing.assert_array_equal(split.y, y[split.indices])


@pytest.mark.parametrize("kind", SYNTHETIC)
def test_sizes_are_those_foretold(kind):
    dataset = SYNTHETIC[kind](samples=200, test_samples=30, validation=0.15, subset=100)
    data, sizes, outline = prepare(dataset, 0, "float32"), dataset.sizes(), dataset.outline
    assert (len(data.train), len(data.validation), len(data.test)) == (100, 30, 30)
    assert (sizes.train, sizes.validation, sizes.test) == (100, 30, 30)
    assert data.train.x.shape == (100, outline.features) == (100, data.features)
    assert (data.outputs, data.labelled) == (outline.outputs, outline.labelled)
    if data.labelled:
        assert set(data.train.y) == set(range(data.outputs))
    else:
        assert data.train.y.shape == (100, data.outputs)
    assert data.image_shape == outline.image_shape


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_whitened_components_are_all_that_is_stored(dtype):
    steps = [Rescale(), PcaWhiten(components=20)]
    dataset = Glyphs(samples=300, test_samples=50, preprocessing=steps)
    data = prepare(dataset, 0, dtype)
    assert (data.features, data.image_shape) == (20, None)
    assert data.train.storage is data.validation.storage
    for split, size in ((data.train, 270), (data.validation, 30), (data.test, 50)):
        assert split.x.shape == (size, 20)
        assert split.storage.dtype == split.x.dtype == dtype
    expected = np.diag(data.train.x.var(axis=0))
    np.testing.assert_allclose(np.cov(data.train.x.T, bias=True), expected, atol=1e-5)


def test_images_stay_bytes_and_are_shared_not_copied():
    data = prepare(Glyphs(samples=100, test_samples=20), 0, "float32")
    assert data.train.storage is data.validation.storage
    assert data.train.targets is data.validation.targets
    for split in (data.train, data.test):
        assert split.storage.dtype == np.uint8
        assert split.storage.flags.c_contiguous
        assert split.storage.flags.writeable


def test_floats_are_stored_in_the_dtype_of_the_run():
    assert prepare(Spirals(), 0, "float32").train.storage.dtype == np.float32
    assert prepare(Spirals(), 0, "float64").train.storage.dtype == np.float64


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numbers_to_predict_are_of_the_dtype_of_the_run_and_stay_with_their_examples(dtype):
    data, raw = prepare(Polynomial(samples=100, noise=0.0), 0, dtype), Polynomial(noise=0.0).load(0)
    assert data.train.targets is data.validation.targets
    assert raw.train_y.dtype == np.float64
    for split in (data.train, data.validation, data.test):
        assert split.targets.dtype == dtype
        assert split.targets.flags.c_contiguous
        x = split.x[:, 0]
        np.testing.assert_allclose(split.y[:, 0], 2 * x**2 - x - 0.5, atol=1e-6)


def test_without_validation_there_is_no_split():
    assert prepare(Spirals(validation=0), 0, "float32").validation is None


@pytest.mark.parametrize("step", [name for name in PREPROCESSING if name != "rescale"])
def test_preprocessing_does_not_look_at_validation_or_test(step, monkeypatch):
    dataset = Blobs(preprocessing=[PREPROCESSING[step]()], subset=300)
    before = prepare(dataset, 0, "float64")
    unseen = np.setdiff1d(np.arange(600), before.train.indices)
    draw = Blobs.draw

    def moved(self, labels, seed, purpose):
        x = draw(self, labels, seed, purpose)
        x[unseen if purpose == Purpose.SYNTHETIC else slice(None)] += 100
        return x

    monkeypatch.setattr(Blobs, "draw", moved)
    after = prepare(dataset, 0, "float64")
    assert not np.array_equal(after.validation.x, before.validation.x)
    np.testing.assert_array_equal(after.shift, before.shift)
    np.testing.assert_array_equal(after.scale, before.scale)
    np.testing.assert_array_equal(after.train.x, before.train.x)


@pytest.mark.parametrize(
    ("dataset", "bounded"),
    [
        (Blobs(preprocessing=[Standardize()]), False),
        (Blobs(preprocessing=[Standardize(clip=1.0)]), True),
        (Blobs(preprocessing=[Center()]), False),
        (Glyphs(samples=300, preprocessing=[Rescale(), Center()]), False),
        (Glyphs(samples=300, noise=0.3, preprocessing=[Standardize()]), False),
        (
            Glyphs(samples=300, noise=0.3, preprocessing=[Standardize()], test_time=FiveCrops()),
            True,
        ),
        (Glyphs(samples=300, noise=0.3, preprocessing=[Standardize(clip=1.0)]), True),
    ],
    ids=str,
)
def test_bounds_that_nothing_reaches_are_dropped(dataset, bounded):
    data = prepare(dataset, 0, "float32")
    assert (data.low.size > 0) == (data.high.size > 0) == bounded
    for split in (data.train, data.test):
        most = np.abs(split.x).max()
        assert most <= 1 if bounded and not dataset.test_time else most <= 10 or not split.low.size


def test_contradictions_are_refused():
    with pytest.raises(
        UserError, match=r"dataset\.validation: takes 600(.|\n)*\.preprocessing\.0: `r"
    ):
        prepare(Spirals(validation=600, preprocessing=[Rescale()]), 0, "float32")


def test_the_fingerprint_is_of_the_content_and_nothing_else():
    known = prepare(Spirals(), 0, "float32").fingerprint
    same = prepare(Spirals(validation=5, preprocessing=[Center()]), 0, "float64").fingerprint
    assert same == known
    assert len(known) == 64
    assert prepare(Spirals(), 1, "float32").fingerprint != known
    assert prepare(Spirals(test_samples=999), 0, "float32").fingerprint != known


@pytest.mark.parametrize("field", ["train_x", "train_y", "test_x", "test_y"])
def test_the_fingerprint_sees_every_value(field):
    raw = Spirals().load(0)
    known = fingerprint(raw)
    getattr(raw, field).flat[-1] += 1
    assert fingerprint(raw) != known


def test_the_fingerprint_sees_shapes_and_types():
    raw, other = Spirals().load(0), Spirals().load(0)
    object.__setattr__(other, "train_x", other.train_x.reshape(300, 4))
    assert fingerprint(other) != fingerprint(raw)
    object.__setattr__(other, "train_x", raw.train_x.view(np.int64))
    assert fingerprint(other) != fingerprint(raw)
