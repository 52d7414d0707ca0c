"""What a hundred times more entries cost: the time of a receipt, and bytes an entry."""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from django.db import connections

from bench import databases, preload
from bench.arithmetic import alternate, percentile
from bench.figure import Figure, growth, progress
from bench.load import drive, get_bytes
from bench.preload import Template
from bench.published import published
from bench.server import gunicorn

_TIMES: Final = 100
"""How many times larger the large log is."""

_TABLES: Final = ("entry", "section", "event_key", "tile", "checkpoint")
_WARM_UP: Final = 50


def run(options: argparse.Namespace) -> None:
    """Print `proof_growth`, the same over HTTP, `bytes_per_entry` and `load_rate`."""
    small = preload.template(max(1_000, options.entries // _TIMES))
    large = preload.template(options.entries)
    receipts = 100 if options.small else 1_000
    _receipts(small, large, rounds=options.rounds, count=receipts)
    _receipts_over_http(small, large, rounds=options.rounds, count=receipts)
    databases.use(large.name)
    _bytes(large, published(large))
    Figure("load_rate", round(large.entries / large.seconds, 1), "entries/s", parts={"entries": large.entries}).print()


def _receipts(small: Template, large: Template, *, rounds: int, count: int) -> None:
    chance = random.Random(8)
    latencies: dict[str, list[float]] = {"small": [], "large": []}

    def side(name: str, log: Template) -> Callable[[], float]:
        def measure() -> float:
            databases.use(log.name)
            _time_receipts(log, _WARM_UP, chance)
            taken = _time_receipts(log, count, chance)
            latencies[name] += taken
            return statistics.median(taken) * 1000

        return measure

    results = alternate({"small": side("small", small), "large": side("large", large)}, rounds)
    parts = _parts(small, large, count) | {
        f"{name}_p99_ms": round(percentile(values, 0.99) * 1000, 3) for name, values in latencies.items()
    }
    growth("proof_growth", results["large"], results["small"], "ms", target=2.0, parts=parts).print()


def _time_receipts(log: Template, count: int, chance: random.Random) -> list[float]:
    from audit.queries import receipt

    taken = []
    for _receipt in range(count):
        index = chance.randrange(log.entries)
        start = time.perf_counter()
        receipt(index)
        taken.append(time.perf_counter() - start)
    return taken


def _receipts_over_http(small: Template, large: Template, *, rounds: int, count: int) -> None:
    """The same through the web server, one connection."""
    chance = random.Random(9)

    def side(url: str, log: Template) -> Callable[[], float]:
        def measure() -> float:
            paths = [f"/api/v1/entries/{chance.randrange(log.entries)}/receipt" for _receipt in range(count)]
            requests = [get_bytes(url, path, log.token) for path in paths]
            return statistics.median(drive(url, requests, connections=1).latencies) * 1000

        return measure

    with (
        gunicorn(variables=databases.addresses(small.name), workers=1) as near,
        gunicorn(variables=databases.addresses(large.name), workers=1) as far,
    ):
        sides = {"small": side(near, small), "large": side(far, large)}
        for measure in sides.values():
            measure()  # warm-up
        results = alternate(sides, rounds)
    parts = _parts(small, large, count)
    growth("proof_growth_http", results["large"], results["small"], "ms", target=None, parts=parts).print()


def _parts(small: Template, large: Template, count: int) -> dict[str, Any]:
    return {"large_entries": large.entries, "small_entries": small.entries, "receipts_a_round": count}


def _bytes(log: Template, public: Path) -> None:
    """Bytes an entry, by table (rows with TOAST, then indexes) and in the published files."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_table_size(oid), pg_indexes_size(oid) FROM pg_class"
            " WHERE relname = ANY(%s) AND relnamespace = 'public'::regnamespace ORDER BY 2 DESC",
            [list(_TABLES)],
        )
        sizes = cursor.fetchall()
        cursor.execute("SELECT avg(octet_length(leaf)) FROM entry WHERE index < 10000")
        row = cursor.fetchone()
    assert row is not None
    files = [file.stat().st_size for file in public.rglob("*") if file.is_file()]
    total = sum(rows + indexes for _name, rows, indexes in sizes)
    parts = {
        "entries": log.entries,
        "leaf": round(float(row[0])),
        "tables": {
            name: {"rows": round(rows / log.entries, 1), "indexes": round(indexes / log.entries, 1)}
            for name, rows, indexes in sizes
        },
        "published": round(sum(files) / log.entries, 1),
        "published_files": len(files),
        "database_gib": round(total / 2**30, 2),
        "published_gib": round(sum(files) / 2**30, 2),
    }
    Figure("bytes_per_entry", round(total / log.entries, 1), "bytes", parts=parts).print()
    progress(f"{total / log.entries:.0f} bytes an entry in the database, {sum(files) / log.entries:.0f} published")
