"""From counters that only ever say a total to how much they grew between two samples.

A counter begins anew when its process restarts. That shows in a lower value or in a moved `_created` time; the
growth is then what the new process counted, a lower bound, because what the old one counted last is lost. A counter
that was never seen before has no growth (not zero), unless it says that it began after the sample before.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from audit.collectors.reading import Count, Reading

MAX_SERIES: Final = 512
_CREATED_TOLERANCE_US: Final = 1_000_000
# A process may print the same instant with fewer digits; one that restarts within a second is seen by its values.


@dataclass(frozen=True, slots=True)
class Seen:
    """A series as it was at its last sample."""

    at_us: int
    counts: Mapping[str, Count]


Memory = Mapping[str, Seen]
"""The last sample of every series of a target."""


@dataclass(frozen=True, slots=True)
class Growth:
    """What became of a series since its sample before.

    Attributes:
        counts: growth of each counter of this sample; None when there is nothing to compare it with.
        resets: 1 when a counter began anew, else 0.
        elapsed_ms: since the sample before; None for the first, and where the clock went back.
        before: the counters then, so that the growth can be checked by hand.
    """

    counts: Mapping[str, int | None]
    resets: int
    elapsed_ms: int | None
    before: Mapping[str, Count]


def grow(reading: Reading, seen: Seen | None, *, at_us: int) -> Growth:
    """Compare a reading with the sample before of its series (None: there was none)."""
    if seen is None:
        return Growth(dict.fromkeys(reading.counts), 0, None, {})
    grown: dict[str, int | None] = {}
    resets = 0
    for name, count in reading.counts.items():
        before = seen.counts.get(name)
        if before is None:
            new = count.began_us is not None and count.began_us >= seen.at_us
            grown[name] = count.value if new else None
        elif _began_anew(before, count):
            grown[name], resets = count.value, 1
        else:
            grown[name] = count.value - before.value
    # Below zero where the clock went back meanwhile: how long it was is not known then.
    elapsed_ms = (at_us - seen.at_us) // 1000 if at_us >= seen.at_us else None
    return Growth(grown, resets, elapsed_ms, dict(seen.counts))


def _began_anew(before: Count, now: Count) -> bool:
    if now.value < before.value:
        return True
    if before.began_us is None or now.began_us is None:
        return False
    return abs(now.began_us - before.began_us) > _CREATED_TOLERANCE_US


def remember(memory: Memory, readings: Sequence[Reading], *, at_us: int) -> Memory:
    """Memory after a sample. Series that were not in it stay known for when they come back, up to a limit."""
    fresh = {reading.series: Seen(at_us, reading.counts) for reading in readings if reading.counts}
    older = sorted(((series, seen) for series, seen in memory.items() if series not in fresh), key=_newest_first)
    return {**fresh, **dict(older[: max(0, MAX_SERIES - len(fresh))])}


def _newest_first(item: tuple[str, Seen]) -> tuple[int, str]:
    return -item[1].at_us, item[0]


def to_text(memory: Memory) -> str:
    """Memory as the text that `TargetState.counters` holds."""
    return json.dumps(
        {
            series: [seen.at_us, {name: [count.value, count.began_us] for name, count in seen.counts.items()}]
            for series, seen in memory.items()
        },
        separators=(",", ":"),
    )


def from_text(text: str) -> Memory:
    """The inverse of `to_text`; the text is our own, so anything else in it is a defect and raises."""
    return {
        series: Seen(at_us, {name: Count(value, began) for name, (value, began) in counts.items()})
        for series, (at_us, counts) in json.loads(text).items()
    }


def microseconds(moment: datetime) -> int:
    """Unix time of an aware moment."""
    return round(moment.timestamp() * 1_000_000)
