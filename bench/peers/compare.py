"""Ours beside the peers: durable saves one by one, bulk writes, what is missed, bytes a row, time of a proof."""

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from django.db import Error, connections, transaction

from bench import databases, preload
from bench.durability import require_fsync
from bench.events import batch_body, body
from bench.figure import Figure, progress
from config import programs

PEERS: Final = ("none", "django-auditlog", "django-simple-history", "django-pghistory", "pymerkle")
BATCH: Final = 500
_LOADED: Final = 1_000
"""Entries that our log holds before; the peers' tables are empty."""

_OURS: Final = "bench_ours_beside_peers"
_THEIRS: Final = "bench_peers"
_REQUIREMENTS: Final = programs.CHECKOUT / "requirements-bench.txt"
_ENVIRONMENT: Final = programs.CHECKOUT / ".cache" / "bench" / "peers"
_INSTALL_SECONDS: Final = 600
_MEASURE_SECONDS: Final = 600
_TABLES: Final = ("entry", "section", "event_key", "tile")


class PeersFailed(RuntimeError):
    """A peer could not be installed or measured; the message has the reason it gave."""


def run(options: argparse.Namespace) -> None:
    """Print one line for each thing that is compared: ours as the value, the peers' among the parts.

    With --small only when asked for by name: the peers' packages may have to be fetched first.
    """
    require_fsync()
    if options.small and "peers" not in options.names:
        return
    saves, bulk, rounds = (100, 1_000, 1) if options.small else (1_000, 20_000, 3)
    python = _environment()
    loaded = preload.template(_LOADED)
    measured: dict[str, list[dict[str, Any]]] = {"assay": [], **{peer: [] for peer in PEERS}}
    for _round in range(rounds):
        for peer, results in measured.items():
            results.append(_ours(loaded, saves, bulk) if peer == "assay" else _peer(python, peer, saves, bulk))
    found = {peer: _middle(results) for peer, results in measured.items()}
    rows = {"saves": saves, "bulk_rows": bulk, "rows_a_commit_in_bulk": BATCH, "rounds": rounds}
    for name, key, unit in (
        ("peers_save_rate", "saves_per_s", "saves/s"),
        ("peers_bulk_rate", "bulk_rows_per_s", "rows/s"),
        ("peers_bulk_rows_missed", "bulk_rows_missed", "rows"),
        ("peers_bytes_per_row", "bytes_per_audited_row", "bytes"),
        ("peers_deletes_accepted", "deletes_accepted", "yes or no"),
        ("peers_proof_time", "proof_ms", "ms"),
    ):
        parts = {peer: values[key] for peer, values in found.items() if values.get(key) is not None}
        Figure(name, found["assay"][key], unit, parts={**parts, **rows}).print()


def _middle(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each number over the rounds; what is no number is the same in all of them."""
    first = results[0]
    return {
        key: round(statistics.median(result[key] for result in results), 3)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else value
        for key, value in first.items()
    }


def _environment() -> Path:
    """Python of the peers' own environment, made or brought up to date. Raises PeersFailed."""
    python = _ENVIRONMENT / "bin" / "python"
    stamp = _ENVIRONMENT / "requirements.txt"
    wanted = _REQUIREMENTS.read_text(encoding="utf-8")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    progress("installing the peers (requirements-bench.txt)")
    uv = programs.BIN / "uv"
    commands: tuple[list[str | Path], ...] = (
        [uv, "venv", "-q", "--clear", "--python", programs.BIN / "python", _ENVIRONMENT],
        [uv, "pip", "sync", "-q", "--require-hashes", "--python", python, _REQUIREMENTS],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)
        if done.returncode:
            raise PeersFailed(f"The peers cannot be installed:\n{done.stderr[-1500:]}")
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _peer(python: Path, peer: str, saves: int, bulk: int) -> dict[str, Any]:
    databases.make_empty(_THEIRS)
    try:
        address = databases.addresses(_THEIRS)["DATABASE_OWNER_URL"]
        done = subprocess.run(
            [python, "-m", "bench.peers.measure", peer, str(saves), str(bulk)],
            cwd=programs.CHECKOUT,
            env={"DATABASE_URL": address, "DATA_DIR": os.environ["DATA_DIR"], "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
            timeout=_MEASURE_SECONDS,
        )
    finally:
        databases.drop(_THEIRS)
    if done.returncode:
        raise PeersFailed(f"{peer} could not be measured:\n{done.stderr[-1500:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    progress(f"{peer}: {found['saves_per_s']:.0f} saves/s, {found['bulk_rows_per_s']:.0f} rows/s in bulk")
    return found


def _ours(loaded: preload.Template, saves: int, bulk: int) -> dict[str, Any]:
    from audit import ledger
    from audit.api.incoming import parse_events

    databases.clone(loaded.name, _OURS)
    try:
        sender = preload.credential()

        def append(content: bytes) -> None:
            with transaction.atomic(durable=True):
                ledger.append(events=parse_events(content, sender).events)

        for number in range(20):
            append(body(number))
        bodies = [body(number) for number in range(saves)]
        start = time.perf_counter()
        for content in bodies:
            append(content)
        saved = saves / (time.perf_counter() - start)
        batches = [batch_body(first, BATCH) for first in range(0, bulk, BATCH)]
        before = _entries()
        start = time.perf_counter()
        for content in batches:
            append(content)
        made = len(batches) * BATCH / (time.perf_counter() - start)
        size = _entries()
        found = {
            "saves_per_s": round(saved, 1),
            "bulk_rows_per_s": round(made, 1),
            "bulk_rows_missed": len(batches) * BATCH - (size - before),
            "bytes_per_audited_row": round(_bytes() / size, 1),
            "deletes_accepted": _deletes(),
            "proof_ms": _proof_ms(size),
        }
        progress(f"assay: {saved:.0f} saves/s, {made:.0f} rows/s in bulk")
        return found
    finally:
        databases.drop(_OURS)
        databases.use("assay")


def _entries() -> int:
    from audit.queries import head_size

    return head_size()


def _bytes() -> int:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relname = ANY(%s)"
            " AND relnamespace = 'public'::regnamespace",
            [list(_TABLES)],
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _deletes() -> bool:
    """Whether the application's own role may delete an entry."""
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("DELETE FROM entry")
            return bool(cursor.rowcount > 0)
    except Error:
        return False


def _proof_ms(size: int) -> float:
    from audit.queries.proofs import inclusion

    times = []
    for number in range(20):
        start = time.perf_counter()
        inclusion(number * (size - 1) // 20, size)
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 3)
