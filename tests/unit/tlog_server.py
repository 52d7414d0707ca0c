"""A web server for a folder of this machine that can be told to misbehave."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Server(ThreadingHTTPServer):
    """A static file server that misbehaves once for each fault queued for a path."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.faults: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        path = self.path.lstrip("/")
        self.server.asked.append(path)
        self.server.authorizations += self.headers.get_all("Proxy-Authorization", [])
        waiting = self.server.faults.get(path, [])
        fault = waiting.pop(0) if waiting else ""
        whole = (Path(self.directory) / path).read_bytes() if fault in {"gzip", "short", "drip"} else b""
        if fault.isdigit():
            self._answer(int(fault), b"", 0, "Retry-After: 0")
        elif fault.startswith(("http", "/")):
            self._answer(302, b"", 0, f"Location: {fault}")
        elif fault == "gzip":
            body = gzip.compress(whole)
            self._answer(200, body, len(body), "Content-Encoding: gzip")
        elif fault == "short":
            self._answer(200, whole[:-1], len(whole))
            self.close_connection = True
        elif fault == "drip":
            self._answer(200, b"", 1_000_000)
            self.server.closing.wait(30)
            self.close_connection = True
        else:
            super().do_GET()

    def _answer(self, status: int, body: bytes, length: int, *headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for header in headers:
            self.send_header(*header.split(": "))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    with Server(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()
            thread.join()
