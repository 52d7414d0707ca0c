"""Ways round the guards, each tried as each role: the table of `bypasses`, row by row, on a real server."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.db import DatabaseError, connections, transaction

from audit import queries, selfcheck
from audit.models import Entry
from audit.queries.protection import GUARDED, protection
from audit.signer.core import Outcome
from audit.tlog.receipt import verify_receipt
from audit.windows import seal_windows
from tests.integration import bypasses
from tests.integration import telemetry_story as story
from tests.integration.bypasses import (
    ATTEMPTS,
    BOTH,
    CHECK,
    IS_ONE,
    OWN,
    REFUSED,
    RESTORE,
    SELF_CHECK,
    SIGNER,
    START,
    Attempt,
    statements,
)
from tests.integration.signer_story import record, signer
from tests.services import clients
from tests.services.constants import ROLES, SIGNING_KEY
from tests.services.databases import Database
from tests.services.servers import admin_url

PARTITION = f"usage_record_{story.START:%Y%m}"
WORDS = {"superuser": "admin"}
ALIASES = {"app": "default", "superuser": "admin"}

COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relname = ANY(%s) AND c.relnamespace = 'public'::regnamespace ORDER BY c.relname, a.attnum
"""
VALUES = {
    "bigint": "7", "integer": "7", "smallint": "1", "boolean": "true", "uuid": "gen_random_uuid()", "bytea": "'x'",
    "timestamp with time zone": "clock_timestamp()", "date": "now()", "double precision": "1",
    "text[]": "'{}'", "bigint[]": "'{}'",
    "jsonb": "'{}'",
}  # fmt: skip


def names_of(database: Database) -> dict[str, str]:
    """What the braces of the table stand for."""
    with psycopg.connect(database.admin_address()) as admin:
        rows = admin.execute(COLUMNS, [list(bypasses.GUARDED)]).fetchall()
    first = {table: column for table, column, *_ in reversed(rows)}
    return {
        "owner": ROLES.owner,
        "app": ROLES.app,
        "superuser": admin_url().user,
        "database": database.name,
        "partition": PARTITION,
        **{f"change of {table}": f"{column} = {column}" for table, column in first.items()},
    }


def always(admin: psycopg.Connection[tuple[object, ...]], table: str) -> None:
    """Put the triggers of a table up again as the migrations did."""
    triggers = admin.execute(
        "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
    ).fetchall()
    for (trigger,) in triggers:
        admin.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}".encode())


def one_row_each(database: Database) -> None:
    """A row in every guarded table that has none, so that each row trigger has something to refuse.

    As a superuser, triggers off: these rows need not make sense.
    """
    with psycopg.connect(database.admin_address()) as admin:
        admin.execute("SET LOCAL session_replication_role = replica")
        columns: dict[str, list[tuple[str, str]]] = {}
        for table, column, kind, needed in admin.execute(COLUMNS, [list(bypasses.GUARDED)]).fetchall():
            if needed:
                columns.setdefault(table, []).append((column, VALUES.get(kind, "'x'")))
        for table, needs in columns.items():
            if admin.execute(f"SELECT 1 FROM {table} LIMIT 1".encode()).fetchone():
                continue
            checks = admin.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'", [table]
            ).fetchall()
            for (check,) in checks:
                admin.execute(f"ALTER TABLE {table} DROP CONSTRAINT {check}".encode())
            admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
            fields, values = ", ".join(name for name, _ in needs), ", ".join(value for _, value in needs)
            admin.execute(f"INSERT INTO {table} ({fields}) VALUES ({values})".encode())
            always(admin, table)


@contextmanager
def a_living_log(database: Database, folder: Path) -> Iterator[Callable[[], Outcome]]:
    """Three entries and a sealed window, signed; the signer in the hand."""
    record(3)
    story.reported(story.subject(), story.START)
    seal_windows(now=story.DUE)
    with signer(folder) as hand:
        assert hand.look() is Outcome.SIGNED
        yield hand.look


def tried(alias: str, statement: str, copied: str) -> tuple[str, str]:
    """Run as one role in a transaction that is rolled back.

    Returns:
        The SQLSTATE of the refusal, or "" and which check sees it now.
    """
    with transaction.atomic(using=alias):
        try:
            with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
                if statement.endswith("FROM STDIN"):
                    with cursor.copy(statement) as copy:
                        copy.write(copied)
                else:
                    cursor.execute(statement)
                found = protection(alias)
        except (DatabaseError, psycopg.Error) as error:
            cause = error if isinstance(error, psycopg.Error) else error.__cause__
            assert isinstance(cause, psycopg.Error), statement
            return cause.sqlstate or "unknown", ""
        finally:
            transaction.set_rollback(True, using=alias)
    return "", CHECK if found.fallen else START if found.grants or found.missing else ""


