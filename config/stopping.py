"""Ctrl-C, SIGTERM and SIGHUP as a flag that long work looks at, never as an exception in the middle of a
line.
"""

import os
import select
import signal
import time
from collections.abc import Callable
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked this process to stop while it was still starting something."""


class StopFlag:
    """Raised by the first signal; later ones change nothing, so pressing Ctrl-C twice cannot break the
    clean-up.
    """

    def __init__(self) -> None:
        self.raised = False
        # A pipe, because a handler may not take the lock inside threading.Event while the main thread waits
        # on it.
        self._read, self._write = os.pipe()
        os.set_blocking(self._write, False)

    def install(self) -> None:
        for number in _SIGNALS:
            signal.signal(number, self._handle)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if not self.raised:
            self.raised = True
            os.write(self._write, b"x")

    def wait(self, seconds: float) -> bool:
        """Sleep up to `seconds`, waking at once when the flag is raised; True when it is."""
        if not self.raised:
            select.select([self._read], [], [], seconds)
        return self.raised

    def check(self) -> None:
        """Raises Stopped when the flag is up."""
        if self.raised:
            raise Stopped

    def until(self, ready: Callable[[], bool], *, seconds: float, pause: float = 0.02) -> bool:
        """Poll `ready` until it is true or `seconds` passed; raises Stopped when the flag is raised
        meanwhile.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                return False
            self.wait(pause)
            self.check()
        return True
