"""Who holds the pen: one row in the database, beside the lock on the state folder.

The folder's lock keeps a second signer out on the same machine; the row does it for a copy of the folder on
another one. Times are the database's own, so the machines' clocks do not matter.
"""

import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from psycopg import Connection, Cursor

from audit.signer.database import Row

LEASE_SECONDS: Final = 10
"""How long a silent signer keeps the pen; a live one renews every second."""


class LeaseHeld(RuntimeError):
    """Another signer holds the pen."""


def holder_name(folder: Path, *, entropy: Callable[[int], bytes] = os.urandom) -> str:
    """`host:folder:process-start`, where the first two parts name a state folder and its lock; another at every call.

    Containers may agree in host, path and process id. So the folder counts as the file it is, and the start is drawn.
    Raises OSError when the folder is not there.
    """
    found = folder.stat()
    named = b"%d:%d:%s" % (found.st_dev, found.st_ino, os.fsencode(folder.resolve()))
    place = hashlib.sha256(named).hexdigest()[:12]
    return f"{socket.gethostname()}:{place}:{os.getpid()}-{entropy(8).hex()}"


def take(connection: Connection[Row], holder: str) -> str | None:
    """Take the pen if it is free; else the name of who has it.

    It is free when the row is absent or ran out, or when its holder worked in our own state folder: we hold
    that folder's lock, so that process is dead (killed, as a clean stop gives the pen back).
    """
    own_place = holder.rpartition(":")[0] + ":"
    with Cursor(connection) as cursor:
        cursor.execute(
            b"INSERT INTO signer_lease AS l (id, holder, expires_at, frozen_reason, seen_at) VALUES"
            b" (1, %(holder)s, clock_timestamp() + make_interval(secs => %(secs)s), '', clock_timestamp())"
            b" ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at,"
            b" seen_at = excluded.seen_at"
            b" WHERE l.expires_at < clock_timestamp() OR starts_with(l.holder, %(place)s) OR l.holder = "
            b"%(holder)s",
            {"holder": holder, "secs": LEASE_SECONDS, "place": own_place},
        )
        if cursor.rowcount == 1:
            return None
        row = cursor.execute(b"SELECT holder FROM signer_lease WHERE id = 1").fetchone()
    return str(row[0]) if row else "unknown"


def renew(connection: Connection[Row], holder: str, *, frozen_reason: str) -> bool:
    """Say that we are alive, and whether we have stopped signing; False when somebody else took the pen."""
    with Cursor(connection) as cursor:
        cursor.execute(
            b"UPDATE signer_lease SET expires_at = clock_timestamp() + make_interval(secs => %s),"
            b" seen_at = clock_timestamp(), frozen_reason = %s WHERE id = 1 AND holder = %s",
            [LEASE_SECONDS, frozen_reason, holder],
        )
        return cursor.rowcount == 1


def give_back(connection: Connection[Row], holder: str) -> None:
    """Let the next signer start at once."""
    with Cursor(connection) as cursor:
        cursor.execute(b"UPDATE signer_lease SET expires_at = clock_timestamp() WHERE id = 1 AND holder = %s", [holder])
