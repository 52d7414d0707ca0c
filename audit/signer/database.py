"""Everything the signer reads and writes in the database, as its own role, in plain SQL.

What it signs it reads from `entry` alone. `head`, `checkpoint` and `alarm` are only compared with that:
they can stop a signature, never cause one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.db import connections
from psycopg import Connection, Cursor

Row = tuple[object, ...]

READ_AT_ONCE: Final = 2048
"""Leaves a query returns: at most 16 MiB, as a leaf has at most 8 KiB."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """The oldest alarm."""

    id: int
    kind: str
    entry_index: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A tree size and its root, as the head or a checkpoint has it."""

    size: int
    root: bytes


def connect() -> Connection[Row]:
    """A connection of the signer's role, outside Django's bookkeeping: the signer lives for months.

    Raises DatabaseNotConfigured when DATABASE_SIGNER_URL is not set, psycopg.Error when nothing answers.
    """
    wrapper = connections["signer"]
    raw: Connection[Row] = wrapper.get_new_connection(wrapper.get_connection_params())
    raw.autocommit = True
    return raw


class View:
    """One consistent picture of the log: all its reads see the same commit."""

    def __init__(self, cursor: Cursor[Row]) -> None:
        self._cursor = cursor

    def _one(self, statement: bytes, values: list[object] | None = None) -> Row | None:
        return self._cursor.execute(statement, values, binary=True).fetchone()

    def alarm(self) -> Alarm | None:
        row = self._one(b"SELECT id, kind, entry_index, detail FROM alarm ORDER BY id LIMIT 1")
        if row is None:
            return None
        number, kind, entry_index, detail = row
        assert isinstance(number, int)
        assert entry_index is None or isinstance(entry_index, int)
        return Alarm(number, str(kind), entry_index, str(detail))

    def head(self) -> Claim | None:
        return self._claim(b"SELECT size, root FROM head WHERE id = 1")

    def checkpoint(self) -> Claim | None:
        """The newest checkpoint; its note is not read, the signer knows what it signed."""
        return self._claim(b"SELECT size, root FROM checkpoint ORDER BY size DESC LIMIT 1")

    def _claim(self, statement: bytes) -> Claim | None:
        row = self._one(statement)
        if row is None:
            return None
        size, root = row
        assert isinstance(size, int)
        assert isinstance(root, bytes)
        return Claim(size, root)

    def entries(self) -> int:
        """How many entries there are if none is missing: one more than the largest index."""
        row = self._one(b"SELECT coalesce(max(index) + 1, 0) FROM entry")
        assert row is not None
        assert isinstance(row[0], int)
        return row[0]

    def leaves(self, start: int, stop: int) -> Iterator[list[tuple[int, bytes]]]:
        """Index and leaf bytes from `start` to before `stop`, in order, READ_AT_ONCE rows at a time.

        An index that is missing is simply not there: the caller counts.
        """
        for low in range(start, stop, READ_AT_ONCE):
            self._cursor.execute(
                b"SELECT index, leaf FROM entry WHERE index >= %s AND index < %s ORDER BY index",
                [low, min(low + READ_AT_ONCE, stop)],
                binary=True,
            )
            rows: list[tuple[int, bytes]] = []
            for index, leaf in self._cursor.fetchall():
                assert isinstance(index, int)
                assert isinstance(leaf, bytes)
                rows.append((index, leaf))
            yield rows


@contextmanager
def snapshot(connection: Connection[Row]) -> Iterator[View]:
    """A read-only transaction that sees one commit: an entry and the head it moved are seen together or not
    at all.
    """
    with connection.transaction(), Cursor(connection) as cursor:
        cursor.execute(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield View(cursor)


def insert_checkpoint(connection: Connection[Row], claim: Claim, note: str, *, holder: str) -> bool:
    """Publish a signed checkpoint; False when this signer no longer holds the lease, and nothing was written.

    The lease row stays locked until the commit, so a signer that was paused and has lost the pen cannot
    write. A row of this size that exists is left alone: the next look compares its root. `signed_at` never
    goes back, whatever the clock does.
    """
    with connection.transaction(), Cursor(connection) as cursor:
        cursor.execute(b"SELECT 1 FROM signer_lease WHERE id = 1 AND holder = %s FOR UPDATE", [holder])
        if cursor.fetchone() is None:
            return False
        cursor.execute(
            b"INSERT INTO checkpoint (size, root, note, signed_at) SELECT %s, %s, %s, "
            b"greatest(clock_timestamp(), (SELECT signed_at FROM checkpoint ORDER BY size DESC LIMIT 1)) "
            b"ON CONFLICT (size) DO NOTHING",
            [claim.size, claim.root, note],
        )
    return True


def raise_alarm(connection: Connection[Row], *, kind: str, entry_index: int | None, detail: str) -> None:
    """Tell everybody, once: an alarm of this kind and text is written only if there is none."""
    with Cursor(connection) as cursor:
        cursor.execute(
            b"INSERT INTO alarm (kind, entry_index, subject, detail, raised_at)"
            b" SELECT %(kind)s, %(index)s::bigint, 'log', %(detail)s, clock_timestamp()"
            b" WHERE NOT EXISTS (SELECT FROM alarm WHERE kind = %(kind)s AND detail = %(detail)s)",
            {"kind": kind, "index": entry_index, "detail": detail},
        )
