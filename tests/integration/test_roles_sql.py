"""`manage.py ledger_roles`: its SQL gives exactly the rights that the migrations and `provision` give."""

from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from config import privileges
from config.management.commands import ledger_roles
from config.roles import Roles, address, drop_database, maintenance
from tests.services.databases import Database
from tests.services.servers import admin_url, run_id

RIGHTS = """
WITH acls AS (
  SELECT 'relation ' || relname AS object, relowner AS held_by,
         coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner)) AS acl
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v')
  UNION ALL
  SELECT format('column %s.%s', attrelid::regclass, attname), relowner, attacl
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
  UNION ALL
  SELECT 'function ' || oid::regprocedure, proowner, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  UNION ALL
  SELECT 'schema', nspowner, coalesce(nspacl, acldefault('n', nspowner)) FROM pg_namespace WHERE nspname = 'public'
  UNION ALL
  SELECT 'database', datdba, coalesce(datacl, acldefault('d', datdba)) FROM pg_database
   WHERE datname = current_database()
  UNION ALL
  SELECT format('new %s', defaclobjtype), defaclrole, defaclacl FROM pg_default_acl
)
SELECT object, pg_get_userbyid(held_by), pg_get_userbyid(a.grantor),
       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable
  FROM acls, aclexplode(acl) a
"""
WRONG = """
GRANT UPDATE, TRUNCATE ON entry TO PUBLIC;
GRANT UPDATE (note) ON checkpoint TO {app};
GRANT ALL ON ALL TABLES IN SCHEMA public TO {reader};
GRANT UPDATE ON ALL SEQUENCES IN SCHEMA public TO {signer};
GRANT EXECUTE ON FUNCTION telemetry_partitions(timestamptz) TO PUBLIC;
GRANT CREATE ON SCHEMA public TO {app};
GRANT ALL ON DATABASE {database} TO PUBLIC;
REVOKE ALL ON decision, alarm, django_session FROM {app};
REVOKE SELECT ON entry FROM {signer};
REVOKE ALL ON FUNCTION telemetry_partitions(timestamptz) FROM {app};
REVOKE CONNECT ON DATABASE {database} FROM {signer};
REVOKE ALL ON SCHEMA public FROM {signer};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT ALL ON TABLES TO {signer};
ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public REVOKE ALL ON SEQUENCES FROM {app};
"""


def printed(database: str) -> str:
    output = StringIO()
    call_command("ledger_roles", database=database, stdout=output)
    return output.getvalue()


def rights(connection: psycopg.Connection[tuple[object, ...]]) -> set[tuple[object, ...]]:
    return set(connection.execute(RIGHTS.encode()).fetchall())


def test_the_printed_sql_gives_what_the_migrations_give_and_takes_what_they_do_not(committed: Database) -> None:
    script = printed(committed.name).encode()
    names = ledger_roles.roles_by_word()
    with psycopg.connect(committed.admin_address(), autocommit=True) as admin:
        migrated = rights(admin)
        admin.execute(WRONG.format(database=committed.name, **names).encode())
        assert len(rights(admin) ^ migrated) > 200
        for _time in range(2):
            admin.execute(script)
            assert sorted(map(str, rights(admin) ^ migrated)) == []


def test_it_makes_roles_for_an_empty_database_and_keeps_them_humble(
    django_db_setup: None, worker_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = f"assay_test_{run_id()}_{worker_name}_roles"
    names = Roles(*(f"{prefix}_{word}" for word in ("owner", "app", "signer", "reader")))
    monkeypatch.setattr(
        ledger_roles, "roles_by_word", lambda: dict(zip(ledger_roles.WORDS, names.names(), strict=True))
    )
    script = printed(prefix).encode()
    server = admin_url()
    inside = address(server, user=server.user, password=server.password, database=prefix)
    with maintenance(server) as admin:
        try:
            admin.execute(f"CREATE DATABASE {prefix} TEMPLATE template0".encode())
            with psycopg.connect(inside, autocommit=True) as there:
                there.execute(script)
                made = rights(there)
                assert {row[1] for row in made if row[0] == "database"} == {names.owner}
                there.execute(
                    f"ALTER ROLE {names.app} SUPERUSER CREATEROLE; GRANT {names.owner} TO {names.app}".encode()
                )
                there.execute(script)
                assert rights(there) == made
                pattern = f"{prefix}%"
                assert there.execute(
                    "SELECT count(*), bool_and(rolcanlogin), bool_or(rolsuper OR rolcreaterole OR rolcreatedb),"
                    " (SELECT count(*) FROM pg_auth_members WHERE member::regrole::text LIKE %s)"
                    " FROM pg_roles WHERE rolname LIKE %s",
                    [pattern, pattern],
                ).fetchone() == (4, True, False, 0)
            with pytest.raises(psycopg.errors.RaiseException, match=f"for the database {prefix}, but this is postgres"):
                admin.execute(script)
        finally:
            admin.execute("ROLLBACK")
            drop_database(admin, prefix)
            for name in names.names():
                admin.execute(f"DROP ROLE IF EXISTS {name}".encode())


def test_every_table_of_the_design_exists() -> None:
    assert privileges.named(ledger_roles.tables()) == []


def test_it_writes_no_file_over_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "roles.sql"
    call_command("ledger_roles", database="assay", output=file)
    text = file.read_text(encoding="utf-8")
    assert text == printed("assay")
    assert "PASSWORD" not in text, "passwords have no place in a file to keep"
    with pytest.raises(CommandError, match="cannot be written: File exists"):
        call_command("ledger_roles", database="assay", output=file)
    monkeypatch.setitem(settings.DATABASE_ROLES, "reader", settings.DATABASE_ROLES["app"])
    with pytest.raises(CommandError, match="four different users"):
        call_command("ledger_roles", database="assay")
