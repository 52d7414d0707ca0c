"""Databases of a test run: a migrated template, a clone for each worker, a fresh clone for each test that
commits.

Nothing is ever truncated: the ledger's triggers refuse it, and tests run with the triggers on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from pytest_django.plugin import DjangoDbBlocker

from config.roles import (
    address,
    create_database,
    database_exists,
    drop_database,
    grant_schema,
    maintenance,
)
from tests.services.constants import PASSWORD, ROLES
from tests.services.servers import admin_url, run_id, worker_id

_TEMPLATE_LOCK = 0x6173736179 + 1
_ALIASES = {"default": ROLES.app, "owner": ROLES.owner, "signer": ROLES.signer, "reader": ROLES.reader}
_VARIABLES = {
    "app": ("DATABASE_URL", ROLES.app),
    "owner": ("DATABASE_OWNER_URL", ROLES.owner),
    "signer": ("DATABASE_SIGNER_URL", ROLES.signer),
    "reader": ("DATABASE_READER_URL", ROLES.reader),
}


@dataclass(frozen=True, slots=True)
class Database:
    """One database of this run."""

    name: str

    def environment(self, *words: str) -> dict[str, str]:
        """DATABASE_*_URL variables for a child process, by role word (app, owner, signer, reader, admin)."""
        server = admin_url()
        result = {}
        for word in words:
            if word == "admin":
                result["DATABASE_ADMIN_URL"] = self.admin_address()
                continue
            variable, user = _VARIABLES[word]
            result[variable] = address(server, user=user, password=PASSWORD, database=self.name)
        return result

    def admin_address(self) -> str:
        """The superuser's address: what an attacker inside the database can do."""
        server = admin_url()
        return address(server, user=server.user, password=server.password, database=self.name)


def _point_connections(database: str) -> None:
    """Let Django's connections, in all threads, open `database` from now on."""
    server = admin_url()
    users = {alias: (user, PASSWORD) for alias, user in _ALIASES.items()}
    users["admin"] = (server.user, server.password)
    for alias, (user, password) in users.items():
        connections[alias].close()
        connections.settings[alias].update(
            {"NAME": database, "USER": user, "PASSWORD": password, "HOST": server.host, "PORT": server.port}
        )


@pytest.fixture(scope="session")
def worker_name(request: pytest.FixtureRequest) -> str:
    """gw0, gw1, … under xdist, else main."""
    return worker_id(request.config)


@pytest.fixture(scope="session")
def template_database(django_db_blocker: DjangoDbBlocker) -> str:
    """The migrated database all others are copies of; the first worker that asks makes it."""
    name = f"assay_test_{run_id()}_template"
    with maintenance(admin_url()) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_TEMPLATE_LOCK])
        if not database_exists(connection, name):
            draft = f"{name}_draft"
            create_database(connection, draft, ROLES)
            _migrate(draft, django_db_blocker)
            connection.execute(f"ALTER DATABASE {draft} RENAME TO {name}")
        connection.execute("SELECT pg_advisory_unlock(%s)", [_TEMPLATE_LOCK])
    return name


def _migrate(database: str, blocker: DjangoDbBlocker) -> None:
    with psycopg.connect(Database(database).admin_address(), autocommit=True) as inside:
        grant_schema(inside, ROLES)
    _point_connections(database)
    with blocker.unblock():
        call_command("migrate", database="owner", verbosity=0, interactive=False)
        connections.close_all()


@pytest.fixture(scope="session")
def django_db_setup(template_database: str, worker_name: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Overrides pytest-django's own: this worker's clone instead of a database made by Django."""
    name = f"assay_test_{run_id()}_{worker_name}"
    with maintenance(admin_url()) as connection:
        create_database(connection, name, ROLES, template=template_database)
    _point_connections(name)
    yield
    with django_db_blocker.unblock():
        connections.close_all()
    with maintenance(admin_url()) as connection:
        drop_database(connection, name)


_clones = 0


@contextmanager
def cloned(template: str, worker: str) -> Iterator[Database]:
    """A clone, dropped afterwards. Nobody may be connected to `template` meanwhile."""
    global _clones
    _clones += 1
    database = Database(f"assay_test_{run_id()}_{worker}_{_clones}")
    with maintenance(admin_url()) as connection:
        create_database(connection, database.name, ROLES, template=template)
    try:
        yield database
    finally:
        with maintenance(admin_url()) as connection:
            drop_database(connection, database.name)


@contextmanager
def pointed_at(database: Database, worker: str, blocker: DjangoDbBlocker) -> Iterator[None]:
    """Django's connections point to `database` inside. Clones of it can be made afterwards."""
    _point_connections(database.name)
    try:
        with blocker.unblock():
            yield
            connections.close_all()
    finally:
        _point_connections(f"assay_test_{run_id()}_{worker}")


@contextmanager
def clone_of(template: str, worker: str, blocker: DjangoDbBlocker) -> Iterator[Database]:
    """A clone that Django's connections point to inside; dropped afterwards. Clones of it can be made once its
    connections are closed.
    """
    with cloned(template, worker) as database, pointed_at(database, worker, blocker):
        yield database


@pytest.fixture
def committed(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    template_database: str,
    worker_name: str,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Database]:
    """A fresh clone for a test that commits, in this process or in others; Django's connections point to
    it.
    """
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        raise pytest.UsageError("`committed` is a database of its own: do not combine it with django_db.")
    with clone_of(template_database, worker_name, django_db_blocker) as database:
        yield database
