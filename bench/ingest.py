"""Event ingestion: batches against raw COPY, single events against a plain Django view."""

import argparse
import json
import os
import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from django.core.management import call_command
from django.db import connections, transaction

from audit import ledger
from audit.access.people import register_login, register_service_account
from audit.access.tokens import issue_token
from audit.ledger import rows
from audit.ledger.append import prepare_all
from audit.tlog.tree import leaf_hash
from bench.durability import require_fsync
from bench.figure import Figure, progress, rate
from bench.load import drive, request_bytes
from bench.server import gunicorn

BATCH = 500
BATCHES_A_ROUND = 20
SINGLES_A_ROUND = 1_600
CONNECTIONS = 16
_PATH = "/api/v1/events"


def run(options: argparse.Namespace) -> None:
    """Print `ingest_batch_vs_copy`, `ingest_single_vs_view` and the p99 of single events."""
    require_fsync()
    call_command("migrate", database="owner", verbosity=0, interactive=False)
    _make_plain_table()
    token = _token()
    _preload(options.preload)
    _batches(options.rounds, token)
    _singles(options.rounds, token)


def _token() -> str:
    now = datetime.now(UTC)
    owner = register_login(
        username="bench", display_name="Bench", password=None, groups=[], actor="system:bench", now=now
    )
    account = register_service_account(
        name="bench", source_name="bench", owner_id=owner.person_id, actor=owner.actor, now=now
    )
    lifetime = timedelta(days=1)
    scopes = ["events:write"]
    return issue_token(service_account_id=account.id, scopes=scopes, lifetime=lifetime, actor=owner.actor, now=now).text


def _event(number: int) -> dict[str, Any]:
    return {
        "id": f"bench-{uuid.uuid4()}",
        "type": "evaluation.completed",
        "subject": f"run-{number % 97}",
        "occurred_at": "2026-11-24T09:00:00Z",
        "data": {"step": number, "metric": "accuracy", "value": "0.871", "note": "n" * 180},
    }


def _ledger_event(number: int) -> ledger.Event:
    body = json.dumps(_event(number)).encode()
    return ledger.Event(
        type="evaluation.completed",
        subject=f"x:{number % 97:064x}",
        source="source:bench",
        actor="service:bench",
        occurred_at=datetime(2026, 11, 24, 9, tzinfo=UTC),
        sections=(ledger.Section("facts", body),),
        idempotency=ledger.Idempotency(f"pre-{number}", body),
    )


def _preload(count: int) -> None:
    start = time.perf_counter()
    step = 4_000
    for first in range(0, count, step):
        events = [_ledger_event(number) for number in range(first, min(first + step, count))]
        with transaction.atomic(durable=True):
            ledger.append(events=events)
        if first % 100_000 == 0:
            progress(f"preloaded {first + len(events)} of {count} entries")
    if count:
        progress(f"preloaded {count} entries in {time.perf_counter() - start:.0f} s")
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE entry, section, event_key")


def _batches(rounds: int, token: str) -> None:
    ours, raw = [], []
    with gunicorn() as url:
        _send_batches(url, token, 2)  # warm-up
        for number in range(rounds):
            ours.append(_send_batches(url, token, BATCHES_A_ROUND))
            raw.append(_copy_batches(BATCHES_A_ROUND))
            progress(f"batches, round {number + 1}: {ours[-1]:.0f} events/s over HTTP, {raw[-1]:.0f} by COPY")
    rate("ingest_batch_vs_copy", statistics.median(ours), statistics.median(raw), "events/s", target=0.5).print()


def _send_batches(url: str, token: str, count: int) -> float:
    """Events a second over HTTP, in batches of 500, two connections."""
    bodies = [json.dumps([_event(item) for item in range(BATCH)]).encode() for _batch in range(count)]
    requests = [request_bytes(url, _PATH, body, token) for body in bodies]
    return count * BATCH / drive(url, requests, connections=2).elapsed


