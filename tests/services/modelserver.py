"""A web server with the files of a model, that can also answer as no proper one does."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ModelServer:
    """A running server.

    Attributes:
        files: what it has, by path. `asked`: path, Range and Host of each request, in order.
        behaviour: by path, how it answers instead: `drip`, `drip headers`, `whole`, `other part`, `fewer`, `more`,
            `endless`, `gzip`, `cookie`, a status, or an address that it redirects to.
    """

    port: int
    files: dict[str, bytes] = field(default_factory=dict)
    behaviour: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    cookies: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/models/"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    found: ModelServer

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that has enough goes away


class _Handler(BaseHTTPRequestHandler):
    @property
    def _found(self) -> ModelServer:
        assert isinstance(self.server, _Server)
        return self.server.found

    def do_GET(self) -> None:
        told = self.headers.get("Range", "")
        self._found.asked.append((self.path, told, self.headers["Host"]))
        self._found.cookies.append(self.headers.get("Cookie", ""))
        how = self._found.behaviour.get(self.path, "")
        if how.startswith(("http", "/")):
            return self._answer(302, b"", Location=how)
        if how.isdigit():
            return self._answer(int(how), b"")
        if how in {"drip", "drip headers", "endless"}:
            return self._drip(how)
        data = self._found.files.get(self.path)
        if data is None:
            return self._answer(404, b"")
        return self._send(data, told, how)

    def _send(self, data: bytes, told: str, how: str) -> None:
        if how == "gzip":
            return self._answer(200, data, **{"Content-Encoding": "gzip"})
        if how == "cookie":
            return self._answer(200, data, **{"Set-Cookie": "a=b; Path=/"})
        if not told or how == "whole":
            return self._answer(200, data)
        end = min(int(told.removeprefix("bytes=0-")) + 1, len(data))
        said = {"other part": f"bytes 1-{end}/{len(data)}", "fewer": f"bytes 0-{end - 2}/{len(data)}"}
        part = data[: end + (how == "more")]
        return self._answer(206, part, **{"Content-Range": said.get(how, f"bytes 0-{end - 1}/{len(data)}")})

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, how: str) -> None:
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + (b"" if how == "drip headers" else b"\r\n"))
            for number in range(100_000):
                piece = (
                    f"X-{number}: x\r\n".encode() if how == "drip headers" else b"x" * (1 if how == "drip" else 65536)
                )
                self.wfile.write(piece)
                self.wfile.flush()
                if how != "endless":
                    threading.Event().wait(0.02)
        except OSError:
            return

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def model_server(tls: ssl.SSLContext | None = None) -> Iterator[ModelServer]:
    """Serves `files`, whole or by range; with `tls`, over TLS."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    found = server.found = ModelServer(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
