"""What each database role is for, on a real server. What it can try besides: `test_roles_bypasses`."""

import psycopg

from tests.integration.signer_story import record
from tests.services.databases import Database

CHECKPOINT = "INSERT INTO checkpoint (size, root, note, signed_at) VALUES (9, 'x', 'x', now())"
ENTRY = "INSERT INTO entry VALUES (9, 'x', 'x', gen_random_uuid(), 't', 's', 's', 'a', now(), now())"


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


def test_each_role_does_its_own_work_and_no_other(committed: Database) -> None:
    record(3)
    roles = ("app", "signer", "reader")
    assert [tried(committed, role, CHECKPOINT) for role in roles] == ["42501", "", "42501"]
    assert [tried(committed, role, ENTRY) for role in roles] == ["", "42501", "42501"]
    assert [tried(committed, role, "SELECT leaf FROM entry") for role in roles] == ["", "", ""]
    assert tried(committed, "reader", "SELECT digest FROM token") == "42501"
    assert tried(committed, "reader", "SELECT password FROM account") == "42501"
    for table in ("person", "account", "token", "section", "decision"):
        assert tried(committed, "signer", f"SELECT * FROM {table}") == "42501", table


def test_the_head_only_grows(committed: Database) -> None:
    assert tried(committed, "app", "UPDATE head SET size = 0") == "42501"
    assert tried(committed, "app", "UPDATE head SET size = size + 1, received_at = '1960-01-01'") == "42501"
    assert tried(committed, "app", "UPDATE head SET size = size + 1") == ""
