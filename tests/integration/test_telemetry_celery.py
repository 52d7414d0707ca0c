"""The whole way with real processes: exporters, a Celery worker, records, sealed windows in the ledger."""

from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from audit.collectors.registry import register_target
from audit.events import EventType
from audit.models import Entry, SlotOutcome
from audit.queries import section_facts
from audit.tasks import collect, seal_windows
from config.child import Child
from tests.integration import telemetry_story as story
from tests.integration.collecting import ACTOR, exporters
from tests.services.databases import Database
from tests.waiting import until


def test_a_worker_collects_and_seals(committed: Database, celery_worker: Child, tmp_path: Path) -> None:
    deployment, pool = story.subject(), story.subject("gpu_pool")
    now = datetime.now(UTC)
    with exporters(tmp_path, start=now) as base:
        for kind, url, subject in (
            ("vllm", f"{base}/vllm/metrics", deployment),
            ("dcgm", f"{base}/dcgm/metrics", pool),
            ("host", "", ""),
        ):
            register_target(name=kind, kind=kind, url=url, subject=subject, interval_seconds=1, actor=ACTOR, now=now)

        beat = Event()

        def sealed() -> bool:
            # Two workers' worth of messages: what is done already is done once.
            collect.delay()
            collect.delay()
            seal_windows.delay()
            beat.wait(0.4)
            return _windows() >= {(EventType.WINDOW_USAGE, deployment), (EventType.WINDOW_HARDWARE, pool)}

        until(sealed, seconds=40, what="a sealed window of each kind")
    outcomes = set(SlotOutcome.objects.values_list("outcome", flat=True))
    assert outcomes == {"ok"}
    first = Entry.objects.filter(type=EventType.WINDOW_HARDWARE, subject=pool).order_by("index")[0]
    told = section_facts([first.index])[first.index]
    totals = told["totals"]
    assert isinstance(totals, dict)
    assert totals["devices"] == 2
    assert totals["power_max_mw"] > 0


def _windows() -> set[tuple[str, str]]:
    kinds = (EventType.WINDOW_USAGE, EventType.WINDOW_HARDWARE)
    return set(Entry.objects.filter(type__in=kinds).values_list("type", "subject"))
