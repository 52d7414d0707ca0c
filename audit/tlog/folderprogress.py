"""How far the verification of a log folder is: one line on a terminal that is written over, or a line now and then."""

import time
from collections.abc import Callable
from typing import Final, TextIO

_SECONDS: Final = {True: 0.2, False: 5.0}
"""Between two lines, on a terminal and elsewhere."""


class Progress:
    """Says percent, rate and time left; to be called with entries done, entries read of these, and all entries."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._clock = clock
        self._started = clock()
        self._said = self._started
        self._width = 0

    def __call__(self, done: int, read: int, size: int) -> None:
        """Say it, unless it was said a moment ago."""
        now = self._clock()
        if now - self._said < _SECONDS[self._terminal] and done < size:
            return
        self._said = now
        rate = read / max(now - self._started, 1e-6)
        text = f"{done / max(size, 1):.0%} of {size:,} entries, {rate:,.0f} a second"
        if read and done < size:
            text += f", {_duration((size - done) / rate)} left"
        if self._terminal:
            self._stream.write(f"\r{text:<{self._width}}")
            self._width = len(text)
        else:
            self._stream.write(f"{text}\n")
        self._stream.flush()

    def close(self) -> None:
        """End the line that was written over."""
        if self._width:
            self._stream.write("\n")
            self._stream.flush()
            self._width = 0


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
