"""Stored datasets: reading them, and refusing what is not them."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import platformdirs
import pytest

from optrun.data.cifar10 import Cifar10
from optrun.data.mnist import Mnist
from optrun.data.prepare import fingerprint, prepare
from optrun.data.stored import data_folder
from optrun.errors import DataError

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = Mnist.files


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def test_the_folder_is_the_argument_then_the_environment_then_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTRUN_DATA_DIR", "/environment")
    assert data_folder(tmp_path) == tmp_path
    assert data_folder() == Path("/environment")
    assert data_folder("~/data") == Path.home() / "data"
    monkeypatch.delenv("OPTRUN_DATA_DIR")
    assert data_folder() == Path(platformdirs.user_cache_dir("optrun")) / "data"


def test_mnist_is_read_as_stored(full_size):
    raw = Mnist().load(0, full_size)
    for x, y, prefix, count in (
        (raw.train_x, raw.train_y, "train", 60_000),
        (raw.test_x, raw.test_y, "t10k", 10_000),
    ):
        images = (full_size / f"mnist/{prefix}-images-idx3-ubyte").read_bytes()[16:]
        labels = (full_size / f"mnist/{prefix}-labels-idx1-ubyte").read_bytes()[8:]
        assert (x.dtype, y.dtype) == (np.uint8, np.int64)
        assert np.array_equal(x.ravel(), np.frombuffer(images, np.uint8))
        np.testing.assert_array_equal(y, np.frombuffer(labels, np.uint8))
        assert x.shape == (count, 784)


def test_gzipped_files_are_read_too(linked):
    plain = Mnist().load(0, linked)
    for name in (TRAIN_LABELS, TEST_IMAGES):
        file = linked / "mnist" / name
        (linked / "mnist" / f"{name}.gz").write_bytes(gzip.compress(file.read_bytes(), 1))
        file.unlink()
    mixed = Mnist().load(0, linked)
    np.testing.assert_array_equal(mixed.train_y, plain.train_y)
    np.testing.assert_array_equal(mixed.test_x, plain.test_x)


def test_cifar10_is_read_as_stored(full_size):
    raw = Cifar10().load(0, full_size)
    records = np.concatenate(
        [np.fromfile(full_size / Cifar10.directory / name, np.uint8) for name in Cifar10.files]
    ).reshape(60_000, 3073)
    np.testing.assert_array_equal(raw.train_y, records[:50_000, 0])
    np.testing.assert_array_equal(raw.test_y, records[50_000:, 0])
    assert np.array_equal(raw.train_x, records[:50_000, 1:])
    assert np.array_equal(raw.test_x, records[50_000:, 1:])
    assert (raw.train_x.dtype, raw.train_y.dtype) == (np.uint8, np.int64)


@pytest.mark.parametrize("dataset", [Mnist(), Cifar10()], ids=["mnist", "cifar10"])
def test_stored_datasets_are_what_their_outline_says(dataset, full_size):
    data, outline = prepare(dataset, 0, "float32", full_size), dataset.outline
    assert len(data.train) + len(data.validation) == outline.train_size
    assert len(data.test) == outline.test_size
    assert data.train.storage.shape == (outline.train_size, outline.features)
    assert np.prod(data.image_shape) == outline.features
    np.testing.assert_array_equal(np.bincount(data.validation.y), outline.train_size // 100)


def flipped(content: bytes) -> bytes:
    """One bit of one byte in the middle is another."""
    middle = len(content) // 2
    return content[:middle] + bytes((content[middle] ^ 1,)) + content[middle + 1 :]


def inverted(content: bytes) -> bytes:
    return content[:16] + bytes(255 - np.frombuffer(content[16:], np.uint8))


def half_zeroed(content: bytes) -> bytes:
    return content[: len(content) // 2] + bytes(len(content) - len(content) // 2)


CHANGED = {
    "inverted pixels": (Mnist, TRAIN_IMAGES, inverted, False),
    "half of it zeros": (Mnist, TRAIN_IMAGES, half_zeroed, False),
    "a bit of an image": (Mnist, TEST_IMAGES, flipped, False),
    "a bit of a label": (Mnist, TRAIN_LABELS, flipped, False),
    "a bit, gzipped": (Mnist, TEST_IMAGES, flipped, True),
    "a bit of CIFAR-10": (Cifar10, "data_batch_3.bin", flipped, False),
}


@pytest.mark.parametrize(("component", "name", "change", "packed"), CHANGED.values(), ids=CHANGED)
def test_changed_files_are_refused_unless_they_are_meant(component, name, change, packed, linked):
    file = component.place(linked) / name
    before = component().load(0, linked)
    content = change(file.read_bytes())
    file.unlink()
    file = file.with_name(f"{name}.gz") if packed else file
    file.write_bytes(gzip.compress(content, 1) if packed else content)
    with pytest.raises(DataError) as refusal:
        component().load(0, linked)
    message = str(refusal.value)
    digest = hashlib.sha256(content).hexdigest()
    assert f"{file}: SHA-256 {digest}, expected {component.checksums[name]}" in message
    assert message.count("expected") == 1
    assert f"`optrun data fetch {component.kind()} --data-dir {linked}`" in message
    assert f"`dataset: {{name: {component.kind()}, custom_files: true}}`" in message
    after = component(custom_files=True).load(0, linked)
    assert after.train_x.shape == before.train_x.shape
    assert fingerprint(after) != fingerprint(before)


def test_how_files_are_packed_is_no_part_of_a_run_s_identity(linked):
    identities = {fingerprint(Mnist().load(0, linked))}
    plain = linked / "mnist" / TEST_IMAGES
    content = plain.read_bytes()
    plain.unlink()
    for level in (1, 9):
        plain.with_name(f"{TEST_IMAGES}.gz").write_bytes(gzip.compress(content, level))
        identities.add(fingerprint(Mnist().load(0, linked)))
    assert len(identities) == 1


def records(file: Path) -> np.ndarray:
    return np.fromfile(file, np.uint8).reshape(-1, 3073)


def test_cifar10_may_lie_in_another_order(linked):
    place = linked / Cifar10.directory
    published = fingerprint(Cifar10().load(0, linked))
    for name in Cifar10.files:
        replace(place / name, np.roll(records(place / name), 1, axis=0).tobytes())
    raw = Cifar10().load(0, linked)
    assert Cifar10.changed(raw) == []
    assert fingerprint(raw) != published
    replace(place / "data_batch_2.bin", flipped((place / "data_batch_2.bin").read_bytes()))
    with pytest.raises(DataError, match="not CIFAR-10 as it was published"):
        Cifar10().load(0, linked)


def test_a_test_image_among_the_training_images_is_refused(linked):
    place = linked / Cifar10.directory
    train, test = records(place / "data_batch_1.bin"), records(place / "test_batch.bin")
    other = np.flatnonzero(train[:, 0] != test[0, 0])[0]
    train[other], test[0] = test[0].copy(), train[other].copy()
    replace(place / "data_batch_1.bin", train.tobytes())
    replace(place / "test_batch.bin", test.tobytes())
    with pytest.raises(DataError, match=r"data_batch_1\.bin: SHA-256 [^\0]*test_batch\.bin: SHA"):
        Cifar10().load(0, linked)


def test_a_folder_that_cannot_be_written_can_be_read(linked):
    folders = (linked, linked / "mnist")
    before = {path: path.stat().st_mtime_ns for path in folders}
    for path in folders:
        path.chmod(0o555)
    try:
        Mnist().load(0, linked)
    finally:
        for path in folders:
            path.chmod(0o755)
    assert {path: path.stat().st_mtime_ns for path in folders} == before


LABELS = struct.pack(">ii", 2049, 10_000) + bytes(10_000)
DAMAGED_MNIST = {
    "truncated": (TEST_LABELS, LABELS[:-1], "expected 10000 bytes after the header, found 9999"),
    "too long": (TEST_LABELS, LABELS + b"x", "expected 10000 bytes .*, found more"),
    "wrong label": (TEST_LABELS, LABELS[:-1] + b"\x0a", "labels from 0 to 9, found the label 10"),
    "images for labels": (
        TEST_LABELS,
        struct.pack(">iiii", 2051, 10_000, 28, 28),
        r"expected the header \(2049, 10000\), found \(2051, 10000\)",
    ),
    "wrong size": (
        TEST_IMAGES,
        struct.pack(">iiii", 2051, 10_000, 32, 32),
        r"expected the header \(2051, 10000, 28, 28\), found \(2051, 10000, 32, 32\)",
    ),
    "training for test": (
        TEST_IMAGES,
        struct.pack(">iiii", 2051, 60_000, 28, 28),
        r"found \(2051, 60000, 28, 28\)",
    ),
    "empty": (TRAIN_IMAGES, b"", "expected the header .*, found none"),
    "truncated gzip": (
        f"{TEST_LABELS}.gz",
        gzip.compress(LABELS)[:-9],
        "expected a whole gzip file, found a truncated one",
    ),
    "damaged gzip": (
        f"{TEST_LABELS}.gz",
        gzip.compress(LABELS)[:-8] + bytes(8),
        "expected a gzip file, found damage .*CRC",
    ),
    "no gzip": (f"{TEST_LABELS}.gz", b"<html>no</html>", "found damage .*Not a gzipped file"),
}


@pytest.mark.parametrize(("name", "content", "text"), DAMAGED_MNIST.values(), ids=DAMAGED_MNIST)
def test_damaged_mnist_is_refused(name, content, text, linked):
    (linked / "mnist" / name.removesuffix(".gz")).unlink()
    (linked / "mnist" / name).write_bytes(content)
    with pytest.raises(DataError, match=text) as refusal:
        Mnist().load(0, linked)
    message = str(refusal.value)
    assert message.startswith(str(linked / "mnist" / name))
    assert f"Delete it and run `optrun data fetch mnist --data-dir {linked}`" in message


def test_the_default_folder_need_not_be_typed(linked, monkeypatch):
    monkeypatch.setenv("OPTRUN_DATA_DIR", str(linked))
    replace(linked / "mnist" / TEST_LABELS, b"")
    with pytest.raises(DataError, match="run `optrun data fetch mnist`,"):
        Mnist().load(0)


def test_a_whole_dataset_is_not_called_damaged(full_size):
    for component in (Mnist, Cifar10):
        assert component.damaged(component.place(full_size)) == []


@pytest.mark.parametrize(
    ("component", "name", "content", "damaged"),
    [
        (Mnist, TEST_LABELS, bytes(10_007), True),
        (Mnist, TEST_IMAGES, b"", True),
        (Mnist, f"{TEST_LABELS}.gz", gzip.compress(bytes(10_008)), False),
        (Mnist, f"{TEST_LABELS}.gz", gzip.compress(bytes(10_008))[:-9], True),
        (Mnist, f"{TEST_LABELS}.gz", bytes(4) + (10_008).to_bytes(4, "little"), True),
        (Mnist, f"{TEST_LABELS}.gz", b"", True),
        (Cifar10, "test_batch.bin", bytes(30_730_000 - 1), True),
    ],
    ids=["short", "empty", "whole gzip", "cut gzip", "no gzip", "empty gzip", "cifar10"],
)
def test_files_of_another_size_are_damaged(component, name, content, damaged, linked):
    place = component.place(linked)
    (place / name.removesuffix(".gz")).unlink()
    (place / name).write_bytes(content)
    assert component.missing(place) == []
    assert component.damaged(place) == [name] * damaged


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (bytes(30_730_000 - 1), "expected 30730000 bytes, found 30729999"),
        (b"\x0a" + bytes(30_730_000 - 1), "expected labels from 0 to 9, found the label 10"),
    ],
)
def test_damaged_cifar10_is_refused(content, text, linked):
    file = linked / Cifar10.directory / "data_batch_4.bin"
    replace(file, content)
    with pytest.raises(DataError, match=text) as refusal:
        Cifar10().load(0, linked)
    assert str(file) in str(refusal.value)
    assert f"`optrun data fetch cifar10 --data-dir {linked}`" in str(refusal.value)


@pytest.mark.parametrize("name", ["cifar-10-batches-py", "cifar-10-python.tar.gz"])
def test_the_pickled_cifar10_is_refused(name, tmp_path):
    (tmp_path / name).mkdir()
    with pytest.raises(DataError, match=r"Python version of CIFAR-10.* the binary version: run"):
        Cifar10().load(0, tmp_path)


def test_the_pickled_cifar10_beside_the_binary_one_does_no_harm(linked):
    (linked / "cifar-10-batches-py").mkdir()
    assert len(Cifar10().load(0, linked).train_y) == 50_000


@pytest.mark.parametrize("component", [Mnist, Cifar10])
def test_absent_and_offline_says_what_to_put_where(component, tmp_path):
    with pytest.raises(DataError) as refusal:
        component().load(0, tmp_path)
    message = str(refusal.value)
    assert message.startswith(f"{component.title} is not in {tmp_path / component.directory}")
    assert f"{component.mirrors[0]}" in message
    assert "no connection" in message
    for name in component.files:
        assert name in message
    assert "dataset: {name: synthetic, kind: glyphs}" in message
    assert not list(tmp_path.rglob("*.partial"))


def test_only_what_is_missing_is_asked_for(linked):
    (linked / "mnist" / TRAIN_LABELS).unlink()
    with pytest.raises(DataError) as refusal:
        Mnist().load(0, linked)
    assert TRAIN_LABELS in str(refusal.value)
    assert TEST_LABELS not in str(refusal.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"MNIST cannot be stored there .* --data-dir"):
        Mnist().load(0, tmp_path / "file")
