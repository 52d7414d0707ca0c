"""The demo's exporter process, asked over HTTP by the real collectors, in this process and in a Celery worker."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.models import HardwareSample, SlotOutcome, TargetState, UsageRecord
from audit.tasks import collect as collect_task
from config import child
from demo.exporters.engine import LIFETIME_SECONDS
from tests.integration.collecting import INTERVAL, collect, exporters, outcomes, target, whole_slot
from tests.services.databases import Database
from tests.waiting import until

STEP = timedelta(seconds=INTERVAL)
POOL = "gpu_pool:6f1f5c5e-7a54-4a4e-9a53-0d7a3c1b2e11"


@pytest.fixture
def now() -> datetime:
    return whole_slot()


@pytest.fixture
def url(tmp_path: Path, now: datetime) -> Iterator[str]:
    with exporters(tmp_path, start=datetime.now(UTC) - timedelta(seconds=20)) as address:
        yield address


def test_pages_and_nothing_else_are_served(url: str) -> None:
    with urllib.request.urlopen(f"{url}/dcgm/metrics", timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert b"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION" in answer.read()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{url}/etc/passwd", timeout=5)


@pytest.mark.django_db
def test_collectors_read_the_demo_pages(url: str, now: datetime) -> None:
    target(f"{url}/vllm/metrics", name="engine", now=now)
    target(f"{url}/dcgm/metrics", name="cards", kind="dcgm", subject=POOL, now=now)
    collect(now)
    collect(now + STEP)
    assert outcomes() == [("ok", outcome[1]) for outcome in outcomes()]
    used = UsageRecord.objects.latest("observed_at")
    assert used.model == "Qwen/Qwen3-8B"
    assert used.output_tokens is not None
    assert used.reasoning_tokens is None
    cards = HardwareSample.objects.filter(observed_at=now + STEP)
    assert len(cards) == 2
    for card in cards:
        assert (card.node, card.device_model) == ("node-07", "NVIDIA H100 80GB HBM3")
        assert card.power_mw is not None
        assert 200_000 < card.power_mw < 620_000
        assert card.memory_total_bytes == 81_559 << 20
        assert card.energy_delta_mj is not None


@pytest.mark.django_db
def test_a_restart_of_the_demo_engine_is_seen(tmp_path: Path, now: datetime) -> None:
    """Two exporters of the same history, one before the restart and one after it."""
    for position, age in enumerate((LIFETIME_SECONDS - 5, LIFETIME_SECONDS + 5)):
        folder = tmp_path / str(position)
        folder.mkdir()
        with exporters(folder, start=datetime.now(UTC) - timedelta(seconds=age)) as address:
            target_state(f"{address}/vllm/metrics", now)
            collect(now + position * STEP)
    before, after = UsageRecord.objects.order_by("observed_at")
    assert (before.resets, after.resets) == (0, 1)
    assert after.output_tokens is not None
    assert after.output_tokens >= 0


def target_state(url: str, now: datetime) -> None:
    """The target, and on the second call its counters kept although the port of the exporter is another."""
    state = TargetState.objects.first()
    if state is None:
        target(url, now=now)
        return
    state.target.url = url
    state.target.save(update_fields=["url"])


def test_a_celery_worker_collects(committed: Database, celery_worker: child.Child, url: str) -> None:
    now = datetime.now(UTC)
    for name, page, kind in (("engine", "vllm", "vllm"), ("cards", "dcgm", "dcgm")):
        target(f"{url}/{page}/metrics", name=name, kind=kind, now=now - timedelta(seconds=INTERVAL))
    target("", name="this host", kind="host", now=now - timedelta(seconds=INTERVAL))
    collect_task.delay()
    until(lambda: SlotOutcome.objects.count() == 3, seconds=30, what="collection by the worker")
    assert {row.outcome for row in SlotOutcome.objects.all()} == {"ok"}
    assert UsageRecord.objects.count() == 1
    assert HardwareSample.objects.count() >= 3
