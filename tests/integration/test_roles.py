"""What each database role can and cannot do to the ledger: grants and triggers on a real server."""

import psycopg
import pytest

from audit.queries.protection import protection
from tests.services.databases import Database

INSERT_ONLY = ("entry", "section", "tile", "event_key", "checkpoint", "alarm", "token_day")
RECORDS = ("usage_record", "hardware_sample", "slot_outcome")
SET_SOMETHING = {
    "entry": "actor = 'x'",
    "section": "body = 'x'",
    "tile": "root = 'x'",
    "event_key": "entry_index = 0",
    "checkpoint": "note = 'x'",
    "alarm": "detail = 'x'",
    "token_day": "day = now()",
    "head": "size = 0",
    "usage_record": "resets = 0",
    "hardware_sample": "body = 'x'",
    "slot_outcome": "rows = 0",
}
ATTEMPTS = {
    "UPDATE": "UPDATE {table} SET {change}",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table}",
    "DROP": "DROP TABLE {table}",
    "DISABLE TRIGGER": "ALTER TABLE {table} DISABLE TRIGGER ALL",
}


def tried(database: Database, role: str, statement: str) -> str:
    """The SQLSTATE that refused the statement; "" when it went through (and was rolled back)."""
    address = next(iter(database.environment(role).values()))
    with psycopg.connect(address) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            return error.sqlstate or "unknown"
        finally:
            connection.rollback()
    return ""


def fill(database: Database) -> None:
    """One row in each table, so that a row trigger has something to refuse."""
    with psycopg.connect(database.admin_address()) as admin:
        admin.execute(
            "INSERT INTO entry VALUES (0, 'x', 'x', gen_random_uuid(), 't', 's', 's', 'a', now(), now());"
            "INSERT INTO section VALUES (0, 'facts', 'x', 'x', 'm');"
            "INSERT INTO tile (level, n, data, root) VALUES (0, 0, 'x', 'x');"
            "INSERT INTO event_key VALUES ('x', 0, 'x');"
            "INSERT INTO checkpoint (size, root, note, signed_at) VALUES (1, 'x', 'x', now());"
            "INSERT INTO alarm (kind, subject, detail, raised_at) VALUES ('k', 's', 'd', now());"
        )


@pytest.mark.parametrize("role", ["app", "signer", "reader"])
@pytest.mark.parametrize("table", [*INSERT_ONLY, "head", *RECORDS])
def test_no_process_can_change_what_is_recorded(committed: Database, role: str, table: str) -> None:
    fill(committed)
    for name, attempt in ATTEMPTS.items():
        if (role, table, name) == ("app", "head", "UPDATE"):
            continue  # the app moves the head; that it only grows is the next test's
        refused = tried(committed, role, attempt.format(table=table, change=SET_SOMETHING[table]))
        assert refused == "42501", f"{role}: {name} {table}"


def test_the_head_only_grows(committed: Database) -> None:
    assert tried(committed, "app", "UPDATE head SET size = 0") == "42501"
    assert tried(committed, "app", "UPDATE head SET size = size + 1, received_at = '1960-01-01'") == "42501"
    assert tried(committed, "app", "UPDATE head SET size = size + 1") == ""


@pytest.mark.parametrize("table", INSERT_ONLY[:-1])
def test_even_the_owner_meets_the_triggers(committed: Database, table: str) -> None:
    fill(committed)
    for name in ("UPDATE", "DELETE", "TRUNCATE"):
        statement = ATTEMPTS[name].format(table=table, change=SET_SOMETHING[table])
        assert tried(committed, "owner", statement) == "42501", f"owner: {name} {table}"


def test_playing_replica_does_not_help_a_superuser(committed: Database) -> None:
    fill(committed)
    statement = "SET session_replication_role = replica; UPDATE entry SET actor = 'x'"
    assert tried(committed, "app", statement) == "42501"
    assert tried(committed, "admin", statement) == "42501"


@pytest.mark.parametrize("role", ["app", "signer", "reader"])
def test_upsert_is_an_update(committed: Database, role: str) -> None:
    fill(committed)
    statement = (
        "INSERT INTO entry VALUES (0, 'y', 'y', gen_random_uuid(), 't', 's', 's', 'a', now(), now())"
        " ON CONFLICT (index) DO UPDATE SET leaf = 'y'"
    )
    assert tried(committed, role, statement) == "42501"


def test_only_the_signer_writes_checkpoints_and_only_the_app_writes_entries(committed: Database) -> None:
    checkpoint = "INSERT INTO checkpoint (size, root, note, signed_at) VALUES (1, 'x', 'x', now())"
    entry = "INSERT INTO entry VALUES (0, 'x', 'x', gen_random_uuid(), 't', 's', 's', 'a', now(), now())"
    assert [tried(committed, role, checkpoint) for role in ("app", "signer", "reader")] == ["42501", "", "42501"]
    assert [tried(committed, role, entry) for role in ("app", "signer", "reader")] == ["", "42501", "42501"]


def test_the_reader_sees_no_secrets_and_the_signer_no_people(committed: Database) -> None:
    assert tried(committed, "reader", "SELECT digest FROM token") == "42501"
    assert tried(committed, "reader", "SELECT password FROM account") == "42501"
    for table in ("person", "account", "token", "section", "decision"):
        assert tried(committed, "signer", f"SELECT * FROM {table}") == "42501", table


def test_what_only_detection_catches_is_seen_by_the_health_check(committed: Database) -> None:
    """The owner can disable a trigger: the start-up and health check see it."""
    assert protection().fallen == ()
    address = next(iter(committed.environment("owner").values()))
    with psycopg.connect(address) as owner:
        owner.execute("ALTER TABLE entry DISABLE TRIGGER entry_append_only")
    assert protection().fallen == ("table entry",)
    with psycopg.connect(address) as owner:
        owner.execute("ALTER TABLE entry ENABLE TRIGGER entry_append_only")
    assert protection().fallen == ("table entry",), "ENABLE without ALWAYS is not enough"
