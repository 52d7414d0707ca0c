"""A connection to PostgreSQL that breaks at a chosen moment: before a statement is sent, or after it was done but
before its answer is heard.

The proxy understands as much of the protocol as it needs (PostgreSQL documentation, "Message Formats"): every message
but the first is a type byte and a length, and a request ends with Query, Sync or CopyDone.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from typing import Final

from tests.services.servers import admin_url

_REQUEST_ENDS: Final = frozenset(b"QSc")
_ANSWER_ENDS: Final = frozenset(b"ZG")
_NO_ENCRYPTION: Final = {80877103, 80877104}
"""SSLRequest and GSSENCRequest: answered with N, no."""


class Moment(Enum):
    """When the connection breaks."""

    BEFORE = "the request does not reach the server"
    AFTER = "the server has done it, but the answer is lost"


class BreakingProxy:
    """Listens on `port`; passes everything on until the armed request comes, then cuts that connection."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._countdown = 0
        self._moment = Moment.BEFORE
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, request: int, moment: Moment) -> None:
        """Break at the request with this number, counted from 1 from now on; 0 disarms."""
        with self._lock:
            self._countdown, self._moment, self.cuts = request, moment, 0

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _address = self._listener.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = _to_server()
        swallow = threading.Event()
        answers = threading.Thread(target=_pump_answers, args=(server, client, swallow), daemon=True)
        with client, server:
            with suppress(OSError, EOFError):
                _greet(client, server)
                answers.start()
                self._pass_on(client, server, answers, swallow)
            # Shut first: a socket that is closed while another thread reads from it stays open.
            _shut(client, server)
            if answers.ident:
                answers.join(timeout=30)

    def _pass_on(
        self, client: socket.socket, server: socket.socket, answers: threading.Thread, swallow: threading.Event
    ) -> None:
        while True:
            message = _message(client)
            moment = self._due(message[0])
            if moment is Moment.BEFORE:
                return
            if moment is Moment.AFTER:
                swallow.set()
            server.sendall(message)
            if moment is Moment.AFTER:
                answers.join(timeout=30)
                return

    def _due(self, kind: int) -> Moment | None:
        with self._lock:
            if not self._countdown or kind not in _REQUEST_ENDS:
                return None
            self._countdown -= 1
            if self._countdown:
                return None
            self.cuts += 1
            return self._moment


@contextmanager
def breaking_proxy() -> Iterator[BreakingProxy]:
    """A proxy in front of the test server."""
    proxy = BreakingProxy()
    try:
        yield proxy
    finally:
        proxy.close()


def _to_server() -> socket.socket:
    server = admin_url()
    if server.host.startswith("/"):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(f"{server.host}/.s.PGSQL.{server.port or 5432}")
        return connection
    return socket.create_connection((server.host, int(server.port or 5432)))


def _greet(client: socket.socket, server: socket.socket) -> None:
    """The first message has no type byte; a wish for encryption comes before it."""
    while True:
        length = _exactly(client, 4)
        rest = _exactly(client, int.from_bytes(length, "big") - 4)
        if int.from_bytes(rest[:4], "big") not in _NO_ENCRYPTION:
            server.sendall(length + rest)
            return
        client.sendall(b"N")


def _pump_answers(server: socket.socket, client: socket.socket, swallow: threading.Event) -> None:
    with suppress(OSError, EOFError):
        while True:
            message = _message(server)
            if not swallow.is_set():
                client.sendall(message)
            elif message[0] in _ANSWER_ENDS:
                return
    _shut(client, server)


def _message(source: socket.socket) -> bytes:
    head = _exactly(source, 5)
    return head + _exactly(source, int.from_bytes(head[1:], "big") - 4)


def _exactly(source: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = source.recv(count)
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _shut(*sockets: socket.socket) -> None:
    for item in sockets:
        with suppress(OSError):
            item.shutdown(socket.SHUT_RDWR)
