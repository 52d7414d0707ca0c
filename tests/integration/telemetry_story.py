"""Targets, slots and records for tests of windows, written as the collectors write them: plain inserts."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from audit import ledger
from audit.events import EventType
from audit.models import RecordKind, Target, TargetKind, TargetState
from audit.windows.grid import Grid, grace, window_start

LENGTH: Final[timedelta] = settings.USAGE_WINDOW
SECOND: Final = timedelta(seconds=1)
# The months around now have partitions; ten windows ago every window used here is over.
START: Final = window_start(datetime.now(UTC), LENGTH) - 10 * LENGTH
DUE: Final = START + LENGTH + grace(LENGTH)
"""When the window that begins at START may be sealed."""


def subject(kind: str = "deployment") -> str:
    """A deployment, or another kind, that Assay issued and nobody has used yet."""
    name = f"{kind}:{uuid.uuid4()}"
    event = ledger.Event(
        type=EventType.DEPLOYMENT_REGISTERED,
        subject=name,
        source="app",
        actor="system:test",
        occurred_at=START,
        sections=(ledger.facts({"after": {"id": name}, "before": None}),),
    )
    with transaction.atomic(durable=True):
        ledger.append(events=[event])
    return name


def target(
    about: str, *, kind: TargetKind = TargetKind.VLLM, interval: int = 2, since: datetime = START, enabled: bool = True
) -> Target:
    """A target whose first slot begins at `since`."""
    made = Target.objects.create(
        name=f"target {uuid.uuid4()}",
        kind=kind,
        url="" if kind == TargetKind.HOST else "http://127.0.0.1:9400/metrics",
        subject=about,
        interval_seconds=interval,
        phase_seconds=int(since.timestamp()) % interval,
        registered_at=since,
        enabled=enabled,
    )
    TargetState.objects.create(target=made, due_at=since)
    return made


def slot(of: Target, observed_at: datetime, outcome: str = "ok") -> int:
    """What came of asking a target, and the state the collector leaves."""
    number = Grid(of.interval_seconds, of.phase_seconds).slot_at(observed_at)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO slot_outcome (target_id, slot, observed_at, received_at, outcome, detail, rows)"
            " VALUES (%s, %s, %s, %s, %s, '', 1)",
            [of.id, number, observed_at, observed_at, outcome],
        )
    state = TargetState.objects.get(target=of)
    state.last_slot, state.last_outcome = number, outcome
    if outcome == "ok":
        state.last_ok_slot = number
    state.save()
    return number


def counted(of: Target, observed_at: datetime, *, output: int | None = 10, resets: int = 0, body: bytes = b"") -> int:
    """Growth of an engine's counters in an answered slot. Returns the record's id."""
    number = slot(of, observed_at)
    return _insert(
        "usage_record",
        observed_at=observed_at,
        received_at=observed_at,
        subject=of.subject,
        source=f"target:{of.id}",
        method="counter",
        target_id=of.id,
        slot=number,
        series="engine=0",
        model="llama",
        requests=1,
        input_tokens=100,
        output_tokens=output,
        resets=resets,
        body=body or f"counter {of.id} {number}".encode(),
    )


def reported(
    about: str,
    observed_at: datetime,
    *,
    output: int | None = 10,
    reasoning: int | None = None,
    received_at: datetime | None = None,
    body: bytes = b"",
) -> int:
    """One request that a pipeline reported. Returns the record's id."""
    return _insert(
        "usage_record",
        observed_at=observed_at,
        received_at=received_at or observed_at,
        subject=about,
        source="source:test",
        method="request",
        series="",
        model="llama",
        requests=1,
        input_tokens=100,
        output_tokens=output,
        reasoning_tokens=reasoning,
        resets=0,
        body=body or f"request {uuid.uuid4()}".encode(),
    )


def sampled(
    of: Target,
    observed_at: datetime,
    series: str,
    *,
    power_mw: int | None = 400_000,
    energy_delta_mj: int | None = 800_000,
    memory: int | None = 1 << 30,
    util_ppm: int | None = 500_000,
) -> int:
    """A sample of one device; the slot's outcome is written apart. Returns the record's id."""
    return _insert(
        "hardware_sample",
        observed_at=observed_at,
        received_at=observed_at,
        subject=of.subject,
        source=f"target:{of.id}",
        target_id=of.id,
        slot=Grid(of.interval_seconds, of.phase_seconds).slot_at(observed_at),
        series=series,
        node="node-1",
        device_model="H100",
        util_ppm=util_ppm,
        memory_used_bytes=memory,
        memory_total_bytes=80 << 30,
        power_mw=power_mw,
        energy_mj=None if energy_delta_mj is None else 10**9,
        energy_delta_mj=energy_delta_mj,
        elapsed_ms=of.interval_seconds * 1_000,
        resets=0,
        body=f"sample {of.id} {series} {observed_at}".encode(),
    )


def bodies(kind: RecordKind, about: str) -> list[bytes]:
    """The bytes of a subject's records in the order of a root."""
    table = "usage_record" if kind == RecordKind.USAGE else "hardware_sample"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT body FROM {table} WHERE subject = %s ORDER BY observed_at, id", [about])
        return [bytes(body) for (body,) in cursor.fetchall()]


def _insert(table: str, **values: str | bytes | int | datetime | uuid.UUID | None) -> int:
    names = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id", list(values.values()))
        (record_id,) = cursor.fetchone()
    return int(record_id)
