"""The command line as a whole: help, version, exit statuses, and that asking for help is cheap."""

import errno
import io
import subprocess
import sys

import pytest
import typer

from optrun import __version__
from optrun.cli import main as command_line
from optrun.errors import UserError

COMMANDS = ("train", "sweep", "plot", "runs", "check", "list", "schema", "data")


def run(monkeypatch, *arguments: str) -> int:
    """The exit status of `optrun` with these arguments."""
    monkeypatch.setattr(sys, "argv", ["optrun", *arguments])
    with pytest.raises(SystemExit) as caught:
        command_line.main()
    return int(caught.value.code or 0)


def test_help_names_every_command(monkeypatch, capsys):
    assert run(monkeypatch, "--help") == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(monkeypatch, capsys, command):
    assert run(monkeypatch, command, "--help") == 0
    assert "Usage: optrun" in capsys.readouterr().out


def test_version(monkeypatch, capsys):
    assert run(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"optrun {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("lst",), "Did you mean 'list'"),
        (("list", "--jsn"), "--json"),
        (("check",), "Missing argument"),
    ],
)
def test_a_wrong_command_line_ends_with_2(monkeypatch, capsys, arguments, told):
    assert run(monkeypatch, *arguments) == 2
    assert told in capsys.readouterr().err


def test_a_user_s_mistake_is_told_without_a_traceback_and_ends_with_2(monkeypatch, capsys):
    assert run(monkeypatch, "check", "nowhere.yaml") == 2
    shown = capsys.readouterr()
    assert shown.err.startswith("error: nowhere.yaml: no such file")
    assert (shown.out, "Traceback" in shown.err) == ("", False)


def test_output_that_is_written_last_and_does_not_fit_is_told(monkeypatch, capsys, tmp_path):
    class Full(io.FileIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    full = io.TextIOWrapper(io.BufferedWriter(Full(tmp_path / "out", "w")), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", full)
    assert run(monkeypatch, "--version") == 2
    assert "error: the output cannot be written: No space left" in capsys.readouterr().err
    full.close()


def ends_with(monkeypatch, error: BaseException) -> None:
    def fail(**ignored: str) -> None:
        raise error

    monkeypatch.setattr(command_line, "app", fail)


def test_a_list_of_problems_is_told_as_it_is(monkeypatch, capsys):
    ends_with(monkeypatch, UserError("first\nsecond"))
    assert run(monkeypatch) == 2
    assert capsys.readouterr().err == "first\nsecond\n"


def test_ctrl_c_ends_with_130(monkeypatch):
    ends_with(monkeypatch, KeyboardInterrupt())
    assert run(monkeypatch) == 130


def test_ctrl_c_inside_a_command_ends_with_130(monkeypatch):
    def interrupted(*ignored: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("optrun.config.json_schema.json_schema", interrupted)
    assert run(monkeypatch, "schema") == 130


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    ends_with(monkeypatch, ZeroDivisionError())
    monkeypatch.setattr(sys, "argv", ["optrun"])
    with pytest.raises(ZeroDivisionError):
        command_line.main()


def tree(command, path=()):
    """Every command, and where it stands."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from tree(below, (*path, name))


COMMAND_TREE = dict(tree(typer.main.get_command(command_line.app)))


@pytest.mark.parametrize("path", COMMAND_TREE)
def test_an_option_that_takes_one_value_is_given_once(monkeypatch, capsys, path):
    options = [
        param
        for param in COMMAND_TREE[path].params
        if param.param_type_name == "option" and not param.is_flag and not param.multiple
    ]
    for option in options:
        name = option.opts[0]
        assert run(monkeypatch, *path, name, "1", name, "2") == 2
        assert f"{name} is given 2 times" in " ".join(capsys.readouterr().err.split())


def test_flags_and_lists_may_be_given_again(monkeypatch, capsys, tmp_path):
    again = ["--json", "--where", "status=finished", "--json", "--where", "seed=1"]
    assert run(monkeypatch, "runs", str(tmp_path), *again) == 0
    assert capsys.readouterr().out == "[]\n"


def test_help_is_wrapped_to_the_terminal(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(monkeypatch, "sweep", "--help") == 0
    help = [line.strip() for line in capsys.readouterr().out.splitlines()]
    start = help.index("Train every run of a grid or a search, and compare them.") + 2
    assert all(len(line) > 50 for line in help[start : help.index("", start) - 1])


HEAVY = {"numba", "numpy", "pandas", "matplotlib", "scipy", "yaml", "pooch"}


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (["--help"], HEAVY | {"pydantic"}),
        (["--version"], HEAVY | {"pydantic"}),
        (["train", "--help"], HEAVY),  # typer reads a command's parameters with pydantic
    ],
)
def test_help_loads_nothing_heavy(arguments, heavy):
    script = (
        "import sys\n"
        "from optrun.cli.main import main\n"
        f"sys.argv = ['optrun', *{arguments}]\n"
        "try:\n    main()\n"
        f"finally:\n    print('loaded', [name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.endswith("loaded []\n")


def test_python_m_optrun_is_the_same():
    command = [sys.executable, "-m", "optrun", "--version"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"optrun {__version__}\n")
