"""Looking through the log: by type, subject, source and time, by keyset in both directions, never further than agreed.

Entries are in the order in which they were received (`audit.ledger.append` sees to it under its lock), so a time is a
place in the log and is found by bisection of the primary key: no index on `received_at`. The other conditions each
have an index (condition, index). It is read with row comparisons, `(type, index) < (…)`, whose order no other index
has: with `type = …` PostgreSQL may walk the primary key instead, past every entry of other types.

With several conditions the entries of one are read and held against the others. How many are read is bounded, and
the answer says how far it came.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from django.db import connections
from psycopg import sql

from audit.queries.rows import COLUMNS, EntryRow, row_of

MOST_READ: Final = 20_000
"""Entries that are read to find those that match several conditions: some tenths of a second when none is cached."""

FEWEST_READ: Final = 500
"""Where a search without an end begins: most find what they look for among the newest."""

END: Final = (1 << 63) - 1
"""Above every index."""

_READ: Final = (
    "FROM entry WHERE ({by}, index) >= ({value}, %(low)s) AND ({by}, index) < ({value}, %(end)s)"
    " ORDER BY {by} {order}, index {order} LIMIT %(most)s"
)
_ALL: Final = (
    "SELECT {columns} FROM entry WHERE index >= %(low)s AND index < %(end)s ORDER BY index {order} LIMIT %(limit)s"
)
_ONE: Final = "SELECT {columns} {read}"
# The inner LIMIT is also a fence: the conditions outside it cannot lure the planner to another index.
_SEVERAL: Final = (
    "SELECT {columns} FROM (SELECT index FROM (SELECT index, type, subject, source {read}) held"
    " WHERE {others} ORDER BY index {order} LIMIT %(limit)s) hit JOIN entry USING (index) ORDER BY index {order}"
)
_BOUND: Final = "SELECT {name}, {furthest}(index), count(*) FROM (SELECT index {read}) held"
_COLUMNS: Final = sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
_NOTHING: Final = sql.SQL("")
# A missing entry (only a change behind our back can do that) reads as later: the bisection still ends.
_PLACES: Final = """
WITH RECURSIVE size AS (SELECT coalesce(max(index) + 1, 0) AS size FROM entry),
step (which, moment, low, high) AS (
  SELECT which, moment, 0::bigint, size
  FROM size, unnest(%(which)s::text[], %(moments)s::timestamptz[]) AS m (which, moment)
  UNION ALL
  SELECT which, moment,
    CASE WHEN coalesce(e.received_at < moment, false) THEN middle + 1 ELSE low END,
    CASE WHEN coalesce(e.received_at < moment, false) THEN high ELSE middle END
  FROM step CROSS JOIN LATERAL (SELECT (low + high) / 2 AS middle) m LEFT JOIN entry e ON e.index = middle
  WHERE low < high
)
SELECT 'size', size FROM size UNION ALL SELECT which, low FROM step WHERE low >= high
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What entries must be: all conditions that are not empty. `received_from` is included, `received_to` is not."""

    type: str = ""
    subject: str = ""
    source: str = ""
    received_from: datetime | None = None
    received_to: datetime | None = None

    @property
    def equal(self) -> Mapping[str, str]:
        """Columns and the value each must have."""
        found = {"subject": self.subject, "source": self.source, "type": self.type}
        return {column: value for column, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class Range:
    """The entries low to end - 1; `size` is how many the log has."""

    low: int
    end: int
    size: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of entries, newest first.

    Attributes:
        rows: what matches among the entries low to end - 1, which were looked through.
        older: what to give as `before` to see what is older; None when nothing more is to be looked through.
        newer: what to give as `start` to see what is newer; None likewise.
        cut: the page is short because enough entries were read, not because there are no more.
    """

    rows: tuple[EntryRow, ...]
    low: int
    end: int
    older: int | None
    newer: int | None
    cut: bool


def places(wanted: Wanted) -> Range:
    """Which part of the log the times of `wanted` name, in one query: log2(size) look-ups for each."""
    moments = {"from": wanted.received_from, "to": wanted.received_to}
    given = {which: moment for which, moment in moments.items() if moment is not None}
    with connections["default"].cursor() as cursor:
        cursor.execute(_PLACES, {"which": list(given), "moments": list(given.values())})
        found = {str(which): int(place) for which, place in cursor.fetchall()}
    low = found.get("from", 0)
    return Range(low, max(low, found.get("to", found["size"])), found["size"])


