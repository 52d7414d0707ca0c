"""Tests of this folder use no PostgreSQL and no Redis, so `.ci/run` need not run them on each kind of server."""

from collections.abc import Iterator

import psycopg
import pytest
import redis


def _refuse(*_arguments: object, **_options: object) -> None:
    raise AssertionError("A unit test asked for a server: it belongs into tests/integration.")


@pytest.fixture(scope="package", autouse=True)
def no_server() -> Iterator[None]:
    """Neither this process nor one it starts finds a server; Django's connections are blocked by pytest-django."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("TEST_DATABASE_ADMIN_URL", "TEST_REDIS_URL"):
            patched.delenv(name, raising=False)
        patched.setattr(psycopg.Connection, "connect", _refuse)
        patched.setattr(psycopg, "connect", _refuse)
        patched.setattr(redis.connection.AbstractConnection, "connect", _refuse)
        yield
