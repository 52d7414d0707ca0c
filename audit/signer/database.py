"""Everything the signer reads and writes in the database, as its own role, in plain SQL.

What it signs it reads from `entry` alone. `head`, `checkpoint` and `alarm` are only compared with that:
they can stop a signature, never cause one.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from django.db import connections
from psycopg import Connection, Cursor

from audit.formats.alarms import IDENTITY
from audit.tlog.keyhistory import Statement

Row = tuple[object, ...]

READ_AT_ONCE: Final = 2048
"""Leaves a query returns: at most 16 MiB, as a leaf has at most 8 KiB."""

_IDENTITY: Final = IDENTITY.encode()


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that somebody raised; `identity` tells it from every other one (audit.formats.alarms)."""

    id: int
    identity: str
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

    def alarm(self, acknowledged: Sequence[str] = ()) -> Alarm | None:
        """The oldest alarm whose identity is not among the acknowledged ones."""
        return next(iter(self.alarms(acknowledged, limit=1)), None)

    def alarms(self, acknowledged: Sequence[str] = (), *, besides: Sequence[int] = (), limit: int) -> list[Alarm]:
        """The oldest alarms whose identity is not among the acknowledged ones, nor their id among `besides`."""
        return self._alarms(
            _IDENTITY + b" <> ALL (%s::text[]) AND id <> ALL (%s::bigint[]) ORDER BY id LIMIT %s",
            [list(acknowledged), list(besides), limit],
        )

    def alarms_of(self, ids: Sequence[int]) -> list[Alarm]:
        """The alarms with these ids, ascending; what does not exist is left out."""
        return self._alarms(b"id = ANY (%s::bigint[]) ORDER BY id", [list(ids)])

    def alarms_without_thaw(self) -> list[Alarm]:
        """The alarms that no recorded thaw acknowledges, ascending."""
        return self._alarms(
            b"NOT EXISTS (SELECT FROM thaw WHERE " + _IDENTITY + b" = ANY (thaw.acknowledged)) ORDER BY id", []
        )

    def _alarms(self, condition: bytes, values: list[object]) -> list[Alarm]:
        columns = b"SELECT id, " + _IDENTITY + b", kind, entry_index, detail FROM alarm WHERE "
        found: list[Alarm] = []
        for number, identity, kind, entry_index, detail in self._cursor.execute(
            columns + condition, values, binary=True
        ).fetchall():
            assert isinstance(number, int)
            assert entry_index is None or isinstance(entry_index, int)
            found.append(Alarm(number, str(identity), str(kind), entry_index, str(detail)))
        return found

    def checkpoints(self, after: int, upto: int) -> list[tuple[Claim, str]]:
        """The stored checkpoints of more than `after` and at most `upto` entries, with their notes, ascending."""
        self._cursor.execute(
            b"SELECT size, root, note FROM checkpoint WHERE size > %s AND size <= %s ORDER BY size",
            [after, upto],
            binary=True,
        )
        found: list[tuple[Claim, str]] = []
        for size, root, note in self._cursor.fetchall():
            assert isinstance(size, int)
            assert isinstance(root, bytes)
            found.append((Claim(size, root), str(note)))
        return found

    def statements(self) -> list[str]:
        """The notes of the stored key statements, in order."""
        self._cursor.execute(b"SELECT note FROM key_statement ORDER BY number")
        return [str(note) for (note,) in self._cursor.fetchall()]

    def is_held_by(self, holder: str) -> bool:
        """Whether this signer still has the pen."""
        return self._one(b"SELECT 1 FROM signer_lease WHERE id = 1 AND holder = %s", [holder]) is not None

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


def insert_statement(connection: Connection[Row], number: int, said: Statement) -> None:
    """Publish a key statement; one of this number that exists is left alone."""
    with Cursor(connection) as cursor:
        cursor.execute(
            b"INSERT INTO key_statement (number, kind, old_key, new_key, size, note, stated_at)"
            b" VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp()) ON CONFLICT (number) DO NOTHING",
            [number, said.kind, said.old.to_text(), said.new.to_text(), said.size, said.note],
        )


def insert_thaw(
    connection: Connection[Row], *, size: int, frozen_reason: str, reason: str, operator: str, alarms: Sequence[Alarm]
) -> None:
    """Record that a person lets the signer go on, before it does."""
    ids, identities = [alarm.id for alarm in alarms], [alarm.identity for alarm in alarms]
    with Cursor(connection) as cursor:
        cursor.execute(
            b"INSERT INTO thaw (size, frozen_reason, reason, operator, alarms, acknowledged, thawed_at)"
            b" VALUES (%s, %s, %s, %s, %s::bigint[], %s::text[], clock_timestamp())",
            [size, frozen_reason, reason, operator, ids, identities],
        )


def raise_alarm(
    connection: Connection[Row], *, kind: str, entry_index: int | None, detail: str, acknowledged: Sequence[str]
) -> None:
    """Tell everybody, once: an alarm of this kind and text is written only if none stands unacknowledged."""
    with Cursor(connection) as cursor:
        cursor.execute(
            b"INSERT INTO alarm (kind, entry_index, subject, detail, raised_at)"
            b" SELECT %(kind)s, %(index)s::bigint, 'log', %(detail)s, clock_timestamp()"
            b" WHERE NOT EXISTS (SELECT FROM alarm WHERE kind = %(kind)s AND detail = %(detail)s"
            b" AND " + _IDENTITY + b" <> ALL (%(seen)s::text[]))",
            {"kind": kind, "index": entry_index, "detail": detail, "seen": list(acknowledged)},
        )
