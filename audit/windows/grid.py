"""Where slots and windows lie in time. Integers of seconds since 1970 inside, aware times outside."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _floor_seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


def _ceil_seconds(moment: datetime) -> int:
    return -((_EPOCH - moment) // timedelta(seconds=1))


@dataclass(frozen=True, slots=True)
class Grid:
    """Slots of a target: slot n begins n * interval + phase seconds after 1970-01-01 UTC."""

    interval_seconds: int
    phase_seconds: int

    def slot_at(self, moment: datetime) -> int:
        """The slot that `moment` lies in."""
        return (_floor_seconds(moment) - self.phase_seconds) // self.interval_seconds

    def start_of(self, slot: int) -> datetime:
        """When a slot begins; its sample is dated so."""
        return _EPOCH + timedelta(seconds=slot * self.interval_seconds + self.phase_seconds)

    def first_from(self, moment: datetime) -> int:
        """The first slot that begins at or after `moment`."""
        return -((self.phase_seconds - _ceil_seconds(moment)) // self.interval_seconds)

    def count(self, start: datetime, end: datetime) -> int:
        """How many slots begin in [start, end)."""
        return max(0, self.first_from(end) - self.first_from(start))


def window_start(moment: datetime, length: timedelta) -> datetime:
    """The start of the window of `length` (whole seconds) that `moment` lies in."""
    return _EPOCH + (moment - _EPOCH) // length * length


def grace(length: timedelta) -> timedelta:
    """How long a window waits for what is still on its way: a fifth of its length, 2 s to 2 min."""
    return min(max(length / 5, timedelta(seconds=2)), timedelta(minutes=2))
