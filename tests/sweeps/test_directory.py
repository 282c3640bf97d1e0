"""A sweep's directory: kept for one sweep at a time, and nothing of an earlier one is lost."""

import pytest

from optrun.errors import RunError
from optrun.store.lock import folder_lock
from optrun.sweeps.directory import SweepDirectory, named_sweep

ONE, OTHER = {"sweep": {"name": "s", "seeds": [0]}}, {"sweep": {"name": "s", "seeds": [1]}}


@pytest.fixture
def directory(tmp_path) -> SweepDirectory:
    return SweepDirectory.named(tmp_path, "s")


def test_the_files_of_another_sweep_are_put_aside(directory):
    for number, written in enumerate((ONE, OTHER, ONE)):
        with directory.taken(written):
            directory.results.write_text(f"results {number}")
            directory.summary.write_text(f"summary {number}")
    assert directory.results.read_text() == "results 2"
    for number in (0, 1):
        earlier = directory.path / f"earlier-{number + 1}"
        assert (earlier / "results.csv").read_text() == f"results {number}"
        assert (earlier / "summary.md").read_text() == f"summary {number}"
        assert (earlier / "sweep.yaml").exists()


def test_the_same_sweep_again_goes_on_where_it_was(directory):
    for _ in range(2):
        with directory.taken(ONE):
            directory.results.write_text("results")
    assert not list(directory.path.glob("earlier-*"))


def test_what_was_put_aside_in_part_is_put_aside_in_full(directory):
    with directory.taken(ONE):
        directory.results.write_text("results")
        directory.summary.write_text("summary")
    aside = directory.path / "earlier-1"
    aside.mkdir()
    directory.results.rename(aside / "results.csv")  # and then the process was killed
    with directory.taken(OTHER):
        pass
    assert sorted(file.name for file in aside.iterdir()) == [
        "results.csv", "summary.md", "sweep.yaml",
    ]  # fmt: skip


def test_another_sweep_of_the_name_that_is_running_is_left_alone(directory):
    with directory.taken(ONE):
        pass
    with folder_lock(directory.path):
        with directory.taken(ONE):
            pass  # the same sweep: both come to the same files
        says = "another sweep named s is running; give this one .* sweep.name=s-2"
        with pytest.raises(RunError, match=says), directory.taken(OTHER):
            pass
    with directory.taken(OTHER):
        pass


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    says = "cannot be written: Not a directory"
    with (
        pytest.raises(RunError, match=says),
        SweepDirectory.named(tmp_path / "file", "s").taken(ONE),
    ):
        pass


def test_a_sweep_is_found_by_its_name(directory, tmp_path):
    with pytest.raises(RunError, match="is named s; there is none yet"):
        named_sweep(tmp_path, "s")
    with directory.taken(ONE):
        assert named_sweep(tmp_path, "s") == directory
    with pytest.raises(RunError, match="is named t; there are s"):
        named_sweep(tmp_path, "t")
