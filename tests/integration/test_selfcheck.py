"""The self-check on a real log: silent while all is well, and naming the entry when something was changed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import transaction

from audit import ledger, queries, selfcheck
from audit.models import Alarm, Checkpoint, Entry, Head
from audit.tlog.checkpoint import Checkpoint as SignedCheckpoint
from audit.tlog.checkpoint import sign_checkpoint
from tests.services.constants import ORIGIN, SIGNING_KEY
from tests.services.databases import Database

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def record(count: int) -> None:
    events = [
        ledger.Event(
            type="client.event",
            subject="x:abc",
            source="source:a",
            actor="service:a",
            occurred_at=NOW,
            sections=(ledger.Section("facts", b'{"n":%d}' % number), ledger.Section("restricted", b"secret")),
        )
        for number in range(count)
    ]
    with transaction.atomic(durable=True):
        ledger.append(events=events)


def sign(database: Database) -> int:
    """A checkpoint as the signer writes it, by the superuser."""
    head = Head.objects.get()
    note = sign_checkpoint(SignedCheckpoint(ORIGIN, head.size, bytes(head.root)), SIGNING_KEY)
    with psycopg.connect(database.admin_address()) as admin:
        admin.execute(
            "INSERT INTO checkpoint (size, root, note, signed_at) VALUES (%s, %s, %s, now())",
            [head.size, bytes(head.root), note],
        )
    return head.size


def as_superuser(database: Database, table: str, statement: str, *values: object) -> None:
    with psycopg.connect(database.admin_address()) as admin:
        admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
        assert admin.execute(statement.encode(), values).rowcount == 1
        triggers = "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal"
        for (trigger,) in admin.execute(triggers, [table]).fetchall():
            admin.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}".encode())


def test_a_log_that_is_well_is_passed_over_in_silence_but_for_one_entry_an_hour(committed: Database) -> None:
    record(600)
    size = sign(committed)
    first = selfcheck.run(now=NOW)
    assert (first.findings, first.new, first.pass_finished, first.entries) == ((), 0, True, size)
    assert queries.head_size() == size + 1
    sign(committed)
    assert selfcheck.run(now=NOW + timedelta(seconds=5)).findings == ()
    assert queries.head_size() == size + 1
    assert not Alarm.objects.exists()


CHANGES: dict[str, tuple[str, Callable[[Database], None]]] = {
    "content": (
        "section",
        lambda db: as_superuser(
            db, "section", "UPDATE section SET body = 'forged' WHERE entry_index = 300 AND name = 'facts'"
        ),
    ),
    "salt": (
        "section",
        lambda db: as_superuser(
            db,
            "section",
            "UPDATE section SET salt = sha256('x') WHERE entry_index = 300 AND name = 'restricted'",
        ),
    ),
    "content gone": (
        "section",
        lambda db: as_superuser(db, "section", "DELETE FROM section WHERE entry_index = 300 AND name = 'restricted'"),
    ),
    "leaf": (
        "leaf",
        lambda db: as_superuser(
            db,
            "entry",
            "UPDATE entry SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'service:a', 'service:b'), 'UTF8'),"
            " actor = 'service:b' WHERE index = 300",
        ),
    ),
    "leaf and its hash": (
        "checkpoint",
        lambda db: as_superuser(
            db,
            "entry",
            "UPDATE entry SET actor = 'service:b', leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'service:a',"
            " 'service:b'), 'UTF8'), leaf_hash = sha256('\\x00'::bytea || convert_to(replace(convert_from(leaf,"
            " 'UTF8'), 'service:a', 'service:b'), 'UTF8')) WHERE index = 300",
        ),
    ),
    "a copied column": (
        "column",
        lambda db: as_superuser(db, "entry", "UPDATE entry SET subject = 'x:other' WHERE index = 300"),
    ),
    "a tile": (
        "tile",
        lambda db: as_superuser(
            db, "tile", "UPDATE tile SET data = set_byte(data, 44 * 32, get_byte(data, 44 * 32) # 1) WHERE n = 1"
        ),
    ),
    "an entry gone": ("missing", lambda db: as_superuser(db, "entry", "DELETE FROM entry WHERE index = 300")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_named_and_raised_once(committed: Database, change: str) -> None:
    record(300)
    sign(committed)
    record(300)
    sign(committed)
    kind, apply = CHANGES[change]
    apply(committed)
    result = selfcheck.run(now=NOW)
    named = {(found.kind, found.entry_index) for found in result.findings}
    assert (kind, 300) in named
    assert result.new == len(result.findings) == Alarm.objects.count()
    told = Entry.objects.order_by("-index").first()
    assert told is not None
    assert told.type == "selfcheck.completed"
    again = selfcheck.run(now=NOW + timedelta(seconds=5))
    assert (again.new, len(again.findings)) == (0, len(result.findings))


def test_a_changed_leaf_with_changed_hash_is_narrowed_to_what_one_checkpoint_covers(committed: Database) -> None:
    record(10)
    sign(committed)
    record(3)
    sign(committed)
    as_superuser(
        committed,
        "entry",
        "UPDATE entry SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'service:a', 'service:b'), 'UTF8')"
        " WHERE index = 11",
    )
    (leaf, _column, wide) = selfcheck.run(now=NOW).findings
    assert (leaf.kind, leaf.entry_index) == ("leaf", 11)
    assert (wide.kind, wide.entry_index) == ("checkpoint", 10)
    assert "last good checkpoint has 10 entries" in wide.detail


def test_a_rewritten_checkpoint_root_is_found(committed: Database) -> None:
    record(5)
    sign(committed)
    as_superuser(committed, "checkpoint", "UPDATE checkpoint SET root = sha256('forged') WHERE size = 5")
    assert [found.kind for found in selfcheck.run(now=NOW).findings] == ["checkpoint"]
    assert Checkpoint.objects.count() == 1
