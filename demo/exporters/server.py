"""The HTTP side of the demo's exporters, on loopback only."""

import sys
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from demo.exporters.dcgm import dcgm_page
from demo.exporters.vllm import vllm_page

HOST: Final = "127.0.0.1"
_MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"


class Exporters(ThreadingHTTPServer):
    """Serves `/vllm/metrics` and `/dcgm/metrics`; port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, port: int, *, start: float) -> None:
        super().__init__((HOST, port), _Handler)
        self.pages: Mapping[str, Callable[[], str]] = {
            "/vllm/metrics": lambda: vllm_page(start=start, now=time.time()),
            "/dcgm/metrics": lambda: dcgm_page(start=start, now=time.time()),
        }


class _Handler(BaseHTTPRequestHandler):
    server: Exporters
    timeout = 10

    def do_GET(self) -> None:  # the name is given by http.server
        page = self.server.pages.get(self.path)
        body = page().encode() if page else b"There is /vllm/metrics and /dcgm/metrics.\n"
        self.send_response(HTTPStatus.OK if page else HTTPStatus.NOT_FOUND)
        self.send_header("Content-Type", _MEDIA)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of a request: there are two of them every two seconds."""


def serve(port: int, *, start: float) -> None:
    """Serve until the process is told to end."""
    with Exporters(port, start=start) as server:
        sys.stdout.write(f"Exporters listen on http://{HOST}:{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()
