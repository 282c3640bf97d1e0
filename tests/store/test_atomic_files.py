"""Files are the old ones or the new ones, never something in between."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from optrun.errors import RunError
from optrun.store import files

ARRAYS = {
    "layers.0.weight": np.arange(12, dtype=np.float32).reshape(3, 4),
    "epoch": np.int64(7),
    "text": np.array("épreuve"),
    "empty": np.zeros((0, 3)),
}


def test_a_block_that_ends_well_replaces_the_file_and_leaves_nothing_else(tmp_path: Path):
    path = tmp_path / "curves.png"
    path.write_text("old")
    with files.replacing(path) as temporary:
        assert temporary.parent == tmp_path and temporary.suffix == ".png"
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_exception_in_the_block_leaves_the_old_file(tmp_path: Path, error: type[BaseException]):
    path = tmp_path / "summary.json"
    path.write_text("old")
    with pytest.raises(error), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_kill_in_the_middle_leaves_the_old_file_and_its_leftover_can_be_removed(tmp_path: Path):
    path = tmp_path / "checkpoint.npz"
    files.write_arrays(path, ARRAYS)
    code = (
        "import os, signal, sys; from pathlib import Path; from optrun.store import files\n"
        "with files.replacing(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_bytes(b'half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    assert files.read_arrays(path).keys() == ARRAYS.keys()
    assert len(list(tmp_path.iterdir())) == 2
    with files.replacing(tmp_path / "curves.png") as being_written:
        being_written.write_bytes(b"half")
        files.remove_leftovers(tmp_path)
        assert sorted(tmp_path.iterdir()) == [being_written, path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_plainly_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
):
    def full(*_: object) -> None:
        raise OSError(number, "full")

    path = tmp_path / "best.npz"
    files.write_arrays(path, ARRAYS)
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(RunError, match=r"no space left .*best\.npz"):
        files.write_arrays(path, {"epoch": 8})
    assert files.read_arrays(path)["epoch"] == 7
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "absent" / "x.json", tmp_path / "file" / "x.json"):
        with pytest.raises(RunError, match=r"x\.json cannot be written"):
            files.write_json(path, {})


def test_json_has_no_nan_and_plain_numbers(tmp_path: Path):
    path = tmp_path / "summary.json"
    files.write_json(
        path, {"a": float("nan"), "b": [np.float32(0.5), -np.inf], "c": {"n": np.int64(3)}, "é": 1}
    )
    assert files.read_json(path) == {"a": None, "b": [0.5, None], "c": {"n": 3}, "é": 1}
    assert "NaN" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe{}", b'"text"'])
def test_damaged_json_names_the_file(tmp_path: Path, content: bytes):
    path = tmp_path / "summary.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"summary\.json is damaged: .*delete the directory"):
        files.read_json(path)


def test_arrays_come_back_as_they_were(tmp_path: Path):
    path = tmp_path / "best.npz"
    files.write_arrays(path, ARRAYS)
    read = files.read_arrays(path)
    assert read.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(read[name], array, strict=True)


def test_the_same_arrays_are_the_same_bytes(tmp_path: Path):
    for name in ("a.npz", "b.npz"):
        files.write_arrays(tmp_path / name, ARRAYS)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_bytes_are_those_of_numpy(tmp_path: Path):
    cube = np.arange(24.0).reshape(2, 3, 4)
    layouts = {"columns": cube[0].T, "gaps": cube[:, ::2], "turned": cube.transpose(1, 0, 2)}
    arrays = {**ARRAYS, **layouts, "flags": np.array([True, False]), "words": np.array(["a", "bc"])}
    files.write_arrays(tmp_path / "ours.npz", arrays)
    np.savez(tmp_path / "numpy.npz", **arrays)  # type: ignore[arg-type]
    ours, theirs = ((tmp_path / f"{who}.npz").read_bytes() for who in ("ours", "numpy"))
    seal = hashlib.sha256(ours[: -files.SEAL]).hexdigest().encode()
    assert ours == theirs[:-2] + files.SEAL.to_bytes(2, "little") + seal


def test_large_arrays_are_written_without_a_copy(tmp_path: Path):
    array = np.ones(4_000_000)
    tracemalloc.start()
    files.write_arrays(tmp_path / "large.npz", {"w": array})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < array.nbytes / 10


def test_objects_are_never_pickled(tmp_path: Path):
    with pytest.raises(TypeError, match="state holds Python objects"):
        files.write_arrays(tmp_path / "x.npz", {"state": np.array([{}, None])})
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, state=np.array([{}, None]))
    with pytest.raises(RunError, match=r"pickled\.npz is damaged: it is cut short or changed$"):
        files.read_arrays(pickled)


def test_a_cut_npz_names_the_file_wherever_it_is_cut(tmp_path: Path):
    path = tmp_path / "checkpoint.npz"
    files.write_arrays(path, ARRAYS)
    whole = path.read_bytes()
    for length in [0, 1, *range(20, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(RunError, match=r"checkpoint\.npz is damaged"):
            files.read_arrays(path)


def test_every_flipped_bit_is_noticed(tmp_path: Path):
    path = tmp_path / "checkpoint.npz"
    files.write_arrays(path, {"w": np.arange(3.0)})
    whole = path.read_bytes()
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(RunError, match=r"checkpoint\.npz is damaged"):
            files.read_arrays(path)


def test_arrays_that_unpack_to_more_than_their_file_are_refused(tmp_path: Path):
    path = tmp_path / "best.npz"
    with path.open("wb") as file, ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.comment = bytes(files.SEAL)
        with archive.open("w.npy", "w") as member:
            np.save(member, np.zeros(10_000))
    files.seal(path)
    with pytest.raises(RunError, match=r"best\.npz is damaged"):
        files.read_arrays(path)


@pytest.mark.parametrize("read", [files.read_text, files.read_json, files.read_arrays])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, read):
    pipe, endless = tmp_path / "pipe", tmp_path / "endless"
    os.mkfifo(pipe)
    endless.symlink_to("/dev/zero")
    for path in (pipe, endless, tmp_path):
        with pytest.raises(RunError, match=r"is damaged|cannot be read"):
            read(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, "it is nested too deeply"),
        ('{"a": 1' + "0" * 5000 + "}", "integer string conversion"),
        ("9" * (files.MOST_BYTES + 1), "it has more than 1,000,000 bytes"),
    ],
    ids=["deep", "digits", "large"],
)
def test_json_that_would_break_the_reader_is_damaged(tmp_path: Path, text: str, says: str):
    (tmp_path / "summary.json").write_text(text)
    with pytest.raises(RunError, match=rf"summary\.json is damaged: .*{says}"):
        files.read_json(tmp_path / "summary.json")


def test_an_absent_file_is_said_to_be_absent(tmp_path: Path):
    for read, name in ((files.read_arrays, "x.npz"), (files.read_json, "x.json")):
        with pytest.raises(RunError, match=rf"{name} does not exist"):
            read(tmp_path / name)


def test_json_stays_in_order_for_readers(tmp_path: Path):
    files.write_json(tmp_path / "x.json", {"z": 1, "a": 2})
    assert list(json.loads((tmp_path / "x.json").read_text())) == ["z", "a"]
