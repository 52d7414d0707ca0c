"""Append events to the log: one lock, contiguous indexes, one COPY a table, one move of the head."""

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
from django.conf import settings
from django.db import connections
from psycopg import Connection, Cursor

from audit.ledger import prepare
from audit.ledger.event import Event
from audit.ledger.guard import Guard, refuse_twice
from audit.ledger.head import LockedHead, RowCursor, lock_head
from audit.ledger.prepare import Prepared
from audit.ledger.write import Placed, write
from audit.tlog.leaf import format_time
from audit.tlog.tree import leaf_hash


class NotInTransaction(RuntimeError):
    """`append` was called outside `transaction.atomic`: the change and its entry could part."""


class IdempotencyConflict(ValueError):
    """An id that names an event already was sent with other content.

    Attributes:
        first_index: the entry that the id names; None when it stands twice in what was given, and none was written.
        position: which of the events given, from 0.
    """

    def __init__(self, first_index: int | None, position: int) -> None:
        self.first_index = first_index
        self.position = position
        super().__init__(
            "This id stands twice here, with different content. Send one of the events under another id."
            if first_index is None
            else f"This id already names entry {first_index}, which has other content. Send the event under a new id."
        )


class Appended(msgspec.Struct, frozen=True):
    """Where an event stands.

    Attributes:
        index: 0-based place in the log.
        id: the server-issued id in the leaf.
        leaf_hash: SHA-256(0x00 || leaf), 32 bytes.
        received_at: the database clock under the head lock.
        status: `created` now; `duplicate` of an entry made before; `erased`, a duplicate whose content
            was erased since.
    """

    index: int
    id: str
    leaf_hash: bytes
    received_at: datetime
    status: Literal["created", "duplicate", "erased"]


_LOOK_UP: Final = b"""
SELECT clock_timestamp(), k.key, k.content, k.entry_index FROM (VALUES (1)) one LEFT JOIN (
  generate_series(0, %s::int4) g CROSS JOIN LATERAL (
    SELECT key, content, entry_index FROM event_key WHERE key = substr(%b::bytea, g * 32 + 1, 32) LIMIT 1
  ) k
) ON true
"""


def append(
    *, events: Sequence[Event], using: str = "default", entropy: Callable[[int], bytes] = os.urandom
) -> list[Appended]:
    """Append events, in order, in the caller's transaction; nothing may follow in that transaction.

    Args:
        events: at least one.
        using: alias of a connection of the app role that is inside `atomic`.
        entropy: source of ids and salts.

    Returns:
        One result for each event, in the same order.

    Raises:
        EventRefused: an event that may not stand in a leaf.
        IdempotencyConflict: an id sent again with other content.
        NotInTransaction: no `atomic` block is open.
        StatementAfterAppend: this transaction has appended already.
        HeadMoved: the head contradicts itself or was moved by something else.
    """
    prepared = prepare_all(events, entropy=entropy)
    return append_prepared(prepared, using=using)


def prepare_all(events: Sequence[Event], *, entropy: Callable[[int], bytes] = os.urandom) -> list[Prepared]:
    """The part of `append` that needs no lock: ids, salts, commitments, most of each leaf."""
    origin, key = settings.LEDGER_ORIGIN, settings.LEDGER_HMAC_KEY
    return prepare.prepare_all(events, origin=origin, key=key, now=datetime.now(UTC), entropy=entropy)


def append_prepared(prepared: Sequence[Prepared], *, using: str = "default") -> list[Appended]:
    """The part of `append` that runs under the head lock."""
    return append_when_locked(lambda: prepared, using=using)


