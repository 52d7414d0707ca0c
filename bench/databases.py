"""The databases of a bench run: made on its own server, cloned from templates, and which one is in use now."""

import os
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from config import roles
from config.env import DatabaseUrl, Environment
from config.roles import Roles

_ALIASES = {
    "DATABASE_URL": "default",
    "DATABASE_OWNER_URL": "owner",
    "DATABASE_SIGNER_URL": "signer",
    "DATABASE_READER_URL": "reader",
    "DATABASE_ADMIN_URL": "admin",
}


def use(name: str) -> None:
    """Point this process's connections, and those of processes it starts from now on, to the database `name`."""
    os.environ.update(addresses(name))
    for alias in _ALIASES.values():
        connections[alias].close()
        connections.settings[alias]["NAME"] = name


def addresses(name: str) -> dict[str, str]:
    """The variables that point a process of any role to the database `name`."""
    path = f"/{quote(name, safe='')}"
    return {variable: urlunsplit(urlsplit(os.environ[variable])._replace(path=path)) for variable in _ALIASES}


def exists(name: str) -> bool:
    """Whether the server has a database `name`."""
    with roles.maintenance(_server()) as connection:
        return roles.database_exists(connection, name)


def make_empty(name: str) -> None:
    """A new database without tables, in which the owner role may make some."""
    with roles.maintenance(_server()) as connection:
        roles.drop_database(connection, name)
        roles.create_database(connection, name, Roles())
    with psycopg.connect(addresses(name)["DATABASE_ADMIN_URL"], autocommit=True) as inside:
        roles.grant_schema(inside, Roles())


def make(name: str) -> None:
    """A new migrated database, in use afterwards."""
    make_empty(name)
    use(name)
    call_command("migrate", database="owner", verbosity=0, interactive=False)


def clone(template: str, name: str) -> None:
    """A copy of `template`, to which nobody may be connected; in use afterwards, and safely on disk."""
    for alias in _ALIASES.values():
        connections[alias].close()
    with roles.maintenance(_server()) as connection:
        roles.drop_database(connection, name)
        # File by file: a copy through the write-ahead log would leave gigabytes to be written while others measure.
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY")
        names = (name, Roles().owner, template)
        connection.execute(statement.format(*map(sql.Identifier, names)))
        roles.grant_database(connection, name, Roles())
    use(name)


def rename(name: str, new: str) -> None:
    """Give a database that is in use its final name; in use under that name afterwards."""
    for alias in _ALIASES.values():
        connections[alias].close()
    with roles.maintenance(_server()) as connection:
        statement = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(new)))
    use(new)


def drop(name: str) -> None:
    """Delete a database and end whatever is connected to it."""
    with roles.maintenance(_server()) as connection:
        roles.drop_database(connection, name)


def _server() -> DatabaseUrl:
    url = Environment(os.environ).database("DATABASE_ADMIN_URL")
    assert url is not None  # `./quickstart bench` always gives it
    return url
