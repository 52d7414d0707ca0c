"""Slots and windows: every moment lies in exactly one, and counting agrees with listing."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from audit.windows.grid import Grid, grace, window_start

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    interval = draw(st.integers(1, 86_400))
    return Grid(interval, draw(st.integers(0, interval - 1)))


@given(grids(), MOMENTS)
def test_a_moment_lies_in_its_slot(grid: Grid, moment: datetime) -> None:
    slot = grid.slot_at(moment)
    assert grid.start_of(slot) <= moment < grid.start_of(slot + 1)


@given(grids(), MOMENTS)
def test_the_first_slot_from_a_moment_is_the_next_one(grid: Grid, moment: datetime) -> None:
    first = grid.first_from(moment)
    assert grid.start_of(first - 1) < moment <= grid.start_of(first)


@given(grids(), MOMENTS, st.integers(0, 500))
def test_as_many_slots_are_counted_as_begin(grid: Grid, start: datetime, seconds: int) -> None:
    end = start + timedelta(seconds=seconds)
    begun = [slot for slot in range(grid.slot_at(start), grid.slot_at(end) + 2) if start <= grid.start_of(slot) < end]
    assert grid.count(start, end) == len(begun)
    assert grid.count(end, start) == 0


def test_a_window_of_whole_slots_has_the_same_number_each_time() -> None:
    start = datetime(2026, 11, 24, 10, 0, 0, tzinfo=UTC)
    for phase in range(2):
        assert Grid(2, phase).count(start, start + timedelta(seconds=10)) == 5


@given(MOMENTS, st.integers(1, 86_400))
def test_windows_follow_one_another(moment: datetime, seconds: int) -> None:
    length = timedelta(seconds=seconds)
    start = window_start(moment, length)
    assert start <= moment < start + length
    assert window_start(start, length) == start
    assert window_start(start + length, length) == start + length


def test_grace_is_a_fifth_within_its_bounds() -> None:
    lengths = {10: 2, 5: 2, 300: 60, 900: 120}
    assert {n: grace(timedelta(seconds=n)).total_seconds() for n in lengths} == lengths
