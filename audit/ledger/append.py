"""Append events to the log: one lock, contiguous indexes, one COPY a table, one move of the head."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from django.conf import settings
from django.db import connections
from psycopg import Connection, Cursor

from audit.ledger import rows
from audit.ledger.event import Event, Prepared, prepare
from audit.ledger.guard import Guard
from audit.ledger.tiles import grow
from audit.tlog.leaf import format_time
from audit.tlog.tree import RightEdge, leaf_hash

_Cursor = Cursor[tuple[object, ...]]


class NotInTransaction(RuntimeError):
    """`append` was called outside `transaction.atomic`: the change and its entry could part."""


class HeadMoved(RuntimeError):
    """The head is not what the lock promised: another writer, or a head that contradicts its own edge."""


class IdempotencyConflict(ValueError):
    """An id that names an event already was sent with other content.

    Attributes:
        first_index: the entry that the id names.
        position: which of the events given, from 0.
    """

    def __init__(self, first_index: int, position: int) -> None:
        self.first_index = first_index
        self.position = position
        super().__init__(
            f"This id already names entry {first_index}, which has other content. Send the event under a new id."
        )


@dataclass(frozen=True, slots=True)
class Appended:
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


@dataclass(frozen=True, slots=True)
class _Head:
    edge: RightEdge
    root: bytes
    received_at: datetime


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
        HeadMoved: the head contradicts itself or was moved by something else.
    """
    prepared = prepare_all(events, entropy=entropy)
    return append_prepared(prepared, using=using)


def prepare_all(events: Sequence[Event], *, entropy: Callable[[int], bytes] = os.urandom) -> list[Prepared]:
    """The part of `append` that needs no lock: ids, salts, commitments, most of each leaf."""
    now = datetime.now(UTC)
    origin, key = settings.LEDGER_ORIGIN, settings.LEDGER_HMAC_KEY
    return [prepare(event, origin=origin, key=key, now=now, entropy=entropy) for event in events]


def append_prepared(prepared: Sequence[Prepared], *, using: str = "default") -> list[Appended]:
    """The part of `append` that runs under the head lock."""
    wrapper = connections[using]
    if not wrapper.in_atomic_block:
        raise NotInTransaction("ledger.append needs an open transaction.atomic block.")
    wrapper.ensure_connection()
    raw: Connection[tuple[object, ...]] = wrapper.connection
    with Cursor(raw) as cursor:
        head = _lock_head(cursor)
        received_at, known = _look_up(cursor, head, prepared)
        results, fresh = _place(prepared, known, head, received_at)
        if fresh:
            _write(cursor, head, fresh, received_at)
    Guard(wrapper)
    return results


def _lock_head(cursor: _Cursor) -> _Head:
    cursor.execute("SELECT size, root, edge, received_at FROM head WHERE id = 1 FOR UPDATE", binary=True)
    row = cursor.fetchone()
    if row is None:
        raise HeadMoved("The log has no head row: run the migrations of `audit` on this database.")
    size, root, edge_bytes, received_at = row
    assert isinstance(size, int)
    assert isinstance(root, bytes)
    assert isinstance(edge_bytes, bytes)
    assert isinstance(received_at, datetime)
    edge = RightEdge.from_bytes(size, edge_bytes)
    if edge.root() != root:
        raise HeadMoved("The stored right edge does not hash to the stored root: nothing was written.")
    return _Head(edge=edge, root=root, received_at=received_at)


