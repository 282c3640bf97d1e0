"""A sweep as a whole: what is made ready, and when."""

import json
from types import SimpleNamespace

import pytest

from optrun.config.load import load
from optrun.data.synthetic import Moons
from optrun.sweeps.run import Order, carry_out, prepare_kernels
from optrun.sweeps.space.load import load_sweep
from tests.sweeps.parts import TOY, InProcess, Log


class Ready(InProcess):
    """Writes down when it is told to make workers ready."""

    def __init__(self, shelf, calls: list):
        super().__init__(shelf)
        self.calls = calls

    def start(self, count: int) -> None:
        self.calls.append(count)

    def close(self) -> None:
        pass


@pytest.fixture
def calls(tmp_path, monkeypatch):
    """Workers made ready and datasets loaded, in the order of their happening."""
    calls: list = []
    real = Moons.load
    monkeypatch.setattr(
        Moons, "load", lambda self, *args: calls.append("load") or real(self, *args)
    )
    monkeypatch.setattr("optrun.sweeps.run.executor_for", lambda order, shelf: Ready(shelf, calls))
    return calls


def test_workers_are_made_ready_while_data_are_loaded_unless_there_may_be_nothing_to_do(
    calls, tmp_path
):
    (tmp_path / "toy.yaml").write_text(json.dumps(TOY))
    order = Order(tmp_path / "runs", None, "local", 2, False)

    def sweep(*axes: str) -> list:
        calls.clear()
        carry_out(load_sweep(tmp_path / "toy.yaml", axes), order, Log())
        return list(calls)

    assert sweep("optimizer.lr=0.1,0.2", "seed=range(2)") == [4, "load", "load", 4]
    assert sweep("optimizer.lr=0.1,0.2", "seed=range(2)") == ["load", "load", 0]


def test_kernels_are_spoken_of_only_where_some_have_to_be_made_ready(monkeypatch):
    spoken, compiled = [], []
    watcher = SimpleNamespace(notice=spoken.append)
    sweeping = SimpleNamespace(data_of=lambda config: None)
    monkeypatch.setattr("optrun.sweeps.run.compile_for", lambda config, _: compiled.append(config))
    monkeypatch.setattr("optrun.sweeps.run.lacking_kernels", lambda configs: configs)
    prepare_kernels([], sweeping, watcher)
    assert (spoken, compiled) == ([], [])
    configs = [load(TOY).config, load(TOY, ["optimizer=adam"]).config]
    prepare_kernels(configs, sweeping, watcher)
    assert spoken == ["getting kernels ready, which takes longer the first time"]
    assert compiled == configs
