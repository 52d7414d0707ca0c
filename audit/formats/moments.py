"""Moments as people write them in a search: a day, a minute, a second, or a time before now.

What is written names a span: a day is 24 hours of UTC, "14:30" a minute. A search from it begins where the span
begins, a search up to it ends where the span ends, so that "from 24 to 24 November" is that day.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = (
    r"(?:(?:T| |, ?)\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,6}))?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?"
)
_ISO = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _CLOCK, re.ASCII | re.IGNORECASE)
_LONG = re.compile(r"(?P<day>\d{1,2}) (?P<month>[a-z]{3})[a-z]* (?P<year>\d{4})" + _CLOCK, re.ASCII | re.IGNORECASE)
_AGE = re.compile(
    r"(?P<count>\d{1,6}) ?(?P<unit>s|sec|seconds?|m|min|minutes?|h|hours?|d|days?|w|weeks?)(?: ago)?",
    re.ASCII | re.IGNORECASE,
)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DAY: Final = timedelta(days=1)
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


class MomentError(ValueError):
    """The text names no moment."""


class NoSuchMoment(MomentError):
    """The text has the form of a moment, but the calendar has no such day or time, or not one of these years."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a text names: from `start` up to, but not including, `end`, both in UTC; `text` names it at any time."""

    start: datetime
    end: datetime
    text: str


def read_span(text: str, *, now: datetime) -> Span:
    """The span that a text names.

    Read are `2026-11-24`, `2026-11-24 14:30`, RFC 3339 with or without seconds and fraction, `24 Nov 2026, 14:30:05
    UTC`, `today`, `yesterday`, `now`, and ages such as `30 min`, `2h`, `7d`. Without an offset it is UTC.

    Raises:
        MomentError: it is none of these.
        NoSuchMoment: such as 30 February, or a year before 2000 or after 2199.
    """
    words = text.strip()
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"today": midnight, "yesterday": midnight - _DAY}
    if day := named.get(words.lower()):
        return _checked(day, day + _DAY, f"{day:%Y-%m-%d}")
    if words.lower() == "now":
        return _checked(now, now, now.isoformat())
    if age := _AGE.fullmatch(words):
        try:
            moment = now - timedelta(seconds=int(age["count"]) * _UNITS[age["unit"][0].lower()])
        except OverflowError as error:
            raise NoSuchMoment(f"{words[:40]!r} lies before the calendar.") from error
        return _checked(moment, moment, moment.isoformat())
    if found := _ISO.fullmatch(words) or _LONG.fullmatch(words):
        return _calendar(found, words)
    raise MomentError(f"{words[:40]!r} is no day or time.")


def _calendar(found: re.Match[str], words: str) -> Span:
    month = found["month"]
    try:
        number = int(month) if month.isdigit() else _MONTHS.index(month.lower()) + 1
        day = datetime(int(found["year"]), number, int(found["day"]), tzinfo=_zone(found["zone"]))
        if found["hour"] is None:
            return _checked(day, day + _DAY, words)
        fraction = found["fraction"]
        start = day.replace(
            hour=int(found["hour"]),
            minute=int(found["minute"]),
            second=int(found["second"] or 0),
            microsecond=int((fraction or "0").ljust(6, "0")),
        )
        length = timedelta(microseconds=10 ** (6 - len(fraction))) if fraction else None
        return _checked(start, start + (length or timedelta(seconds=60 if found["second"] is None else 1)), words)
    except (ValueError, OverflowError) as error:
        raise NoSuchMoment(f"{words[:40]!r} does not exist.") from error


def _zone(text: str | None) -> timezone:
    if text is None or text[0] not in "+-":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _checked(start: datetime, end: datetime, text: str) -> Span:
    if not _EARLIEST <= start < _LATEST:
        raise NoSuchMoment(f"{start.isoformat()} lies outside the years 2000 to 2199.")
    return Span(start.astimezone(UTC), end.astimezone(UTC), text)
