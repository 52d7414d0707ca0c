"""Rows of the ledger in PostgreSQL's binary COPY format (documentation of COPY, "Binary Format").

Written by hand because it is the hot path: one `bytes.join` a row instead of one adapter call a field.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from psycopg import Cursor

_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
_TRAILER: Final = struct.pack(">h", -1)
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_int4 = struct.Struct(">i").pack
_SHORT: Final = 1024
_LENGTHS: Final = tuple(_int4(length) for length in range(_SHORT))
_int8_field = struct.Struct(">iq").pack

HASH_LENGTH: Final = _int4(32)
"""The length word of a 32-byte field."""

ENTRY: Final = (
    "COPY entry (index, leaf, leaf_hash, event_id, type, source, subject, actor, occurred_at, received_at)"
    " FROM STDIN (FORMAT BINARY)"
)
SECTION: Final = "COPY section (entry_index, name, salt, body, media) FROM STDIN (FORMAT BINARY)"
TILE: Final = "COPY tile (level, n, data, root) FROM STDIN (FORMAT BINARY)"
EVENT_KEY: Final = "COPY event_key (key, entry_index, content) FROM STDIN (FORMAT BINARY)"


def blob(value: bytes) -> bytes:
    """A bytea, text or uuid field: its length, then its bytes."""
    length = len(value)
    return (_LENGTHS[length] if length < _SHORT else _int4(length)) + value


def uuid(value: str) -> bytes:
    """A uuid field of its text form."""
    return _LENGTHS[16] + bytes.fromhex(value.replace("-", ""))


def bigint(value: int) -> bytes:
    """An int8 field."""
    return _int8_field(8, value)


def smallint(value: int) -> bytes:
    """An int2 field."""
    return struct.pack(">ih", 2, value)


def moment(value: datetime) -> bytes:
    """A timestamptz field: microseconds since 2000-01-01 UTC."""
    delta = value - _EPOCH
    return _int8_field(8, (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)


@lru_cache(maxsize=4096)
def text(value: str) -> bytes:
    """A text field; of the short words that stand in many rows."""
    return blob(value.encode())


def copy(cursor: Cursor[tuple[object, ...]], statement: str, fields: int, rows: Iterable[bytes]) -> None:
    """Send rows, each the joined fields of one row, by one COPY; nothing is sent for no rows.

    Args:
        cursor: a cursor of psycopg itself, in a transaction.
        statement: one of the constants of this module.
        fields: how many fields each row has.
        rows: the rows without their field count.
    """
    if body := list(rows):
        with copying(cursor, statement, fields, body):
            pass


@contextmanager
def copying(cursor: Cursor[tuple[object, ...]], statement: str, fields: int, rows: Sequence[bytes]) -> Iterator[None]:
    """`copy`, for what can be done while the server is at it: the block runs when all is sent."""
    count = struct.pack(">h", fields)
    with cursor.copy(statement.encode()) as stream:
        stream.write(_HEADER + count + count.join(rows) + _TRAILER if rows else _HEADER + _TRAILER)
        yield