def append_when_locked(take: Callable[[], Sequence[Prepared]], *, using: str = "default") -> list[Appended]:
    """Take the head lock, and only then ask what there is to append."""
    wrapper = connections[using]
    if not wrapper.in_atomic_block:
        raise NotInTransaction("ledger.append needs an open transaction.atomic block.")
    refuse_twice(wrapper)
    wrapper.ensure_connection()
    raw: Connection[tuple[object, ...]] = wrapper.connection
    # The cursor is psycopg's own; its errors become Django's, so that every caller catches one kind, and Django
    # learns that a connection is broken.
    with wrapper.wrap_database_errors, Cursor(raw) as cursor:
        head = lock_head(cursor)
        prepared = take()
        received_at, known = _look_up(cursor, head, prepared)
        results, fresh = _place(prepared, known, head, received_at)
        if fresh:
            write(cursor, head, fresh, received_at)
    Guard(wrapper)
    return results


def _look_up(
    cursor: RowCursor, head: LockedHead, prepared: Sequence[Prepared]
) -> tuple[datetime, dict[bytes, tuple[Appended, bytes]]]:
    """The database clock under the lock, and the entries that ids of this call name already."""
    keys = b"".join([item.key for item in prepared if item.key is not None])
    # Keys travel as one blob that is cut on the other side, and are looked up one by one: PostgreSQL guesses so badly
    # how many rows they meet that it would read the whole table.
    cursor.execute(_LOOK_UP, [len(keys) // 32 - 1, keys], prepare=True, binary=True)
    rows = cursor.fetchall()
    clock = rows[0][0]
    found: dict[int, tuple[bytes, bytes]] = {}
    for _clock, key, content, index in rows:
        if key is not None:
            assert isinstance(key, bytes)
            assert isinstance(content, bytes)
            assert isinstance(index, int)
            found[index] = (key, content)
    assert isinstance(clock, datetime)
    return max(clock.astimezone(UTC), head.received_at), _repeats(cursor, found) if found else {}


def _repeats(cursor: RowCursor, found: dict[int, tuple[bytes, bytes]]) -> dict[bytes, tuple[Appended, bytes]]:
    """The entries of these indexes by their keys, each with the digest of its content."""
    cursor.execute(
        b"SELECT e.index, e.event_id::text, e.leaf_hash, e.received_at,"
        b" EXISTS (SELECT FROM erasure x WHERE x.entry_index = e.index) FROM entry e WHERE e.index = ANY(%b)",
        [list(found)],
        binary=True,
    )
    known: dict[bytes, tuple[Appended, bytes]] = {}
    for index, entry_id, hashed, received_at, is_erased in cursor.fetchall():
        assert isinstance(index, int)
        assert isinstance(entry_id, str)
        assert isinstance(hashed, bytes)
        assert isinstance(received_at, datetime)
        key, content = found[index]
        status: Literal["duplicate", "erased"] = "erased" if is_erased else "duplicate"
        known[key] = (Appended(index, entry_id, hashed, received_at.astimezone(UTC), status), content)
    return known


def _place(
    prepared: Sequence[Prepared],
    known: dict[bytes, tuple[Appended, bytes]],
    head: LockedHead,
    received_at: datetime,
) -> tuple[list[Appended], list[Placed]]:
    """Give each new event its index and finish its leaf; answer each repeat with what it repeats."""
    stamp = format_time(received_at).encode()
    results: list[Appended] = []
    fresh: list[Placed] = []
    given: dict[bytes, int] = {}
    index = head.edge.size
    for position, item in enumerate(prepared):
        if item.key is not None and item.key in known:
            first, content = known[item.key]
            if content != item.content:
                raise IdempotencyConflict(first.index, position)
            results.append(first)
            continue
        if item.key is not None and item.key in given:
            twin = given[item.key]
            if prepared[twin].content != item.content:
                raise IdempotencyConflict(None, position)
            results.append(msgspec.structs.replace(results[twin], status="duplicate"))
            continue
        leaf = item.leaf_before_received_at + stamp + item.leaf_after_received_at
        hashed = leaf_hash(leaf)
        results.append(Appended(index, item.id, hashed, received_at, "created"))
        fresh.append(Placed(item, index, leaf, hashed))
        if item.key is not None:
            given[item.key] = position
        index += 1
    return results, fresh
