"""`python -m bench.peers.measure PEER SAVES BULK`: measure one peer, print one JSON object."""

import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.events import event

BATCH = 500
_TRAIL = {
    "django-auditlog": "auditlog_logentry",
    "django-simple-history": "peers_historicalrecord",
    "django-pghistory": "peers_recordevent",
}


def main() -> None:
    peer, saves, bulk = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    found = _pymerkle(saves, bulk) if peer == "pymerkle" else _django(peer, saves, bulk)
    sys.stdout.write(json.dumps(found) + "\n")


def _django(peer: str, saves: int, bulk: int) -> dict[str, Any]:
    os.environ["PEER"] = peer
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.peers.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from bench.peers.models import Record

    call_command("migrate", verbosity=0, interactive=False)
    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)  # refers to tables of the first
    if peer == "django-pghistory":
        call_command("pgtrigger", "install", verbosity=0)

    def record(number: int) -> Record:
        given = event(number)
        names = ("type", "subject", "occurred_at", "data")
        return Record(event_id=given["id"], **{name: given[name] for name in names})

    for number in range(20):
        record(number).save()
    records = [record(number) for number in range(saves)]
    start = time.perf_counter()
    for item in records:
        item.save()  # autocommit: each is durable before the next
    saved = saves / (time.perf_counter() - start)
    before = _rows(connection, peer)
    batches = [[record(number) for number in range(BATCH)] for _batch in range(bulk // BATCH)]
    start = time.perf_counter()
    for batch in batches:
        Record._default_manager.bulk_create(batch)
    made = len(batches) * BATCH / (time.perf_counter() - start)
    after = _rows(connection, peer)
    return {
        "saves_per_s": round(saved, 1),
        "bulk_rows_per_s": round(made, 1),
        "bulk_rows_missed": len(batches) * BATCH - (after - before) if peer in _TRAIL else None,
        "bytes_per_audited_row": _bytes(connection, peer, after),
        "deletes_accepted": _deletes(connection, peer),
    }


def _rows(connection: Any, peer: str) -> int:
    if peer not in _TRAIL:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {_TRAIL[peer]}")
        return int(cursor.fetchone()[0])


def _bytes(connection: Any, peer: str, rows: int) -> float | None:
    """Bytes of the audit table and its indexes, an audited row."""
    if peer not in _TRAIL:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [_TRAIL[peer]])
        return round(int(cursor.fetchone()[0]) / max(rows, 1), 1)


def _deletes(connection: Any, peer: str) -> bool | None:
    """Whether the application's own role may delete a row of the trail."""
    if peer not in _TRAIL:
        return None
    from django.db import Error

    try:
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {_TRAIL[peer]}")
            return bool(cursor.rowcount > 0)
    except Error:
        return False


def _pymerkle(saves: int, bulk: int) -> dict[str, Any]:
    tree_class = import_module("pymerkle").SqliteTree
    entries = [json.dumps(event(number)).encode() for number in range(saves + bulk)]
    with tempfile.TemporaryDirectory(dir=Path(os.environ["DATA_DIR"]).parent) as folder:
        path = Path(folder) / "tree.db"
        tree = tree_class(str(path))
        start = time.perf_counter()
        for entry in entries[:saves]:
            tree.append_entry(entry)  # one commit each
        saved = saves / (time.perf_counter() - start)
        start = time.perf_counter()
        for first in range(saves, saves + bulk, BATCH):
            tree.append_entries(entries[first : first + BATCH], chunksize=BATCH)
        made = bulk / (time.perf_counter() - start)
        size, proofs = tree.get_size(), []
        for number in range(20):
            start = time.perf_counter()
            tree.prove_inclusion(1 + number * (size - 1) // 20, size)
            proofs.append((time.perf_counter() - start) * 1000)
        try:
            tree.con.execute("DELETE FROM leaf WHERE id = 1")
            deletes = True
        except sqlite3.DatabaseError:
            deletes = False
        tree.close()
        stored = path.stat().st_size / size
    return {
        "saves_per_s": round(saved, 1),
        "bulk_rows_per_s": round(made, 1),
        "bulk_rows_missed": 0,
        "bytes_per_audited_row": round(stored, 1),
        "deletes_accepted": deletes,
        "proof_ms": round(statistics.median(proofs), 3),
        "proof_entries": size,
    }


if __name__ == "__main__":
    main()
