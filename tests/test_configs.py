"""The shipped configs: checked, commented, and run for one tiny epoch."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

import optrun
from optrun.config.json_schema import json_schema
from optrun.config.load import load
from optrun.sweeps.space.load import load_sweep
from optrun.sweeps.space.schema import SweepFile
from tests.datasets import write_cifar10, write_mnist

CONFIGS = Path(__file__).parents[1] / "configs"
NAMES = [
    *("quickstart", "spirals", "mnist_linear", "mnist_mlp", "cifar10_linear", "cifar10_mlp"),
    *(
        f"experiments/{name}"
        for name in (
            *("batch_norm", "dropout", "noisy_quadratic", "optimizers", "polynomial"),
            *("random_labels", "random_search", "vanishing_signal"),
        )
    ),
]
SWEEPS = [f"sweeps/{name}" for name in ("halving", "optimizers", "quick", "search")]
NOT_LEARNT_IN_AN_EPOCH = {"random_labels", "random_search", "vanishing_signal"}


def sweep_schema() -> dict:
    return json_schema(SweepFile, "optrun sweep")


def read(name: str) -> str:
    return (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_mnist(folder)
    write_cifar10(folder)
    yield folder
    shutil.rmtree(folder)


def test_these_are_all():
    assert {str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob("*.yaml")} == {
        f"{name}.yaml" for name in [*NAMES, *SWEEPS]
    }


@pytest.mark.xdist_group("configs")
@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_epoch(name, data_dir, tmp_path):
    dataset = yaml.safe_load(read(name))["dataset"]
    tiny = ["training.epochs=1"]
    if dataset["name"] != "synthetic":
        tiny += ["dataset.subset=200", "dataset.validation=0.01", "training.batch_size=32"]
        tiny += ["dataset.custom_files=true"]
    run = optrun.train(CONFIGS / f"{name}.yaml", tiny, out=tmp_path, data_dir=data_dir)
    assert run.summary["status"] == "finished"
    assert (run.path / "curves.png").exists()
    if Path(name).name not in NOT_LEARNT_IN_AN_EPOCH:
        before, after = run.metrics["train_accuracy"].fillna(-run.metrics["train_loss"])
        assert after > before


@pytest.mark.parametrize("name", NAMES)
def test_it_names_its_schema_and_explains_itself(name):
    text, up = read(name), "../" * name.count("/")
    assert text.startswith(f"# yaml-language-server: $schema={up}schema.json\n")
    assert text.count("#") > 5
    assert yaml.safe_load(text)["name"] == Path(name).name.replace("_", "-")


@pytest.mark.parametrize("name", NAMES)
def test_the_commands_in_it_are_accepted(name):
    commands = re.findall(rf"optrun train configs/{name}\.yaml(.*)", read(name))
    assert commands
    for overrides in commands:
        load(CONFIGS / f"{name}.yaml", overrides.replace("$rule", "adam").split())


@pytest.mark.parametrize("name", SWEEPS)
def test_the_commands_in_a_sweep_are_accepted_and_explained(name):
    text = read(name)
    assert text.count("#") > 10
    commands = re.findall(rf"optrun sweep configs/{name}\.yaml(.*)", text)
    assert commands
    for arguments in commands:
        overrides = [part for part in shlex.split(arguments) if "=" in part]
        assert load_sweep(CONFIGS / f"{name}.yaml", overrides).name == Path(name).name


def test_the_schemas_beside_them_are_up_to_date():
    assert json.loads((CONFIGS / "schema.json").read_text()) == json_schema()
    assert json.loads((CONFIGS / "sweeps" / "schema.json").read_text()) == sweep_schema()


@pytest.mark.parametrize("name", SWEEPS)
def test_sweeps_are_valid_for_editors(name):
    Draft202012Validator(sweep_schema()).validate(yaml.safe_load(read(name)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"sweep": {"grid": {}}},
        {"sweep": {"base": "mnist.yaml", "strategy": "annealing"}},
        {"sweep": {"base": "mnist.yaml", "strategy": {"name": "tpe", "eta": 2}}},
        {"sweep": {"base": "mnist.yaml", "each": [{"gird": {}}]}},
        {"sweep": {"base": "mnist.yaml"}, "grid": {}},
    ],
)
def test_editors_find_mistakes_in_sweeps(wrong):
    assert not Draft202012Validator(sweep_schema()).is_valid(wrong)
