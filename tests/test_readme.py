"""The README's commands work, and what it lists is what there is."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from optrun.data.mnist import Mnist
from optrun.listing import markdown
from tests.datasets import published, write_mnist

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
pytestmark = pytest.mark.xdist_group("readme")
FOR_CI = ("pip install", "pytest")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory) -> Path:
    """A folder with the configs and a stand-in for MNIST, which counts as the published one.

    Its five runs on MNIST see a fiftieth of it: it is the commands that are tried here.
    """
    home = tmp_path_factory.mktemp("newcomer")
    shutil.copytree(ROOT / "configs", home / "configs")
    long = home / "configs" / "experiments" / "optimizers.yaml"
    text, told = long.read_text(encoding="utf-8"), "validation: 5000\n"
    assert told in text
    long.write_text(
        text.replace(told, "subset: 1200\n  validation: 100\n"),
        encoding="utf-8",
    )
    (home / "runs").mkdir()
    write_mnist(home / "data")
    checksums = published(Mnist, home / "data")["checksums"]
    (home / "start").mkdir()
    (home / "start" / "sitecustomize.py").write_text(  # Python runs it when it starts
        f"from optrun.data.mnist import Mnist\nMnist.checksums = {checksums}\n"
    )
    return home


def run(command: list[str], home: Path) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    modules = f"{home / 'start'}:{ROOT}"
    done = subprocess.run(
        command,
        cwd=home,
        env=os.environ
        | {"PATH": path, "PYTHONPATH": modules, "OPTRUN_DATA_DIR": str(home / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_command_works(newcomer):
    for block in blocks("sh"):
        lines = [line for line in block.splitlines() if not line.startswith(FOR_CI)]
        text = "\n".join(lines)
        for example in re.findall(r"runs/[\w-]+-[0-9a-f]{16}", text):
            family = example.rsplit("-", 1)[0]
            actual = sorted(newcomer.glob(f"{family}-*"))[0]
            text = text.replace(example, str(actual.relative_to(newcomer)))
        run(["bash", "-euc", text], newcomer)
    assert len(list(newcomer.glob("runs/quickstart-*/curves.png"))) == 1
    assert len(list(newcomer.glob("runs/optimizers-*/curves.png"))) == 5
    assert (newcomer / "runs/sweeps/quick/sweep.png").exists()
    assert (newcomer / "runs/sweeps/spirals/summary.md").exists()
    assert (newcomer / "optimizers.png").exists()
    assert (newcomer / "schema.json").exists()


def test_the_python_examples_work(newcomer):
    run([sys.executable, "-c", "".join(blocks("python"))], newcomer)


def test_the_config_example_works(newcomer):
    (example,) = blocks("yaml")
    (newcomer / "mine.yaml").write_text(example)
    run(["optrun", "train", "mine.yaml"], newcomer)


def test_the_component_tables_are_those_of_the_code():
    listed = README.split("<!-- optrun list --markdown -->\n")[1].split("<!-- end -->")[0]
    assert listed.strip() == markdown().strip()


def test_the_pictures_it_shows_exist():
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).is_file()