def search(
    wanted: Wanted,
    *,
    inside: Range,
    before: int | None = None,
    start: int | None = None,
    limit: int,
    most: int = MOST_READ,
) -> Found:
    """Up to `limit` entries in `inside` that match, in at most two queries.

    Args:
        before: only entries below this index, the newest of them. `start`: only entries from this index on, the
            oldest of them. With neither, the newest of all.
        most: entries that may be read to hold them against several conditions.
    """
    rising = start is not None and before is None
    low = inside.low if start is None or not rising else min(max(inside.low, start), inside.end)
    end = inside.end if before is None else max(min(inside.end, before), inside.low)
    equal = wanted.equal
    if len(equal) > 1:
        driver = _driver(equal, low, end, rising=rising, most=most)
    else:
        driver = _Driver(next(iter(equal), "index"), limit + 1, None, cut=False)
    # The planner misjudges how many entries a row comparison leaves; the limit tells it.
    numbers = {"low": low, "end": end, "limit": limit + 1, "most": driver.count}
    if driver.cut and driver.reached is not None:
        numbers["end" if rising else "low"] = driver.reached + rising
    rows = _rows(equal, driver.column, numbers, rising=rising)
    if full := len(rows) > limit:
        rows = rows[:limit]
        reached = rows[-1].index
    elif driver.cut and driver.reached is not None:
        reached = driver.reached
    else:
        reached = end - 1 if rising else low
    cut = driver.cut and not full
    if rising:
        newer = reached + 1 if reached + 1 < end else None
        return Found(tuple(reversed(rows)), low, max(reached + 1, low), low if low > inside.low else None, newer, cut)
    older = reached if reached > low else None
    return Found(tuple(rows), reached, end, older, end if end < inside.end else None, cut)


def search_all(wanted: Wanted, *, before: int | None, limit: int) -> Iterator[EntryRow]:
    """The newest `limit` entries below `before` that match, newest first, however many must be read for it."""
    timed = wanted.received_from is not None or wanted.received_to is not None
    inside = places(wanted) if timed else Range(0, END, END)
    most = FEWEST_READ
    while limit > 0:
        found = search(wanted, inside=inside, before=before, limit=limit, most=max(most, 2 * limit))
        yield from found.rows
        limit -= len(found.rows)
        before, most = found.older, min(4 * most, MOST_READ)
        if before is None:
            return


@dataclass(frozen=True, slots=True)
class _Driver:
    """The condition whose entries are read: how many those are, how far that comes, and whether there are more."""

    column: str
    count: int
    reached: int | None
    cut: bool


def _driver(equal: Mapping[str, str], low: int, end: int, *, rising: bool, most: int) -> _Driver:
    """The condition that comes furthest when `most` of its entries are read: one query over the indexes alone."""
    bounds = [_statement(_BOUND, column, rising=rising) for column in equal]
    with connections["default"].cursor() as cursor:
        cursor.execute(
            sql.SQL(" UNION ALL ").join(bounds),
            {**{f"value_{column}": value for column, value in equal.items()}, "low": low, "end": end, "most": most},
        )
        found = cursor.fetchall()
    drivers = [_Driver(str(column), count, reached, count >= most) for column, reached, count in found]
    whole = [driver for driver in drivers if not driver.cut]
    if whole:
        return min(whole, key=lambda driver: driver.count)
    furthest = max if rising else min
    return furthest(drivers, key=lambda driver: driver.reached or 0)


def _rows(equal: Mapping[str, str], by: str, numbers: Mapping[str, int], *, rising: bool) -> list[EntryRow]:
    template = _ALL if not equal else _ONE if len(equal) == 1 else _SEVERAL
    others = [
        sql.SQL("{} = {}").format(sql.Identifier(column), sql.Placeholder(f"value_{column}"))
        for column in equal
        if column != by
    ]
    statement = _statement(template, by, rising=rising, others=sql.SQL(" AND ").join(others))
    with connections["default"].cursor() as cursor:
        cursor.execute(statement, {**{f"value_{column}": value for column, value in equal.items()}, **numbers})
        return [row_of(values) for values in cursor.fetchall()]


def _statement(template: LiteralString, by: str, *, rising: bool, others: sql.Composable = _NOTHING) -> sql.Composed:
    parts = {"by": sql.Identifier(by), "order": sql.SQL("ASC" if rising else "DESC")}
    return sql.SQL(template).format(
        columns=_COLUMNS,
        read=sql.SQL(_READ).format(value=sql.Placeholder(f"value_{by}"), **parts),
        name=sql.Literal(by),
        furthest=sql.SQL("max" if rising else "min"),
        others=others,
        **parts,
    )
