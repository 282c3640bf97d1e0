"""Datasets loaded once and mapped by everybody."""

import errno
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from optrun.data.dataset import ARRAYS
from optrun.data.functions import Sphere
from optrun.data.mnist import Mnist
from optrun.data.prepare import arrange, prepare
from optrun.data.shelf import Shelf, content_key, new_shelf
from optrun.data.synthetic import Moons, Spirals
from optrun.errors import DataError
from tests.datasets import write_mnist

STATUS = Path("/proc/self/smaps_rollup")


@pytest.mark.parametrize("dataset", [Moons(), Spirals(samples=50, noise=0.3), Sphere()])
def test_what_is_taken_is_what_was_loaded(tmp_path, dataset):
    shelf = Shelf(tmp_path)
    shelf.put(dataset, 3)
    raw, fingerprint = shelf.take(dataset, 3)
    loaded = dataset.load(3)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(raw, name), getattr(loaded, name))
        assert type(getattr(raw, name)) is np.ndarray
    assert fingerprint == prepare(dataset, 3, "float32").fingerprint


def test_it_trains_alike(tmp_path):
    shelf, dataset = Shelf(tmp_path), Moons()
    shelf.put(dataset, 0)
    mapped = arrange(dataset, *shelf.take(dataset, 0), 0, "float32")
    loaded = prepare(dataset, 0, "float32")
    np.testing.assert_array_equal(mapped.train.x, loaded.train.x)
    np.testing.assert_array_equal(mapped.test.y, loaded.test.y)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full")
def test_a_full_disk_is_told_and_leaves_nothing_that_looks_whole(tmp_path):
    place = tmp_path / content_key(Moons(), 0)
    place.mkdir()
    (place / "train_x.npy").symlink_to("/dev/full")
    with pytest.raises(OSError) as raised:
        Shelf(tmp_path).put(Moons(), 0)
    assert raised.value.errno == errno.ENOSPC
    assert not (place / "fingerprint").exists()


def test_a_dataset_is_loaded_once(tmp_path, monkeypatch):
    shelf, loads = Shelf(tmp_path), []
    real = Moons.load
    monkeypatch.setattr(Moons, "load", lambda self, *args: loads.append(args) or real(self, *args))
    first = shelf.put(Moons(), 0)
    assert shelf.put(Moons(validation=0.3, label_noise=0.5), 0) == first
    assert len(loads) == 1
    assert shelf.put(Moons(), 1) != first
    assert shelf.put(Moons(noise=0.3), 0) != first
    assert len(loads) == 3


def test_a_stored_dataset_is_the_same_for_every_seed():
    assert content_key(Mnist(), 0) == content_key(Mnist(validation=7), 1)
    assert content_key(Moons(), 0) != content_key(Moons(), 1)


def test_unchecked_files_are_not_taken_for_checked_ones(tmp_path):
    write_mnist(tmp_path)
    shelf = Shelf(tmp_path / "shelf")
    shelf.folder.mkdir()
    shelf.put(Mnist(custom_files=True), 0, tmp_path)
    with pytest.raises(DataError, match="not MNIST as it was published"):
        shelf.put(Mnist(), 0, tmp_path)


def test_writing_to_what_was_taken_changes_nothing_for_others(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.put(Moons(), 0)
    mine, _ = shelf.take(Moons(), 0)
    mine.train_x[:] = 0
    others, _ = shelf.take(Moons(), 0)
    assert others.train_x.any()


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells what is shared")
def test_reading_takes_no_memory_of_ones_own(tmp_path):
    write_mnist(tmp_path)
    shelf = Shelf(tmp_path)
    dataset = Mnist(custom_files=True)
    shelf.put(dataset, 0, tmp_path)
    raw, _ = shelf.take(dataset, 0)
    neighbour, _ = shelf.take(dataset, 0)
    assert neighbour.train_x.sum(dtype=np.int64) > 0
    before = own_kilobytes()
    data = arrange(dataset, raw, "", 0, "float32")
    assert data.train.storage.sum(dtype=np.int64) > 0
    assert own_kilobytes() - before < raw.train_x.nbytes / 1024 / 4


def own_kilobytes() -> int:
    """Memory that this process alone has written to, which nobody can share."""
    return int(re.search(r"^Private_Dirty:\s+(\d+)", STATUS.read_text(), re.MULTILINE)[1])


def test_what_the_dead_have_left_is_removed(tmp_path):
    abandoned = tmp_path / ".shelf-abandoned"
    abandoned.mkdir()
    (abandoned / "train_x.npy").touch()
    dead = subprocess.Popen(["true"])
    dead.wait()
    barely_begun = tmp_path / f".new-shelf-{dead.pid}-abc"
    barely_begun.mkdir()
    beginning = tmp_path / f".new-shelf-{os.getpid()}-abc"
    beginning.mkdir()
    with new_shelf(tmp_path) as living:
        assert not abandoned.exists() and not barely_begun.exists()
        with new_shelf(tmp_path) as other:
            assert living.folder.exists()
            assert other.folder != living.folder
    assert [*tmp_path.iterdir()] == [beginning]
