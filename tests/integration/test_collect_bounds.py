"""Absurd values of an exporter are not written, and what has been written stops no seal."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from audit import queries
from audit.collectors import plausible
from audit.collectors.records import AMOUNTS
from audit.models import HardwareSample, RecordKind, SealCursor, SlotOutcome, UsageRecord, Window
from audit.windows import seal, seal_windows
from audit.windows.totals import EXACT
from tests.integration import telemetry_story as story
from tests.integration.collecting import INTERVAL, Pages, collect, gpu, serving, target, vllm, whole_slot
from tests.integration.telemetry_story import DUE, LENGTH, SECOND, START

pytestmark = pytest.mark.django_db
STEP = timedelta(seconds=INTERVAL)


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving() as server:
        yield server


@pytest.fixture
def now() -> datetime:
    return whole_slot()


def test_every_column_has_its_bound() -> None:
    assert {*AMOUNTS[RecordKind.USAGE], *AMOUNTS[RecordKind.HARDWARE]} - {"elapsed_ms"} <= set(plausible.MOST)


def test_a_gauge_beyond_its_bound_is_not_said_and_the_outcome_says_so(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", gpu(POWER_USAGE=100_001, GPU_TEMP=61)), kind="dcgm", now=now)
    collect(now)
    row = HardwareSample.objects.get()
    assert (row.power_mw, row.temperature_mc) == (None, 61_000)
    outcome = SlotOutcome.objects.get()
    assert (outcome.outcome, outcome.detail) == ("ok", "dropped as implausible: power_mw of GPU-1")


def test_a_growth_beyond_its_bound_is_not_said_and_the_outcome_says_so(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(100, 50)), now=now)
    collect(now)
    pages.say("/metrics", vllm(101 + 10**12, 60))
    collect(now + STEP)
    row = UsageRecord.objects.latest("observed_at")
    assert (row.input_tokens, row.output_tokens) == (None, 10)
    assert "input_tokens" in SlotOutcome.objects.latest("observed_at").detail


def test_a_sum_that_no_double_holds_is_a_decimal_string_and_stops_nobody() -> None:
    absurd, other = story.subject(), story.subject()
    for second in range(2):
        story.reported(absurd, START + second * SECOND, output=EXACT)
    last = story.reported(other, START)
    seal_windows(now=DUE)
    (window,) = queries.windows(absurd, RecordKind.USAGE)
    totals = queries.section_facts([window.entry])[window.entry]["totals"]
    assert isinstance(totals, dict)
    assert totals["output_tokens"] == str(2 * EXACT)
    assert window.totals["output_tokens"] == 2 * EXACT
    assert len(queries.windows(other, RecordKind.USAGE)) == 1
    assert SealCursor.objects.get(kind="usage").through_id >= last


@pytest.mark.parametrize("unwritable", [1.5, "x" * (1 << 20)])
def test_a_window_whose_totals_cannot_be_written_is_sealed_without(
    monkeypatch: pytest.MonkeyPatch, unwritable: object
) -> None:
    about = story.subject()
    story.reported(about, START)
    monkeypatch.setattr(seal, "totals_of", lambda *_: {"totals": {"output_tokens": unwritable}})
    seal_windows(now=DUE)
    (window,) = queries.windows(about, RecordKind.USAGE)
    told = queries.section_facts([window.entry])[window.entry]
    assert (window.rows, "totals" in told) == (1, False)
    assert told["totals_left_out"]


def test_only_what_assay_issued_stands_in_a_leaf() -> None:
    made = story.target("claims model of Ms Tanaka")
    story.counted(made, START)
    seal_windows(now=DUE)
    (entry,) = queries.entries(type_="window.usage")
    assert entry.subject.startswith("x:")
    assert b"Tanaka" not in entry.leaf


def test_a_window_that_is_not_over_is_not_sealed_whatever_the_caller_says(now: datetime) -> None:
    story.reported(story.subject(), now)
    seal_windows(now=now + timedelta(days=1))
    assert not Window.objects.exists()


def test_a_window_sealed_in_the_future_does_not_silence_those_before_it() -> None:
    made = story.target(story.subject(), interval=5)
    story.slot(made, START, "unreachable")
    ahead = START + 1000 * LENGTH
    Window.objects.create(
        kind="usage", subject=made.subject, starts_at=ahead, ends_at=ahead + LENGTH, revision=0, after_id=0,
        through_id=0, rows=0, root=b"", sealed_at=ahead,
    )  # fmt: skip
    seal_windows(now=DUE)
    assert [row.start for row in queries.windows(made.subject, RecordKind.USAGE)] == [START]
