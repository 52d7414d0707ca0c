"""How a long-lived command is asked to end: by a signal that waits until the command is between two pieces of work."""

import signal
import time
from collections.abc import Callable
from threading import Event
from typing import Final

_STOPPING: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_SLICE_SECONDS: Final = 0.25
_NEVER: Final = Event()


def wait_for_signal() -> Callable[[float], bool]:
    """A pause that a stop signal ends, within a quarter of a second; True when one came.

    The signals are held back, so none can cut through a write or a signature.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    return _wait


def _wait(seconds: float) -> bool:
    # Only asked, never waited for: a process that was stopped (SIGSTOP) and resumed later than the timeout gets from
    # sigtimedwait something that looks like a signal and is none.
    deadline = time.monotonic() + seconds
    while signal.sigtimedwait(_STOPPING, 0) is None:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        _NEVER.wait(min(left, _SLICE_SECONDS))
    return True