@pytest.mark.parametrize("role", bypasses.ROLES)
def test_every_way_ends_as_the_table_says(committed: Database, signer_state: Path, role: str) -> None:
    """Refused, or through: then the check sees it, or another test shows who does."""
    with a_living_log(committed, signer_state):
        one_row_each(committed)
    names = names_of(committed)
    with (
        psycopg.connect(committed.admin_address()) as admin,
        admin.cursor().copy("COPY (SELECT * FROM entry WHERE index = 0) TO STDOUT") as copy,
    ):
        copied = "".join(bytes(block).decode() for block in copy)
    alias = ALIASES.get(role, role)
    assert protection(alias).fallen == ()
    wrong = []
    for attempt in ATTEMPTS:
        outcome = attempt.outcome(role)
        if outcome == IS_ONE:
            continue
        for statement in statements(attempt, role=role, names=names):
            state, seen = tried(alias, statement, copied)
            through = not state and (outcome == OWN or seen == (outcome if outcome in {CHECK, START} else ""))
            if not (state in attempt.states if outcome == REFUSED else through):
                wrong.append((attempt.name, statement[:60], outcome, state, seen))
    connections[alias].close()
    assert not wrong, "\n".join(map(str, wrong))


COMMITTED = [
    (attempt, next(role for role in bypasses.ROLES if attempt.outcome(role) in {SIGNER, SELF_CHECK, BOTH}))
    for attempt in ATTEMPTS
    if set(attempt.outcomes) & {SIGNER, SELF_CHECK, BOTH}
]


@pytest.mark.parametrize(("attempt", "role"), COMMITTED, ids=[attempt.name for attempt, _role in COMMITTED])
def test_what_goes_through_is_noticed(committed: Database, signer_state: Path, attempt: Attempt, role: str) -> None:
    with a_living_log(committed, signer_state) as look:
        receipt = queries.receipt(1)
        kept = bytes(Entry.objects.get(index=1).leaf)
        assert verify_receipt(receipt, kept, [SIGNING_KEY.verifier]).ok
        (statement,) = statements(attempt, role=role, names=names_of(committed))
        address = next(iter(committed.environment(WORDS.get(role, role)).values()))
        with psycopg.connect(address) as connection:
            connection.execute(statement.encode())
        assert protection().fallen == (), "the guards stand, or stand again"
        outcome = attempt.outcome(role)
        found = () if outcome == SIGNER else selfcheck.run(now=datetime.now(UTC)).findings
        assert bool(found) == (outcome != SIGNER)
        if outcome == BOTH:
            assert "checkpoint" in {item.kind for item in found}
            forged = bytes(Entry.objects.get(index=1).leaf)
            assert not verify_receipt(receipt, forged, [SIGNING_KEY.verifier]).ok
            assert verify_receipt(receipt, kept, [SIGNING_KEY.verifier]).ok
        assert look() is Outcome.FROZEN


def test_restoring_with_triggers_disabled(committed: Database, tmp_path: Path) -> None:
    """It disables the triggers and enables them again, but not ALWAYS: that remains to be seen."""
    record(3)
    dump = tmp_path / "section.dump"
    made = clients.run(
        committed, "pg_dump", "-Fc", "--data-only", "-t", "section", "-f", dump, committed.admin_address()
    )
    assert made.returncode == 0, made.stderr
    for role in bypasses.ROLES:
        address = next(iter(committed.environment(WORDS.get(role, role)).values()))
        done = clients.run(committed, "pg_restore", "--data-only", "--disable-triggers", "-d", address, dump)
        assert done.returncode != 0, "the rows are there already"
        if RESTORE.outcome(role) == REFUSED:
            assert "must be owner of table section" in done.stderr
            assert protection().fallen == ()
        else:
            assert protection().fallen == ("table section",)
            with psycopg.connect(committed.admin_address()) as admin:
                always(admin, "section")


def test_the_table_names_every_guarded_table() -> None:
    assert set(bypasses.GUARDED) == set(GUARDED)
