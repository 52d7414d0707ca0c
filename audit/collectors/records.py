"""Rows of records, in the binary form that COPY takes, and the canonical bytes that a window's root is made from."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import rfc8785
from psycopg import Cursor

from audit.collectors.counters import Growth
from audit.collectors.reading import Count, Reading
from audit.ledger.rows import bigint, blob, copy, moment
from audit.models import RecordKind

_COMMON: Final = ("observed_at", "received_at", "subject", "source", "target_id", "slot", "series", "resets", "body")
_USAGE_AMOUNTS: Final = (
    "requests", "input_tokens", "output_tokens", "reasoning_tokens", "cached_tokens", "duration_ms", "elapsed_ms",
)  # fmt: skip
_HARDWARE_AMOUNTS: Final = (
    "util_ppm", "memory_used_bytes", "memory_total_bytes", "power_mw", "energy_mj", "energy_delta_mj",
    "temperature_mc", "load_milli", "elapsed_ms",
)  # fmt: skip
AMOUNTS: Final = {RecordKind.USAGE: _USAGE_AMOUNTS, RecordKind.HARDWARE: _HARDWARE_AMOUNTS}
_TEXTS: Final = {RecordKind.USAGE: ("method", "model"), RecordKind.HARDWARE: ("node", "device_model")}
_TABLES: Final = {RecordKind.USAGE: "usage_record", RecordKind.HARDWARE: "hardware_sample"}
_NULL: Final = struct.pack(">i", -1)


MAX_BODY_BYTES: Final = 16_384
MAX_SERIES_BYTES: Final = 512


class RecordRefused(ValueError):
    """A reading that makes no record: a name or a body beyond its limit, or an amount that is not exact."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a reading was taken: the same for all series of a target in a slot."""

    kind: RecordKind
    target_id: UUID
    subject: str
    slot: int
    observed_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """One row of `usage_record` or `hardware_sample`."""

    place: Place
    series: str
    texts: tuple[str, str]
    amounts: Mapping[str, int | None]
    resets: int
    body: bytes


def make(place: Place, reading: Reading, growth: Growth, columns: Mapping[str, int | None]) -> Record:
    """The record of a reading; its body holds the counters before and now, so that the growth can be checked.

    Raises:
        RecordRefused: a series name of more than 512 bytes, a body of more than 16 KiB, an amount beyond 2**53 - 1.
    """
    if len(reading.series.encode()) > MAX_SERIES_BYTES:
        raise RecordRefused(f"a series has a name of more than {MAX_SERIES_BYTES} bytes")
    amounts = {name: columns.get(name) for name in AMOUNTS[place.kind]} | {"elapsed_ms": growth.elapsed_ms}
    texts = ("counter", reading.model) if place.kind == RecordKind.USAGE else (reading.node, reading.model)
    content = {
        "v": 1,
        "kind": str(place.kind),
        "target": str(place.target_id),
        "subject": place.subject,
        "slot": place.slot,
        "observed_at": place.observed_at.isoformat(timespec="microseconds"),
        "series": reading.series,
        **dict(zip(_TEXTS[place.kind], texts, strict=True)),
        "amounts": {name: value for name, value in amounts.items() if value is not None},
        "resets": growth.resets,
        "counters": {"before": _counts(growth.before), "now": _counts(reading.counts)},
    }
    return Record(place, reading.series, texts, amounts, growth.resets, _canonical(content))


def _canonical(content: dict[str, Any]) -> bytes:
    try:
        body = rfc8785.dumps(content)
    except rfc8785.CanonicalizationError as error:
        raise RecordRefused(f"an amount has no exact form: {error}") from error
    if len(body) > MAX_BODY_BYTES:
        raise RecordRefused(f"the record of a series has more than {MAX_BODY_BYTES} bytes")
    return body


def _counts(counts: Mapping[str, Count]) -> dict[str, list[int | None]]:
    return {name: [count.value, count.began_us] for name, count in counts.items()}


def write(cursor: Cursor[tuple[object, ...]], kind: RecordKind, records: Sequence[Record]) -> None:
    """Write records of one kind by one COPY, in the caller's transaction."""
    names = (*_COMMON, *_TEXTS[kind], *AMOUNTS[kind])
    statement = f"COPY {_TABLES[kind]} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
    copy(cursor, statement, len(names), [_row(record) for record in records])


def _row(record: Record) -> bytes:
    place = record.place
    return b"".join(
        (
            moment(place.observed_at),
            moment(place.received_at),
            blob(place.subject.encode()),
            blob(f"target:{place.target_id}".encode()),
            blob(place.target_id.bytes),
            bigint(place.slot),
            blob(record.series.encode()),
            integer(record.resets),
            blob(record.body),
            *(blob(text.encode()) for text in record.texts),
            *(_NULL if value is None else bigint(value) for value in record.amounts.values()),
        )
    )


def integer(value: int) -> bytes:
    """An int4 field."""
    return struct.pack(">ii", 4, value)


OUTCOME: Final = (
    "COPY slot_outcome (target_id, slot, observed_at, received_at, outcome, detail, rows) FROM STDIN (FORMAT BINARY)"
)


def write_outcome(cursor: Cursor[tuple[object, ...]], place: Place, *, outcome: str, detail: str, rows: int) -> None:
    """Write what came of a slot, by COPY in the caller's transaction."""
    row = b"".join(
        (
            blob(place.target_id.bytes),
            bigint(place.slot),
            moment(place.observed_at),
            moment(place.received_at),
            blob(outcome.encode()),
            blob(detail.encode()),
            integer(rows),
        )
    )
    copy(cursor, OUTCOME, 7, [row])
