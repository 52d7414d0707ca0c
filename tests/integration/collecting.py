"""What tests of collection share: pages that a local server gives out, targets, and rounds of collection."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from audit import collectors
from audit.collectors.registry import register_target
from audit.models import SlotOutcome, Target
from config import child, programs
from tests.waiting import until

INTERVAL = 10
SUBJECT = "deployment:6f1f5c5e-7a54-4a4e-9a53-0d7a3c1b2e10"
ACTOR = "person:0a0b0c0d-0000-4000-8000-000000000001"

VLLM = """\
# TYPE vllm:prompt_tokens_total counter
vllm:prompt_tokens_total{{engine="0",model_name="m"}} {prompt}
vllm:prompt_tokens_created{{engine="0",model_name="m"}} {created}
vllm:generation_tokens_total{{engine="0",model_name="m"}} {output}
vllm:generation_tokens_created{{engine="0",model_name="m"}} {created}
vllm:prompt_tokens_cached_total{{engine="0",model_name="m"}} {cached}
vllm:prompt_tokens_cached_created{{engine="0",model_name="m"}} {created}
vllm:request_success_total{{engine="0",finished_reason="stop",model_name="m"}} {requests}
vllm:request_success_created{{engine="0",finished_reason="stop",model_name="m"}} {created}
vllm:request_success_total{{engine="0",finished_reason="abort",model_name="m"}} 0.0
vllm:request_success_created{{engine="0",finished_reason="abort",model_name="m"}} {created}
"""
GPU = 'gpu="0",UUID="GPU-1",modelName="NVIDIA H100",hostname="node-07"'


def vllm(prompt: int, output: int, *, requests: int = 0, cached: int = 0, created: float = 1_795_415_457.25) -> bytes:
    """A short page of a vLLM server with these counters."""
    return VLLM.format(prompt=prompt, output=output, requests=requests, cached=cached, created=created).encode()


def gpu(**values: object) -> bytes:
    """A short page of dcgm-exporter: fields without `DCGM_FI_DEV_`, of one GPU."""
    return "".join(f"DCGM_FI_DEV_{name}{{{GPU}}} {value}\n" for name, value in values.items()).encode()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answers; `before` runs first, in the server's thread."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "text/plain; version=0.0.4"})
    before: Callable[[], object] = lambda: None


class Pages(ThreadingHTTPServer):
    """A server on loopback with one answer a path, changed by the test as it goes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies: dict[str, Reply] = {}
        self.asked: list[tuple[str, Mapping[str, str]]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def say(self, path: str, body: bytes = b"", **rest: Any) -> str:
        """Let `path` answer so from now on; returns its address."""
        self.replies[path] = Reply(body, **rest)
        return self.url(path)

    def handle_error(self, request: object, client_address: object) -> None:
        """A collector that hangs up early is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        reply = self.server.replies[self.path]
        reply.before()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: pytest shows what matters."""


@contextmanager
def serving() -> Iterator[Pages]:
    with Pages() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def exporters(folder: Path, *, start: datetime) -> Iterator[str]:
    """The real process of the demo's exporters; gives its address."""
    process = child.start(
        "exporters",
        [*programs.exporter(port=0), "--start", str(start.timestamp())],
        environment={"PATH": "/usr/bin:/bin", "PYTHONUNBUFFERED": "1"},
        log=folder / "exporters.log",
        directory=programs.CHECKOUT,
    )
    try:
        until(lambda: "listen on" in process.tail(), what="the exporters' start")
        yield process.tail().rpartition(" ")[2].strip()
    finally:
        child.stop([process], grace=5)


def whole_slot() -> datetime:
    """A moment of the present at which a slot of `INTERVAL` begins: partitions exist around the present only."""
    seconds = int(datetime.now(UTC).timestamp()) // INTERVAL * INTERVAL
    return datetime.fromtimestamp(seconds, UTC)


def target(url: str, *, kind: str = "vllm", name: str = "engine", now: datetime, subject: str = SUBJECT) -> Target:
    """A target whose slots begin at whole multiples of `INTERVAL`."""
    return register_target(
        name=name, kind=kind, url=url, subject=subject, interval_seconds=INTERVAL, phase_seconds=0, actor=ACTOR, now=now
    )


def collect(now: datetime) -> collectors.Collected:
    """One round at `now`, as the Celery task does it."""
    return collectors.collect(now=now, clock=lambda: now, token=uuid.uuid4())


def outcomes() -> list[tuple[str, int]]:
    """Outcome and number of records of every slot that was asked, oldest first."""
    return [(row.outcome, row.rows) for row in SlotOutcome.objects.order_by("observed_at", "target_id")]
