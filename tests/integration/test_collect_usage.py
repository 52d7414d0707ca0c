"""Usage of a vLLM server from its counters: growth, resets, and what is not known."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from audit.models import UsageRecord
from tests.absence import needs_shared
from tests.integration.collecting import INTERVAL, Pages, collect, outcomes, serving, target, vllm, whole_slot

pytestmark = pytest.mark.django_db
STEP = timedelta(seconds=INTERVAL)
FIELDS = ("requests", "input_tokens", "output_tokens", "cached_tokens", "resets", "elapsed_ms")


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving() as server:
        yield server


@pytest.fixture
def now() -> datetime:
    return whole_slot()


def grown() -> list[tuple[int | None, ...]]:
    return [tuple(getattr(row, name) for name in FIELDS) for row in UsageRecord.objects.order_by("observed_at")]


def test_the_first_sample_is_a_baseline_and_the_next_tells_growth(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(100, 50, requests=5, cached=20)), now=now)
    collect(now)
    pages.say("/metrics", vllm(160, 90, requests=7, cached=20))
    collect(now + STEP)
    assert grown() == [(None, None, None, None, 0, None), (2, 60, 40, 0, 0, INTERVAL * 1000)]
    first, second = UsageRecord.objects.order_by("observed_at")
    assert (first.observed_at, second.observed_at) == (now, now + STEP)
    assert second.reasoning_tokens is None
    assert (second.model, second.method, second.subject) == ("m", "counter", first.subject)
    assert outcomes() == [("ok", 1), ("ok", 1)]


def test_no_use_is_zero_not_absent(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(100, 50)), now=now)
    collect(now)
    collect(now + STEP)
    assert grown()[1] == (0, 0, 0, 0, 0, INTERVAL * 1000)


def test_a_fallen_value_is_a_restart_and_a_lower_bound(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(100, 50, requests=5)), now=now)
    collect(now)
    pages.say("/metrics", vllm(30, 7, requests=1, created=1_795_415_704.5))
    collect(now + STEP)
    assert grown()[1] == (1, 30, 7, 0, 1, INTERVAL * 1000)


def test_a_moved_created_is_a_restart_although_the_values_rose(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(100, 50, requests=5)), now=now)
    collect(now)
    pages.say("/metrics", vllm(500, 300, requests=20, created=1_795_415_704.5))
    collect(now + STEP)
    assert grown()[1] == (20, 500, 300, 0, 1, INTERVAL * 1000)


def test_the_real_restart_pair(pages: Pages, now: datetime) -> None:
    before, after = (needs_shared("samples", "vllm", f"restart_{n}.txt").read_bytes() for n in ("1_before", "2_after"))
    target(pages.say("/metrics", before), now=now)
    collect(now)
    pages.say("/metrics", after)
    collect(now + STEP)
    requests, _, output, _, resets, _ = grown()[1]
    assert (requests, output, resets) == (1, 7, 1)
    assert UsageRecord.objects.latest("observed_at").model == "tiny-llama"


def test_growth_over_missed_slots_is_told_with_its_time(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(100, 50)), now=now)
    collect(now)
    pages.say("/metrics", b"", status=500)
    collect(now + STEP)
    pages.say("/metrics", vllm(190, 80))
    collect(now + 2 * STEP)
    assert grown()[1] == (0, 90, 30, 0, 0, 2 * INTERVAL * 1000)
    assert [rows for _, rows in outcomes()] == [1, 0, 1]


def test_two_engines_are_two_series(pages: Pages, now: datetime) -> None:
    page = vllm(100, 50) + vllm(7, 3).replace(b'engine="0"', b'engine="1"')
    target(pages.say("/metrics", page), now=now)
    collect(now)
    assert len({row.series for row in UsageRecord.objects.all()}) == 2


def test_names_that_could_break_a_row_do_not(pages: Pages, now: datetime) -> None:
    """Quotes, tabs of COPY, other scripts: a model's name is a client's string."""
    name = "a\\t\\\\N\\\"模型'"
    target(pages.say("/metrics", vllm(1, 1).replace(b'model_name="m"', f'model_name="{name}"'.encode())), now=now)
    collect(now)
    assert outcomes()[0][0] == "ok"
    assert "模型" in UsageRecord.objects.get().model