def _look_up(
    cursor: _Cursor, head: _Head, prepared: Sequence[Prepared]
) -> tuple[datetime, dict[bytes, tuple[Appended, bytes]]]:
    """The database clock under the lock, and the entries that ids of this call name already."""
    keys = [p.key for p in prepared if p.key is not None]
    if not keys:
        cursor.execute("SELECT clock_timestamp()", binary=True)
        row = cursor.fetchone()
        assert row is not None
        clock = row[0]
        assert isinstance(clock, datetime)
        return max(clock.astimezone(UTC), head.received_at.astimezone(UTC)), {}
    cursor.execute(
        "SELECT clock_timestamp(), k.key, k.content, e.index, e.event_id::text, e.leaf_hash, e.received_at,"
        " EXISTS (SELECT FROM section s WHERE s.entry_index = e.index)"
        " FROM (VALUES (1)) one LEFT JOIN event_key k ON k.key = ANY(%s) LEFT JOIN entry e ON e.index = k.entry_index",
        [keys],
        binary=True,
    )
    known: dict[bytes, tuple[Appended, bytes]] = {}
    clock = None
    for row in cursor.fetchall():
        clock, key, content, index, entry_id, hashed, received_at, has_content = row
        if key is None:
            continue
        assert isinstance(key, bytes)
        assert isinstance(content, bytes)
        assert isinstance(index, int)
        assert isinstance(entry_id, str)
        assert isinstance(hashed, bytes)
        assert isinstance(received_at, datetime)
        status: Literal["duplicate", "erased"] = "duplicate" if has_content else "erased"
        known[key] = (Appended(index, entry_id, hashed, received_at.astimezone(UTC), status), content)
    assert isinstance(clock, datetime)
    return max(clock.astimezone(UTC), head.received_at.astimezone(UTC)), known


@dataclass(frozen=True, slots=True)
class _Placed:
    prepared: Prepared
    index: int
    leaf: bytes
    leaf_hash: bytes


def _place(
    prepared: Sequence[Prepared],
    known: dict[bytes, tuple[Appended, bytes]],
    head: _Head,
    received_at: datetime,
) -> tuple[list[Appended], list[_Placed]]:
    """Give each new event its index and finish its leaf; answer each repeat with what it repeats."""
    stamp = format_time(received_at).encode()
    results: list[Appended] = []
    fresh: list[_Placed] = []
    index = head.edge.size
    for position, item in enumerate(prepared):
        if item.key is not None and item.key in known:
            first, content = known[item.key]
            if content != item.content:
                raise IdempotencyConflict(first.index, position)
            results.append(first)
            continue
        leaf = item.leaf_before_received_at + stamp + item.leaf_after_received_at
        hashed = leaf_hash(leaf)
        done = Appended(index, str(item.id), hashed, received_at, "created")
        results.append(done)
        fresh.append(_Placed(item, index, leaf, hashed))
        if item.key is not None and item.content is not None:
            known[item.key] = (Appended(index, done.id, hashed, received_at, "duplicate"), item.content)
        index += 1
    return results, fresh


def _write(cursor: _Cursor, head: _Head, fresh: Sequence[_Placed], received_at: datetime) -> None:
    blob, bigint = rows.blob, rows.bigint
    received = rows.moment(received_at)
    rows.copy(
        cursor,
        rows.ENTRY,
        10,
        [
            b"".join(
                (
                    bigint(placed.index),
                    blob(placed.leaf),
                    blob(placed.leaf_hash),
                    blob(placed.prepared.id.bytes),
                    blob(placed.prepared.event.type.encode()),
                    blob(placed.prepared.event.source.encode()),
                    blob(placed.prepared.event.subject.encode()),
                    blob(placed.prepared.event.actor.encode()),
                    rows.moment(placed.prepared.occurred_at),
                    received,
                )
            )
            for placed in fresh
        ],
    )
    rows.copy(
        cursor,
        rows.SECTION,
        5,
        [
            bigint(placed.index) + blob(s.name.encode()) + blob(salt) + blob(s.body) + blob(s.media.encode())
            for placed in fresh
            for s, salt in zip(placed.prepared.event.sections, placed.prepared.salts, strict=True)
        ],
    )
    rows.copy(
        cursor,
        rows.EVENT_KEY,
        3,
        [
            blob(placed.prepared.key) + bigint(placed.index) + blob(placed.prepared.content)
            for placed in fresh
            if placed.prepared.key is not None and placed.prepared.content is not None
        ],
    )
    edge, tiles = grow(cursor, head.edge, [placed.leaf_hash for placed in fresh])
    rows.copy(
        cursor,
        rows.TILE,
        4,
        [rows.smallint(tile.level) + bigint(tile.n) + blob(tile.data) + blob(tile.root) for tile in tiles],
    )
    cursor.execute(
        "UPDATE head SET size = %s, root = %s, edge = %s, received_at = %s WHERE id = 1 AND size = %s AND root = %s",
        [edge.size, edge.root(), edge.to_bytes(), received_at, head.edge.size, head.root],
    )
    if cursor.rowcount != 1:
        raise HeadMoved("The head moved under its lock: nothing was written. Check for another writer.")
