"""A whole demo on a database of its own: the product's own supervisor starts web, signer, worker, beat, exporter and
pipeline on free ports, and seeds. Nothing is imitated.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import psycopg

from config import child, programs
from config.embedded.services import Addresses
from config.installation import Installation
from config.roles import create_database, drop_database, maintenance
from config.stopping import StopFlag
from config.supervise import Demo
from tests.services.constants import ROLES, SIGNING_KEY
from tests.services.databases import Database
from tests.services.servers import admin_url, key_prefix, redis_url, run_id
from tests.waiting import until

KEY = SIGNING_KEY.verifier.to_text()
_WORDS = {"app": "DATABASE_URL", "owner": "DATABASE_OWNER_URL", "signer": "DATABASE_SIGNER_URL"}
_started = 0


@dataclass(frozen=True, slots=True)
class DemoSite:
    """A running demo: its address, its database, and the processes behind them."""

    url: str
    database: Database
    place: Installation
    demo: Demo

    def health(self) -> dict[str, Any]:
        """What /healthz says, its HTTP status under `http`."""
        answer = httpx.get(f"{self.url}/healthz", timeout=10)
        return {**answer.json(), "http": answer.status_code}

    def value(self, query: str) -> Any:
        """The first value that a query of the superuser gives, None without a row."""
        with psycopg.connect(self.database.admin_address(), connect_timeout=10) as connection:
            row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None

    def manage(self, *arguments: str, roles: tuple[str, ...] = ("app",)) -> subprocess.CompletedProcess[str]:
        """Run a management command beside the demo, with the named database roles."""
        environment = {**self.place.environment(*roles), "NO_COLOR": "1"}
        return _run(programs.manage(*arguments), environment)

    def check_alive(self) -> None:
        """Fails the test with the log of a process that ended."""
        for process in self.demo.children:
            assert process.running, f"{process.name} ended:\n{process.tail()}"


@contextmanager
def running_demo(template: str, worker: str, folder: Path) -> Iterator[DemoSite]:
    """A demo on a clone of `template`, its files in `folder`; ends all its processes and drops the clone."""
    global _started
    _started += 1
    name = f"assay_test_{run_id()}_{worker}_demo{_started}"
    with maintenance(admin_url()) as connection:
        create_database(connection, name, ROLES, template=template)
    database = Database(name)
    processes: list[child.Child] = []
    try:
        with patch.dict(os.environ, _variables(f"{key_prefix(worker)}demo{_started}:")):
            demo = Demo(_place(database, folder), StopFlag())
            processes = demo.children
            demo.start()
            site = DemoSite(demo.place.public_url, database, demo.place, demo)
            until(lambda: site.health()["unsigned"] == 0, seconds=30, what="a checkpoint over the seeded entries")
            yield site
    finally:
        child.stop(processes, grace=15)
        with maintenance(admin_url()) as connection:
            drop_database(connection, name)


def verify(path: Path) -> subprocess.CompletedProcess[str]:
    """The offline verifier in a process of its own, told the published key and nothing else; it answers in JSON."""
    command: programs.Command = [sys.executable, "-m", "audit.tlog", "verify", path, "--key", KEY, "--json"]
    return _run(command, {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(programs.CHECKOUT)})


def refused_entries(done: subprocess.CompletedProcess[str]) -> dict[int, str]:
    """What the verifier said against single entries, by index."""
    checks = json.loads(done.stdout)["checks"]
    return {check["index"]: check["detail"] for check in checks if not check["ok"] and check["index"] is not None}


def _run(command: programs.Command, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env=environment, cwd=programs.CHECKOUT, capture_output=True, text=True, check=False, timeout=60
    )


def _variables(prefix: str) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONPATH": str(programs.CHECKOUT),
        "REDIS_PREFIX": prefix,
        # A process checks the rights of all roles at its start, also of those whose address it does not hold.
        "DATABASE_ROLE_PREFIX": ROLES.app.removesuffix("_app"),
    }


def _place(database: Database, folder: Path) -> Installation:
    """The installation as `quickstart` lays it out, on the servers of this test run."""
    state = folder / "signer"
    state.mkdir(mode=0o700)
    key = state / "signing.key"
    key.touch(mode=0o600)
    key.write_text(SIGNING_KEY.to_text(), encoding="utf-8")
    addresses = {word: database.environment(word)[name] for word, name in _WORDS.items()}
    addresses["admin"] = database.admin_address()
    web, exporter = _free_ports(2)
    return Installation(
        folder,
        Addresses(addresses, redis_url()),
        private_database=True,
        public_url=f"http://127.0.0.1:{web}",
        exporter_url=f"http://127.0.0.1:{exporter}",
    )


def _free_ports(count: int) -> list[int]:
    """Ports the kernel gives out; two runs that start at once are given different ones."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
