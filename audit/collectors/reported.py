"""Usage that pipelines report, one record a request: stored once, whatever is sent again."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from psycopg import Cursor, sql

from audit.collectors.partitions import ensure_partitions
from audit.events import facts
from audit.tlog.leaf import format_time

OLDEST: Final = timedelta(days=35)
NEWEST: Final = timedelta(minutes=5)
"""Clocks differ; a sender further ahead than this has a wrong one, and its records would open future windows."""

_COLUMNS: Final = (
    "observed_at", "received_at", "subject", "source", "method", "series", "model", "requests", "input_tokens",
    "output_tokens", "reasoning_tokens", "cached_tokens", "duration_ms", "resets", "body",
)  # fmt: skip
_INSERT_KEYS: Final = """
INSERT INTO usage_key (key, content, observed_at)
SELECT * FROM unnest(%s::bytea[], %s::bytea[], %s::timestamptz[]) ON CONFLICT DO NOTHING RETURNING key
"""


class UsageRefused(ValueError):
    """A record of a batch that cannot be stored; nothing of the batch was.

    Attributes:
        position: which record of the batch, from 0.
        field: which of its fields.
    """

    def __init__(self, position: int, field: str, reason: str) -> None:
        self.position = position
        self.field = field
        super().__init__(reason)


class UsageConflict(UsageRefused):
    """An id that names a record already came with other content."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One request as a pipeline saw it. Reasoning tokens are part of output, cached tokens part of input."""

    id: str
    subject: str
    occurred_at: datetime
    model: str
    operation: str
    input_tokens: int
    output_tokens: int
    reasoning_tokens: int | None
    cached_tokens: int | None
    duration_ms: int | None
    finish_reason: str


def record_usage(*, batch: Sequence[Usage], source: str, actor: str, now: datetime) -> list[bool]:
    """Store the records of a batch, all or none.

    Args:
        batch: what was sent, in order.
        source: from the credential, `source:<uuid>`.
        actor: from the credential.
        now: when the batch arrived.

    Returns:
        For each record, whether it is new; False for one that was stored before with the same content.

    Raises:
        UsageRefused: a subset larger than its whole, or a time outside the last 35 days.
        UsageConflict: an id that names another record.
    """
    for position, usage in enumerate(batch):
        _check(position, usage, now)
    ensure_partitions(now, *{usage.occurred_at for usage in batch})
    keys = [hashlib.sha256(f"{source}\x00{usage.id}".encode()).digest() for usage in batch]
    rows = [_row(usage, source, actor, now) for usage in batch]
    contents = [_content(usage) for usage in batch]
    first = {key: position for position, key in reversed(list(enumerate(keys)))}
    with transaction.atomic(durable=True):
        fresh = _insert_keys(keys, contents, [usage.occurred_at for usage in batch], first)
        stored = _contents(set(keys) - fresh)
        for position, key in enumerate(keys):
            kept = stored.get(key) or contents[first[key]]
            if kept != contents[position]:
                raise UsageConflict(position, "id", "This id names a record that has other content. Use a new id.")
        new = [key in fresh and first[key] == position for position, key in enumerate(keys)]
        _copy([row for row, is_new in zip(rows, new, strict=True) if is_new])
    return new


def _check(position: int, usage: Usage, now: datetime) -> None:
    if usage.reasoning_tokens is not None and usage.reasoning_tokens > usage.output_tokens:
        raise UsageRefused(position, "reasoning_tokens", "Reasoning tokens are part of output_tokens, so never more.")
    if usage.cached_tokens is not None and usage.cached_tokens > usage.input_tokens:
        raise UsageRefused(position, "cached_tokens", "Cached tokens are part of input_tokens, so never more.")
    if not now - OLDEST <= usage.occurred_at <= now + NEWEST:
        raise UsageRefused(position, "occurred_at", "The time lies outside the last 35 days: check the sender's clock.")


def _content(usage: Usage) -> bytes:
    """What must be the same when a record is sent again: everything that the sender said."""
    said = {name: getattr(usage, name) for name in Usage.__dataclass_fields__}
    return hashlib.sha256(facts(said | {"occurred_at": format_time(usage.occurred_at)}).body).digest()


def _row(usage: Usage, source: str, actor: str, now: datetime) -> dict[str, object]:
    columns: dict[str, object] = {
        "observed_at": usage.occurred_at,
        "received_at": now,
        "subject": usage.subject,
        "source": source,
        "method": "request",
        "series": "",
        "model": usage.model,
        "requests": 1,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cached_tokens": usage.cached_tokens,
        "duration_ms": usage.duration_ms,
        "resets": 0,
    }
    told = {
        "v": 1,
        "kind": "usage",
        "actor": actor,
        "finish_reason": usage.finish_reason,
        "id": usage.id,
        "operation": usage.operation,
        "observed_at": format_time(usage.occurred_at),
        "received_at": format_time(now),
    }
    return columns | {"body": facts(columns | told).body}


def _copy(rows: Sequence[dict[str, object]]) -> None:
    if not rows:
        return
    columns = sql.SQL(", ").join(map(sql.Identifier, _COLUMNS))
    statement = sql.SQL("COPY usage_record ({}) FROM STDIN").format(columns)
    with Cursor(connection.connection) as cursor, cursor.copy(statement) as stream:
        for row in rows:
            stream.write_row([row[name] for name in _COLUMNS])


def _insert_keys(
    keys: Sequence[bytes], contents: Sequence[bytes], times: Sequence[datetime], first: dict[bytes, int]
) -> set[bytes]:
    # Sorted: two batches with the same ids wait for each other instead of locking each other out.
    chosen = sorted(first)
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT_KEYS, [chosen, [contents[first[key]] for key in chosen], [times[first[key]] for key in chosen]]
        )
        return {bytes(key) for (key,) in cursor.fetchall()}


def _contents(keys: set[bytes]) -> dict[bytes, bytes]:
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT key, content FROM usage_key WHERE key = ANY(%s)", [sorted(keys)])
        return {bytes(key): bytes(content) for key, content in cursor.fetchall()}
