"""The PostgreSQL and Redis of a test run: those named by TEST_DATABASE_ADMIN_URL and TEST_REDIS_URL, else
private ones.

The process that starts pytest holds them; xdist's workers find the addresses in their environment.
"""

import os
import re
import secrets
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from django.conf import settings

from config.embedded.services import Services
from config.env import DatabaseUrl, Environment
from config.roles import Connection, drop_database, ensure_roles, maintenance
from config.stopping import StopFlag
from tests.services.constants import PASSWORD, ROLES

_HELD = ExitStack()
_DATABASE_NAME = re.compile("assay_test_([0-9a-f]{8})_.*")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.collectonly:
        return
    if not hasattr(config, "workerinput"):
        _start_run()
    # Read by Celery when it is first used, which is later than now.
    settings.CELERY_BROKER_URL = redis_url().replace("unix://", "redis+socket://", 1)
    settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"] = key_prefix(worker_id(config))


def worker_id(config: pytest.Config) -> str:
    """gw0, gw1, … under xdist, else main."""
    workerinput: dict[str, str] = getattr(config, "workerinput", {})
    return workerinput.get("workerid", "main")


def _start_run() -> None:
    os.environ["ASSAY_TEST_RUN"] = secrets.token_hex(4)
    try:
        _provide_servers()
        _HELD.callback(_forget_redis_keys)
        connection = _HELD.enter_context(maintenance(admin_url()))
        ensure_roles(connection, ROLES, dict.fromkeys(ROLES.names(), PASSWORD))
        _drop_databases_of_dead_runs(connection)
        connection.execute("SELECT pg_advisory_lock(%s)", [_run_lock(run_id())])
        _HELD.callback(_drop_databases, connection, run_id())
    except BaseException:
        _HELD.close()
        raise


def pytest_unconfigure() -> None:
    _HELD.close()


def run_id() -> str:
    """Eight hexadecimal digits that all databases and keys of this run carry."""
    return os.environ["ASSAY_TEST_RUN"]


def admin_url() -> DatabaseUrl:
    """The superuser of the server under test."""
    url = Environment(os.environ).database("TEST_DATABASE_ADMIN_URL")
    assert url is not None
    return url


def redis_url() -> str:
    return os.environ["TEST_REDIS_URL"]


def key_prefix(worker: str) -> str:
    """What every Redis key of one xdist worker starts with."""
    return f"assay-test:{run_id()}:{worker}:"


def _provide_servers() -> None:
    given = {name for name in ("TEST_DATABASE_ADMIN_URL", "TEST_REDIS_URL") if os.environ.get(name)}
    if len(given) == 2:
        return
    if given:
        raise pytest.UsageError("Set both TEST_DATABASE_ADMIN_URL and TEST_REDIS_URL, or neither.")
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    addresses = _HELD.enter_context(Services(folder, StopFlag(), durable=False, keep=False)).addresses
    os.environ["TEST_DATABASE_ADMIN_URL"] = addresses.database["admin"]
    os.environ["TEST_REDIS_URL"] = addresses.redis
    _HELD.callback(os.environ.pop, "TEST_DATABASE_ADMIN_URL")
    _HELD.callback(os.environ.pop, "TEST_REDIS_URL")


def _run_lock(run: str) -> int:
    return int(run, 16)


def _drop_databases_of_dead_runs(connection: Connection) -> None:
    """A run that was killed leaves databases, but not its advisory lock."""
    rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'assay\\_test\\_%'").fetchall()
    runs = {match[1] for (name,) in rows if (match := _DATABASE_NAME.fullmatch(str(name)))}
    for run in runs:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", [_run_lock(run)]).fetchone()
        if row and row[0]:
            _drop_databases(connection, run)
            connection.execute("SELECT pg_advisory_unlock(%s)", [_run_lock(run)])


def _drop_databases(connection: Connection, run: str) -> None:
    pattern = f"assay\\_test\\_{run}\\_%"
    rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [pattern]).fetchall()
    for (name,) in rows:
        drop_database(connection, str(name))


def _forget_redis_keys() -> None:
    with redis.Redis.from_url(redis_url()) as client:
        for key in client.scan_iter(f"assay-test:{run_id()}:*", count=1000):
            client.delete(key)
