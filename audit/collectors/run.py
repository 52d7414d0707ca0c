"""One round of collection: claim what is due, ask it outside any transaction, write what came of each slot."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import Error, connection, transaction

from audit.collectors import counters, records
from audit.collectors.ahead import bring_back
from audit.collectors.claim import Claim, claim, grid_of, held, local_only, release
from audit.collectors.fetch import CONCURRENCY, Failure, Page, Request, fetch_all
from audit.collectors.kinds import COLLECTORS
from audit.collectors.outcome import Outcome
from audit.collectors.partitions import ensure_partitions
from audit.collectors.plausible import bound_columns, bound_reading, summed_up
from audit.collectors.reading import MetricsMissing, Reading
from audit.formats import PageRefused, read_page
from audit.models import SlotOutcome, TargetState
from audit.windows.gaps import end_gap

logger = logging.getLogger(__name__)

MAX_ROUND: Final = timedelta(seconds=60)
_MAX_DETAIL: Final = 200
_LONGEST_FETCH: Final = 10.0


@dataclass(frozen=True, slots=True)
class Collected:
    """What a round did.

    Attributes:
        asked: slots that were claimed and asked.
        answered: those of them that gave records.
        rows: records written.
        lost: slots that another worker took over or had stored before this one could write; it wrote nothing of them.
    """

    asked: int = 0
    answered: int = 0
    rows: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a target said in its slot, before anything is stored."""

    claim: Claim
    at: datetime
    outcome: Outcome
    detail: str
    readings: Sequence[Reading] = ()


def collect(*, now: datetime, clock: Callable[[], datetime], token: UUID) -> Collected:
    """Ask every target that is due and store the outcomes. Safe to call at any time, from any number of workers.

    Args:
        now: the time at the start of the call; it decides the slot and dates the samples.
        clock: read again while the round goes on: when a target was asked, and whether the round takes too long.
        token: a new random one, the name of this round's leases.
    """
    total = Collected()
    bring_back(now=now)
    while (leased_at := max(now, clock())) - now < MAX_ROUND:
        claims = claim(now=now, leased_at=leased_at, token=token, limit=CONCURRENCY)
        if not claims:
            break
        ensure_partitions(now)
        for answer in _ask(claims, clock):
            total = _add(total, answer)
    return total


def _ask(claims: Sequence[Claim], clock: Callable[[], datetime]) -> Iterator[_Answer]:
    remote, local = local_only(claims)
    requests = [Request(item.target.url, _seconds(item.target.interval_seconds)) for item in remote]
    allowed = settings.COLLECT_ALLOWED_NETWORKS
    pages = asyncio.run(fetch_all(requests, allowed=allowed, clock=clock)) if requests else []
    for item, page in zip(remote, pages, strict=True):
        yield _answer(item, page, page.asked_at)
    for item in local:
        yield _answer(item, None, clock())


def _seconds(interval: int) -> float:
    """A fetch ends before the next slot begins, however short the interval."""
    return min(_LONGEST_FETCH, max(1.0, interval * 0.6))


def _answer(item: Claim, page: Page | Failure | None, at: datetime) -> _Answer:
    if isinstance(page, Failure):
        return _Answer(item, at, page.outcome, page.detail)
    collector = COLLECTORS[item.target.kind]
    try:
        samples = read_page(page.body, wanted=collector.wanted, media=page.media) if page else []
        readings = collector.read(samples)
    except PageRefused as error:
        return _Answer(item, at, Outcome.UNREADABLE, str(error))
    except MetricsMissing as error:
        return _Answer(item, at, Outcome.METRICS_MISSING, str(error))
    if len(readings) > counters.MAX_SERIES:
        return _Answer(item, at, Outcome.UNREADABLE, f"the page has more than {counters.MAX_SERIES} series")
    bounded = [bound_reading(reading) for reading in readings]
    kept = [reading for reading, dropped in bounded if reading.gauges or reading.counts or not dropped]
    detail = summed_up([name for _, dropped in bounded for name in dropped])
    return _Answer(item, at, Outcome.OK if kept else Outcome.METRICS_MISSING, detail, kept)


def _add(total: Collected, answer: _Answer) -> Collected:
    """Store one answer; a target whose answer cannot be stored must not take the others' slots with it."""
    try:
        rows = _store(answer)
    except (Error, psycopg.Error):
        logger.exception("The slot of target %s could not be stored.", answer.claim.target.id)
        rows = None
    asked = replace(total, asked=total.asked + 1)
    if rows is None:
        return replace(asked, lost=total.lost + 1)
    return replace(asked, answered=total.answered + bool(rows), rows=total.rows + rows)


def _store(answer: _Answer) -> int | None:
    """Records, outcome and state of one slot in one transaction; None when the claim was lost."""
    item = answer.claim
    collector = COLLECTORS[item.target.kind]
    place = records.Place(
        kind=collector.records,
        target_id=item.target.id,
        subject=item.target.subject,
        slot=item.slot,
        observed_at=grid_of(item.target).start_of(item.slot),
        received_at=answer.at,
    )
    try:
        rows, memory, dropped = _records(answer, place)
    except records.RecordRefused as error:
        answer = _Answer(item, answer.at, Outcome.UNREADABLE, str(error))
        rows, memory, dropped = [], item.counters, []
    with transaction.atomic(durable=True):
        state = held(item)
        if state is None:
            return None
        if (stored := _stored(place)) is not None:
            _settle(state, replace(answer, outcome=Outcome(stored.outcome), detail=stored.detail), state.counters)
            return None
        answer = replace(answer, detail="; ".join(filter(None, (answer.detail, summed_up(dropped))))[:_MAX_DETAIL])
        _write(answer, place, rows)
        _settle(state, answer, memory)
    return len(rows)


def _stored(place: records.Place) -> SlotOutcome | None:
    """What came of the slot already, asked by a clock that was ahead."""
    return SlotOutcome.objects.filter(target_id=place.target_id, slot=place.slot, observed_at=place.observed_at).first()


def _records(answer: _Answer, place: records.Place) -> tuple[list[records.Record], str, list[str]]:
    """The records of an answer, the target's memory after it, and which growth was dropped as implausible."""
    collector = COLLECTORS[answer.claim.target.kind]
    memory = counters.from_text(answer.claim.counters)
    at_us = counters.microseconds(answer.at)
    rows = []
    dropped: list[str] = []
    for reading in answer.readings:
        growth = counters.grow(reading, memory.get(reading.series), at_us=at_us)
        columns, beyond = bound_columns(collector.columns(reading, growth.counts), reading)
        dropped += beyond
        rows.append(records.make(place, reading, growth, columns))
    return rows, counters.to_text(counters.remember(memory, answer.readings, at_us=at_us)), dropped


def _write(answer: _Answer, place: records.Place, rows: Sequence[records.Record]) -> None:
    with psycopg.Cursor(connection.connection) as cursor:
        records.write(cursor, place.kind, rows)
        records.write_outcome(cursor, place, outcome=answer.outcome, detail=answer.detail, rows=len(rows))


def _settle(state: TargetState, answer: _Answer, memory: str) -> None:
    if answer.outcome == Outcome.OK:
        end_gap(state.target_id, grid_of(state.target), answer.claim.slot, state)
        state.counters = memory
    release(state, answer.claim, outcome=answer.outcome, detail=answer.detail)
