"""Whatever a sweep file holds, it loads or is refused in words; it never breaks."""

from contextlib import suppress

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optrun.errors import ConfigError
from optrun.sweeps.space.load import load_sweep
from optrun.yaml_text import to_yaml
from tests.config.test_load import odd, parent_of, paths
from tests.sweeps.space.conftest import BASE
from tests.sweeps.space.test_load import WHOLE

FILE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
SMALL = WHOLE.replace("[5, 6]", "[5]").replace("[float32, float64]", "[float64]")
SWEEP = {"sweep": {"base": yaml.safe_load(BASE), "random": {}, **yaml.safe_load(SMALL)}}
CALLS = st.sampled_from(
    ["range(2)", "range(", "uniform(0, 1)", "choice({a: 1}, 2)", "logspace(1, 2)", "[a", "seed"]
)


@given(data=st.data(), value=odd | CALLS)
@settings(FILE, max_examples=60)
def test_any_value_anywhere(data, value, tmp_path):
    values = yaml.safe_load(yaml.safe_dump(SWEEP, sort_keys=False))
    path = data.draw(st.sampled_from(sorted(paths(values), key=str)))
    parent_of(values, path)[path[-1]] = value
    file = tmp_path / "x.yaml"
    file.write_text(to_yaml(values), encoding="utf-8")
    with suppress(ConfigError):
        load_sweep(file)


@given(
    key=st.sampled_from(["optimizer.lr", "seed", "name", "sweep.strategy", "sweep.seeds", "a."])
    | st.text(max_size=6),
    value=st.text(alphabet="ab01.,()[]{}:'\"# \n&*!", max_size=12) | CALLS,
)
@settings(FILE, max_examples=60)
def test_any_text_on_the_command_line(key, value, tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(BASE, encoding="utf-8")
    with suppress(ConfigError):
        load_sweep(file, [f"{key}={value}", "training.epochs=1,2"])


@given(text=st.text(alphabet="sweep: base\n-[]{},()01'\"x", max_size=60))
@settings(FILE, max_examples=60)
def test_any_text_in_the_file(text, tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text(f"sweep:\n  {text}", encoding="utf-8")
    with suppress(ConfigError):
        load_sweep(file)
