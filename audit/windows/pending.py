"""Which windows are due: those that hold records nobody sealed yet, and those that should hold some and do not."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, Q, Subquery
from psycopg import sql

from audit.models import Gap, RecordKind, SealCursor, Target, Window
from audit.windows.grid import Grid, grace, window_start
from audit.windows.rows import TABLES, Span, length_of, record_kind

MAX_EMPTY: Final = 200
"""Empty windows of one subject in one round: after a long outage they come over several rounds."""

_UNSEALED = """
SELECT subject, to_timestamp(floor(extract(epoch FROM observed_at) / %(seconds)s) * %(seconds)s), min(id)
  FROM {table} WHERE id > %(cursor)s AND id <= %(through)s GROUP BY 1, 2 ORDER BY 2, 1
"""


def windows_with_records(kind: RecordKind, *, through_id: int, now: datetime) -> tuple[list[Span], int]:
    """The due windows that hold records above the cursor, and where the cursor may move once they are sealed."""
    length = length_of(kind)
    cursor_id = cursor_of(kind)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL(_UNSEALED).format(table=sql.Identifier(TABLES[kind])),
            {"seconds": int(length.total_seconds()), "cursor": cursor_id, "through": through_id},
        )
        found: list[tuple[str, datetime, int]] = cursor.fetchall()
    due, waiting = [], []
    for subject, start, first_id in found:
        if start + length + grace(length) <= now:
            due.append(Span(kind, subject, start, start + length))
        else:
            waiting.append(first_id)
    return due, max(cursor_id, min(waiting) - 1 if waiting else through_id)


def cursor_of(kind: RecordKind) -> int:
    """Every record with an id up to this is sealed."""
    return SealCursor.objects.filter(kind=kind).values_list("through_id", flat=True).first() or 0


def windows_without_records(kind: RecordKind, *, now: datetime) -> list[Span]:
    """The due windows in which a target should have answered and nothing was sealed or explained by a gap.

    Whether a window holds records is for the seal to see: one that does is sealed all the same.
    """
    # A window in the future, sealed while the clock was ahead, says nothing about those before it.
    sealed = Window.objects.filter(kind=kind, subject=OuterRef("subject"), ends_at__lte=now)
    newest_end = sealed.order_by("-ends_at").values("ends_at")
    subjects: dict[str, list[Target]] = {}
    newest: dict[str, datetime] = {}
    for target in Target.objects.filter(enabled=True).annotate(newest_end=Subquery(newest_end[:1])):
        if record_kind(target.kind) == kind:
            subjects.setdefault(target.subject, []).append(target)
            if target.newest_end is not None:
                newest[target.subject] = target.newest_end
    found: list[Span] = []
    for subject, targets in subjects.items():
        since = newest.get(subject) or window_start(min(t.registered_at for t in targets), length_of(kind))
        found += _empty(Span(kind, subject, since, now), targets)
    return found


_Gaps = dict[UUID, list[tuple[datetime, datetime | None]]]


def _gaps(targets: list[Target], since: datetime) -> _Gaps:
    """The gaps that can explain a window from `since` on: those that last and those that ended later."""
    rows = Gap.objects.filter(Q(ended_at=None) | Q(ended_at__gt=since), target__in=targets).order_by("began_at")
    found: _Gaps = {}
    for target_id, began, ended in rows.values_list("target_id", "began_at", "ended_at"):
        found.setdefault(target_id, []).append((began, ended))
    return found


def _empty(wanted: Span, targets: list[Target]) -> Iterator[Span]:
    length = length_of(wanted.kind)
    start, count = wanted.start, 0
    if start + length + grace(length) > wanted.end:
        return
    gaps = _gaps(targets, start)
    while start + length + grace(length) <= wanted.end and count < MAX_EMPTY:
        end = start + length
        resumes = [_resumes(gaps.get(target.id, []), start, end) for target in targets]
        if all(item is not None for item in resumes):
            # Every target lay in a gap: the gap tells it, however many windows long it is.
            start = max(end, min(window_start(item, length) for item in resumes if item is not None))
            continue
        if any(Grid(t.interval_seconds, t.phase_seconds).count(max(start, t.registered_at), end) for t in targets):
            yield Span(wanted.kind, wanted.subject, start, end)
            count += 1
        start = end


def _resumes(gaps: list[tuple[datetime, datetime | None]], start: datetime, end: datetime) -> datetime | None:
    """When the gap that covers all of [start, end) ends; None without such a gap."""
    never = datetime.max.replace(tzinfo=start.tzinfo) - timedelta(days=400)
    return next((ended or never for began, ended in gaps if began <= start and (ended is None or ended >= end)), None)
