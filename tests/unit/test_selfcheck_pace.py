"""The pace of the self-check: rounds that follow it hash every entry at least once in the stated period."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from audit.selfcheck import running
from audit.selfcheck.pace import entries_due

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@given(
    size=st.integers(1, 10**9),
    period=st.integers(1, 600),
    runs=st.integers(20, 200),
    growth=st.integers(0, 10**4),
)
def test_two_rounds_at_this_pace_fit_into_the_period(size: int, period: int, runs: int, growth: int) -> None:
    """Also while the log grows. Then no entry, wherever it stands, waits longer than the period."""
    step, full = timedelta(seconds=period), timedelta(seconds=period * runs)
    now, began = NOW, []
    for _round in range(2):
        began.append(now)
        done = 0
        while True:
            done += entries_due(size=size, done=done, started_at=began[-1], now=now, period=step, full_period=full)
            now += step
            if done >= size:
                break
            size += growth
    assert now - began[0] <= full


@given(done=st.integers(0, 10**6), late=st.integers(0, 10**6))
def test_a_round_that_is_over_its_time_needs_everything_at_once(done: int, late: int) -> None:
    due = entries_due(
        size=10**6,
        done=done,
        started_at=NOW,
        now=NOW + timedelta(seconds=1000 + late),
        period=timedelta(seconds=60),
        full_period=timedelta(seconds=1000),
    )
    assert due == 10**6 - done


def test_a_run_ends_by_itself_however_long_the_period_is() -> None:
    """Some time is left for what is not counted: the last chunk, the last slice and the writing."""
    longest = running.MOST_SECONDS + running.MOST_SECONDS_OF_COMPARISONS
    assert longest <= settings.CELERY_TASK_SOFT_TIME_LIMIT - 20
