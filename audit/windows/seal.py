"""Sealing: many records become one entry with their totals, their coverage and the root over them.

A window is sealed when its end and its grace have passed. The root is that of an RFC 6962 tree whose leaves are the
records' bytes in (observed_at, id) order. Records that come later are sealed by an amendment with a root of its own;
nothing is ever edited, and each record is under exactly one root. Two beats at once do no harm: one holds the lock,
and the unique constraint on (kind, subject, start, revision) is the last word.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from audit import ledger
from audit.events import EventType, NotCanonical
from audit.ledger.prepare import MAX_SECTION_BYTES
from audit.models import RecordKind, SealCursor, Window
from audit.queries import database_now, known_subjects
from audit.tlog.leaf import format_time
from audit.tlog.tree import leaf_hashes, root_of
from audit.windows.gaps import ACTOR, announce_gaps, open_gaps
from audit.windows.pending import windows_with_records, windows_without_records
from audit.windows.rows import Span, bodies, hardware_rows, observed, settled_id, targets_of, usage_rows
from audit.windows.totals import exact, hardware_facts, usage_facts

logger = logging.getLogger(__name__)

BATCH: Final = 50
_SEAL_LOCK: Final = 0x7365616C
_TYPES: Final = {RecordKind.USAGE: EventType.WINDOW_USAGE, RecordKind.HARDWARE: EventType.WINDOW_HARDWARE}


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a round did: windows sealed or amended, gaps noticed, gap entries appended."""

    windows: int
    gaps_opened: int
    gaps_told: int


def seal_windows(*, now: datetime) -> Sealed:
    """Seal every window that is due, of both kinds, after noticing the gaps that explain empty ones."""
    # A caller's clock may be ahead; what is sealed stays sealed.
    now = min(now, database_now())
    opened = open_gaps(now=now)
    told = announce_gaps(now=now)
    return Sealed(sum(_seal_kind(kind, now) for kind in RecordKind), opened, told)


def _seal_kind(kind: RecordKind, now: datetime) -> int:
    with transaction.atomic(durable=True):
        through_id = settled_id(kind)
    due, cursor_id = windows_with_records(kind, through_id=through_id, now=now)
    due = list(dict.fromkeys([*due, *windows_without_records(kind, now=now)]))
    sealed = 0
    for start in range(0, len(due), BATCH):
        done = _seal_batch(kind, due[start : start + BATCH], through_id, now)
        if done is None:
            return sealed
        sealed += done
    SealCursor.objects.update_or_create(kind=kind, defaults={"through_id": cursor_id})
    return sealed


def _seal_batch(kind: RecordKind, due: Sequence[Span], through_id: int, now: datetime) -> int | None:
    """Seal windows in one transaction. None when another process is sealing."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_SEAL_LOCK, list(RecordKind).index(kind)])
            if cursor.fetchone() != (True,):
                return None
        names = _leaf_subjects({span.subject for span in due})
        events = []
        for span in due:
            event = _seal(span, through_id, names[span.subject], now)
            if event is not None:
                events.append(event)
        if events:
            ledger.append(events=events)
    return len(events)


def _leaf_subjects(subjects: set[str]) -> dict[str, str]:
    """How each subject is named in the leaf: in clear what Assay issued (targets included), else its HMAC."""
    clear = known_subjects(subjects)
    key = settings.LEDGER_HMAC_KEY
    return {
        name: name if name in clear else f"x:{ledger.secret_form(key, b'subject', name).hex()}" for name in subjects
    }


def _seal(span: Span, through_id: int, leaf_subject: str, now: datetime) -> ledger.Event | None:
    latest = (
        Window.objects.filter(kind=span.kind, subject=span.subject, starts_at=span.start).order_by("-revision").first()
    )
    after_id = latest.through_id if latest else 0
    through_id = max(through_id, after_id)
    fresh = [place.body for place in bodies(span, after_id, through_id)]
    if latest and not fresh:
        return None
    coverage = observed(span, targets_of(span.kind, span.subject))
    if not fresh and not coverage.expected:
        return None
    root = root_of(leaf_hashes(fresh))
    window = Window(
        kind=span.kind,
        subject=span.subject,
        starts_at=span.start,
        ends_at=span.end,
        revision=latest.revision + 1 if latest else 0,
        after_id=after_id,
        through_id=through_id,
        rows=len(fresh),
        root=root,
        expected=coverage.expected,
        received=coverage.received,
        sealed_at=now,
    )
    window.save(force_insert=True)
    content: dict[str, Any] = {
        "completeness": {
            "expected": coverage.expected,
            "missed": coverage.missed,
            "received": coverage.received,
        },
        "kind": span.kind.value,
        "revision": window.revision,
        "root": root.hex(),
        "rows": len(fresh),
        "subject": span.subject,
        "window": {"end": format_time(span.end), "id": str(window.id), "start": format_time(span.start)},
    }
    if latest:
        content["amends"] = str(latest.id)
    facts = _facts(content, totals_of(span, through_id))
    return ledger.Event(
        type=EventType.WINDOW_AMENDED if latest else _TYPES[span.kind],
        subject=leaf_subject,
        source="collector",
        actor=ACTOR,
        occurred_at=now,
        sections=(facts,),
        idempotency=ledger.Idempotency(client_id=client_id(window), content=facts.body),
    )


def _facts(content: Mapping[str, Any], totals: Mapping[str, Any]) -> ledger.Section:
    """The facts of a window; without totals where they cannot be written, so that its records are sealed anyway."""
    try:
        written = ledger.facts({**totals, **content})
        if len(written.body) <= MAX_SECTION_BYTES:
            return written
        reason = f"They have more than {MAX_SECTION_BYTES} bytes."
    except NotCanonical as error:
        reason = str(error)
    logger.error("The totals of window %s are left out: %s", content["window"]["id"], reason)
    return ledger.facts({**content, "totals_left_out": reason})


def totals_of(span: Span, through_id: int) -> dict[str, Any]:
    """Totals over all records of the window so far, those of earlier revisions included."""
    if span.kind == RecordKind.USAGE:
        return exact(usage_facts(usage_rows(span, through_id)))
    return exact(hardware_facts(hardware_rows(span, through_id)))


def client_id(window: Window) -> str:
    """The name under which the ledger knows a window's entry: how the entry is found again."""
    return f"window/{window.kind}/{window.subject}/{format_time(window.starts_at)}/{window.revision}"
