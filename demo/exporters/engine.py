"""An inference server that is not there: which requests it has answered at any moment, the same in every run.

It restarts every 45 seconds, as a real one does after a crash: its counters begin anew and forget what the process
before had counted.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

LIFETIME_SECONDS: Final = 45.0
_FIRST_REQUEST_SECONDS: Final = 1.0
_REQUESTS_PER_SECOND: Final = 2.2
_SECONDS_PER_TOKEN: Final = 0.009
_SECONDS_PER_PROMPT_TOKEN: Final = 0.000_04


@dataclass(frozen=True, slots=True)
class Request:
    """One request; times in seconds since the start of its process, amounts in tokens."""

    arrived: float
    queued: float
    prefill: float
    decode: float
    prompt: int
    cached: int
    output: int
    reason: str

    @property
    def first_token(self) -> float:
        """When the first token came out."""
        return self.arrived + self.queued + self.prefill

    @property
    def ended(self) -> float:
        """When the last token came out."""
        return self.first_token + self.decode


@dataclass(frozen=True, slots=True)
class Engine:
    """The server at one moment.

    Attributes:
        began: Unix time at which its process started.
        done: the requests that have ended.
        running: those that arrived and have not ended.
        prompt: prompt tokens processed, of which `cached` came from the prefix cache.
        output: tokens generated, those of running requests included.
    """

    began: float
    done: tuple[Request, ...]
    running: tuple[Request, ...]
    prompt: int
    cached: int
    output: int


def engine_at(*, start: float, now: float) -> Engine:
    """The server at Unix time `now`, when the first of its processes began at `start`."""
    age = max(0.0, now - start)
    process = int(age // LIFETIME_SECONDS)
    moment = age - process * LIFETIME_SECONDS
    arrived = [request for request in _requests(process) if request.arrived <= moment]
    prefilled = [request for request in arrived if request.first_token <= moment]
    return Engine(
        began=start + process * LIFETIME_SECONDS,
        done=tuple(request for request in arrived if request.ended <= moment),
        running=tuple(request for request in arrived if request.ended > moment),
        prompt=sum(request.prompt for request in prefilled),
        cached=sum(request.cached for request in prefilled),
        output=sum(_generated(request, moment) for request in prefilled),
    )


def _generated(request: Request, moment: float) -> int:
    return min(request.output, 1 + int((moment - request.first_token) / _SECONDS_PER_TOKEN))


@lru_cache(maxsize=4)
def _requests(process: int) -> tuple[Request, ...]:
    return tuple(_arrivals(process))


def _arrivals(process: int) -> Iterator[Request]:
    arrived = _FIRST_REQUEST_SECONDS
    number = 0
    while arrived < LIFETIME_SECONDS:
        number += 1
        size, hit, answer, wait, end, gap = _dice(process, number)
        prompt = 700 + int(5_300 * size)
        cached = int(prompt * hit / 2) // 16 * 16
        output = 60 + int(640 * answer)
        yield Request(
            arrived=arrived,
            queued=0.000_02 + 0.002 * wait,
            prefill=(prompt - cached) * _SECONDS_PER_PROMPT_TOKEN,
            decode=(output - 1) * _SECONDS_PER_TOKEN,
            prompt=prompt,
            cached=cached,
            output=output,
            reason="stop" if end < 0.94 else "length" if end < 0.99 else "abort",
        )
        arrived -= math.log(1 - gap) / _REQUESTS_PER_SECOND


def _dice(process: int, number: int) -> list[float]:
    """Six numbers from 0 to less than 1, the same in every run and in every version of Python."""
    digest = hashlib.sha256(f"{process}/{number}".encode()).digest()
    return [int.from_bytes(digest[at : at + 4], "big") / 2**32 for at in range(0, 24, 4)]
