"""How much one run of the self-check has to do, so that everything is hashed again within a stated period. Pure."""

from datetime import datetime, timedelta
from typing import Final

ROUND_SHARE: Final = 0.45
"""A round takes at most this share of the period. So two rounds fit into one, with some runs to spare, and nothing
waits longer than the period: neither what a round takes first nor what it takes last."""


def entries_due(
    *, size: int, done: int, started_at: datetime, now: datetime, period: timedelta, full_period: timedelta
) -> int:
    """Entries that the run at `now` has to hash for its round to end in time.

    Args:
        size: entries of the log. `done`: how many of them the round has hashed.
        started_at: when the round began.
        period: time from one run to the next.
        full_period: the stated period in which everything is hashed again.
    """
    left = started_at + ROUND_SHARE * full_period - now
    runs = max(1, left // period)
    return -(-(size - done) // runs)
