"""Event ingestion over HTTP: batches against raw COPY, single events against a plain Django view."""

import argparse
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from django.db import connections
from psycopg import sql

from bench import databases, preload
from bench.arithmetic import alternate, percentile
from bench.durability import require_fsync
from bench.events import batch_body, body
from bench.figure import Figure, progress, rate
from bench.load import drive, request_bytes
from bench.server import gunicorn

BATCH: Final = 500
BATCH_CONNECTIONS: Final = 4
SINGLE_CONNECTIONS: Final = 16
PATH: Final = "/api/v1/events"

_OURS: Final = "bench_ours"
_BASE: Final = "bench_baseline"


def run(options: argparse.Namespace) -> None:
    """Print `ingest_batch_vs_copy`, `ingest_single_vs_view` and the 99th percentile of single events."""
    require_fsync()
    loaded = preload.template(options.preload)
    with clones(loaded) as state, preload.signer(state), gunicorn() as url:
        # The signer reads and hashes what is written, as it does in service.
        _batches(url, loaded, rounds=options.rounds, batches=4 if options.small else 20)
        with gunicorn("bench.plain.wsgi:application", variables=databases.addresses(_BASE)) as plain:
            _singles(url, plain, loaded, rounds=options.rounds, count=320 if options.small else 3_200)


@contextmanager
def clones(loaded: preload.Template) -> Iterator[Path]:
    """Two copies of the loaded log, one for each side, ours in use; yields the state folder of our signer."""
    folder = Path(os.environ["DATA_DIR"]) / _OURS
    try:
        databases.clone(loaded.name, _BASE)
        _make_plain_table()
        databases.clone(loaded.name, _OURS)
        yield preload.copy_signer_state(loaded, folder)
    finally:
        databases.drop(_OURS)
        databases.drop(_BASE)
        databases.use(loaded.name)


# --- batches --------------------------------------------------------------------------------------


def _batches(url: str, loaded: preload.Template, *, rounds: int, batches: int) -> None:
    copier = Copier()

    def ours() -> float:
        bodies = [batch_body(number * BATCH, BATCH) for number in range(batches)]
        requests = [request_bytes(url, PATH, one, loaded.token) for one in bodies]
        elapsed = drive(url, requests, connections=BATCH_CONNECTIONS).elapsed
        copier.note(batches)
        return batches * BATCH / elapsed

    def raw() -> float:
        return batches * BATCH / copier.copy()

    ours()  # warm-up; the baseline stays one round behind, so that it always has rows to copy
    results = alternate({"ours": ours, "copy": raw}, rounds)
    progress(f"batches: {[round(r) for r in results['ours']]} events/s, COPY {[round(r) for r in results['copy']]}")
    parts = {"batch": BATCH, "batches_a_round": batches, "connections": BATCH_CONNECTIONS, "preloaded": loaded.entries}
    rate("ingest_batch_vs_copy", results["ours"], results["copy"], "events/s", target=0.5, parts=parts).print()


