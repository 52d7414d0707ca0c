"""One run of the self-check: a slice of a round over the log, and of a round over the tables above it.

Every SELF_CHECK_PERIOD a run hashes as many entries as its round needs to end well within SELF_CHECK_FULL_PERIOD
(`pace`), at least LEAST, and works for SHARE_OF_PERIOD and MOST_SECONDS at most. At 28,000 entries a second on one
core, with runs every minute, everything is hashed again within a day up to about 2 * 10^8 entries; what cannot keep up
says so.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import connections, transaction
from psycopg import Connection, Cursor

from audit.models import Head, SelfCheck, SelfCheckComparison
from audit.selfcheck.comparing import Compared, Progress, compare_tables
from audit.selfcheck.entries import Row, chunks
from audit.selfcheck.findings import Finding, fallen_guards, known_keys, raise_alarms
from audit.selfcheck.pace import entries_due
from audit.selfcheck.telling import SelfCheckResult, is_due, tell
from audit.selfcheck.tree import TreeWalk
from audit.tlog.tree import EMPTY_EDGE, RightEdge

SHARE_OF_PERIOD: Final = 0.2
SHARE_OF_COMPARISONS: Final = 0.1
MOST_SECONDS: Final = 120.0
MOST_SECONDS_OF_COMPARISONS: Final = 60.0
"""However long the period is: together well below CELERY_TASK_SOFT_TIME_LIMIT, which ends a run without a result."""
LEAST: Final = 50_000
"""Entries of a run that has the time, about two seconds of work: a log of ordinary size is gone over in every run."""

_OF_THE_TREE: Final = frozenset({"leaf", "missing", "checkpoint", "tile"})

logger = logging.getLogger(__name__)


class ComparisonFailed(RuntimeError):
    """A comparison of tables with the ledger could not be made; what else was found is told all the same."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one look at one snapshot gave."""

    row: SelfCheck
    start: int
    due: int
    size: int
    edge: RightEdge
    sections: int
    findings: tuple[Finding, ...]
    compared: Compared


def run(*, now: datetime, monotonic: Callable[[], float] = time.monotonic) -> SelfCheckResult:
    """Hash the next part of the log again, compare the tables above it, and raise what was found.

    A run that finds something new writes `selfcheck.completed` at once; rounds without findings write it twice in
    SELF_CHECK_FULL_PERIOD at most.

    Raises:
        ComparisonFailed: after everything else was done and told.
    """
    began = monotonic()
    period: float = settings.SELF_CHECK_PERIOD.total_seconds()
    with _snapshot() as connection:
        cursor = SelfCheck.objects.filter(id=1).first() or SelfCheck(id=1)
        allowance = _Allowance(
            min(SHARE_OF_PERIOD * period, MOST_SECONDS),
            min(SHARE_OF_COMPARISONS * period, MOST_SECONDS_OF_COMPARISONS),
            *(now, monotonic),
        )
        seen = _look(connection, cursor, allowance)
    with transaction.atomic(durable=True):
        # The row's lock keeps a second run from raising the same alarms; reading was done without it.
        row, _created = SelfCheck.objects.select_for_update().get_or_create(id=1)
        result = SelfCheckResult(
            start=seen.start,
            entries=seen.edge.size - seen.start,
            sections=seen.sections,
            due=seen.due,
            size=seen.size,
            findings=seen.findings,
            new=raise_alarms(seen.findings, now=now),
            pass_finished=seen.edge.size >= seen.size and not seen.compared.failed,
            milliseconds=int((monotonic() - began) * 1000),
        )
        if (row.next_index, bytes(row.edge)) == (seen.row.next_index, bytes(seen.row.edge)):
            _remember(row, result, seen.edge, now)
        for progress in seen.compared.progress:
            _remember_comparison(progress, now)
        if result.new or (result.pass_finished and not seen.findings and not row.pass_found and is_due(now)):
            tell(result, row, now)
    if result.entries < result.due and not result.findings:
        logger.warning(
            "the self-check cannot hash everything again within SELF_CHECK_FULL_PERIOD: a run needs %d entries and "
            "managed %d; give the worker more of the processor, or the period more time",
            *(result.due, result.entries),
        )
    _insist(seen.compared.failed)
    return result


def verify() -> tuple[int, tuple[Finding, ...]]:
    """The whole log in one go, without writing anything: how many entries were checked, and what was found.

    Raises:
        ComparisonFailed: a comparison could not be made, so the answer would not be whole.
    """
    with _snapshot() as connection:
        seen = _look(connection, SelfCheck(id=1), None)
    _insist(seen.compared.failed)
    return seen.edge.size, seen.findings


