"""Ways round the triggers: which the database refuses, and which go through and are noticed."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from audit import selfcheck
from audit.queries.protection import protection
from audit.signer.core import Outcome
from tests.integration.signer_story import record, signer
from tests.services.constants import ROLES
from tests.services.databases import Database


def run(database: Database, role: str, statement: str) -> str:
    """Run and commit as one role; the SQLSTATE of the refusal, "" when it went through."""
    with psycopg.connect(next(iter(database.environment(role).values()))) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.Error as error:
            connection.rollback()
            return error.sqlstate or "unknown"
    return ""


REFUSED = {
    "becoming the owner": f"SET ROLE {ROLES.owner}",
    "becoming the owner for good": f"SET SESSION AUTHORIZATION {ROLES.owner}",
    "playing replica": "SET session_replication_role = replica",
    "a trigger of one's own": "CREATE TRIGGER mine BEFORE INSERT ON entry EXECUTE FUNCTION assay_refuse_change()",
    "another trigger function": (
        "CREATE OR REPLACE FUNCTION assay_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$"
    ),
    "a rule": "CREATE RULE mine AS ON INSERT TO entry DO INSTEAD NOTHING",
    "a table that hides the real one": "CREATE TABLE public.entry_new (LIKE entry)",
    "a temporary table that hides the real one": "CREATE TEMPORARY TABLE entry (index bigint)",
    "row security": "ALTER TABLE entry ENABLE ROW LEVEL SECURITY",
    "a column changed": "ALTER TABLE entry ALTER COLUMN actor TYPE varchar(1) USING 'x'",
    "the server's files": "COPY entry TO '/tmp/never'",
    "a program": "COPY entry TO PROGRAM 'true'",
    "locking everybody out": "LOCK TABLE entry IN ACCESS EXCLUSIVE MODE",
    "merging": (
        "MERGE INTO head USING (VALUES (1)) v(id) ON head.id = v.id WHEN MATCHED THEN DELETE"
    ),
}  # fmt: skip


@pytest.mark.parametrize("role", ["app", "signer", "reader"])
@pytest.mark.parametrize("way", REFUSED)
def test_refused(committed: Database, role: str, way: str) -> None:
    assert run(committed, role, REFUSED[way]) == "42501"


@pytest.mark.parametrize("role", ["app", "signer", "reader"])
def test_granting_what_one_does_not_own_grants_nothing(committed: Database, role: str) -> None:
    """PostgreSQL answers with a warning, not with an error."""
    run(committed, role, "GRANT UPDATE, DELETE, TRUNCATE ON entry TO PUBLIC")
    assert protection().grants == ()


def test_the_owner_cannot_empty_a_partition(committed: Database) -> None:
    with psycopg.connect(committed.admin_address()) as admin:
        row = admin.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_record'::regclass"
        ).fetchone()
    assert row
    assert run(committed, "owner", f"TRUNCATE {row[0]}") == "42501"


def test_an_entry_written_past_the_ledger_goes_through_and_freezes_the_signer(
    committed: Database, signer_state: Path
) -> None:
    """The app role must insert entries, so it can insert a wrong one; only `append` keeps head and table together."""
    record(3)
    with signer(signer_state) as hand:
        hand.look()
        copy = "INSERT INTO entry SELECT 9, leaf, leaf_hash, event_id, type, source, subject, actor, occurred_at,"
        assert run(committed, "app", f"{copy} received_at FROM entry WHERE index = 2") == ""
        assert hand.look() is Outcome.FROZEN
        assert hand.signer.frozen_reason == "The head counts 3 entries, but the table holds 10."


def test_a_head_moved_past_the_ledger_goes_through_and_freezes_the_signer(
    committed: Database, signer_state: Path
) -> None:
    record(3)
    with signer(signer_state) as hand:
        hand.look()
        assert run(committed, "app", "UPDATE head SET size = 4") == ""
        assert hand.look() is Outcome.FROZEN


def test_a_checkpoint_by_the_signer_role_without_its_key_is_found(committed: Database, signer_state: Path) -> None:
    record(3)
    forged = "INSERT INTO checkpoint VALUES (3, (SELECT root FROM head), 'not a note', now())"
    assert run(committed, "signer", forged) == ""
    (found,) = selfcheck.run(now=datetime.now(UTC)).findings
    assert (found.kind, found.subject) == ("checkpoint", "checkpoint:3")


def test_what_the_owner_takes_down_and_puts_up_again_is_found_by_its_effect(
    committed: Database, signer_state: Path
) -> None:
    """Between two looks the guards can be down and up again: then the hashes tell."""
    record(3)
    with signer(signer_state) as hand:
        hand.look()
        assert run(committed, "owner", "ALTER TABLE section DISABLE TRIGGER section_append_only") == ""
        assert run(committed, "owner", "UPDATE section SET body = '{}' WHERE entry_index = 1") == ""
        assert run(committed, "owner", "ALTER TABLE section ENABLE ALWAYS TRIGGER section_append_only") == ""
        assert protection().fallen == ()
        (found,) = selfcheck.run(now=datetime.now(UTC)).findings
        assert (found.kind, found.entry_index) == ("section", 1)
        assert hand.look() is Outcome.FROZEN
        assert "at entry 1" in hand.signer.frozen_reason
