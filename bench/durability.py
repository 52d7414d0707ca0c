"""What a commit costs on this disk, and the refusal to measure without it."""

import argparse
import os
import statistics
import tempfile
import time

from django.db import connections

from bench.figure import Figure

_SAMPLES = 200


class NotDurable(RuntimeError):
    """The server answers before data is safe, so no figure would mean anything."""


def require_fsync() -> None:
    """Raises NotDurable unless fsync, full_page_writes and synchronous_commit are on."""
    with connections["default"].cursor() as cursor:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            cursor.execute(f"SHOW {name}")
            row = cursor.fetchone()
            if row is None or row[0] != "on":
                raise NotDurable(f"{name} is {row and row[0]}; figures need it on.")


def run(_options: argparse.Namespace) -> None:
    """Print the median time of one fdatasync of 8 KiB."""
    require_fsync()
    times = []
    with tempfile.NamedTemporaryFile() as file:
        for _sample in range(_SAMPLES):
            file.write(b"\x00" * 8192)
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    Figure("fdatasync", round(statistics.median(times) * 1000, 3), "ms").print()
