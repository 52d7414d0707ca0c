"""The rows of a window, in the order in which its root is made."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import Count
from psycopg import sql

from audit.models import HardwareSample, RecordKind, SlotOutcome, Target, TargetKind, UsageRecord
from audit.windows.grid import Grid

USAGE_KINDS: Final = frozenset({TargetKind.VLLM})
TABLES: Final = {RecordKind.USAGE: "usage_record", RecordKind.HARDWARE: "hardware_sample"}


@dataclass(frozen=True, slots=True)
class Span:
    """Which window: whose, and from when (included) to when (excluded)."""

    kind: RecordKind
    subject: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Observed:
    """How many slots of the subject's targets lie in a window, how many were answered, and why others were not.

    None for a subject that no target observes: what pipelines report has no number to expect.
    """

    expected: int | None
    received: int | None
    missed: dict[str, int]


def length_of(kind: RecordKind) -> timedelta:
    """The length of windows of a kind."""
    length: timedelta = settings.USAGE_WINDOW if kind == RecordKind.USAGE else settings.HARDWARE_WINDOW
    return length


def record_kind(target_kind: str) -> RecordKind:
    """Which records a kind of target gives."""
    return RecordKind.USAGE if target_kind in USAGE_KINDS else RecordKind.HARDWARE


def settled_id(kind: RecordKind) -> int:
    """The highest id such that no record with a lower one is still to be committed.

    Waits for the writers that are inside a transaction; call it in a transaction of its own, so that new ones
    wait for this call only.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT telemetry_settled(%s)", [TABLES[kind]])
        (settled,) = cursor.fetchone()
    return int(settled)


def usage_rows(span: Span, through_id: int) -> list[UsageRecord]:
    """The usage records of a window with id <= `through_id`, by time and id."""
    rows = UsageRecord.objects.filter(
        subject=span.subject, observed_at__gte=span.start, observed_at__lt=span.end, id__lte=through_id
    )
    return list(rows.order_by("observed_at", "id"))


def hardware_rows(span: Span, through_id: int) -> list[HardwareSample]:
    """The hardware samples of a window with id <= `through_id`, by time and id."""
    rows = HardwareSample.objects.filter(
        subject=span.subject, observed_at__gte=span.start, observed_at__lt=span.end, id__lte=through_id
    )
    return list(rows.order_by("observed_at", "id"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands and what it is hashed from."""

    id: int
    body: bytes


def bodies(span: Span, after_id: int, through_id: int) -> Iterator[Place]:
    """The records under one root: those of the window with `after_id` < id <= `through_id`, in the root's order."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(
                "SELECT id, body FROM {} WHERE subject = %s AND observed_at >= %s AND observed_at < %s"
                " AND id > %s AND id <= %s ORDER BY observed_at, id"
            ).format(sql.Identifier(TABLES[span.kind])),
            [span.subject, span.start, span.end, after_id, through_id],
        )
        for record_id, body in cursor.fetchall():
            yield Place(record_id, bytes(body))


def targets_of(kind: RecordKind, subject: str) -> list[Target]:
    """The targets that are asked for a subject's records of a kind."""
    rows = Target.objects.filter(subject=subject, enabled=True).order_by("id")
    return [target for target in rows if record_kind(target.kind) == kind]


def observed(span: Span, targets: Sequence[Target]) -> Observed:
    """The coverage of a window by the targets of its subject."""
    if not targets:
        return Observed(None, None, {})
    expected = sum(
        Grid(target.interval_seconds, target.phase_seconds).count(max(span.start, target.registered_at), span.end)
        for target in targets
    )
    counts = _outcomes([target.id for target in targets], span.start, span.end)
    received = counts.pop("ok", 0)
    unasked = expected - received - sum(counts.values())
    if unasked > 0:
        counts["not_asked"] = unasked
    return Observed(expected, received, dict(sorted(counts.items())))


def _outcomes(targets: Sequence[uuid.UUID], start: datetime, end: datetime) -> dict[str, int]:
    rows = SlotOutcome.objects.filter(target_id__in=targets, observed_at__gte=start, observed_at__lt=end)
    return dict(rows.order_by().values_list("outcome").annotate(Count("slot")))
