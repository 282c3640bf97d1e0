"""The shipped configs: checked, commented, and run for one tiny epoch."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

import optrun
from optrun.config.json_schema import json_schema
from tests.datasets import write_cifar10, write_mnist

CONFIGS = Path(__file__).parents[1] / "configs"
NAMES = ["quickstart", "spirals", "mnist_linear", "mnist_mlp", "cifar10_linear", "cifar10_mlp"]


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_mnist(folder)
    write_cifar10(folder)
    yield folder
    shutil.rmtree(folder)


def test_these_are_all():
    assert {path.stem for path in CONFIGS.glob("*.yaml")} == set(NAMES)


@pytest.mark.xdist_group("configs")
@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_epoch(name, data_dir, tmp_path):
    tiny = ["training.epochs=1", "training.batch_size=32", "dataset.validation=0.01"]
    if not name.startswith(("quickstart", "spirals")):
        tiny.append("dataset.subset=200")
    run = optrun.train(CONFIGS / f"{name}.yaml", tiny, out=tmp_path, data_dir=data_dir)
    assert run.summary["status"] == "finished"
    assert (run.path / "curves.png").exists()
    assert run.metrics["train_accuracy"][1] > run.metrics["train_accuracy"][0]


@pytest.mark.parametrize("name", NAMES)
def test_it_names_its_schema_and_explains_itself(name):
    text = (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    assert text.count("#") > 5
    assert f"optrun train configs/{name}.yaml" in text
    assert yaml.safe_load(text)["name"] == name.replace("_", "-")


def test_the_schema_beside_them_is_up_to_date():
    assert json.loads((CONFIGS / "schema.json").read_text()) == json_schema()
