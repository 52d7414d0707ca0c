"""Sections that leaves commit to and that were never here: an import brought the entries without them."""

import json
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, cast

from django.db import connections
from psycopg import Connection, Cursor

from audit.events import EventType

TOLD_AT_ONCE: Final = 16
"""Telling entries read at once: the facts of each may have half a megabyte."""

MOST_KEPT: Final = 2_000_000
"""Ranges that a process keeps between two pages, 16 bytes each; a log with more is read again for each page."""

_LAST: Final = (1 << 63) - 1

# Whole rows are compared, as in audit.queries.search: no plan can walk the log backwards for a type that it lacks.
_NEWEST: Final = (
    b"SELECT type, index, leaf_hash FROM entry WHERE (type, index) <= (%s, %s) ORDER BY type DESC, index DESC LIMIT 1"
)
_TOLD: Final = (
    b"SELECT e.index, s.body FROM entry e JOIN section s ON s.entry_index = e.index AND s.name = 'facts'"
    b" WHERE (e.type, e.index) > (%s, %s) AND (e.type, e.index) <= (%s, %s) AND e.source = 'app'"
    b" ORDER BY e.type, e.index LIMIT %s"
)

Row = tuple[object, ...]


class Absences:
    """What the entries `log.imported` tell: for each section name, ranges of entries that lack it.

    `len()` is how many ranges there are.
    """

    def __init__(self, runs: Iterable[tuple[int, int, str]]) -> None:
        found: dict[str, tuple[array[int], array[int]]] = {}
        for first, end, name in runs:
            firsts, ends = found.setdefault(name, (array("q"), array("q")))
            if ends and firsts[-1] <= first <= ends[-1]:
                ends[-1] = max(end, ends[-1])
            else:
                firsts.append(first)
                ends.append(end)
        self._ranges = {name: _in_order(*ranges) for name, ranges in found.items()}

    def __contains__(self, place: tuple[int, str]) -> bool:
        """Whether a section is absent: (index of the entry, name)."""
        index, name = place
        if name not in self._ranges:
            return False
        firsts, ends = self._ranges[name]
        at = bisect_right(firsts, index)
        return at > 0 and index < ends[at - 1]

    def __len__(self) -> int:
        return sum(len(firsts) for firsts, _ends in self._ranges.values())


NONE: Final = Absences(())


def absences(connection: Connection[Row]) -> Absences:
    """All absences that the log tells, read from psycopg's own connection, once for a whole run."""
    return Absences(_told(connection))


class _Key(NamedTuple):
    """What must be the same for kept absences to be those of the log: its database and newest telling entry."""

    database: str
    newest: int
    leaf_hash: object


_kept: tuple[_Key, Absences] | None = None


def absences_after(index: int) -> Absences:
    """What entries after `index` tell, as a page needs it: once for each page, and kept until the next import.

    Nothing is read when no import came after the entry.
    """
    global _kept
    wrapper = connections["default"]
    wrapper.ensure_connection()
    connection: Connection[Row] = wrapper.connection
    with Cursor(connection) as cursor:
        row = cursor.execute(_NEWEST, [EventType.LOG_IMPORTED.value, _LAST], binary=True).fetchone()
    kind, newest, leaf_hash = row or ("", -1, b"")
    if kind != EventType.LOG_IMPORTED.value or not isinstance(newest, int) or newest <= index:
        return NONE
    key = _Key(connection.info.dbname, newest, leaf_hash)
    kept = _kept
    if kept and kept[0] == key:
        return kept[1]
    found = absences(connection)
    _kept = (key, found) if len(found) <= MOST_KEPT else None
    return found


def is_absent(index: int, name: str) -> bool:
    """Whether an import brought this entry without this section, as an entry tells."""
    return (index, name) in absences_after(index)


def runs_told(told_by: object, body: object) -> Iterator[tuple[int, int, str]]:
    """The runs of one entry; nothing of an entry that is not as an import writes it."""
    try:
        found = json.loads(body) if isinstance(body, bytes) else None
        for first, end, names in found["absent"] if isinstance(found, dict) else ():
            # An entry speaks of those before it.
            if isinstance(told_by, int) and 0 <= first < end <= told_by:
                yield from ((int(first), int(end), str(name)) for name in names)
    except (ValueError, TypeError, KeyError):
        return


def _told(connection: Connection[Row]) -> Iterator[tuple[int, int, str]]:
    kind, after = EventType.LOG_IMPORTED.value, cast(object, -1)
    while True:
        with Cursor(connection) as cursor:
            rows = cursor.execute(_TOLD, [kind, after, kind, _LAST, TOLD_AT_ONCE], binary=True).fetchall()
        for index, body in rows:
            after = index
            yield from runs_told(index, body)
        if len(rows) < TOLD_AT_ONCE:
            return


def _in_order(firsts: "array[int]", ends: "array[int]") -> tuple["array[int]", "array[int]"]:
    """The same ranges, ascending and merged where they touch."""
    if all(firsts[at] > ends[at - 1] for at in range(1, len(firsts))):
        return firsts, ends
    merged, until = array("q"), array("q")
    for first, end in sorted(zip(firsts, ends, strict=True)):
        if until and first <= until[-1]:
            until[-1] = max(end, until[-1])
        else:
            merged.append(first)
            until.append(end)
    return merged, until
