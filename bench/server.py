"""The real web server under load, and the plain one beside it."""

import os
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from config import child, programs

_START_SECONDS = 30


@contextmanager
def gunicorn(
    application: str = "config.wsgi:application", *, workers: int = 2, variables: Mapping[str, str] | None = None
) -> Iterator[str]:
    """The web server of the product (or another WSGI application under the same settings); yields its URL.

    `variables` are added to its environment.
    """
    port = _free_port()
    command = [
        application if part == "config.wsgi:application" else part
        for part in programs.web(bind=f"127.0.0.1:{port}", workers=workers)
    ]
    environment = {**os.environ, "LOG_LEVEL": "WARNING", **(variables or {})}
    with tempfile.TemporaryDirectory(prefix="assay-bench-web-") as folder:
        log = Path(folder) / "web.log"
        server = child.start("web", command, environment=environment, log=log, directory=programs.CHECKOUT)
        try:
            _wait_until_up(server, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            child.stop([server], grace=15)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_up(server: child.Child, port: int) -> None:
    pause = Event()
    for _attempt in range(_START_SECONDS * 20):
        if not server.running:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            pause.wait(0.05)
        else:
            return
    raise RuntimeError(f"The web server did not start:\n{server.tail()}")
