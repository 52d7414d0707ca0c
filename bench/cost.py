"""What an event costs, in microseconds of processor time: where the rates of `ingest` come from.

Processor time, unlike a rate, is nearly the same on a busy machine, so this is what to compare before and after a
change. Everything runs in this process on one connection; the server's side is read from Linux's /proc.
"""

import argparse
import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import psycopg
from django.core.wsgi import get_wsgi_application
from django.db import connection, transaction

from bench import databases, preload
from bench.durability import require_fsync
from bench.events import batch_body, body
from bench.figure import Figure, progress
from bench.ingest import BATCH, PATH, Copier, clones

_GROUP: Final = 8
"""Single events that share a commit when 16 connections meet 2 processes."""


def run(options: argparse.Namespace) -> None:
    """Print `cost_batch` for an event of a batch, `cost_single` for a single one, each by stage."""
    require_fsync()
    loaded = preload.template(options.preload)
    batches, singles = (4, 40) if options.small else (30, 300)
    with clones(loaded):
        stages = _of_batches(batches) | _of_copy(batches) | _by_wsgi("http", loaded.token, _batches(batches), BATCH)
        _print("cost_batch", stages)
        stages = _of_singles(singles) | _by_wsgi("http", loaded.token, map(body, range(singles + 1)), 1)
        _print("cost_single", stages)


def _print(name: str, stages: dict[str, dict[str, float]]) -> None:
    total = sum(stages["http"].values())
    Figure(name, round(total, 2), "us", parts={"stages": stages}).print()
    progress(f"{name}: {total:.1f} us of processor time an event")


def _batches(count: int) -> Iterator[bytes]:
    """One more than `count`: the first is the warm-up."""
    return (batch_body(0, BATCH) for _batch in range(count + 1))


def _of_batches(count: int) -> dict[str, dict[str, float]]:
    from audit.api.incoming import parse_events
    from audit.ledger.append import append_prepared, prepare_all

    sender = preload.credential()
    bodies = list(_batches(count))
    events = [parse_events(content, sender).events for content in bodies]
    prepared = [prepare_all(given) for given in events]

    def append(item: Any) -> None:
        with transaction.atomic(durable=True):
            append_prepared(item)

    return {
        "parse": _measure(lambda content: parse_events(content, sender), bodies, BATCH),
        "prepare": _measure(prepare_all, events, BATCH),
        "append": _measure(append, prepared, BATCH),
    }


def _of_singles(count: int) -> dict[str, dict[str, float]]:
    """Parsing and preparing one event, and appending a group that shares a commit, for each event of it."""
    from audit.api.incoming import parse_events
    from audit.ledger.append import append_prepared, prepare_all

    sender = preload.credential()
    bodies = [body(number) for number in range((count + 1) * _GROUP)]
    events = [parse_events(content, sender).events for content in bodies]
    prepared = [item for given in events for item in prepare_all(given)]
    groups = [prepared[first : first + _GROUP] for first in range(0, len(prepared), _GROUP)]

    def append(group: Any) -> None:
        with transaction.atomic(durable=True):
            append_prepared(group)

    return {
        "parse": _measure(lambda content: parse_events(content, sender), bodies, 1),
        "prepare": _measure(prepare_all, events, 1),
        f"append_group_of_{_GROUP}": _measure(append, groups, _GROUP),
    }


def _of_copy(count: int) -> dict[str, dict[str, float]]:
    """The baseline's cost for the entries that were appended last."""
    from audit.queries import head_size

    size = head_size()
    chunks = [Copier.rows(low, low + BATCH) for low in range(size - count * BATCH, size, BATCH)]
    with psycopg.connect(databases.addresses("bench_baseline")["DATABASE_URL"]) as twin, twin.cursor() as cursor:

        def copy(chunk: Sequence[tuple[str, bytes]]) -> None:
            Copier.send(cursor, chunk)
            twin.commit()

        return {"copy": _measure(copy, chunks, BATCH, backend=twin.info.backend_pid)}


def _by_wsgi(name: str, token: str, bodies: Iterator[bytes], events: int) -> dict[str, dict[str, float]]:
    """A whole request, one after the other, without web server and network."""
    application = get_wsgi_application()

    def request(content: bytes) -> None:
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": PATH,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:80",
            "HTTP_AUTHORIZATION": f"Bearer {token}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(content)),
            "wsgi.input": io.BytesIO(content),
            "wsgi.errors": sys.stderr,
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        answered: list[str] = []

        def start(status: str, _headers: object, _error: object = None, /) -> Callable[[bytes], object]:
            answered.append(status)
            return _no_write

        answer = application(environ, start)
        b"".join(answer)
        getattr(answer, "close", lambda: None)()
        assert answered[0].startswith("201"), answered[0]

    return {name: _measure(request, list(bodies), events)}


def _no_write(_data: bytes) -> None:
    """The way to answer that WSGI keeps for old applications; ours does not use it."""
    raise AssertionError("an answer came by write()")


def _measure(
    do: Callable[[Any], object], items: Sequence[Any], events: int, *, backend: int | None = None
) -> dict[str, float]:
    """Microseconds an event of this process's and the server process's time; the first item is the warm-up."""
    do(items[0])
    server = backend or _backend()
    ours, theirs = time.process_time(), _processor_seconds(server)
    for item in items[1:]:
        do(item)
    count = (len(items) - 1) * events / 1e6
    result = {"client": round((time.process_time() - ours) / count, 2)}
    after = _processor_seconds(server)
    if theirs is not None and after is not None:
        result["server"] = round((after - theirs) / count, 2)
    return result


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _processor_seconds(pid: int) -> float | None:
    """Time on a processor of a process of this machine; None where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
    except OSError:
        return None
