"""The database itself keeps records insert-only, in whatever partition they stand."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import Error, connection, transaction

from tests.services.databases import Database

INSERT = (
    "INSERT INTO slot_outcome (target_id, slot, observed_at, received_at, outcome, detail, rows)"
    " VALUES (gen_random_uuid(), 1, %s, now(), 'ok', '', 0)"
)


def _refused(statement: str, params: list[datetime] | None = None) -> str:
    with pytest.raises(Error) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params)
    return str(refusal.value)


@pytest.mark.django_db
def test_the_app_may_insert_and_read_records_only() -> None:
    now = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [now])
        cursor.execute("SELECT count(*) FROM slot_outcome")
        assert cursor.fetchone() == (1,)
    assert "permission denied" in _refused("UPDATE slot_outcome SET rows = 1")
    assert "permission denied" in _refused("DELETE FROM usage_record")
    assert "permission denied" in _refused("UPDATE sealed_window SET rows = 0")
    assert "permission denied" in _refused(f"SELECT * FROM slot_outcome_{now:%Y%m}")
    assert "permission denied" in _refused("CREATE TABLE mine (x integer)")


def test_triggers_refuse_the_owner_too_in_every_partition(committed: Database) -> None:
    now = datetime.now(UTC)
    with psycopg.connect(committed.admin_address(), autocommit=True) as superuser:
        superuser.execute(INSERT.replace("%s", "now()"))
        superuser.execute("SET session_replication_role = replica")
        for statement in (
            "UPDATE slot_outcome SET rows = 1",
            "DELETE FROM slot_outcome",
            f"TRUNCATE slot_outcome_{now:%Y%m}",
            "TRUNCATE slot_outcome",
            f"DELETE FROM slot_outcome_{now:%Y%m}",
            "TRUNCATE sealed_window",
        ):
            with pytest.raises(psycopg.Error, match="append-only"):
                superuser.execute(statement)
        rows = superuser.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE c.relname ~ '^(usage_record|hardware_sample|slot_outcome|usage_key|sealed_window)'"
            " AND NOT t.tgisinternal AND t.tgenabled <> 'A'"
        ).fetchall()
        assert rows == []


@pytest.mark.django_db
def test_partitions_are_made_ahead_by_a_bounded_function_only() -> None:
    now = datetime.now(UTC)
    later = now + timedelta(days=95)
    assert "no partition of relation" in _refused(INSERT, [later])
    with connection.cursor() as cursor:
        cursor.execute("SELECT telemetry_partitions(%s)", [later])
        cursor.execute("SELECT telemetry_partitions(%s)", [later])
        cursor.execute(INSERT, [later])
    assert "permission denied" in _refused(f"DELETE FROM slot_outcome_{later:%Y%m}")
    assert "400 days" in _refused("SELECT telemetry_partitions(%s)", [now + timedelta(days=300)])
