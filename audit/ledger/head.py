"""The one row that orders all writers."""

from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import Cursor

from audit.tlog.tree import RightEdge

RowCursor = Cursor[tuple[object, ...]]


class HeadMoved(RuntimeError):
    """The head is not what the lock promised: another writer, or a head that contradicts its own edge."""


@dataclass(frozen=True, slots=True)
class LockedHead:
    """The head under its lock: until the transaction ends nobody else appends."""

    edge: RightEdge
    root: bytes
    received_at: datetime


def lock_head(cursor: RowCursor) -> LockedHead:
    """Take the lock that orders all writers, and what it guards.

    Raises:
        HeadMoved: there is no head, or its edge does not hash to its root.
    """
    cursor.execute(b"SELECT size, root, edge, received_at FROM head WHERE id = 1 FOR UPDATE", prepare=True, binary=True)
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
    return LockedHead(edge=edge, root=root, received_at=received_at.astimezone(UTC))


def move_head(cursor: RowCursor, head: LockedHead, edge: RightEdge, received_at: datetime) -> None:
    """Compare-and-swap: from the head that was locked to the tree of `edge`.

    Raises:
        HeadMoved: the row is another than the one that was locked.
    """
    cursor.execute(
        b"UPDATE head SET size = %s, root = %s, edge = %s, received_at = %s WHERE id = 1 AND size = %s AND root = %s",
        [edge.size, edge.root(), edge.to_bytes(), received_at, head.edge.size, head.root],
        prepare=True,
        binary=True,
    )
    check_moved(cursor.rowcount)


def check_moved(rows: int) -> None:
    """Raises HeadMoved unless exactly one head was moved."""
    if rows != 1:
        raise HeadMoved("The head moved under its lock: nothing was written. Check for another writer.")
