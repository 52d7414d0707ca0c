"""Sealing windows: totals, coverage and root of what was there; what comes late amends, and nothing is edited."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from audit import queries
from audit.models import Entry, RecordKind, Window
from audit.tlog.tree import EMPTY_ROOT, leaf_hash, node_hash
from audit.windows import seal_windows
from audit.windows.grid import grace
from tests.integration import telemetry_story as story
from tests.integration.telemetry_story import DUE, LENGTH, SECOND, START

USAGE = RecordKind.USAGE


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(naive_root(leaves[:split]), naive_root(leaves[split:]))


def only(rows: list[queries.WindowRow]) -> queries.WindowRow:
    (row,) = rows
    return row


@pytest.mark.django_db
def test_a_window_waits_for_its_end_and_grace() -> None:
    target = story.target(story.subject())
    story.counted(target, START)
    seal_windows(now=DUE - timedelta(milliseconds=1))
    assert queries.windows(target.subject, USAGE) == []
    seal_windows(now=DUE)
    window = only(queries.windows(target.subject, USAGE))
    assert (window.start, window.end) == (START, START + LENGTH)
    entry = queries.entry(window.entry)
    assert (entry.type, entry.source, entry.subject) == ("window.usage", "collector", target.subject)


def test_the_grace_is_a_fifth_within_bounds() -> None:
    assert [grace(timedelta(seconds=n)) for n in (1, 10, 300, 900)] == [
        2 * SECOND,
        2 * SECOND,
        60 * SECOND,
        120 * SECOND,
    ]


@pytest.mark.django_db
def test_totals_and_coverage_are_those_of_the_records() -> None:
    target = story.target(story.subject(), interval=2)
    for second in (0, 2, 6):
        story.counted(target, START + second * SECOND, output=10 + second, resets=int(second == 6))
    story.slot(target, START + 4 * SECOND, "timeout")
    seal_windows(now=DUE)
    window = only(queries.windows(target.subject, USAGE))
    assert window.totals == {
        "requests": 3,
        "input_tokens": 300,
        "output_tokens": 38,
        "reasoning_tokens": None,
        "cached_tokens": None,
    }
    assert (window.expected, window.received, window.missed) == (5, 3, {"timeout": 1, "not_asked": 1})
    assert not window.complete
    assert (window.rows, window.resets, window.reasoning_tokens_max) == (3, 1, None)


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 100])
def test_the_root_is_the_naive_one_over_the_bytes_in_order_of_time(count: int) -> None:
    about = story.subject()
    for number in reversed(range(count)):
        story.reported(about, START + timedelta(milliseconds=90 * number))
    seal_windows(now=DUE)
    window = only(queries.windows(about, USAGE))
    assert window.root == naive_root(story.bodies(USAGE, about)).hex()
    assert window.rows == count


@pytest.mark.django_db
def test_a_subject_that_only_pipelines_tell_of_expects_nothing() -> None:
    about = story.subject()
    story.reported(about, START, output=500, reasoning=400)
    story.reported(about, START + SECOND, output=700, reasoning=20)
    seal_windows(now=DUE)
    window = only(queries.windows(about, USAGE))
    assert (window.expected, window.received) == (None, None)
    assert window.reasoning_tokens_max == 400
    assert window.totals["reasoning_tokens"] == 420


@pytest.mark.django_db
def test_counters_and_requests_of_the_same_traffic_are_not_added_up() -> None:
    target = story.target(story.subject())
    story.counted(target, START, output=1_000)
    story.reported(target.subject, START + SECOND, output=900, reasoning=300)
    seal_windows(now=DUE)
    window = only(queries.windows(target.subject, USAGE))
    assert window.methods["counter"]["output_tokens"] == 1_000
    assert window.methods["request"]["output_tokens"] == 900
    assert window.totals["output_tokens"] in {900, 1_000}
    assert window.totals["reasoning_tokens"] == 300


@pytest.mark.django_db
def test_an_unanswered_window_is_sealed_empty_and_says_nothing_of_zero() -> None:
    target = story.target(story.subject(), interval=5)
    story.slot(target, START, "unreachable")
    seal_windows(now=DUE)
    window = only(queries.windows(target.subject, USAGE))
    assert (window.rows, window.root) == (0, EMPTY_ROOT.hex())
    assert (window.expected, window.received) == (2, 0)
    assert set(window.totals.values()) == {None}


@pytest.mark.django_db
def test_a_disabled_target_expects_nothing() -> None:
    target = story.target(story.subject(), enabled=False)
    seal_windows(now=DUE + 3 * LENGTH)
    assert queries.windows(target.subject, USAGE) == []


@pytest.mark.django_db
def test_a_target_is_expected_from_its_registration_on() -> None:
    target = story.target(story.subject(), since=START + 6 * SECOND)
    story.counted(target, START + 6 * SECOND)
    story.counted(target, START + 8 * SECOND)
    seal_windows(now=DUE)
    window = only(queries.windows(target.subject, USAGE))
    assert (window.expected, window.received) == (2, 2)


@pytest.mark.django_db
def test_sealing_again_changes_nothing() -> None:
    target = story.target(story.subject())
    story.counted(target, START)
    seal_windows(now=DUE)
    size = queries.head_size()
    seal_windows(now=DUE)
    assert queries.head_size() == size


@pytest.mark.django_db
def test_late_records_amend_with_a_root_of_their_own() -> None:
    about = story.subject()
    story.reported(about, START, output=5, body=b"in time")
    seal_windows(now=DUE)
    sealed = only(queries.windows(about, USAGE))
    story.reported(about, START + SECOND, output=7, received_at=DUE, body=b"late")
    seal_windows(now=DUE + LENGTH)
    amended = only(queries.windows(about, USAGE))
    assert (amended.revision, amended.first_entry) == (1, sealed.entry)
    assert queries.entry(amended.entry).type == "window.amended"
    assert amended.totals["output_tokens"] == 12, "an amendment tells the whole window anew"
    assert (amended.rows, amended.root) == (1, leaf_hash(b"late").hex()), "and its root is over what came late"
    assert only(queries.windows(about, USAGE, size=amended.entry)) == sealed, "the first word stands"
    assert Window.objects.filter(subject=about).count() == 2


@pytest.mark.django_db
def test_a_record_before_the_ones_sealed_is_late_too() -> None:
    about = story.subject()
    story.reported(about, START + LENGTH)
    seal_windows(now=DUE + LENGTH)
    story.reported(about, START)
    seal_windows(now=DUE + 2 * LENGTH)
    assert [row.start for row in queries.windows(about, USAGE)] == [START + LENGTH, START]


@pytest.mark.django_db
def test_many_windows_are_caught_up_each_once() -> None:
    target = story.target(story.subject())
    for number in range(6):
        for second in range(0, 10, 2):
            story.counted(target, START + number * LENGTH + second * SECOND)
    seal_windows(now=DUE + 5 * LENGTH)
    found = queries.windows(target.subject, USAGE)
    assert [row.start for row in found] == [START + number * LENGTH for number in reversed(range(6))]
    assert all(row.complete for row in found)
    total = queries.summary(found)
    assert (total.windows, total.incomplete, total.totals["requests"]) == (6, 0, 30)
    assert (total.start, total.end) == (START, START + 6 * LENGTH)


def test_two_seals_at_once_make_one_window(committed: object) -> None:
    target = story.target(story.subject())
    with transaction.atomic():
        for second in range(0, 10, 2):
            story.counted(target, START + second * SECOND)
    barrier = Barrier(4)

    def seal() -> int:
        barrier.wait(timeout=30)
        try:
            return seal_windows(now=DUE).windows
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        sealed = [future.result(timeout=60) for future in [pool.submit(seal) for _ in range(4)]]
    assert sum(sealed) == 1
    assert Entry.objects.filter(type="window.usage").count() == Window.objects.count() == 1


def test_a_writer_that_commits_late_is_amended_and_not_lost(committed: object) -> None:
    """Its id is lower than those that were sealed: only the settled mark keeps it from falling between."""
    about = story.subject()
    written, may_commit = Barrier(2), Barrier(2)

    def slow_writer() -> None:
        try:
            with transaction.atomic():
                story.reported(about, START, body=b"slow")
                written.wait(timeout=30)
                may_commit.wait(timeout=30)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(slow_writer)
        written.wait(timeout=30)
        story.reported(about, START + SECOND, body=b"quick")
        sealing = pool.submit(_seal_and_close)
        may_commit.wait(timeout=30)
        slow.result(timeout=60)
        sealing.result(timeout=60)
    seal_windows(now=DUE + LENGTH)
    assert sum(Window.objects.filter(subject=about).values_list("rows", flat=True)) == 2


def _seal_and_close() -> None:
    try:
        seal_windows(now=DUE)
    finally:
        connection.close()
