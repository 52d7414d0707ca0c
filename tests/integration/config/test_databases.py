"""The fixtures other tests stand on: whose connection, whose database, what processes see."""

import psycopg
import pytest
from django.db import ProgrammingError, connection, connections, transaction

from audit.models import Source
from tests.services.constants import ROLES
from tests.services.databases import Database


def _whoami(alias: str) -> tuple[str, str]:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_user, current_database()")
        user, database = cursor.fetchone()
    return str(user), str(database)


@pytest.mark.django_db
def test_tests_connect_as_the_application_role() -> None:
    assert _whoami("default")[0] == ROLES.app


def test_committed_clone_is_seen_by_every_role(committed: Database) -> None:
    expected = {"default": ROLES.app, "owner": ROLES.owner, "signer": ROLES.signer, "reader": ROLES.reader}
    assert {alias: _whoami(alias) for alias in expected} == {
        alias: (user, committed.name) for alias, user in expected.items()
    }


def test_committed_rows_are_seen_from_outside(committed: Database) -> None:
    with transaction.atomic(durable=True):
        Source.objects.create(name="outside")
    with psycopg.connect(committed.admin_address()) as outside:
        assert outside.execute("SELECT count(*) FROM source WHERE name = 'outside'").fetchone() == (1,)


def test_the_next_clone_is_fresh(committed: Database) -> None:
    assert not Source.objects.filter(name="outside").exists()


def test_application_role_creates_no_tables(committed: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied for schema public"), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE mine (id int)")


def test_strangers_may_not_connect(committed: Database) -> None:
    with psycopg.connect(committed.admin_address()) as outside:
        rows = outside.execute(
            "SELECT has_database_privilege('public', current_database(), 'CONNECT'), "
            "has_schema_privilege('public', 'public', 'USAGE')"
        ).fetchone()
    assert rows == (False, False)
