"""One run of the self-check: a whole pass over a small log, a slice of a pass over a large one.

Every SELF_CHECK_PERIOD a run works for SHARE_OF_PERIOD of it at most. At 28,000 entries a second on one core, a pass
over a log is one run up to about 330,000 entries with the period of 60 s, and half an hour at ten million.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connections, transaction
from psycopg import Connection, Cursor

from audit import ledger
from audit.events import EventType
from audit.models import Entry, Head, SelfCheck
from audit.selfcheck.entries import Row, chunks
from audit.selfcheck.findings import Finding, compare_tables, fallen_guards, raise_alarms
from audit.selfcheck.tree import TreeWalk
from audit.tlog.note import VerifierKey
from audit.tlog.tree import EMPTY_EDGE, RightEdge

SHARE_OF_PERIOD: Final = 0.2
TOLD_EVERY: Final = timedelta(hours=1)
_TOLD_AT_MOST: Final = 50


class ComparisonFailed(RuntimeError):
    """A comparison of tables with the ledger could not be made; what else was found is told all the same."""


@dataclass(frozen=True, slots=True)
class SelfCheckResult:
    """What a run came to.

    Attributes:
        start: where in the log it began. `entries`: how many it hashed again.
        size: entries in the log, which is as far as a pass goes.
        findings: everything that contradicts the log; each is an alarm now.
        new: how many alarms are new.
        pass_finished: whether the pass reached the end of the log.
    """

    start: int
    entries: int
    size: int
    findings: tuple[Finding, ...]
    new: int
    pass_finished: bool
    milliseconds: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look at one snapshot gave."""

    row: SelfCheck
    start: int
    size: int
    edge: RightEdge
    findings: tuple[Finding, ...]
    failed: tuple[str, ...]


def run(*, now: datetime, monotonic: Callable[[], float] = time.monotonic) -> SelfCheckResult:
    """Hash the next part of the log again, compare the tables above it, and raise what was found.

    A run that finds something new writes `selfcheck.completed` at once, a pass without findings at most hourly.

    Raises:
        ComparisonFailed: after everything else was done and told.
    """
    began = monotonic()
    with _snapshot() as connection:
        cursor = SelfCheck.objects.filter(id=1).first() or SelfCheck(id=1)
        deadline = began + SHARE_OF_PERIOD * settings.SELF_CHECK_PERIOD.total_seconds()
        seen = _look(connection, cursor, deadline, monotonic)
    finished = seen.edge.size >= seen.size and not seen.failed
    with transaction.atomic(durable=True):
        # The row's lock keeps a second run from raising the same alarms; reading was done without it.
        row, _created = SelfCheck.objects.select_for_update().get_or_create(id=1)
        new = raise_alarms(seen.findings, now=now)
        result = SelfCheckResult(
            start=seen.start,
            entries=seen.edge.size - seen.start,
            size=seen.size,
            findings=seen.findings,
            new=new,
            pass_finished=finished,
            milliseconds=int((monotonic() - began) * 1000),
        )
        if (row.next_index, bytes(row.edge)) == (seen.row.next_index, bytes(seen.row.edge)):
            _remember(row, result, seen.edge, now)
        if new or (finished and not seen.findings and _is_due(now)):
            _tell(result, now)
    if seen.failed:
        raise ComparisonFailed(f"These comparisons with the ledger could not be made: {', '.join(seen.failed)}.")
    return result


def verify() -> tuple[int, tuple[Finding, ...]]:
    """The whole log in one go, without writing anything: how many entries were checked, and what was found.

    Raises:
        ComparisonFailed: a comparison could not be made, so the answer would not be whole.
    """
    with _snapshot() as connection:
        seen = _look(connection, SelfCheck(id=1), float("inf"), time.monotonic)
    if seen.failed:
        raise ComparisonFailed(f"These comparisons with the ledger could not be made: {', '.join(seen.failed)}.")
    return seen.edge.size, seen.findings


@contextmanager
def _snapshot() -> Iterator[Connection[Row]]:
    """A read-only transaction that sees one commit: a row and its entry are seen together or not at all."""
    wrapper = connections["default"]
    with transaction.atomic(durable=True):
        raw: Connection[Row] = wrapper.connection
        with Cursor(raw) as cursor:
            cursor.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield raw


def _look(connection: Connection[Row], row: SelfCheck, deadline: float, monotonic: Callable[[], float]) -> _Seen:
    head = Head.objects.filter(id=1).first()
    size = head.size if head else 0
    start = row.next_index if row.next_index < size else 0
    edge = RightEdge.from_bytes(start, bytes(row.edge)) if start else EMPTY_EDGE
    walk = TreeWalk(connection, edge, key=VerifierKey.parse(settings.LEDGER_VKEY))
    findings: list[Finding] = fallen_guards()
    for chunk in chunks(connection, start, size, origin=settings.LEDGER_ORIGIN):
        findings += chunk.findings
        walk.take(chunk.hashes)
        if monotonic() > deadline:
            break
    if head is None:
        findings.append(Finding("head", None, "log", "The head row is gone."))
    elif not findings:
        walk.finish(size, bytes(head.root))
    compared, failed = compare_tables()
    return _Seen(row, start, size, walk.edge, (*findings, *walk.findings, *compared), failed)


def _remember(row: SelfCheck, result: SelfCheckResult, edge: RightEdge, now: datetime) -> None:
    row.run_at = now
    row.run_entries = result.entries
    row.run_milliseconds = result.milliseconds
    row.findings = len(result.findings)
    if result.start == 0:
        row.pass_started_at = now
    if result.pass_finished:
        row.pass_finished_at = now
    # A pass that found something begins anew: what follows a contradiction cannot be judged by it.
    restart = edge.size >= result.size or bool(result.findings)
    row.next_index, row.edge = (0, b"") if restart else (edge.size, edge.to_bytes())
    row.save()


def _is_due(now: datetime) -> bool:
    last = Entry.objects.filter(type=EventType.SELFCHECK_COMPLETED).order_by("-index").first()
    return last is None or now - last.received_at >= TOLD_EVERY


def _tell(result: SelfCheckResult, now: datetime) -> None:
    facts = {
        "result": "found" if result.findings else "ok",
        "entries": result.entries,
        "size": result.size,
        "period_seconds": int(settings.SELF_CHECK_PERIOD.total_seconds()),
        "findings": [
            {"kind": found.kind, "entry": found.entry_index, "subject": found.subject, "detail": found.detail}
            for found in result.findings[:_TOLD_AT_MOST]
        ],
        "findings_total": len(result.findings),
    }
    ledger.append(
        events=[
            ledger.Event(
                type=EventType.SELFCHECK_COMPLETED,
                subject="log",
                source="app",
                actor="system:selfcheck",
                occurred_at=now,
                sections=(ledger.facts(facts),),
            )
        ]
    )
