"""What a commit costs on this disk, the refusal to measure without it, and the machine that is measured on."""

import os
import platform
import statistics
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any, Final

import psutil
from django.db import connections

from bench.arithmetic import percentile

_SAMPLES: Final = 200
_BLOCK: Final = 8192
_NEEDED: Final = ("fsync", "full_page_writes", "synchronous_commit")


class NotDurable(RuntimeError):
    """The server answers before data is safe, so no figure would mean anything."""


def require_fsync() -> None:
    """Raises NotDurable unless fsync, full_page_writes and synchronous_commit are on."""
    for name in _NEEDED:
        value = _setting(name)
        if value != "on":
            raise NotDurable(f"{name} is {value}; figures need it on.")


@cache
def fdatasync_ms() -> dict[str, float]:
    """Median and 99th percentile of one fdatasync of 8 KiB on the disk of the server's data, in milliseconds."""
    times = []
    with tempfile.NamedTemporaryFile(dir=Path(os.environ["DATA_DIR"]).parent) as file:
        for _sample in range(_SAMPLES):
            file.write(b"\x00" * _BLOCK)
            file.flush()
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - start) * 1000)
    return {"median": round(statistics.median(times), 3), "p99": round(percentile(times, 0.99), 3)}


def machine() -> dict[str, Any]:
    """What must be known of the machine to read a figure."""
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average": round(os.getloadavg()[0], 2),
        "fdatasync_ms": fdatasync_ms(),
        "postgresql": _setting("server_version").split(" ")[0],
        "shared_buffers": _setting("shared_buffers"),
        "python": platform.python_version(),
        **{name: _setting(name) for name in _NEEDED},
    }


@cache
def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.machine())


def _setting(name: str) -> str:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])
