"""Downloading: mirrors in turn, a progress bar, and nothing half-written left behind."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optrun.errors import DataError

CHUNK = 1 << 16
"""Bytes between two updates of the progress bar."""


def download(mirrors: Sequence[str], workspace: Path, accept: Callable[[Path], None]) -> None:
    """Download from the first mirror that delivers what is accepted.

    Args:
        mirrors: addresses of the same file, tried in turn.
        workspace: folder for the unfinished file, emptied before and removed after; only one
            process may use it at a time.
        accept: given the downloaded file, moves its content where it belongs, or raises
            DataError to refuse it.

    Raises:
        DataError: no mirror delivered; names every one with its reason.
    """
    from pooch import HTTPDownloader

    reasons = []
    for url in mirrors:
        try:
            with scratch(workspace), _progress(url) as bar:
                file = workspace / url.rpartition("/")[2]
                HTTPDownloader(progressbar=bar, chunk_size=CHUNK)(url, str(file), None)
                accept(file)
            return
        except (OSError, DataError) as error:  # what requests raises is an OSError
            reasons.append(f"  {url}: {_reason(error)}")
    raise DataError("\n".join(reasons))


@contextmanager
def scratch(folder: Path) -> Iterator[None]:
    """An empty folder that is removed afterwards, whatever happens."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reason(error: Exception) -> str:
    """Why a download failed, in a few words."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    for kind, words in (
        (requests.Timeout, "no answer in time"),
        (requests.exceptions.SSLError, f"no secure connection ({error})"),
        (requests.exceptions.ProxyError, f"the proxy refused ({error})"),
        (requests.ConnectionError, "no connection"),
        (requests.RequestException, "the connection broke off"),
    ):
        if isinstance(error, kind):
            return words
    return str(error)


@contextmanager
def _progress(url: str) -> Iterator[Any]:
    """A progress bar on a terminal, one plain line elsewhere; both on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, soft_wrap=True)
    if not console.is_terminal:
        console.print(f"downloading {url}", highlight=False, markup=False)
        yield False
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        yield _Bar(progress, url.rpartition("/")[2])


class _Bar:
    """The tqdm-like object that pooch reports to, drawn by rich."""

    def __init__(self, progress: Any, name: str):
        self._progress = progress
        self._task = progress.add_task(name, total=None)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "total":
            self._progress.update(self._task, total=value or None)
        else:
            super().__setattr__(name, value)

    def update(self, count: int) -> None:
        self._progress.advance(self._task, count)

    def reset(self) -> None:
        self._progress.update(self._task, completed=0)

    def close(self) -> None:
        """The surrounding context stops the bar."""