class Copier:
    """The baseline: rows that the product wrote into its database, by binary COPY into the same place of a twin.

    One connection, one commit for every 500 entries; entry, section, tile and event_key with their indexes and
    triggers. Rows are read beforehand, so only COPY and commit are timed.
    """

    def __init__(self) -> None:
        self._copied = self._size()
        self._noted: deque[tuple[int, int]] = deque()
        self._seen = self._copied

    def note(self, batches: int) -> None:
        """The product has just written so many batches (and perhaps an entry of its own)."""
        size = self._size()
        self._noted.append((size - batches * BATCH, size))

    def copy(self) -> float:
        """Copy the oldest round that was noted; returns the seconds it took."""
        first, last = self._noted.popleft()
        chunks = [self.rows(low, low + BATCH) for low in range(first, last, BATCH)]
        with psycopg.connect(databases.addresses(_BASE)["DATABASE_URL"]) as connection, connection.cursor() as cursor:
            if first > self._copied:
                self.send(cursor, self.rows(self._copied, first))
                connection.commit()
            start = time.perf_counter()
            for chunk in chunks:
                self.send(cursor, chunk)
                connection.commit()
            elapsed = time.perf_counter() - start
        self._copied = last
        return elapsed

    @staticmethod
    def _size() -> int:
        from audit.queries import head_size

        return head_size()

    @staticmethod
    def send(cursor: psycopg.Cursor[tuple[object, ...]], tables: Sequence[tuple[str, bytes]]) -> None:
        """One COPY for each table, in the transaction that is open."""
        for table, data in tables:
            statement = sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(sql.Identifier(table))
            with cursor.copy(statement) as stream:
                stream.write(data)

    @staticmethod
    def rows(low: int, high: int) -> list[tuple[str, bytes]]:
        """What the entries from `low` to before `high` wrote, in PostgreSQL's binary format."""
        found = []
        with psycopg.connect(os.environ["DATABASE_ADMIN_URL"]) as connection, connection.cursor() as cursor:
            for table, condition in _WRITTEN.items():
                query = sql.SQL("COPY (SELECT * FROM {} WHERE " + condition + ") TO STDOUT (FORMAT BINARY)")
                with cursor.copy(query.format(sql.Identifier(table), low=low, high=high)) as stream:
                    found.append((table, b"".join(map(bytes, stream))))
        return found


_WRITTEN: Final = {
    "entry": "index >= {low} AND index < {high} ORDER BY index",
    "section": "entry_index >= {low} AND entry_index < {high} ORDER BY entry_index",
    "event_key": "entry_index >= {low} AND entry_index < {high} ORDER BY entry_index",
    # A tile of level L is written when the tree reaches its last leaf.
    "tile": "(n + 1) << 8 * (level + 1) > {low} AND (n + 1) << 8 * (level + 1) <= {high} ORDER BY level, n",
}


# --- single events --------------------------------------------------------------------------------


def _singles(url: str, plain: str, loaded: preload.Template, *, rounds: int, count: int) -> None:
    latencies: dict[str, list[float]] = {"ours": [], "plain": []}

    def send(side: str, to: str, count: int) -> float:
        requests = [request_bytes(to, PATH, body(number), loaded.token) for number in range(count)]
        timing = drive(to, requests, connections=SINGLE_CONNECTIONS)
        latencies[side] += timing.latencies
        return count / timing.elapsed

    for side, to in (("ours", url), ("plain", plain)):
        send(side, to, SINGLE_CONNECTIONS * 8)  # warm-up
        latencies[side].clear()
    sides = {"ours": lambda: send("ours", url, count), "plain": lambda: send("plain", plain, count)}
    results = alternate(sides, rounds)
    progress(f"singles: {[round(r) for r in results['ours']]} requests/s, view {[round(r) for r in results['plain']]}")
    parts = {
        "connections": SINGLE_CONNECTIONS,
        "requests_a_round": count,
        "ours_ms": _milliseconds(latencies["ours"]),
        "view_ms": _milliseconds(latencies["plain"]),
    }
    rate("ingest_single_vs_view", results["ours"], results["plain"], "requests/s", target=1.0, parts=parts).print()
    p99, base = (percentile(latencies[side], 0.99) * 1000 for side in ("ours", "plain"))
    Figure("ingest_single_p99", round(p99, 1), "ms", round(base, 1), round(p99 / base, 3)).print()


def _milliseconds(latencies: Sequence[float]) -> dict[str, float]:
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "p999": 0.999}
    return {name: round(percentile(latencies, share) * 1000, 2) for name, share in shares.items()}


def _make_plain_table() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "CREATE TABLE plain_event (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,"
            " event_id varchar(256) UNIQUE NOT NULL, type varchar(200) NOT NULL, subject varchar(256) NOT NULL,"
            " occurred_at timestamptz NOT NULL, received_at timestamptz NOT NULL, data jsonb NOT NULL)"
        )
        cursor.execute("CREATE INDEX ON plain_event (subject)")
    connections["owner"].close()
