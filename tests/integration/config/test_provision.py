"""Making roles and database on an ordinary server."""

import psycopg
import pytest
from django.core.management import CommandError, call_command

from config.roles import drop_database, maintenance
from tests.services.constants import PASSWORD, ROLES
from tests.services.databases import Database
from tests.services.servers import admin_url, run_id


@pytest.fixture
def provisioned(monkeypatch: pytest.MonkeyPatch, worker_name: str) -> Database:
    database = Database(f"assay_test_{run_id()}_{worker_name}_provisioned")
    for name, value in database.environment("app", "owner", "signer", "reader", "admin").items():
        monkeypatch.setenv(name, value)
    return database


def test_roles_and_database_are_made_and_may_be_made_again(provisioned: Database) -> None:
    with maintenance(admin_url()) as server:
        try:
            call_command("provision", verbosity=0)
            call_command("provision", verbosity=0)
            with psycopg.connect(provisioned.environment("owner")["DATABASE_OWNER_URL"]) as owner:
                owner.execute("CREATE TABLE mine (id int)")
            with psycopg.connect(provisioned.environment("app")["DATABASE_URL"]) as app:
                assert app.execute("SELECT current_user").fetchone() == (ROLES.app,)
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    app.execute("SELECT * FROM mine")
        finally:
            drop_database(server, provisioned.name)


def test_missing_address_is_named(provisioned: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_SIGNER_URL")
    with pytest.raises(CommandError, match="DATABASE_SIGNER_URL is not set"):
        call_command("provision")


def test_one_user_for_two_roles_is_refused(provisioned: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = f"postgresql://{ROLES.app}:{PASSWORD}@/{provisioned.name}?host=/nowhere"
    monkeypatch.setenv("DATABASE_OWNER_URL", owner)
    with pytest.raises(CommandError, match="four different users"):
        call_command("provision")
