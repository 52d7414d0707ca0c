"""Sections that are gone: erased as the log tells, or taken away."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from psycopg import Connection, Cursor

from audit.events import EventType
from audit.selfcheck.findings import Finding
from audit.tlog.leaf import Leaf

Row = tuple[object, ...]
Place = tuple[int, str]
"""Index of an entry and name of a section."""

_ERASED: Final = (
    b"SELECT x.entry_index, x.name, x.erased_by, e.type, e.source, s.body FROM erasure x"
    b" LEFT JOIN entry e ON e.index = x.erased_by"
    b" LEFT JOIN section s ON s.entry_index = x.erased_by AND s.name = 'facts'"
    b" WHERE x.entry_index >= %s AND x.entry_index < %s"
)
_FACTS: Final = b"SELECT entry_index, body FROM section WHERE entry_index = ANY(%s) AND name = 'facts'"
_GONE: Final = b"SELECT entry_index, name FROM erasure WHERE entry_index = ANY(%s)"
_TOLD: Final = b"SELECT erased_by FROM erasure WHERE erased_by = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Erased:
    """An erasure as its row has it: the entry that tells it, and whether that entry does."""

    told_by: int
    is_told: bool


def erased_between(connection: Connection[Row], start: int, stop: int) -> dict[Place, Erased]:
    """The erasures of sections of entries from `start` to before `stop`."""
    with Cursor(connection) as cursor:
        rows = cursor.execute(_ERASED, [start, stop], binary=True).fetchall()
    found: dict[Place, Erased] = {}
    for index, name, told_by, kind, source, body in rows:
        assert isinstance(index, int)
        assert isinstance(told_by, int)
        is_erasure = (kind, source) == (EventType.SECTION_ERASED.value, "app")
        found[index, str(name)] = Erased(told_by, is_erasure and _tells(body, index, str(name)))
    return found


def judge_gone(gone: Mapping[Place, str], erased: Mapping[Place, Erased]) -> Iterator[Finding]:
    """Findings about sections that are not stored; `gone` maps each to the subject of its entry."""
    for (index, name), subject in gone.items():
        erasure = erased.get((index, name))
        if erasure is None:
            yield Finding("section", index, subject, f"Section {name} of entry {index} is gone without an erasure.")
        elif not erasure.is_told:
            detail = f"Section {name} of entry {index} is gone, and entry {erasure.told_by} does not tell its erasure."
            yield Finding("section", index, subject, detail)


def judge_told(connection: Connection[Row], leaves: Mapping[int, Leaf]) -> Iterator[Finding]:
    """Findings about entries that tell an erasure which was not made."""
    telling = [
        index for index, leaf in leaves.items() if leaf.type == EventType.SECTION_ERASED and leaf.source == "app"
    ]
    if not telling:
        return
    with Cursor(connection) as cursor:
        made = {row[0] for row in cursor.execute(_TOLD, [telling], binary=True).fetchall()}
    again = _erased_again(connection, [index for index in telling if index not in made])
    for index in telling:
        if index not in made and index not in again:
            detail = f"Entry {index} tells an erasure that was not made."
            yield Finding("section", index, leaves[index].subject, detail)


def _erased_again(connection: Connection[Row], telling: list[int]) -> set[int]:
    """Those of these entries whose section another entry tells the erasure of: a restored copy brought it back, and it
    was erased once more.
    """
    if not telling:
        return set()
    with Cursor(connection) as cursor:
        rows = cursor.execute(_FACTS, [telling], binary=True).fetchall()
        gone = set(cursor.execute(_GONE, [[_said(body)[0] for _index, body in rows]], binary=True).fetchall())
    return {index for index, body in rows if isinstance(index, int) and _said(body) in gone}


def _said(body: object) -> tuple[int, str]:
    """Entry and section whose erasure these facts tell; (-1, "") when they tell none."""
    try:
        facts = json.loads(body) if isinstance(body, bytes) else None
    except ValueError:
        facts = None
    index, name = (facts.get("entry"), facts.get("section")) if isinstance(facts, dict) else (None, None)
    if isinstance(index, int) and 0 <= index < 1 << 63 and isinstance(name, str):
        return index, name
    return -1, ""


def _tells(body: object, index: int, name: str) -> bool:
    return _said(body) == (index, name)
