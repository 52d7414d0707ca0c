"""What the publisher reads in the database, and the one thing it writes there: an alarm. Plain SQL, the signer's role.

Leaves come from `entry` alone. A checkpoint counts for its signed note, not for its row.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from django.db import connections
from psycopg import Connection, Cursor

from audit.formats.alarms import IDENTITY
from audit.publishing.signedlog import EntryMissing, Signed

Row = tuple[object, ...]

READ_AT_ONCE: Final = 2048
"""Leaves a query returns: at most 16 MiB, as a leaf has at most 8 KiB. Whole tiles."""


def connect() -> Connection[Row]:
    """A connection of the signer's role, outside Django's bookkeeping: the publisher lives for months.

    Raises DatabaseNotConfigured when DATABASE_SIGNER_URL is not set, psycopg.Error when nothing answers.
    """
    wrapper = connections["signer"]
    raw: Connection[Row] = wrapper.get_new_connection(wrapper.get_connection_params())
    raw.autocommit = True
    return raw


def take_turn(connection: Connection[Row], place: str) -> bool:
    """Become the only publisher to this place, as long as the connection lives; False when another is."""
    number = int.from_bytes(hashlib.sha256(f"assay publisher {place}".encode()).digest()[:8], "big", signed=True)
    row = connection.execute(b"SELECT pg_try_advisory_lock(%s)", [number]).fetchone()
    return row is not None and row[0] is True


class DatabaseLog:
    """The log as it stands in the database, each call seeing what is committed then."""

    def __init__(self, connection: Connection[Row]) -> None:
        self._connection = connection

    def newest(self) -> Signed | None:
        """See SignedLog.newest."""
        return self._one(b"ORDER BY size DESC", [])

    def at(self, size: int) -> Signed | None:
        """See SignedLog.at."""
        return self._one(b"WHERE size = %s", [size])

    def after(self, size: int, *, within: int) -> Signed | None:
        """See SignedLog.after."""
        return self._one(b"WHERE size > %s AND size <= %s ORDER BY size DESC", [size, size + within]) or self._one(
            b"WHERE size > %s ORDER BY size", [size]
        )

    def _one(self, which: bytes, values: list[object]) -> Signed | None:
        statement = b"SELECT size, root, note FROM checkpoint " + which + b" LIMIT 1"
        with Cursor(self._connection) as cursor:
            row = cursor.execute(statement, values, binary=True).fetchone()
        if row is None:
            return None
        size, root, note = row
        assert isinstance(size, int)
        assert isinstance(root, bytes)
        return Signed(size, root, str(note))

    def leaves(self, start: int, stop: int) -> Iterator[list[bytes]]:
        """Leaf bytes from `start` to before `stop`, at most READ_AT_ONCE at a time, ending where tiles end.

        Raises EntryMissing.
        """
        low = start
        while low < stop:
            high = min(low - low % READ_AT_ONCE + READ_AT_ONCE, stop)
            with Cursor(self._connection) as cursor:
                cursor.execute(
                    b"SELECT index, leaf FROM entry WHERE index >= %s AND index < %s ORDER BY index",
                    [low, high],
                    binary=True,
                )
                rows = cursor.fetchall()
            found: list[bytes] = []
            for expected, (index, leaf) in enumerate(rows, low):
                if index != expected:
                    raise EntryMissing(expected)
                assert isinstance(leaf, bytes)
                found.append(leaf)
            if len(found) != high - low:
                raise EntryMissing(low + len(found))
            yield found
            low = high

    def key_statements(self) -> list[str]:
        """See SignedLog.key_statements."""
        rows = self._connection.execute(b"SELECT note FROM key_statement ORDER BY number").fetchall()
        return [str(row[0]) for row in rows]


def raise_alarm(connection: Connection[Row], *, kind: str, entry_index: int | None, detail: str) -> None:
    """Freeze the signer: an alarm of this kind and text is written, unless one stands already."""
    connection.execute(
        b"INSERT INTO alarm (kind, entry_index, subject, detail, raised_at)"
        b" SELECT %(kind)s, %(index)s::bigint, 'log', %(detail)s, clock_timestamp()"
        b" WHERE NOT EXISTS (SELECT FROM alarm WHERE kind = %(kind)s AND detail = %(detail)s"
        b" AND NOT EXISTS (SELECT FROM thaw WHERE " + IDENTITY.encode() + b" = ANY (thaw.acknowledged)))",
        {"kind": kind, "index": entry_index, "detail": detail},
    )
