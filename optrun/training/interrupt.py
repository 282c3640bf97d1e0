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
        tell: called when `requested` is first seen to be set. The signal itself may come in the
            middle of a write, during which nothing else can be written.

    Signals are Python's to handle in the main thread only; elsewhere this does nothing.
    """

    SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
    received: ClassVar[int] = signal.SIGINT
    """The last signal that asked this process to stop."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self.tell = tell
        self._asked = self._told = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Interrupt":
        if threading.current_thread() is threading.main_thread():
            # a process started with nohup ignores SIGHUP, and is to go on doing so
            heeded = [n for n in self.SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._ask) for number in heeded}
        return self

    def __exit__(self, *error: object) -> None:
        self._restore()

    @property
    def requested(self) -> bool:
        """Whether a signal has asked to stop."""
        if self._asked and not self._told:
            self._told = True
            self.tell()
        return self._asked

    @classmethod
    def exit_status(cls) -> int:
        """What a stopped process exits with: 128 and the number of the signal, 130 for Ctrl-C."""
        return 128 + cls.received

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked, Interrupt.received = True, number
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            # None stands for a handler that was not installed from Python
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}
