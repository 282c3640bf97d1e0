"""What several tests of the datasets share."""

import shutil

import pytest

from optrun.data.cifar10 import Cifar10
from optrun.data.mnist import Mnist
from tests.datasets import published, write_cifar10, write_mnist


@pytest.fixture(autouse=True)
def no_data_dir(monkeypatch, tmp_path):
    """Nothing of the machine is seen: neither its datasets nor its network."""
    monkeypatch.setenv("OPTRUN_DATA_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setattr("optrun.data.mnist.Mnist.mirrors", ("http://127.0.0.1:9/mnist/",))
    monkeypatch.setattr("optrun.data.cifar10.Cifar10.mirrors", ("http://127.0.0.1:9/cifar",))


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory):
    """A folder with both stand-ins, and what is known of them."""
    folder = tmp_path_factory.mktemp("full_size")
    write_mnist(folder)
    write_cifar10(folder)
    yield folder, {kind: published(kind, folder) for kind in (Mnist, Cifar10)}
    shutil.rmtree(folder)


@pytest.fixture
def full_size(stand_ins, monkeypatch):
    """A folder with both stand-ins, which count as the published files; read it only."""
    folder, known = stand_ins
    for kind, attributes in known.items():
        for name, value in attributes.items():
            monkeypatch.setattr(kind, name, value)
    return folder


@pytest.fixture
def linked(full_size, tmp_path):
    """A folder with both stand-ins whose files may be replaced, but not written into."""
    for place in full_size.iterdir():
        (tmp_path / place.name).mkdir()
        for file in place.iterdir():
            (tmp_path / place.name / file.name).symlink_to(file)
    return tmp_path
