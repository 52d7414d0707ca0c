"""Migrations that an operator may have to take back, or to run again after an interruption."""

from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connections

from audit.queries.protection import protection
from tests.integration.erasure_story import tell_erasures
from tests.integration.signer_story import record
from tests.services.databases import Database

UNDO = import_module("audit.migrations.0007_erasure").UNDO
INDEXES = (
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid FROM pg_index"
    " WHERE indrelid = 'entry'::regclass"
)


def migrate(*to: str) -> None:
    call_command("migrate", *to, database="owner", verbosity=0, interactive=False)


def owner(statement: str) -> list[tuple[object, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(statement)
        return sorted(cursor.fetchall()) if cursor.description else []


def test_back_before_erasures_and_forward_again(committed: Database) -> None:
    indexes = owner(INDEXES)
    migrate("audit", "0006")
    record(2)
    with pytest.raises(DatabaseError, match="append-only"):
        owner("DELETE FROM section")
    # As a build that was interrupted leaves them: one dropped, one there already.
    owner("DROP INDEX entry_subject_index")
    owner("CREATE INDEX entry_source_index ON entry (source)")
    migrate()
    assert owner(INDEXES) == indexes
    assert owner("SHOW lock_timeout") == [("10s",)]
    found = protection()
    assert (found.fallen, found.grants, found.missing) == ((), (), ())
    people = tell_erasures()
    people.ask(people.old_log)
    with pytest.raises(DatabaseError, match="requests or legal holds are recorded"):
        owner(UNDO)
