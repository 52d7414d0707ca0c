"""The state of the log in one glance: what is signed, how old that is, and what is wrong."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import OuterRef, Subquery

from audit.models import Checkpoint, Entry, Head, SignerLease
from audit.queries.alarms import standing_rows

State = Literal["ok", "behind", "frozen", "empty"]

BEHIND = timedelta(seconds=30)
"""The signer signs within a second; entries that wait this long say that it does not run."""

SHOWN = 5
"""Alarms that are told apart; one is enough to stop, the first ones say where it began."""


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One alarm: what contradicts the log, and where."""

    kind: str
    entry: int | None
    subject: str
    detail: str
    raised_at: datetime


@dataclass(frozen=True, slots=True)
class Pulse:
    """What every page shows of the log.

    Attributes:
        size: entries in the log. `signed_size`: how many the newest checkpoint covers.
        signed_at: when that checkpoint was signed; None before the first.
        newest_at: when the newest entry was received; None in an empty log.
        frozen: why the signer stopped for good; empty while it signs.
        alarms: the first `SHOWN` alarms that nobody acknowledged, oldest first; `more_alarms` when there are others.
        state: "frozen" whenever an alarm stands or the signer stopped, "behind" when entries wait unsigned.
    """

    size: int
    signed_size: int
    signed_at: datetime | None
    newest_at: datetime | None
    frozen: str
    alarms: tuple[AlarmLine, ...]
    more_alarms: bool
    state: State

    @property
    def alarmed(self) -> frozenset[int]:
        """Entries that an alarm names."""
        return frozenset(alarm.entry for alarm in self.alarms if alarm.entry is not None)

    @property
    def why_stopped(self) -> str:
        """The class of the reason, which holds no content: "alarm", "contradiction", or empty while it signs."""
        if self.state != "frozen":
            return ""
        return "alarm" if self.alarms or self.frozen.startswith("Alarm ") else "contradiction"

    @property
    def unsigned(self) -> int:
        """Entries that no checkpoint covers yet."""
        return self.size - self.signed_size


def pulse(*, now: datetime) -> Pulse:
    """The state of the log at `now`, in four queries whatever its size and age; five before the first checkpoint."""
    head = Head.objects.only("size", "received_at").first()
    # The entry that waits longest says how late it is: the newest one is always young while entries keep coming.
    longest = Entry.objects.filter(index=OuterRef("size")).values("received_at")
    checkpoint = Checkpoint.objects.order_by("-size").values("size", "signed_at", waits=Subquery(longest)).first()
    lease = SignerLease.objects.only("frozen_reason").first()
    frozen = lease.frozen_reason if lease else ""
    alarms = [
        AlarmLine(row.kind, row.entry_index, row.subject, row.detail, row.raised_at)
        for row in standing_rows().order_by("id")[: SHOWN + 1]
    ]
    size = head.size if head else 0
    signed_size = checkpoint["size"] if checkpoint else 0
    waits = checkpoint["waits"] if checkpoint else _first_received_at() if size else None
    newest_at = head.received_at if head and size else None
    return Pulse(
        size=size,
        signed_size=signed_size,
        signed_at=checkpoint["signed_at"] if checkpoint else None,
        newest_at=newest_at,
        frozen=frozen,
        alarms=tuple(alarms[:SHOWN]),
        more_alarms=len(alarms) > SHOWN,
        state=_state(size, signed_size, waits, stopped=bool(frozen or alarms), now=now),
    )


def _first_received_at() -> datetime | None:
    return Entry.objects.values_list("received_at", flat=True).filter(index=0).first()


def _state(size: int, signed_size: int, waits: datetime | None, *, stopped: bool, now: datetime) -> State:
    """`waits`: when the oldest entry that no checkpoint covers was received; None when there is no such row."""
    if stopped:
        return "frozen"
    if not size:
        return "empty"
    # An entry that should wait and is not there is no sign that all is well.
    return "behind" if signed_size < size and (waits is None or now - waits > BEHIND) else "ok"
