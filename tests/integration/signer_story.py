"""A signer held in the hand: one look at a time, its clock turned by the test, and a superuser who cheats."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from django.db import transaction

from audit import ledger
from audit.models import Alarm, Checkpoint
from audit.signer import database, lease, process
from audit.signer.core import Outcome, Signer
from audit.signer.database import Row
from audit.signer.key import load_keys
from audit.signer.state import State, StateDir
from audit.tlog.checkpoint import open_checkpoint
from tests.services.constants import ORIGIN, SIGNING_KEY
from tests.services.databases import Database

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
VKEY = SIGNING_KEY.verifier.to_text()


def record(count: int, *, content: bytes = b'{"after":{"n":1}}') -> list[ledger.Appended]:
    """Commit `count` entries."""
    event = ledger.Event(
        type="demo.note",
        subject="deployment:00000000-0000-0000-0000-000000000001",
        source="app",
        actor="system:test",
        occurred_at=NOW,
        sections=(ledger.Section("facts", content),),
    )
    with transaction.atomic(durable=True):
        return ledger.append(events=[event] * count)


class Hand:
    """One signer and its connection. `look` lets two seconds pass first, so that pacing never hides a signature."""

    def __init__(self, folder: Path, connection: psycopg.Connection[Row]) -> None:
        self.connection = connection
        self.seconds = 0.0
        self.now = NOW
        self.folder = StateDir(folder)
        self.keys = load_keys(self.folder, origin=ORIGIN, vkey=VKEY)
        self.holder = lease.holder_name(folder)
        state = process.recall(connection, self.folder, origin=ORIGIN)
        assert lease.take(connection, self.holder) is None
        self.signer = Signer(
            self.folder, state, self.keys, holder=self.holder, now=lambda: self.now, monotonic=lambda: self.seconds
        )

    def look(self, *, after: float = 2.0) -> Outcome:
        self.seconds += after
        return self.signer.look(self.connection)

    def stored(self) -> State:
        state = self.folder.load()
        assert state is not None
        return state


@contextmanager
def signer(folder: Path) -> Iterator[Hand]:
    """A signer as after a start: state recalled, pen taken, newest leaves hashed again."""
    with StateDir(folder).locked(), database.connect() as connection:
        hand = Hand(folder, connection)
        hand.signer.rehash(connection)
        hand.signer.tell_keys(connection)
        yield hand


def cheat(where: Database, *statements: str, values: Sequence[object] = ()) -> None:
    """What a database superuser can do: triggers off for one transaction, then on again."""
    tables = ("entry", "section", "head", "checkpoint", "alarm", "tile", "key_statement", "thaw", "event_key")
    with psycopg.connect(where.admin_address()) as connection:
        for table in tables:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        for statement in statements:
            connection.execute(statement.encode(), values if "%s" in statement else None)
        rows = connection.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND c.relname = ANY(%s)",
            [list(tables)],
        ).fetchall()
        for table, name in rows:
            connection.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}".encode())


def rewrite_leaf(where: Database, index: int) -> None:
    """Change a leaf together with its hash and its column: only other leaves and roots still tell."""
    forged = "convert_to(replace(convert_from(leaf, 'UTF8'), 'system:test', 'system:evil'), 'UTF8')"
    cheat(
        where,
        f"UPDATE entry SET actor = 'system:evil', leaf = {forged} WHERE index = {index}",
        f"UPDATE entry SET leaf_hash = sha256('\\x00'::bytea || leaf) WHERE index = {index}",
    )


def roots() -> dict[int, bytes]:
    """Tree sizes and roots of all stored checkpoints, each note opened with the log's key."""
    found = {}
    for row in Checkpoint.objects.order_by("size"):
        opened = open_checkpoint(row.note, [SIGNING_KEY.verifier])
        assert (opened.origin, opened.size, opened.root) == (ORIGIN, row.size, bytes(row.root))
        found[row.size] = bytes(row.root)
    return found


def alarms() -> list[tuple[str, int | None]]:
    return list(Alarm.objects.order_by("id").values_list("kind", "entry_index"))
