"""Real processes on a committed clone: Celery worker, web server, signer state. None of them is imitated."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from config import child, programs
from tests.services.constants import ENVIRONMENT, ROLES, SIGNING_KEY
from tests.services.databases import Database
from tests.services.measuring import measuring
from tests.services.servers import key_prefix, redis_url
from tests.waiting import until


def process_environment(database: Database, *words: str, worker: str, folder: Path) -> dict[str, str]:
    """Variables of a child process that has the named database roles and nothing of our own environment."""
    shared = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("DATABASE_")}
    return {
        **shared,
        **database.environment(*words),
        # A process checks the rights of all roles at its start, also of those whose address it does not hold.
        "DATABASE_ROLE_PREFIX": ROLES.app.removesuffix("_app"),
        "REDIS_URL": redis_url(),
        "REDIS_PREFIX": key_prefix(worker),
        "DATA_DIR": str(folder),
        "SIGNER_STATE_DIR": str(folder / "signer"),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(programs.CHECKOUT),
        "PATH": f"{programs.BIN}:/usr/bin:/bin",
        "HOME": str(folder),
        **measuring(),
    }


@pytest.fixture
def signer_state(tmp_path: Path) -> Path:
    """A new state folder of the signer: its key, and no memory."""
    folder = tmp_path / "signer"
    folder.mkdir(mode=0o700)
    key = folder / "signing.key"
    key.touch(mode=0o600)
    key.write_text(SIGNING_KEY.to_text(), encoding="utf-8")
    return folder


@pytest.fixture
def celery_worker(committed: Database, worker_name: str, tmp_path: Path) -> Iterator[child.Child]:
    """A real Celery worker on the committed clone; `.delay()` in this process reaches it. Results are in the
    database: tasks return nothing.
    """
    worker = child.start(
        "worker",
        programs.worker(name=f"test-{worker_name}", concurrency=1, log_level="INFO"),
        environment=process_environment(committed, "app", worker=worker_name, folder=tmp_path),
        log=tmp_path / "worker.log",
        directory=programs.CHECKOUT,
    )
    try:
        until(lambda: _is_up(worker, " ready."), seconds=60, what="the Celery worker's start")
        yield worker
    finally:
        child.stop([worker], grace=15)


@dataclass(frozen=True, slots=True)
class Web:
    """A running web server."""

    url: str
    process: child.Child


@contextmanager
def running_web(database: Database, worker: str, folder: Path) -> Iterator[Web]:
    """The real gunicorn on a free port, on `database`; its files in `folder`."""
    server = child.start(
        "web",
        programs.web(bind="127.0.0.1:0", workers=1),
        environment=process_environment(database, "app", worker=worker, folder=folder),
        log=folder / "web.log",
        directory=programs.CHECKOUT,
    )
    try:
        until(lambda: _is_up(server, "Booting worker"), seconds=60, what="the web server's start")
        match = re.search(r"Listening at: (http://127\.0\.0\.1:\d+)", server.tail(20_000))
        assert match, server.tail()
        yield Web(match[1], server)
    finally:
        child.stop([server], grace=15)


@pytest.fixture
def web(committed: Database, worker_name: str, tmp_path: Path) -> Iterator[Web]:
    """The real gunicorn on the committed clone."""
    with running_web(committed, worker_name, tmp_path) as server:
        yield server


def _is_up(process: child.Child, sign: str) -> bool:
    assert process.running, f"{process.name} ended early:\n{process.tail()}"
    return sign in process.tail(20_000)
