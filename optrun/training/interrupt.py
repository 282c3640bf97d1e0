"""Ctrl-C as a request to stop between two chunks, with everything saved."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any


class Interrupt:
    """While entered, the first Ctrl-C or SIGTERM sets `requested`; a second acts at once.

    Args:
        tell: called at the first.

    Signals are Python's to handle in the main thread only; elsewhere this does nothing.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self, tell: Callable[[], None]) -> None:
        self.requested = False
        self.tell = tell
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._ask) for number in self.SIGNALS}
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self._restore()
        self.tell()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            # None stands for a handler that was not installed from Python
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}
