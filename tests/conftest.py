"""What holds for every test: no network but this machine, and the fixtures of tests/services."""

import os

from hypothesis import strategies
from pytest_socket import socket_allow_hosts

from config.env import Environment

pytest_plugins = [
    "tests.services.servers",
    "tests.services.databases",
    "tests.services.processes",
    "tests.integration.reports_ready",
]


def pytest_collection() -> None:
    # A fresh clone has no table of all characters yet. Made inside the first test that draws text, its seconds would
    # count as that test's slow drawing.
    strategies.text().validate()


def pytest_runtest_setup() -> None:
    hosts = ["127.0.0.1", "::1", "localhost"]
    server = Environment(os.environ).database("TEST_DATABASE_ADMIN_URL")
    if server and server.host and not server.host.startswith("/"):
        hosts.append(server.host)
    socket_allow_hosts(hosts, allow_unix_socket=True)
