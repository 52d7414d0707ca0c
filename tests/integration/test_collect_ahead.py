"""A clock that ran ahead once: collection and sealing go on at once, and what was missed is told as a gap."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from audit.models import Gap, SlotOutcome, TargetState, UsageRecord
from tests.integration.collecting import INTERVAL, Pages, collect, serving, target, vllm, whole_slot

pytestmark = pytest.mark.django_db
STEP = timedelta(seconds=INTERVAL)
AHEAD = 40


@pytest.fixture
def pages() -> Iterator[Pages]:
    with serving() as server:
        yield server


@pytest.fixture
def now() -> datetime:
    return whole_slot()


def test_collection_does_not_wait_until_the_future_has_come(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(100, 50)), now=now)
    collect(now)
    collect(now + AHEAD * STEP)
    pages.say("/metrics", vllm(160, 90))
    assert collect(now + 5 * STEP).answered == 1
    gap = Gap.objects.earliest("ended_at")
    assert (gap.began_at, gap.ended_at, gap.missed_slots) == (now + STEP, now + 5 * STEP, 4)
    row = UsageRecord.objects.get(observed_at=now + 5 * STEP)
    assert (row.input_tokens, row.elapsed_ms) == (60, None), "nobody knows how long that was"
    assert collect(now + 6 * STEP).answered == 1


def test_a_slot_that_was_stored_ahead_of_its_time_is_not_stored_again(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(100, 50)), now=now)
    collect(now + 4 * STEP)
    for number in range(7):
        collect(now + number * STEP)
    assert SlotOutcome.objects.count() == UsageRecord.objects.count() == 7
    assert not Gap.objects.filter(began_at__gt=now).exists()
    assert TargetState.objects.get().lease_token is None


def test_a_lease_in_the_future_does_not_hold_the_target(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", vllm(100, 50)), now=now)
    TargetState.objects.update(lease_until=now + timedelta(days=1))
    assert collect(now).answered == 1


def test_a_gap_noticed_in_the_future_can_be_ended(pages: Pages, now: datetime) -> None:
    made = target(pages.say("/metrics", vllm(100, 50)), now=now)
    collect(now)
    Gap.objects.create(target=made, began_at=now + AHEAD * STEP, reason="not_asked")
    assert collect(now + 5 * STEP).answered == 1
    assert sorted(Gap.objects.values_list("began_at", "missed_slots")) == [(now + STEP, 4), (now + AHEAD * STEP, 0)]


def test_a_target_that_failed_rests_all_the_same(pages: Pages, now: datetime) -> None:
    target(pages.say("/metrics", status=500), now=now)
    assert [number for number in range(20) if collect(now + number * STEP).asked] == [0, 1, 3, 7, 15]
