"""Downloads from a server on this machine: mirrors, damage, interruption, concurrency."""

import gzip
import hashlib
import tarfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest

from optrun.data.cifar10 import ARCHIVE, Cifar10
from optrun.data.download import download
from optrun.data.mnist import Mnist
from optrun.errors import DataError

CONTENT = {name: f"the content of {name}".encode() * 100 for name in Mnist.files}
REFUSED = "http://127.0.0.1:9/"
PUBLIC_MIRRORS = {component: component.mirrors for component in (Mnist, Cifar10)}


class Server:
    """Serves `pages` by path; counts requests; `cut` paths break off halfway."""

    def __init__(self):
        self.pages: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.requests: Counter[str] = Counter()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests[self.path] += 1
                page = outer.pages.get(self.path)
                if page is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page[: len(page) // 2] if self.path in outer.cut else page)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/"

    def serve_mnist(self, folder: str, content: dict[str, bytes]) -> str:
        for name, body in content.items():
            self.pages[f"/{folder}/{name}.gz"] = gzip.compress(body)
        return f"{self.url}{folder}/"


@pytest.fixture
def server():
    server = Server()
    thread = threading.Thread(target=server.http.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.http.shutdown()
    thread.join()
    server.http.server_close()


@pytest.fixture(autouse=True)
def small_mnist(monkeypatch):
    checksums = {name: hashlib.sha256(body).hexdigest() for name, body in CONTENT.items()}
    monkeypatch.setattr(Mnist, "checksums", checksums)


def use_mirrors(monkeypatch, component, *urls):
    monkeypatch.setattr(component, "mirrors", urls)


def left_in(folder):
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


WHOLE = {f"mnist/{name}" for name in Mnist.files}


def test_files_are_stored_decompressed_and_once(server, monkeypatch, tmp_path):
    use_mirrors(monkeypatch, Mnist, server.serve_mnist("good", CONTENT))
    for _ in range(2):
        place = Mnist.fetch(tmp_path)
    assert {name: (place / name).read_bytes() for name in Mnist.files} == CONTENT
    assert left_in(tmp_path) == WHOLE
    assert set(server.requests.values()) == {1}


@pytest.mark.parametrize("bad", ["missing", "cut", "other", "no gzip", "half gzip", "refused"])
def test_a_failing_mirror_is_passed_over(bad, server, monkeypatch, tmp_path):
    first = REFUSED if bad == "refused" else f"{server.url}bad/"
    spoil(server, bad)
    use_mirrors(monkeypatch, Mnist, first, server.serve_mnist("good", CONTENT))
    Mnist.fetch(tmp_path)
    assert left_in(tmp_path) == WHOLE


REASONS = {
    "missing": "the server answered 404 Not Found",
    "cut": "the connection broke off",
    "other": "sent another file (SHA-256 ",
    "no gzip": "sent a damaged gzip file",
    "half gzip": "sent a damaged gzip file",
    "refused": "no connection",
}


def spoil(server, how):
    """Put files at /bad/ that are wrong in this way."""
    if how == "missing" or how == "refused":
        return
    server.serve_mnist("bad", dict.fromkeys(CONTENT, b"other") if how == "other" else CONTENT)
    for path in [f"/bad/{name}.gz" for name in CONTENT]:
        if how == "cut":
            server.cut.add(path)
        elif how == "no gzip":
            server.pages[path] = b"<html>please log in</html>"
        elif how == "half gzip":
            server.pages[path] = server.pages[path][:-10]


@pytest.mark.parametrize(("bad", "reason"), REASONS.items())
def test_every_failing_mirror_is_named_and_nothing_is_left(
    bad, reason, server, monkeypatch, tmp_path
):
    first = REFUSED if bad == "refused" else f"{server.url}bad/"
    spoil(server, bad)
    use_mirrors(monkeypatch, Mnist, first, f"{server.url}nothing/")
    with pytest.raises(DataError) as refusal:
        Mnist.fetch(tmp_path)
    message, file = str(refusal.value), f"{Mnist.files[0]}.gz"
    assert f"{first}{file}: {reason}" in message
    assert f"{server.url}nothing/{file}: the server answered 404 Not Found" in message
    assert left_in(tmp_path) == set()


@pytest.mark.parametrize("component", [Mnist, Cifar10])
def test_a_failed_download_leaves_no_folder_that_was_not_there(component, monkeypatch, tmp_path):
    use_mirrors(monkeypatch, component, REFUSED + ARCHIVE)
    with pytest.raises(DataError):
        component.fetch(tmp_path / "new" / "data")
    assert list(tmp_path.iterdir()) == []
    there = tmp_path / component.directory
    there.mkdir()
    with pytest.raises(DataError):
        component.fetch(tmp_path)
    assert list(tmp_path.iterdir()) == [there]


def test_what_a_killed_process_left_is_swept_away(server, monkeypatch, tmp_path):
    use_mirrors(monkeypatch, Mnist, server.serve_mnist("good", CONTENT))
    (tmp_path / ".mnist.partial").mkdir()
    (tmp_path / ".mnist.partial" / "half.gz").touch()
    Mnist.fetch(tmp_path)
    assert left_in(tmp_path) == WHOLE


def test_an_interrupted_download_leaves_nothing(server, tmp_path):
    server.pages["/file"] = b"x"

    def interrupted(file):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download([f"{server.url}file"], tmp_path / "work", interrupted)
    assert list(tmp_path.iterdir()) == []


def test_concurrent_fetches_download_once(server, monkeypatch, tmp_path):
    use_mirrors(monkeypatch, Mnist, server.serve_mnist("good", CONTENT))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Mnist.fetch, [tmp_path] * 4))
    assert left_in(tmp_path) == WHOLE
    assert set(server.requests.values()) == {1}


