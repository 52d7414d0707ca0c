"""New entries into their tables: many by one binary COPY a table, few by one statement for all tables."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from audit.ledger import rows
from audit.ledger.arrays import Byteas, Int8s, Moments, Texts, Uuids, array, teach
from audit.ledger.head import LockedHead, RowCursor, check_moved, move_head
from audit.ledger.prepare import Prepared
from audit.ledger.tiles import grow
from audit.tlog.tree import RightEdge, Tile

FEW: Final = 24
"""Up to so many entries go by one statement: a COPY has three messages to wait for, and there are three."""

_INSERT_FEW: Final = b"""
WITH new_entry AS (
  INSERT INTO entry (index, leaf, leaf_hash, event_id, type, source, subject, actor, occurred_at, received_at)
  SELECT *, %s::timestamptz FROM unnest(%b::int8[], %b::bytea[], %b::bytea[], %b::uuid[], %b::text[], %b::text[],
    %b::text[], %b::text[], %b::timestamptz[])
), new_section AS (
  INSERT INTO section (entry_index, name, salt, body, media)
  SELECT * FROM unnest(%b::int8[], %b::text[], %b::bytea[], %b::bytea[], %b::text[])
), new_key AS (
  INSERT INTO event_key (key, entry_index, content) SELECT * FROM unnest(%b::bytea[], %b::int8[], %b::bytea[])
)
UPDATE head SET size = %s, root = %s, edge = %s, received_at = %s WHERE id = 1 AND size = %s AND root = %s
"""


class Placed(msgspec.Struct, frozen=True):
    """An event with its place in the log."""

    prepared: Prepared
    index: int
    leaf: bytes
    leaf_hash: bytes


def write(cursor: RowCursor, head: LockedHead, fresh: Sequence[Placed], received_at: datetime) -> None:
    """Entries, sections, idempotency keys, completed tiles, and the head.

    Raises:
        HeadMoved: see `head.move_head`.
    """
    edge, tiles = grow(cursor, head.edge, [placed.leaf_hash for placed in fresh])
    if len(fresh) <= FEW and not tiles:
        _insert_few(cursor, head, fresh, edge, received_at)
    else:
        _copy(cursor, fresh, tiles, received_at)
        move_head(cursor, head, edge, received_at)


def _insert_few(
    cursor: RowCursor, head: LockedHead, fresh: Sequence[Placed], edge: RightEdge, received_at: datetime
) -> None:
    blob, text, bigint = rows.blob, rows.text, rows.bigint
    events = [placed.prepared.event for placed in fresh]
    sections = [
        (placed.index, section, salt)
        for placed in fresh
        for section, salt in zip(placed.prepared.event.sections, placed.prepared.salts, strict=True)
    ]
    keyed = [placed for placed in fresh if placed.prepared.key is not None]
    teach(cursor)
    cursor.execute(
        _INSERT_FEW,
        [
            received_at,
            array(Int8s, [bigint(placed.index) for placed in fresh]),
            array(Byteas, [blob(placed.leaf) for placed in fresh]),
            array(Byteas, [blob(placed.leaf_hash) for placed in fresh]),
            array(Uuids, [rows.uuid(placed.prepared.id) for placed in fresh]),
            array(Texts, [text(event.type) for event in events]),
            array(Texts, [text(event.source) for event in events]),
            array(Texts, [text(event.subject) for event in events]),
            array(Texts, [text(event.actor) for event in events]),
            array(Moments, [rows.moment(event.occurred_at) for event in events]),
            array(Int8s, [bigint(index) for index, _section, _salt in sections]),
            array(Texts, [text(section.name) for _index, section, _salt in sections]),
            array(Byteas, [blob(salt) for _index, _section, salt in sections]),
            array(Byteas, [blob(section.body) for _index, section, _salt in sections]),
            array(Texts, [text(section.media) for _index, section, _salt in sections]),
            array(Byteas, [blob(placed.prepared.key or b"") for placed in keyed]),
            array(Int8s, [bigint(placed.index) for placed in keyed]),
            array(Byteas, [blob(placed.prepared.content or b"") for placed in keyed]),
            *(edge.size, edge.root(), edge.to_bytes(), received_at, head.edge.size, head.root),
        ],
        prepare=True,
        binary=True,
    )
    check_moved(cursor.rowcount)


def _copy(cursor: RowCursor, fresh: Sequence[Placed], tiles: Sequence[Tile], received_at: datetime) -> None:
    """What a row needs besides its place is made ready in `Prepared`, outside the lock; and while the server takes
    the rows of one table, those of the next are put together.
    """
    bigint, blob, length = rows.bigint, rows.blob, rows.HASH_LENGTH
    received = rows.moment(received_at)
    indexed = [(bigint(placed.index), placed.prepared) for placed in fresh]
    entries = [
        b"".join((index, blob(placed.leaf), length, placed.leaf_hash, prepared.entry_fields, received))
        for (index, prepared), placed in zip(indexed, fresh, strict=True)
    ]
    with rows.copying(cursor, rows.ENTRY, 10, entries):
        sections = [index + fields for index, prepared in indexed for fields in prepared.section_fields]
    with rows.copying(cursor, rows.SECTION, 5, sections):
        keys = [
            b"".join((length, prepared.key, index, length, prepared.content))
            for index, prepared in indexed
            if prepared.key is not None and prepared.content is not None
        ]
    if keys:
        rows.copy(cursor, rows.EVENT_KEY, 3, keys)
    rows.copy(
        cursor,
        rows.TILE,
        4,
        [rows.smallint(tile.level) + bigint(tile.n) + blob(tile.data) + blob(tile.root) for tile in tiles],
    )
