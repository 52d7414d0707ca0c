"""What the self-check finds, and how it is told: once, in the insert-only table that stops the signer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings

from audit.models import Alarm
from audit.queries import keys
from audit.queries.alarms import standing_matters
from audit.queries.protection import protection
from audit.tlog.keyhistory import KeyHistory, KeyHistoryError, of_keys
from audit.tlog.keys import VerifierKey

MOST_ALARMS: Final = 1000
"""Alarm rows that self-checks may make in all: one stops the signer, and a broken log must not fill the disk."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something stored that contradicts the log.

    Attributes:
        kind: `leaf`, `column`, `section`, `tile`, `checkpoint`, `head`, `missing`, `guard`, `keys` or
            `registry`.
        entry_index: the entry it is about; for `checkpoint` the first one the last good checkpoint does not cover.
        subject: what it is about, `log` where nothing narrower is known.
        detail: a sentence for the people who must find out why.
    """

    kind: str
    entry_index: int | None
    subject: str
    detail: str


def fallen_guards() -> list[Finding]:
    """What no longer refuses changes: somebody opened the ledger, whatever was done then."""
    return [
        Finding("guard", None, name, f"The {name} no longer refuses changes as it was made to.")
        for name in protection().fallen
    ]


def known_keys() -> tuple[KeyHistory, list[Finding]]:
    """The keys that checkpoints are held against; where the stored statements do not hold, the known key alone."""
    try:
        return keys.history(), []
    except KeyHistoryError as error:
        text = f"The stored key statements are not those of this log. {error}"
        return of_keys([VerifierKey.parse(settings.LEDGER_VKEY)]), [Finding("keys", None, "log", text)]


def raise_alarms(findings: Sequence[Finding], *, now: datetime) -> int:
    """Insert an alarm for each finding that has none yet; how many were new.

    The caller holds a lock that keeps another self-check from raising the same.
    """
    if not findings:
        return 0
    # What a person has looked at and thawed is told again when it is found again.
    known = standing_matters(limit=2 * MOST_ALARMS)
    fresh = {(item.kind, item.entry_index, item.subject): item for item in reversed(findings)}
    rows = [
        Alarm(kind=item.kind, entry_index=item.entry_index, subject=item.subject, detail=item.detail, raised_at=now)
        for key, item in reversed(fresh.items())
        if key not in known
    ][: max(0, MOST_ALARMS - len(known))]
    Alarm.objects.bulk_create(rows)
    return len(rows)
