"""The id depends on everything that the result depends on, and on nothing else."""

import hashlib

import pytest

from optrun.store.identity import run_id
from tests.runs_factory import resolved_config

ID = run_id(resolved_config(), "data", 1)


def test_an_id_is_sixteen_hexadecimal_digits():
    assert len(ID) == 16 and int(ID, 16) >= 0


def test_ids_stay_what_they_were():
    text = b'{"config":{"optimizer":{"lr":0.1},"seed":0},"data":"abc","numerics":1}'
    config = {"name": "x", "seed": 0, "optimizer": {"lr": 0.1}}
    assert run_id(config, "abc", 1) == hashlib.sha256(text).hexdigest()[:16]


def test_the_name_and_the_order_of_keys_do_not_count():
    config = resolved_config(name="other")
    assert run_id(dict(reversed(config.items())), "data", 1) == ID


@pytest.mark.parametrize(
    ("config", "data", "numerics"),
    [
        (resolved_config(seed=1), "data", 1),
        (resolved_config(optimizer__lr=0.001000000000000001), "data", 1),
        (resolved_config(dataset__name="mnist"), "data", 1),
        (resolved_config(), "other", 1),
        (resolved_config(), "data", 2),
    ],
)
def test_everything_else_counts(config: dict, data: str, numerics: int):
    assert run_id(config, data, numerics) != ID


def test_a_config_that_json_cannot_say_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        run_id({"lr": float("nan")}, "data", 1)