def use_small_cifar10(monkeypatch):
    checksums = {name: hashlib.sha256(name.encode()).hexdigest() for name in Cifar10.files}
    monkeypatch.setattr(Cifar10, "checksums", checksums)


def small_archive(files=Cifar10.files, content=str.encode) -> bytes:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path in (*files, "readme.html", "../outside"):
            entry = tarfile.TarInfo(f"{Cifar10.directory}/{path}")
            entry.size = len(path)
            archive.addfile(entry, BytesIO(content(path)))
    return buffer.getvalue()


def test_cifar10_is_unpacked_and_nothing_else_kept(server, monkeypatch, tmp_path):
    server.pages[f"/{ARCHIVE}"] = small_archive()
    use_mirrors(monkeypatch, Cifar10, REFUSED + ARCHIVE, server.url + ARCHIVE)
    use_small_cifar10(monkeypatch)
    place = Cifar10.fetch(tmp_path)
    assert left_in(tmp_path) == {f"{Cifar10.directory}/{name}" for name in Cifar10.files}
    assert (place / "test_batch.bin").read_bytes() == b"test_batch.bin"


def test_an_archive_that_lies_there_is_unpacked_and_kept(monkeypatch, tmp_path):
    # stored without compression: what is inside decides
    (tmp_path / ARCHIVE).write_bytes(gzip.decompress(small_archive()))
    use_small_cifar10(monkeypatch)
    Cifar10.fetch(tmp_path)
    unpacked = {f"{Cifar10.directory}/{name}" for name in Cifar10.files}
    assert left_in(tmp_path) == unpacked | {ARCHIVE}


OTHER_ARCHIVES = {
    "changed": (
        small_archive(content=lambda name: name.replace("5", "6").encode()),
        "the content of its data_batch_5.bin is not what was published",
    ),
    "incomplete": (small_archive(Cifar10.files[1:]), "it lacks data_batch_1.bin"),
    "cut": (small_archive()[:-100], "it is no whole tar archive"),
    "page": (b"<html>please log in</html>", "it is no whole tar archive"),
}


@pytest.mark.parametrize(("archive", "reason"), OTHER_ARCHIVES.values(), ids=OTHER_ARCHIVES)
def test_another_archive_is_passed_over(archive, reason, server, monkeypatch, tmp_path):
    use_small_cifar10(monkeypatch)
    server.pages[f"/bad/{ARCHIVE}"] = archive
    bad = f"{server.url}bad/{ARCHIVE}"
    use_mirrors(monkeypatch, Cifar10, bad, f"{server.url}nothing")
    with pytest.raises(DataError) as refusal:
        Cifar10.fetch(tmp_path)
    assert f"{bad}: {reason}" in str(refusal.value)
    assert f"{server.url}nothing: the server answered 404" in str(refusal.value)
    assert left_in(tmp_path) == set()
    server.pages[f"/good/{ARCHIVE}"] = small_archive()
    use_mirrors(monkeypatch, Cifar10, bad, f"{server.url}good/{ARCHIVE}")
    Cifar10.fetch(tmp_path)
    assert len(left_in(tmp_path)) == len(Cifar10.files)


@pytest.mark.parametrize(("archive", "reason"), OTHER_ARCHIVES.values(), ids=OTHER_ARCHIVES)
def test_another_archive_that_lies_there_is_refused(archive, reason, monkeypatch, tmp_path):
    use_small_cifar10(monkeypatch)
    (tmp_path / ARCHIVE).write_bytes(archive)
    with pytest.raises(DataError) as refusal:
        Cifar10.fetch(tmp_path)
    message = str(refusal.value)
    assert message.startswith(f"{tmp_path / ARCHIVE}: {reason}")
    assert f"`optrun data fetch cifar10 --data-dir {tmp_path}`" in message
    assert "`dataset: {name: cifar10, custom_files: true}`" in message
    assert left_in(tmp_path) == {ARCHIVE}


def test_custom_files_may_come_in_an_archive(tmp_path):
    (tmp_path / ARCHIVE).write_bytes(small_archive())
    Cifar10.fetch(tmp_path, custom_files=True)
    assert (tmp_path / Cifar10.directory / "test_batch.bin").read_bytes() == b"test_batch.bin"


@pytest.mark.parametrize("component", [Mnist, Cifar10])
def test_custom_files_are_never_downloaded(component, server, monkeypatch, tmp_path):
    use_mirrors(monkeypatch, component, server.url)
    with pytest.raises(DataError, match="downloads none, but these are missing") as refusal:
        component(custom_files=True).load(0, tmp_path)
    assert all(name in str(refusal.value) for name in component.files)
    assert not server.requests


@pytest.mark.parametrize("component", [Mnist, Cifar10])
def test_there_is_more_than_one_place_to_download_from(component):
    hosts = {url.split("/")[2] for url in PUBLIC_MIRRORS[component]}
    assert len(hosts) > 1
    assert all(url.startswith("https://") for url in PUBLIC_MIRRORS[component])


def test_progress_is_a_bar_on_a_terminal_and_a_line_elsewhere(
    server, monkeypatch, tmp_path, capsys
):
    server.pages["/file.gz"] = bytes(200_000)
    url = f"{server.url}file.gz"
    download([url], tmp_path / "work", lambda file: None)
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", f"downloading {url}\n")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    download([url], tmp_path / "work", lambda file: None)
    output = capsys.readouterr()
    assert output.out == ""
    assert "file.gz" in output.err
    assert "200.0/200.0 kB" in output.err
