"""What several tests of the datasets share."""

import shutil

import pytest

from tests.datasets import write_cifar10, write_mnist


@pytest.fixture(autouse=True)
def no_data_dir(monkeypatch, tmp_path):
    """Nothing of the machine is seen: neither its datasets nor its network."""
    monkeypatch.setenv("OPTRUN_DATA_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setattr("optrun.data.mnist.Mnist.mirrors", ("http://127.0.0.1:9/mnist/",))
    monkeypatch.setattr("optrun.data.cifar10.Cifar10.mirrors", ("http://127.0.0.1:9/cifar",))


@pytest.fixture(scope="session")
def full_size(tmp_path_factory):
    """A folder with both stand-ins; read it only."""
    folder = tmp_path_factory.mktemp("full_size")
    write_mnist(folder)
    write_cifar10(folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def linked(full_size, tmp_path):
    """A folder with both stand-ins whose files may be replaced, but not written into."""
    for place in full_size.iterdir():
        (tmp_path / place.name).mkdir()
        for file in place.iterdir():
            (tmp_path / place.name / file.name).symlink_to(file)
    return tmp_path
