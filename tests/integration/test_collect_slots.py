"""Slots: asked once whoever asks, absent when nobody answered, never from a network that is not allowed."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier, Event

import pytest
from django.db import connection
from pytest_django import Settings

from audit.collectors import Collected
from audit.formats.metrics import MAX_PAGE_BYTES
from audit.models import Gap, HardwareSample, SlotOutcome, TargetState, UsageRecord
from tests.integration.collecting import INTERVAL, Pages, collect, gpu, outcomes, serving, target, vllm, whole_slot
from tests.services.databases import Database

STEP = timedelta(seconds=INTERVAL)
PLAIN = {"Content-Type": "text/plain"}


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving() as server:
        yield server


@pytest.fixture
def now() -> datetime:
    return whole_slot()


def in_thread(now: datetime) -> Collected:
    try:
        return collect(now)
    finally:
        connection.close()


def test_two_workers_ask_a_target_once(committed: Database, pages: Pages, now: datetime) -> None:
    for number in range(6):
        target(pages.say(f"/{number}", vllm(1, 1)), name=f"engine {number}", now=now)
    together = Barrier(2)

    def work() -> Collected:
        together.wait(10)
        return in_thread(now)

    with ThreadPoolExecutor(2) as pool:
        rounds = [job.result(30) for job in [pool.submit(work), pool.submit(work)]]
    assert sum(done.asked for done in rounds) == 6
    assert sorted(path for path, _ in pages.asked) == [f"/{number}" for number in range(6)]
    assert UsageRecord.objects.count() == SlotOutcome.objects.count() == 6


def test_an_answer_after_the_lease_changes_nothing(committed: Database, pages: Pages, now: datetime) -> None:
    """A worker hangs; another takes over when the lease is over and writes a later slot. The first then writes not."""
    asked, answer = Event(), Event()

    def hang() -> None:
        asked.set()
        answer.wait(20)

    target(pages.say("/metrics", vllm(1, 1), before=hang), now=now)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(in_thread, now)
        assert asked.wait(10)
        pages.say("/metrics", vllm(5, 5))
        assert collect(now + STEP).asked == 0
        assert collect(now + 6 * STEP).answered == 1
        answer.set()
        assert late.result(30) == Collected(asked=1, lost=1)
    assert [row.observed_at for row in SlotOutcome.objects.all()] == [now + 6 * STEP]
    assert UsageRecord.objects.get().observed_at == now + 6 * STEP


@pytest.mark.django_db
def test_a_slot_is_asked_once_however_often_the_message_comes(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(1, 1)), now=now)
    rounds = [collect(moment) for moment in (now, now, now + STEP / 2, now + STEP - timedelta(microseconds=1))]
    assert [done.asked for done in rounds] == [1, 0, 0, 0]
    assert len(pages.asked) == UsageRecord.objects.count() == 1


@pytest.mark.django_db
def test_slots_that_nobody_asked_are_skipped_not_made_up(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(1, 1)), now=now)
    collect(now)
    collect(now + 7 * STEP)
    assert [row.slot for row in SlotOutcome.objects.order_by("slot")] == [first := slot_of(now), first + 7]
    gap = Gap.objects.get()
    assert (gap.missed_slots, gap.reason) == (6, "not_asked")
    assert (gap.began_at, gap.ended_at) == (now + STEP, now + 7 * STEP)


def slot_of(now: datetime) -> int:
    return int(now.timestamp()) // INTERVAL


def failing(pages: Pages, name: str) -> tuple[str, str]:
    """Address of a target that gives no page in this way, and the outcome."""
    page = vllm(1, 1)
    say = pages.say
    if name == "refused":
        return "http://127.0.0.1:9/metrics", "unreachable"
    made: dict[str, Callable[[], tuple[str, str]]] = {
        "error": lambda: (say("/m", page, status=500), "status"),
        "not found": lambda: (say("/m", page, status=404), "status"),
        "redirect": lambda: (say("/m", page, status=302, headers={"Location": pages.url("/other")}), "redirect"),
        "large": lambda: (say("/m", b"#" * (MAX_PAGE_BYTES + 1)), "too_large"),
        "not UTF-8": lambda: (say("/m", b"\xff" + page), "unreadable"),
        "endless line": lambda: (say("/m", b"m" * 100_000), "unreadable"),
        "broken": lambda: (say("/m", page + b"vllm:prompt_tokens_total{ 5\n"), "unreadable"),
        "compressed": lambda: (say("/m", page, headers={**PLAIN, "Content-Encoding": "gzip"}), "unreadable"),
        "cut off": lambda: (say("/m", page, headers={"Content-Type": "application/openmetrics-text"}), "unreadable"),
        "empty": lambda: (say("/m", b""), "metrics_missing"),
        "other program": lambda: (say("/m", b"process_cpu_seconds_total 6.9\n"), "metrics_missing"),
        "half": lambda: (say("/m", page.replace(b"vllm:generation", b"other")), "metrics_missing"),
        "no number": lambda: (say("/m", re.sub(rb" [0-9.]+\n", b" NaN\n", page)), "metrics_missing"),
        "absurd": lambda: (say("/m", re.sub(rb"(_total.*) [0-9.]+\n", rb"\1 2e15\n", page)), "metrics_missing"),
    }
    return made[name]()


FAILURES = (
    "refused", "error", "not found", "redirect", "large", "not UTF-8", "endless line", "broken", "compressed",
    "cut off", "empty", "other program", "half", "no number", "absurd",
)  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_an_absent_slot_and_no_zero(pages: Pages, now: datetime, name: str) -> None:
    url, outcome = failing(pages, name)
    target(url, now=now)
    assert collect(now).answered == 0
    assert outcomes() == [(outcome, 0)]
    assert UsageRecord.objects.count() == 0
    assert all(path != "/other" for path, _ in pages.asked)
    state = TargetState.objects.get()
    assert (state.failures, state.last_outcome, state.last_ok_slot) == (1, outcome, None)
    assert state.last_detail != ""


@pytest.mark.django_db
def test_an_answer_that_does_not_come_is_a_missed_slot(impatient: None, pages: Pages, now: datetime) -> None:
    done = Event()
    try:
        target(pages.say("/metrics", vllm(1, 1), before=lambda: done.wait(20)), now=now)
        collect(now)
    finally:
        done.set()
    assert outcomes() == [("timeout", 0)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch may take a fifth of a second."""
    monkeypatch.setattr("audit.collectors.run._LONGEST_FETCH", 0.2)


