"""The four database roles and the databases they share; used with a superuser's connection only.

Roles belong to the whole PostgreSQL cluster, grants on a database to that database: `ensure_roles` is done
once for a server, `grant_database` again for every database made or cloned. Rights on tables are the
migrations' matter.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from config.env import DatabaseUrl

Connection = psycopg.Connection[tuple[object, ...]]

# Any number, the same for everybody who makes roles on one server.
ROLES_LOCK: Final = 0x6173736179
_MAINTENANCE_DATABASE = "postgres"
RIGHTS: Final = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of the roles, as in the user part of the DATABASE_*_URLs."""

    owner: str = "assay_owner"
    app: str = "assay_app"
    signer: str = "assay_signer"
    reader: str = "assay_reader"

    def names(self) -> tuple[str, str, str, str]:
        return (self.owner, self.app, self.signer, self.reader)


def address(url: DatabaseUrl, *, user: str, password: str, database: str) -> str:
    """The postgresql:// address of another role or database on the same server."""
    options = dict(url.options)
    host = url.host
    if host.startswith("/"):
        options, host = {"host": host, **({"port": url.port} if url.port else {}), **options}, ""
    elif ":" in host:
        host = f"[{host}]"
    port = f":{url.port}" if url.port and host else ""
    query = f"?{urlencode(options, safe='/')}" if options else ""
    login = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return f"postgresql://{login}@{host}{port}/{quote(database, safe='')}{query}"


@contextmanager
def maintenance(url: DatabaseUrl) -> Iterator[Connection]:
    """An autocommit connection of the superuser to the database `postgres`.

    Always that one, because advisory locks are local to a database.
    """
    target = address(url, user=url.user, password=url.password, database=_MAINTENANCE_DATABASE)
    with psycopg.connect(target, autocommit=True, connect_timeout=10) as connection:
        connection.execute("SET lock_timeout = '60s'")
        yield connection


def ensure_roles(connection: Connection, roles: Roles, passwords: Mapping[str, str]) -> None:
    """Create the roles that are missing and set every password (`passwords` maps role name to password)."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ROLES_LOCK])
        rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [list(roles.names())])
        present = {str(row[0]) for row in rows}
        for name in roles.names():
            verb = "ALTER" if name in present else "CREATE"
            # Hashed here: a password in a statement could reach the server's log.
            secret = connection.pgconn.encrypt_password(
                passwords[name].encode(), name.encode(), b"scram-sha-256"
            ).decode()
            statement = sql.SQL("{verb} ROLE {name} LOGIN {rights} PASSWORD {secret}").format(
                verb=sql.SQL(verb), name=sql.Identifier(name), rights=sql.SQL(RIGHTS), secret=sql.Literal(secret)
            )
            connection.execute(statement)


def database_exists(connection: Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def create_database(connection: Connection, name: str, roles: Roles, *, template: str = "template0") -> None:
    """Create a database owned by the owner role, a copy of `template` (to which nobody may be connected)."""
    encoding = sql.SQL(" ENCODING 'UTF8'") if template == "template0" else sql.SQL("")
    connection.execute(
        sql.SQL("CREATE DATABASE {name} OWNER {owner} TEMPLATE {template}").format(
            name=sql.Identifier(name), owner=sql.Identifier(roles.owner), template=sql.Identifier(template)
        )
        + encoding
    )
    grant_database(connection, name, roles)


def grant_database(connection: Connection, name: str, roles: Roles) -> None:
    """Let only the four roles connect; nobody but the owner may create objects."""
    for statement in database_rights(name, roles):
        connection.execute(statement)


def grant_schema(connection: Connection, roles: Roles) -> None:
    """Inside the database `connection` is connected to: schema `public` may be used, not added to.

    Clones of a database inherit this; rights on the database itself they do not.
    """
    for statement in schema_rights(roles):
        connection.execute(statement)


def database_rights(name: str, roles: Roles) -> list[sql.Composed]:
    """Statements for `grant_database`. Without TEMPORARY nobody can hide a table behind one of the same name."""
    database, others = sql.Identifier(name), _others(roles)
    return [
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(database, others),
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, others),
    ]


def schema_rights(roles: Roles) -> list[sql.Composed]:
    """Statements for `grant_schema`."""
    others = _others(roles)
    return [
        sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC, {}").format(others),
        sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(sql.Identifier(roles.owner)),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(others),
    ]


def _others(roles: Roles) -> sql.Composed:
    """The roles that own nothing, as a list for GRANT and REVOKE."""
    return sql.SQL(", ").join(map(sql.Identifier, (roles.app, roles.signer, roles.reader)))


def drop_database(connection: Connection, name: str) -> None:
    """Drop a database, ending whatever is connected to it."""
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def provision(server: DatabaseUrl, *, database: str, roles: Roles, passwords: Mapping[str, str]) -> dict[str, str]:
    """Make roles and database where missing; returns the address of each role by role word (owner, app, …).

    `server` is a superuser's address, `passwords` maps role name to password.
    """
    with maintenance(server) as connection:
        ensure_roles(connection, roles, passwords)
        if not database_exists(connection, database):
            create_database(connection, database, roles)
        else:
            grant_database(connection, database, roles)
    inside = address(server, user=server.user, password=server.password, database=database)
    with psycopg.connect(inside, autocommit=True, connect_timeout=10) as connection:
        grant_schema(connection, roles)
    words = dict(zip(("owner", "app", "signer", "reader"), roles.names(), strict=True))
    return {
        word: address(server, user=name, password=passwords[name], database=database) for word, name in words.items()
    }