def _insist(failed: tuple[str, ...]) -> None:
    if failed:
        raise ComparisonFailed(f"These comparisons with the ledger could not be made: {', '.join(failed)}.")


@contextmanager
def _snapshot() -> Iterator[Connection[Row]]:
    """A read-only transaction that sees one commit: a row and its entry are seen together or not at all."""
    wrapper = connections["default"]
    with transaction.atomic(durable=True):
        raw: Connection[Row] = wrapper.connection
        with Cursor(raw) as cursor:
            cursor.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield raw


@dataclass(frozen=True, slots=True)
class _Allowance:
    """What a run may take: seconds for the log and for the tables, and the clocks to keep them by."""

    log_seconds: float
    table_seconds: float
    now: datetime
    monotonic: Callable[[], float]


def _look(connection: Connection[Row], row: SelfCheck, allowance: _Allowance | None) -> _Seen:
    """Hash and compare within an allowance; all of it, from the start, without one."""
    head = Head.objects.filter(id=1).first()
    size = head.size if head else 0
    start = row.next_index if row.next_index < size else 0
    due = _due(row, start, size, allowance.now) if allowance else size
    deadline = allowance.monotonic() + allowance.log_seconds if allowance else 0
    edge = RightEdge.from_bytes(start, bytes(row.edge)) if start else EMPTY_EDGE
    keys, wrong_keys = known_keys()
    walk = TreeWalk(connection, edge, keys=keys)
    findings: list[Finding] = [*fallen_guards(), *wrong_keys]
    sections = 0
    for chunk in chunks(connection, start, size, origin=settings.LEDGER_ORIGIN):
        findings += chunk.findings
        sections += chunk.sections
        walk.take(chunk.hashes)
        if allowance and (walk.edge.size - start >= max(due, LEAST) or allowance.monotonic() > deadline):
            break
    if head is None:
        findings.append(Finding("head", None, "log", "The head row is gone."))
    elif not _is_wrong(findings):
        walk.finish(size, bytes(head.root))
    compared = compare_tables(
        dict(SelfCheckComparison.objects.values_list("name", "position")) if allowance else {},
        seconds=allowance.table_seconds if allowance else float("inf"),
        monotonic=allowance.monotonic if allowance else time.monotonic,
    )
    return _Seen(
        row=row,
        start=start,
        due=due,
        size=size,
        edge=walk.edge,
        sections=sections,
        findings=(*findings, *walk.findings, *compared.findings),
        compared=compared,
    )


def _due(row: SelfCheck, start: int, size: int, now: datetime) -> int:
    return entries_due(
        size=size,
        done=start,
        started_at=(start and row.pass_started_at) or now,
        now=now,
        period=settings.SELF_CHECK_PERIOD,
        full_period=settings.SELF_CHECK_FULL_PERIOD,
    )


def _is_wrong(findings: Sequence[Finding]) -> bool:
    """Whether the tree itself is: then what follows cannot be judged by its edge."""
    return any(found.kind in _OF_THE_TREE for found in findings)


def _remember(row: SelfCheck, result: SelfCheckResult, edge: RightEdge, now: datetime) -> None:
    row.run_at = now
    row.run_entries = result.entries
    row.run_milliseconds = result.milliseconds
    row.findings = len(result.findings)
    if result.start == 0 or row.pass_started_at is None:
        row.pass_started_at, row.pass_sections, row.pass_found = now, 0, False
    row.pass_sections += result.sections
    row.pass_found = row.pass_found or bool(result.findings)
    if result.pass_finished:
        row.pass_finished_at, row.round_started_at = now, row.pass_started_at
        row.round_entries, row.round_sections = edge.size, row.pass_sections
    # A pass whose tree is wrong begins anew; any other finding must not keep what stands further on from being named.
    restart = edge.size >= result.size or _is_wrong(result.findings)
    row.next_index, row.edge = (0, b"") if restart else (edge.size, edge.to_bytes())
    row.save()


def _remember_comparison(progress: Progress, now: datetime) -> None:
    row = SelfCheckComparison.objects.filter(name=progress.name).first() or SelfCheckComparison(name=progress.name)
    if row.position != progress.began:
        return  # another run overtook this one
    if not progress.began or row.pass_started_at is None:
        row.pass_started_at, row.pass_rows = now, 0
    row.pass_rows += progress.rows
    row.position = progress.position
    if not progress.position:
        row.round_started_at, row.round_finished_at, row.round_rows = row.pass_started_at, now, row.pass_rows
    row.save()