def _copy_batches(count: int) -> float:
    """Rows a second by binary COPY: the same rows into the same tables, indexes and triggers, one connection.

    The rows stand far above the log's indexes and are rolled off afterwards by the superuser, with the
    triggers on while measuring.
    """
    base = 1 << 40
    batches = [_rows(base + number * BATCH) for number in range(count)]
    with psycopg.connect(_address("DATABASE_URL")) as connection, connection.cursor() as cursor:
        start = time.perf_counter()
        for entries, sections, keys in batches:
            rows.copy(cursor, rows.ENTRY, 10, entries)
            rows.copy(cursor, rows.SECTION, 5, sections)
            rows.copy(cursor, rows.EVENT_KEY, 3, keys)
            connection.commit()
        elapsed = time.perf_counter() - start
    _forget_rows(base)
    return count * BATCH / elapsed


def _rows(first: int) -> tuple[list[bytes], list[bytes], list[bytes]]:
    prepared = prepare_all([_ledger_event(first + number) for number in range(BATCH)])
    received = datetime.now(UTC)
    blob, bigint = rows.blob, rows.bigint
    entries, sections, keys = [], [], []
    for index, item in enumerate(prepared, first):
        leaf = item.leaf_before_received_at + received.isoformat().encode() + item.leaf_after_received_at
        event = item.event
        words = (event.type, event.source, event.subject, event.actor)
        entries.append(
            b"".join(
                (
                    bigint(index),
                    blob(leaf),
                    blob(leaf_hash(leaf)),
                    blob(item.id.bytes),
                    *(blob(word.encode()) for word in words),
                    rows.moment(event.occurred_at),
                    rows.moment(received),
                )
            )
        )
        section = event.sections[0]
        sections.append(
            bigint(index) + blob(b"facts") + blob(item.salts[0]) + blob(section.body) + blob(section.media.encode())
        )
        keys.append(blob(item.key or b"") + bigint(index) + blob(item.content or b""))
    return entries, sections, keys


def _forget_rows(base: int) -> None:
    tables = {"entry": "index", "section": "entry_index", "event_key": "entry_index"}
    with psycopg.connect(_address("DATABASE_ADMIN_URL")) as admin:
        for table, column in tables.items():
            admin.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            admin.execute(f"DELETE FROM {table} WHERE {column} >= %s", [base])
            admin.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_append_only")
            admin.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_no_truncate")
    with psycopg.connect(_address("DATABASE_ADMIN_URL"), autocommit=True) as admin:
        admin.execute("VACUUM entry, section, event_key")


def _singles(rounds: int, token: str) -> None:
    ours, plain = [], []
    latencies: list[float] = []
    for number in range(rounds):
        with gunicorn() as url:
            _send_singles(url, token, CONNECTIONS * 4)
            elapsed, own = _send_singles(url, token, SINGLES_A_ROUND)
            ours.append(SINGLES_A_ROUND / elapsed)
            latencies.extend(own)
        with gunicorn("bench.plain.wsgi:application") as url:
            _send_singles(url, token, CONNECTIONS * 4)
            elapsed, _own = _send_singles(url, token, SINGLES_A_ROUND)
            plain.append(SINGLES_A_ROUND / elapsed)
        progress(f"singles, round {number + 1}: {ours[-1]:.0f} requests/s here, {plain[-1]:.0f} by a plain view")
    rate("ingest_single_vs_view", statistics.median(ours), statistics.median(plain), "requests/s", target=1.0).print()
    p99 = sorted(latencies)[int(len(latencies) * 0.99)] * 1000
    Figure("ingest_single_p99", round(p99, 1), "ms").print()


def _send_singles(url: str, token: str, count: int) -> tuple[float, tuple[float, ...]]:
    bodies = [json.dumps(_event(number)).encode() for number in range(count)]
    timing = drive(url, [request_bytes(url, _PATH, body, token) for body in bodies], connections=CONNECTIONS)
    return timing.elapsed, timing.latencies


def _make_plain_table() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "CREATE TABLE plain_event (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,"
            " event_id varchar(256) UNIQUE NOT NULL, type varchar(200) NOT NULL, subject varchar(256) NOT NULL,"
            " occurred_at timestamptz NOT NULL, received_at timestamptz NOT NULL, data jsonb NOT NULL)"
        )
        cursor.execute("CREATE INDEX ON plain_event (subject)")


def _address(variable: str) -> str:
    return os.environ[variable]
