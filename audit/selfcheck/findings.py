"""What the self-check finds, and how it is told: once, in the insert-only table that stops the signer."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from audit.models import Alarm
from audit.queries.protection import protection

MOST_ALARMS: Final = 1000
"""Alarm rows that self-checks may make in all: one stops the signer, and a broken log must not fill the disk."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something stored that contradicts the log.

    Attributes:
        kind: `leaf`, `column`, `section`, `tile`, `checkpoint`, `head`, `missing`, `guard` or `registry`.
        entry_index: the entry it is about; for `checkpoint` the first one the last good checkpoint does not cover.
        subject: what it is about, `log` where nothing narrower is known.
        detail: a sentence for the people who must find out why.
    """

    kind: str
    entry_index: int | None
    subject: str
    detail: str


class Contradicting(Protocol):
    """What a comparison of other tables with the log returns (see SELF_CHECK_COMPARISONS)."""

    @property
    def subject(self) -> str: ...

    @property
    def entry_index(self) -> int | None: ...

    @property
    def detail(self) -> str: ...


def fallen_guards() -> list[Finding]:
    """What no longer refuses changes: somebody opened the ledger, whatever was done then."""
    return [
        Finding("guard", None, name, f"The {name} no longer refuses changes as it was made to.")
        for name in protection().fallen
    ]


def compare_tables() -> tuple[list[Finding], tuple[str, ...]]:
    """Tables above the ledger against the ledger, by every comparison that the settings name.

    Returns:
        What was found, and the comparisons that failed: one that cannot read a forged row must not keep what the
        others found from being told.
    """
    findings: list[Finding] = []
    failed: list[str] = []
    for path in settings.SELF_CHECK_COMPARISONS:
        comparison: Callable[[], Iterable[Contradicting]] = import_string(path)
        try:
            with transaction.atomic():
                found = list(comparison())
        except Exception:
            logger.exception("the comparison %s failed", path)
            failed.append(path)
        else:
            findings += [Finding("registry", item.entry_index, item.subject, item.detail) for item in found]
    return findings, tuple(failed)


def raise_alarms(findings: Sequence[Finding], *, now: datetime) -> int:
    """Insert an alarm for each finding that has none yet; how many were new.

    The caller holds a lock that keeps another self-check from raising the same.
    """
    if not findings:
        return 0
    known = set(Alarm.objects.values_list("kind", "entry_index", "subject")[: 2 * MOST_ALARMS])
    fresh = {(item.kind, item.entry_index, item.subject): item for item in reversed(findings)}
    rows = [
        Alarm(kind=item.kind, entry_index=item.entry_index, subject=item.subject, detail=item.detail, raised_at=now)
        for key, item in reversed(fresh.items())
        if key not in known
    ][: max(0, MOST_ALARMS - len(known))]
    Alarm.objects.bulk_create(rows)
    return len(rows)
