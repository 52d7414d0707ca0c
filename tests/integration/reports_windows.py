"""Sealed windows as the seal writes them, with totals made by its own functions from rows given here."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import ledger
from audit.events import EventType
from audit.tlog.leaf import format_time
from audit.windows.totals import hardware_facts, usage_facts
from tests.integration.governance_story import NOW

LENGTH = timedelta(seconds=10)


def usage(deployment: UUID, start: datetime, rows: Sequence[Any], *, missed: int = 0, amends: bool = False) -> None:
    kind = EventType.WINDOW_AMENDED if amends else EventType.WINDOW_USAGE
    _seal(kind, "usage", f"deployment:{deployment}", start, usage_facts(rows), missed)


def hardware(pool: UUID, start: datetime, rows: Sequence[Any], *, missed: int = 0) -> None:
    _seal(EventType.WINDOW_HARDWARE, "hardware", f"gpu_pool:{pool}", start, hardware_facts(rows), missed)


def counters(output: int, reasoning: int | None = None) -> Any:
    """Growth of an engine's counters."""
    return SimpleNamespace(
        method="counter",
        model="llama",
        requests=3,
        input_tokens=1000,
        output_tokens=output,
        reasoning_tokens=reasoning,
        cached_tokens=None,
        resets=0,
    )


def sample(series: str, power_mw: int | None, energy_delta_mj: int | None) -> Any:
    """One sample of a device."""
    return SimpleNamespace(
        series=series,
        node="tky2-gpu-07",
        device_model="H100",
        util_ppm=610_000,
        memory_used_bytes=60 * 1024**3,
        memory_total_bytes=80 * 1024**3,
        power_mw=power_mw,
        energy_mj=None if energy_delta_mj is None else 10**9,
        energy_delta_mj=energy_delta_mj,
        temperature_mc=61_000,
        load_milli=None,
        elapsed_ms=5_000,
        resets=0,
    )


def target(name: str, target_id: UUID, subject: str) -> None:
    after = {"id": str(target_id), "name": name, "subject": subject, "kind": "dcgm"}
    _append(EventType.TARGET_REGISTERED, f"target:{target_id}", {"after": after, "before": None}, source="app")


def gap(gap_id: UUID, target_id: UUID, *, ended: bool) -> None:
    told = {
        "began_at": format_time(NOW),
        "ended_at": format_time(NOW + LENGTH) if ended else None,
        "gap": str(gap_id),
        "reason": "not_asked",
        "target": f"target:{target_id}",
    }
    _append(EventType.COVERAGE_GAP, f"target:{target_id}", told)


def _seal(kind: EventType, word: str, subject: str, start: datetime, totals: Any, missed: int) -> None:
    content = {
        **totals,
        "completeness": {"expected": 5, "missed": {"refused": missed} if missed else {}, "received": 5 - missed},
        "kind": word,
        "subject": subject,
        "window": {"end": format_time(start + LENGTH), "id": str(UUID(int=1)), "start": format_time(start)},
    }
    _append(kind, subject, content)


def _append(kind: str, subject: str, content: dict[str, Any], *, source: str = "collector") -> None:
    event = ledger.Event(
        type=kind,
        subject=subject,
        source=source,
        actor="system:collector",
        occurred_at=NOW,
        sections=(ledger.facts(content),),
    )
    with transaction.atomic(durable=True):
        ledger.append(events=[event])
