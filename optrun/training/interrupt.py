"""Ctrl-C as a request to stop between two chunks, with everything saved."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, ClassVar

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP


class Interrupt:
    """While entered, the first Ctrl-C, SIGTERM or SIGHUP sets `requested`; a second acts at once.

    SIGHUP is what a process gets whose terminal is closed.

    Args:
        tell: called at the first.

    Signals are Python's to handle in the main thread only; elsewhere this does nothing.
    """

    SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
    received: ClassVar[int] = signal.SIGINT
    """The last signal that asked this process to stop."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self.requested = False
        self.tell = tell
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            # a process started with nohup ignores SIGHUP, and is to go on doing so
            heeded = [n for n in self.SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._ask) for number in heeded}
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    @classmethod
    def exit_status(cls) -> int:
        """What a stopped process exits with: 128 and the number of the signal, 130 for Ctrl-C."""
        return 128 + cls.received

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.requested, Interrupt.received = True, number
        self._restore()
        self.tell()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            # None stands for a handler that was not installed from Python
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}
