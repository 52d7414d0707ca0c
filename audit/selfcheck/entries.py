"""One entry at a time: does the leaf parse, do the copied columns repeat it, do the sections open it?"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from psycopg import Connection, Cursor, ServerCursor

from audit.queries.absences import Absences, absences
from audit.selfcheck.erased import erased_between, judge_gone, judge_told
from audit.selfcheck.findings import Finding
from audit.tlog.leaf import Leaf, LeafError, parse_leaf
from audit.tlog.section import SectionError, opens
from audit.tlog.tree import TILE_WIDTH, leaf_hash

Row = tuple[object, ...]

CHUNK: Final = 2048
"""Entries read at once (a leaf has at most 8 KiB): whole tiles, so that a chunk ends where tiles end."""

BYTES_AT_ONCE: Final = 64 * 1024 * 1024
"""Content that is hashed before a run looks at the clock again, as long as it is not in one tile."""

SECTIONS_AT_ONCE: Final = 64
"""Sections are streamed: eight of 1 MiB may stand in one entry."""

_ENTRIES: Final = (
    b"SELECT index, leaf, leaf_hash, event_id, type, source, subject, actor, occurred_at, received_at"
    b" FROM entry WHERE index >= %s AND index < %s ORDER BY index"
)
_SECTIONS: Final = (
    b"SELECT entry_index, name, salt, body, media FROM section WHERE entry_index >= %s AND entry_index < %s"
    b" ORDER BY entry_index, name"
)
_COLUMNS: Final = ("event_id", "type", "source", "subject", "actor", "occurred_at", "received_at")


@dataclass(frozen=True, slots=True)
class Chunk:
    """The hashes of consecutive leaves, computed from their bytes, and what was found on the way.

    `sections` counts the commitments of these leaves that were held against what is stored.
    """

    start: int
    hashes: list[bytes]
    sections: int
    findings: list[Finding]


class _Opened(NamedTuple):
    """A leaf, under the subject its column names (what people would look for)."""

    leaf: Leaf
    subject: str


def chunks(connection: Connection[Row], start: int, stop: int, *, origin: str) -> Iterator[Chunk]:
    """Read and check the entries from `start` to before `stop`; ends at the first that is missing.

    Args:
        connection: psycopg's own, in a transaction.
        origin: the log that every leaf must name.
    """
    absent = absences(connection)
    for low in range(start, stop, CHUNK):
        high = min(low + CHUNK, stop)
        hashes: list[bytes] = []
        findings: list[Finding] = []
        opened: dict[int, _Opened] = {}
        with Cursor(connection) as cursor:
            rows = cursor.execute(_ENTRIES, [low, high], binary=True).fetchall()
        for expected, row in enumerate(rows, low):
            if row[0] != expected:
                break
            findings += _entry(expected, row, hashes, opened, origin=origin)
        end = low + len(hashes)
        for first, last in _portions(low, end, opened):
            here = {index: opened[index] for index in range(first, last) if index in opened}
            found = [item for item in findings if item.entry_index in range(first, last)]
            found += _sections(connection, first, last, here, absent)
            if last == end < high:
                found.append(Finding("missing", end, "log", f"Entry {end} is missing."))
            committed = sum(len(entry.leaf.sections) for entry in here.values())
            yield Chunk(first, hashes[first - low : last - low], committed, found)
        if end < high:
            return


def _portions(start: int, stop: int, opened: dict[int, _Opened]) -> Iterator[tuple[int, int]]:
    """Cut a range where its content exceeds BYTES_AT_ONCE, between tiles: a run can only stop between two portions."""
    held, first = 0, start
    for index in range(start, stop):
        if held > BYTES_AT_ONCE and index % TILE_WIDTH == 0:
            yield first, index
            held, first = 0, index
        if index in opened:
            held += sum(section.length for section in opened[index].leaf.sections.values())
    yield first, stop


def _entry(index: int, row: Row, hashes: list[bytes], opened: dict[int, _Opened], *, origin: str) -> Iterator[Finding]:
    leaf, stored_hash, columns, subject = row[1], row[2], row[3:], str(row[6])
    assert isinstance(leaf, bytes)
    hashed = leaf_hash(leaf)
    hashes.append(hashed)
    if hashed != stored_hash:
        yield Finding("leaf", index, subject, f"The leaf of entry {index} does not have its stored hash.")
    try:
        parsed = parse_leaf(leaf)
    except LeafError as error:
        yield Finding("leaf", index, subject, f"The leaf of entry {index} cannot be read: {error}")
        return
    opened[index] = _Opened(parsed, subject)
    if parsed.origin != origin:
        yield Finding("leaf", index, subject, f"The leaf of entry {index} belongs to the log {parsed.origin}.")
    said = _said(parsed)
    if columns != said:
        wrong = [name for name, stored, copied in zip(_COLUMNS, columns, said, strict=True) if stored != copied]
        yield Finding("column", index, subject, f"Entry {index} differs from its leaf in: {', '.join(wrong)}.")


def _said(leaf: Leaf) -> tuple[uuid.UUID | str | datetime, ...]:
    try:
        event_id: uuid.UUID | str = uuid.UUID(leaf.id)
    except ValueError:
        event_id = leaf.id
    times = (leaf.occurred_at.astimezone(UTC), leaf.received_at.astimezone(UTC))
    return (event_id, leaf.type, leaf.source, leaf.subject, leaf.actor, *times)


def _sections(
    connection: Connection[Row], start: int, stop: int, opened: dict[int, _Opened], absent: Absences
) -> Iterator[Finding]:
    """Open every commitment of these entries with what is stored for it."""
    waiting = {(index, name): entry.subject for index, entry in opened.items() for name in entry.leaf.sections}
    erased = erased_between(connection, start, stop)
    with ServerCursor(connection, "self_check_sections") as cursor:
        cursor.execute(_SECTIONS, [start, stop], binary=True)
        while rows := cursor.fetchmany(SECTIONS_AT_ONCE):
            for index, name, salt, body, media in rows:
                assert isinstance(index, int)
                assert isinstance(salt, bytes)
                assert isinstance(body, bytes)
                if entry := opened.get(index):
                    waiting.pop((index, str(name)), None)
                    if gone := erased.get((index, str(name))):
                        detail = f"Section {name} of entry {index} stands, though entry {gone.told_by} erased it."
                        yield Finding("section", index, entry.subject, detail)
                    yield from _section(index, entry, str(name), salt, body, media)
    yield from judge_gone({place: subject for place, subject in waiting.items() if place not in absent}, erased)
    told = {index: entry.leaf for index, entry in opened.items() if (index, "facts") not in absent}
    yield from judge_told(connection, told)


def _section(index: int, entry: _Opened, name: str, salt: bytes, body: bytes, media: object) -> Iterator[Finding]:
    commitment = entry.leaf.sections.get(name)
    if commitment is None:
        yield Finding("section", index, entry.subject, f"Section {name} of entry {index} is not in its leaf.")
        return
    try:
        fits = opens(commitment.commitment, salt, entry.leaf.origin, entry.leaf.id, name, body)
    except SectionError:
        fits = False
    if not fits:
        yield Finding(
            "section", index, entry.subject, f"The content of section {name} of entry {index} is not what was recorded."
        )
    elif media != commitment.media:
        yield Finding("section", index, entry.subject, f"Section {name} of entry {index} has another media type.")
