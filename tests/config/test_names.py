"""Names of runs and sweeps: any script, as long as directories can be called so."""

import json
import re
import unicodedata

import pytest

from optrun.config.json_schema import json_schema
from optrun.config.load import load
from optrun.config.names import MOST_BYTES, PATTERN, name_problem
from optrun.errors import ConfigError
from optrun.store.run_directory import RunDirectory
from optrun.sweeps.directory import SweepDirectory
from optrun.sweeps.space.load import load_sweep
from tests.config.conftest import BASE

GOOD = ["demo", "a", "9.lr_0-1", "größe", "学習率", "lr²", "हिन्दी", "α-β", "n" * 200, "ö" * 100]
BAD = ["", " ", "a b", "a/b", "a\\b", ".a", "-a", "_a", "..", "a\nb", "a:b", "a*", "\u0301a"]
LONG = ["n" * 201, "ö" * 101, "学" * 67]


@pytest.mark.parametrize("name", GOOD)
def test_a_directory_can_have_the_name(tmp_path, name):
    assert name_problem(name) == ""
    assert re.search(PATTERN, name)
    run = RunDirectory.named(tmp_path, name, "0123456789")
    run.create()
    with run.lock():
        run.write_summary({"status": "running"})
    sweep = SweepDirectory.named(tmp_path, name)
    with sweep.taken({"sweep": {}}):
        assert sweep.spec.exists()


@pytest.mark.parametrize("name", [*BAD, *LONG])
def test_a_name_that_is_refused(load_text, name):
    with pytest.raises(ConfigError, match=r"(must begin with|is too long for)"):
        load({"name": name, "dataset": "mnist", "model": "linear", "optimizer": "sgd"})


@pytest.mark.parametrize("name", BAD)
def test_the_schema_refuses_it_too(name):
    assert not re.search(PATTERN, name) or name == "\u0301a"


def test_both_schemas_have_the_pattern():
    field = json_schema()["properties"]["name"]
    assert (field["pattern"], field["maxLength"]) == (PATTERN, MOST_BYTES)
    json.dumps(field)


def test_the_bound_leaves_room_for_the_id_of_a_run():
    assert MOST_BYTES + len("-0123456789") + len("..12345678.tmp") <= 255


def test_names_are_composed(load_text):
    apart = unicodedata.normalize("NFD", "größe")
    assert load_text(BASE, f"name={apart}").config.name == "größe" != apart


def test_a_sweep_is_called_after_its_file_in_any_script(tmp_path):
    path = tmp_path / f"{unicodedata.normalize('NFD', 'größe')}.yaml"
    (tmp_path / "base.yaml").write_text(BASE)
    path.write_text("sweep: {base: base.yaml, seeds: 2}")
    assert load_sweep(path).name == "größe"
