"""From a config's section to the arrays the model sees."""

import numpy as np
import pytest

from optrun.data.catalog import SYNTHETIC
from optrun.data.glyphs import Glyphs
from optrun.data.prepare import fingerprint, prepare
from optrun.data.preprocessing import Center, Rescale, Standardize
from optrun.data.synthetic import Blobs, Spirals
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
    assert set(data.train.y) == set(range(outline.outputs)) == set(range(data.outputs))
    assert data.image_shape == outline.image_shape


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


def test_without_validation_there_is_no_split():
    assert prepare(Spirals(validation=0), 0, "float32").validation is None


def test_preprocessing_does_not_look_at_validation_or_test(monkeypatch):
    dataset = Blobs(preprocessing=[Standardize()], subset=300)
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