@pytest.mark.django_db
def test_one_bad_target_takes_no_other_with_it(pages: Pages, now: datetime) -> None:
    target(pages.say("/bad", b"\xff"), name="bad", now=now)
    target(pages.say("/long", vllm(1, 1).replace(b'"m"', b'"' + b"m" * 1000 + b'"')), name="long name", now=now)
    target(pages.say("/gpu", gpu(POWER_USAGE=300)), name="gpu", kind="dcgm", now=now)
    done = collect(now)
    assert (done.asked, done.answered, done.rows) == (3, 1, 1)
    assert HardwareSample.objects.get().power_mw == 300_000
    assert sorted(outcomes()) == [("ok", 1), ("unreadable", 0), ("unreadable", 0)]


@pytest.mark.django_db
def test_a_failing_target_is_asked_less_and_less_and_at_once_again_after_an_answer(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", status=500), now=now)
    asked = [number for number in range(40) if collect(now + number * STEP).asked]
    assert asked == [0, 1, 3, 7, 15, 31]
    pages.say("/metrics", vllm(1, 1))
    assert [number for number in range(40, 70) if collect(now + number * STEP).asked][:3] == [63, 64, 65]
    assert TargetState.objects.get().failures == 0


@pytest.mark.django_db
def test_a_network_that_is_not_named_is_not_asked(pages: Pages, now: datetime, settings: Settings) -> None:
    settings.COLLECT_ALLOWED_NETWORKS = []
    port = pages.server_port
    pages.say("/metrics", vllm(1, 1))
    for number, host in enumerate(("127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433")):
        target(f"http://{host}:{port}/metrics", name=f"t{number}", now=now)
    collect(now)
    assert pages.asked == []
    assert {outcome for outcome, _ in outcomes()} == {"forbidden_network"}


@pytest.mark.django_db
def test_the_name_that_was_asked_for_reaches_the_server(pages: Pages, now: datetime) -> None:
    """The connection goes to the checked address, the request to the name."""
    pages.say("/metrics", vllm(1, 1))
    target(f"http://localhost:{pages.server_port}/metrics", now=now)
    collect(now)
    ((_, headers),) = pages.asked
    assert headers["Host"] == f"localhost:{pages.server_port}"
    assert headers["Accept-Encoding"] == "identity"
    assert "openmetrics" in headers["Accept"]
