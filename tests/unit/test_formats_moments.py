"""Moments as people write them: what is read, how long it lasts, and that nothing else gets through."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.formats.moments import MomentError, NoSuchMoment, read_span

NOW = datetime(2026, 11, 24, 12, 30, 15, 250_000, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC))


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-11-24", at(2026, 11, 24), at(2026, 11, 25)),
        (" 2026/1/2 ", at(2026, 1, 2), at(2026, 1, 3)),
        ("2026-11-24 14:30", at(2026, 11, 24, 14, 30), at(2026, 11, 24, 14, 31)),
        ("2026-11-24T14:30:05Z", at(2026, 11, 24, 14, 30, 5), at(2026, 11, 24, 14, 30, 6)),
        ("2026-11-24T14:30+09:00", at(2026, 11, 24, 5, 30), at(2026, 11, 24, 5, 31)),
        ("2026-11-24t14:30:05.25-0130", at(2026, 11, 24, 16, 0, 5, 250_000), at(2026, 11, 24, 16, 0, 5, 260_000)),
        ("24 Nov 2026, 15:30:44 UTC", at(2026, 11, 24, 15, 30, 44), at(2026, 11, 24, 15, 30, 45)),
        ("24 november 2026", at(2026, 11, 24), at(2026, 11, 25)),
        ("today", at(2026, 11, 24), at(2026, 11, 25)),
        ("Yesterday", at(2026, 11, 23), at(2026, 11, 24)),
        ("now", NOW, NOW),
        ("90s", NOW - timedelta(seconds=90), NOW - timedelta(seconds=90)),
        ("30 min", NOW - timedelta(minutes=30), NOW - timedelta(minutes=30)),
        ("2 hours ago", NOW - timedelta(hours=2), NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7), NOW - timedelta(days=7)),
    ],
)
def test_what_people_write_is_read(text: str, start: datetime, end: datetime) -> None:
    span = read_span(text, now=NOW)
    assert (span.start, span.end) == (start, end)
    later = NOW + timedelta(days=40)
    assert read_span(span.text, now=later).start == start, "a page's address means the same tomorrow"


@pytest.mark.parametrize(
    "text",
    ["2026-02-30", "2026-13-01", "2026-11-24 24:00", "2026-11-24 12:60", "1999-12-31", "2200-01-01", "0001-01-01",
     "2026-11-24T00:00+25:00", "99 Nov 2026", "3 Foo 2026", "999999w", "2000-01-01T00:00+14:00"],
)  # fmt: skip
def test_days_that_are_not_are_told_from_words_that_are_none(text: str) -> None:
    with pytest.raises(NoSuchMoment):
        read_span(text, now=NOW)


@pytest.mark.parametrize(
    "text", ["", "x", "3 months", "2026", "2026-11", "12:30", "２０２６-11-24", "-1d", "1e3s", "٣d"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(MomentError) as caught:
        read_span(text, now=NOW)
    assert type(caught.value) is MomentError


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_every_time_is_read_back_in_every_zone(moment: datetime, minutes: int) -> None:
    told = moment.astimezone(timezone(timedelta(minutes=minutes))).isoformat(timespec="microseconds")
    span = read_span(told, now=NOW)
    assert (span.start, span.end - span.start) == (moment, timedelta(microseconds=1))


@given(st.text(max_size=40))
def test_no_text_does_harm(text: str) -> None:
    try:
        span = read_span(text, now=NOW)
    except MomentError:
        return
    assert span.start <= span.end
