"""Gaps: three missed slots in a row open one, the next answer ends it, and both are told once."""

from datetime import timedelta

import pytest

from audit import queries
from audit.models import Gap, RecordKind, Target, TargetState
from audit.windows import seal_windows
from audit.windows.gaps import end_gap
from audit.windows.grid import Grid
from tests.integration import telemetry_story as story
from tests.integration.telemetry_story import DUE, LENGTH, SECOND, START

pytestmark = pytest.mark.django_db


def told(target: Target) -> list[dict[str, object]]:
    """Facts of the gap entries about a target, oldest first."""
    rows = queries.entries(type_="coverage.gap", subject=f"target:{target.id}")
    facts = queries.section_facts([row.index for row in rows])
    return [dict(facts[row.index]) for row in reversed(rows)]


def answered_again(target: Target, second: int) -> None:
    """The collector's way back: the gap is ended with the state as it was before the slot."""
    before = TargetState.objects.select_related("target").get(target=target)
    grid = Grid(target.interval_seconds, target.phase_seconds)
    end_gap(target.id, grid, grid.slot_at(START + second * SECOND), before)
    story.counted(target, START + second * SECOND)


def test_two_missed_slots_are_no_gap() -> None:
    target = story.target(story.subject(), interval=2)
    story.counted(target, START)
    story.slot(target, START + 2 * SECOND, "timeout")
    story.slot(target, START + 4 * SECOND, "timeout")
    seal_windows(now=START + 6 * SECOND)
    assert not Gap.objects.exists()
    assert told(target) == []


def test_a_gap_is_opened_with_its_reason_and_told_once() -> None:
    target = story.target(story.subject(), interval=2)
    story.counted(target, START)
    for second in (2, 4, 6):
        story.slot(target, START + second * SECOND, "unreachable")
    for _again in range(2):
        seal_windows(now=START + 8 * SECOND)
    (opened,) = told(target)
    assert opened["reason"] == "unreachable"
    assert opened["began_at"] == f"{START + 2 * SECOND:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert (opened["ended_at"], opened["missed_slots"]) == (None, None)
    (row,) = queries.targets(now=START + 8 * SECOND)
    assert (row.gap_since, row.gap_reason) == (START + 2 * SECOND, "unreachable")
    assert (row.expected, row.received) == (4, 1)


def test_the_next_answer_closes_it_and_that_is_told_once() -> None:
    target = story.target(story.subject(), interval=2)
    story.counted(target, START)
    seal_windows(now=START + 8 * SECOND)
    answered_again(target, 8)
    for _again in range(2):
        seal_windows(now=START + 9 * SECOND)
    opened, closed = told(target)
    assert opened["gap"] == closed["gap"]
    assert opened["reason"] == "not_asked", "the collector itself did not come"
    assert closed["ended_at"] == f"{START + 8 * SECOND:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert closed["missed_slots"] == 3
    (row,) = queries.targets(now=START + 9 * SECOND)
    assert row.gap_since is None


def test_a_gap_that_nobody_noticed_while_it_lasted_is_told_by_its_end() -> None:
    target = story.target(story.subject(), interval=2)
    story.counted(target, START)
    answered_again(target, 10)
    seal_windows(now=START + 11 * SECOND)
    (closed,) = told(target)
    assert closed["missed_slots"] == 4
    assert closed["ended_at"] is not None


def test_a_target_never_answered_is_a_gap_from_its_registration() -> None:
    target = story.target(story.subject(), interval=2)
    seal_windows(now=START + 7 * SECOND)
    (opened,) = told(target)
    assert opened["began_at"] == f"{START:%Y-%m-%dT%H:%M:%S.%fZ}"


def test_a_disabled_target_has_no_gap() -> None:
    target = story.target(story.subject(), enabled=False)
    seal_windows(now=DUE + LENGTH)
    assert told(target) == []


def test_a_long_outage_is_one_gap_and_not_a_row_of_empty_windows() -> None:
    target = story.target(story.subject(), interval=2)
    story.counted(target, START)
    for number in range(6):
        seal_windows(now=DUE + number * LENGTH)
    assert len(told(target)) == 1
    assert len(queries.windows(target.subject, RecordKind.USAGE)) == 1
    answered_again(target, 60)
    seal_windows(now=DUE + 6 * LENGTH)
    assert [row.start for row in queries.windows(target.subject, RecordKind.USAGE)] == [START + 6 * LENGTH, START]


def test_coverage_of_a_target_counts_slots_that_are_over() -> None:
    target = story.target(story.subject(), interval=2, since=START)
    story.counted(target, START)
    story.slot(target, START + 2 * SECOND, "timeout")
    story.counted(target, START + 4 * SECOND)
    (row,) = queries.targets(now=START + 5 * SECOND)
    assert (row.expected, row.received) == (2, 1), "the slot of this moment is not over"
    assert (row.last_outcome, row.last_ok_at) == ("ok", START + 4 * SECOND)
    assert row.reference == f"target:{target.id}"
    (recent,) = queries.targets(now=START + 6 * SECOND, looked_back=timedelta(seconds=2))
    assert (recent.expected, recent.received) == (1, 1)


def test_a_disabled_target_has_no_coverage() -> None:
    story.target(story.subject(), enabled=False)
    (row,) = queries.targets(now=START + LENGTH)
    assert (row.expected, row.received, row.last_ok_at) == (None, None, None)
