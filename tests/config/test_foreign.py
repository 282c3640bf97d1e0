"""Files of other tools' sweeps are told what their parts are called here, in one message."""

import re

import pytest
import yaml

from optrun.config.document import Document
from optrun.config.foreign import EXAMPLE, FORMS, foreign_sweep
from optrun.config.judge import misfits
from optrun.config.load import load
from optrun.errors import ConfigError
from optrun.sweeps.space.load import load_sweep
from optrun.sweeps.space.schema import SweepFile
from tests.config.conftest import BASE

WANDB = """\
program: train.py
method: bayes
metric: {name: val_loss, goal: minimize}
parameters:
  learning_rate: {distribution: log_uniform_values, min: 1e-4, max: 0.1}
  optimizer: {values: [adam, sgd]}
"""
FILES = {
    "Weights & Biases": [WANDB, "sweep:\n  method: grid\n  parameters: {lr: {values: [1, 2]}}"],
    "FOB": [
        "task: [mnist]\noptimizer: [{name: adamw_baseline, learning_rate: [1e-2, 1e-3]}]\n"
        "engine: {seed: [1, 2], output_dir: out}"
    ],
    "Ludwig": [
        "input_features: []\noutput_features: []\n"
        "hyperopt: {goal: minimize, parameters: {trainer.learning_rate: {space: loguniform}}}"
    ],
    "Hydra": [
        "defaults: [_self_, {override hydra/sweeper: optuna}]\n"
        "hydra: {mode: MULTIRUN, sweeper: {params: {lr: 'interval(0.1, 1)'}}}",
        "hydra: {sweeper: {params: {lr: 'choice(1, 2)'}}}",
    ],
    "Ray Tune": [
        "run: PPO\nstop: {training_iteration: 9}\nconfig: {lr: {grid_search: [1, 2]}}",
        "param_space: {lr: [1, 2]}\ntune_config: {num_samples: 9}",
    ],
    "Optuna": ["study_name: a\nn_trials: 9\nsearch_space: {lr: {type: float, log: true}}"],
}
CASES = [(tool, text) for tool, texts in FILES.items() for text in texts]


@pytest.mark.parametrize(("tool", "text"), CASES)
@pytest.mark.parametrize("read", [load, load_sweep])
def test_a_foreign_sweep_is_recognised(tmp_path, tool, text, read):
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read(path)
    told = str(caught.value)
    assert told.startswith(f"{path}: this is a sweep in the form of {tool}. Here its parts")
    assert told.endswith("    seeds: 3")
    assert "unknown key" not in told


def test_only_the_parts_that_are_there_are_told():
    told = foreign_sweep(yaml.safe_load(WANDB))
    assert re.findall(r"^  ([a-z]\S*)  ", told, re.MULTILINE)[:3] == [
        "program", "method", "parameters.….values",
    ]  # fmt: skip
    assert "run_cap" not in told


def test_every_form_has_an_example():
    assert [form.tool for form in FORMS] == list(FILES)


PARTS = [
    (form.tool, key, written)
    for form in FORMS
    for key, ours in form.parts
    for written in re.findall("`([^`]*)`", ours)
    if not written.startswith("optrun ")
]


@pytest.mark.parametrize(("tool", "key", "written"), PARTS)
def test_what_is_written_instead_fits_into_a_sweep(tool, key, written):
    block = {"base": "config.yaml", **yaml.safe_load(written)}
    assert misfits(SweepFile, Document("", {"sweep": block})) == []


def test_the_example_is_a_sweep(tmp_path):
    (tmp_path / "config.yaml").write_text(BASE)
    (tmp_path / "sweep.yaml").write_text(EXAMPLE)
    assert len(load_sweep(tmp_path / "sweep.yaml").points) == 2


@pytest.mark.parametrize("values", [{}, {"name": "demo"}, {"sweep": {"base": "x"}}, {"sweep": 3}])
def test_other_files_are_none(values):
    assert foreign_sweep(values) == ""
