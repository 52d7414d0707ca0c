"""Waiting for something another process does: poll with a deadline, never sleep for a guessed time."""

import time
from collections.abc import Callable
from threading import Event
from typing import TypeVar

_PAUSE = Event()
T = TypeVar("T")


def until(ready: Callable[[], T], *, seconds: float = 20, what: str = "the condition") -> T:
    """Call `ready` until it returns something true, and return that; fails the test after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := ready()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} was not met within {seconds} s")
        _PAUSE.wait(0.02)
    return value
