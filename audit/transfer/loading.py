"""The rows of an import: entries, sections, tiles, keys of events, checkpoints, key statements, erasures, the head."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Final

from psycopg import Connection, Cursor, ServerCursor

from audit.ledger import rows
from audit.tlog.checkpoint import peek_checkpoint
from audit.tlog.leaf import Leaf, parse_leaf
from audit.tlog.linefile import Line
from audit.tlog.tree import TILE_WIDTH, RightEdge, leaf_hashes
from audit.transfer import layout, made
from audit.transfer.growing import Growing
from audit.transfer.reading import Absences, CheckedFolder, ImportRefused

GREW: Final = "The folder changed while it was imported, so nothing was imported. Run it again."

Row = tuple[object, ...]
Tell = Callable[[str, int, int], object]
"""Called now and then with what is being read, how much of it is done, and how much there is."""

BUNDLES_AT_ONCE: Final = 8
BYTES_AT_ONCE: Final = 16 << 20
LINES_AT_ONCE: Final = 2000
TABLES: Final = ("entry", "section", "tile", "event_key", "checkpoint", "erasure", "key_statement")

_SECTION: Final[dict[str, type]] = {"index": int, "name": str, "media": str, "salt": str, "body": str}
_ERASURE: Final[dict[str, type]] = {"index": int, "name": str, "entry": int}
_CHECKPOINT: Final[dict[str, type]] = {"size": int, "note": str}

_USED: Final = b"""
SELECT EXISTS (SELECT FROM entry) OR EXISTS (SELECT FROM section) OR EXISTS (SELECT FROM tile)
    OR EXISTS (SELECT FROM event_key) OR EXISTS (SELECT FROM checkpoint) OR EXISTS (SELECT FROM erasure)
    OR EXISTS (SELECT FROM key_statement)
"""
_KNOWN_ERASURES: Final = b"""
SELECT t.index, t.name, t.entry,
       EXISTS (SELECT FROM erasure x WHERE x.entry_index = t.index AND x.name = t.name),
       EXISTS (SELECT FROM section s WHERE s.entry_index = t.index AND s.name = t.name),
       EXISTS (SELECT FROM section s WHERE s.entry_index = t.entry AND s.name = 'facts')
  FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS t(index, name, entry) ORDER BY t.index, t.name
"""
_ERASE: Final = b"""
SELECT import_erasure(t.index, t.name, t.entry)
  FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS t(index, name, entry)
"""
# When a checkpoint was signed stands nowhere in it: not before its last entry was received.
_CHECKPOINTS: Final = b"""
INSERT INTO checkpoint (size, root, note, signed_at)
SELECT t.size, t.root, t.note, coalesce((SELECT received_at FROM entry WHERE index = t.size - 1), %s)
  FROM unnest(%s::bigint[], %s::bytea[], %s::text[]) AS t(size, root, note) ON CONFLICT (size) DO NOTHING
"""
_OTHER_ROOTS: Final = b"""
SELECT c.size FROM checkpoint c JOIN unnest(%s::bigint[], %s::bytea[]) AS t(size, root) ON t.size = c.size
 WHERE t.root <> c.root
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What an import brought.

    Attributes:
        size: entries of the log now, as far as they are signed. `before`: how many were there already.
        sections, erasures, event_keys, checkpoints: rows that are new; `event_keys` is None when the folder has none
            to give, so that a repeat of an event is taken for a new one.
        absences: sections that the folder does not hold.
        standing: (entry, section, telling entry) erased according to the log, but here from the older copy.
        analyzed: whether the planner's statistics were renewed afterwards; without them the log is right, but slow.
        changed: (subject, type, index) of the newest new entry about each subject whose state was recorded: the
            tables of an older copy do not have it.
    """

    size: int
    before: int
    sections: int
    erasures: int
    event_keys: int | None
    checkpoints: int
    absences: Absences
    standing: tuple[tuple[int, str, int], ...]
    analyzed: bool = True
    changed: tuple[tuple[str, str, int], ...] = ()

    @property
    def absent(self) -> int:
        """How many sections are absent."""
        return self.absences.count

    def runs(self, most: int, most_bytes: int) -> list[list[object]]:
        """The absent sections as runs; see Absences.parts."""
        return self.absences.parts(most, most_bytes)


class Load:
    """One import, in a transaction of the owner that the caller opened.

    Sections go in before the head moves: the database takes a section only together with its entry.
    """

    def __init__(self, log: CheckedFolder, connection: Connection[Row], *, complete: bool, tell: Tell) -> None:
        self._log = log
        self._size = log.checkpoint.size
        self._connection = connection
        self._complete = complete
        self._tell = tell
        self._growing = Growing()
        self._received_at = datetime.fromtimestamp(0, UTC)
        self._sections = self._event_keys = self._erasures = 0
        self._absences = Absences()
        self._standing: list[tuple[int, str, int]] = []

    def run(self, now: datetime) -> Loaded:
        """Load everything; the caller commits. Raises ImportRefused and what reading the folder raises."""
        with Cursor(self._connection) as cursor:
            before, root = self._lock(cursor)
            rest = self._compare(before, root)
            self._entries(cursor, before, rest)
            self._keys_of_events(cursor, before)
            self._head(cursor, before, root)
            self._told_erasures(cursor)
            checkpoints = self._checkpoints(cursor, now)
            self._key_statements(cursor, now)
        return Loaded(
            size=self._size,
            before=before,
            sections=self._sections,
            erasures=self._erasures,
            event_keys=self._event_keys if self._log.has(layout.EVENT_KEYS) else None,
            checkpoints=checkpoints,
            absences=self._absences,
            standing=tuple(self._standing),
        )

    # --- what is there ----------------------------------------------------------------------------
    def _lock(self, cursor: Cursor[Row]) -> tuple[int, bytes]:
        row = cursor.execute(
            b"SELECT size, root, received_at FROM head WHERE id = 1 FOR UPDATE", binary=True
        ).fetchone()
        if row is None:
            raise ImportRefused("The database has no head row: run the migrations first.")
        size, root, received_at = row
        assert isinstance(size, int)
        assert isinstance(root, bytes)
        assert isinstance(received_at, datetime)
        self._received_at = received_at
        if not self._complete:
            used = cursor.execute(_USED).fetchone()
            if size or used != (False,):
                raise ImportRefused(
                    "This ledger is not empty. Import into a new, migrated database; to complete a restored copy of"
                    " this log, use --continue."
                )
        elif not 0 < size <= self._size:
            raise ImportRefused(
                f"This ledger holds {size} entries, the folder {self._size}: there is nothing to continue."
            )
        return size, root

    def _compare(self, before: int, root: bytes) -> list[bytes]:
        """Hold the stored entries against the folder's; the rest of the bundle in which they end."""
        rest: list[bytes] = []
        with ServerCursor(self._connection, "import_compare") as cursor:
            cursor.execute(b"SELECT index, leaf, leaf_hash FROM entry ORDER BY index", binary=True)
            for n in range(-(-before // TILE_WIDTH)):
                entries = self._log.entries(n)
                mine = min(TILE_WIDTH, before - n * TILE_WIDTH)
                rest = entries[mine:]
                hashes = leaf_hashes(entries[:mine])
                expected = list(zip(range(n * TILE_WIDTH, before), entries, hashes, strict=False))[:mine]
                for wanted, found in zip(expected, chain(cursor.fetchmany(mine), [None] * mine), strict=False):
                    if wanted != found:
                        raise ImportRefused(
                            f"Entry {wanted[0]} here is not that of the folder: this is no older copy of that log."
                            " Entries that were written after the restore cannot be joined with it."
                        )
                self._growing.take(hashes)
                self._say("entries compared", before)
            if cursor.fetchone() is not None or self._growing.edge.root() != root:
                raise ImportRefused("The head of this ledger contradicts its entries: restore the backup again.")
        return rest

    # --- entries and sections ---------------------------------------------------------------------
    def _entries(self, cursor: Cursor[Row], before: int, rest: list[bytes]) -> None:
        sections = _Ahead(self._log.lines(layout.SECTIONS, _SECTION))
        erasures = _Ahead(self._log.lines(layout.ERASURES, _ERASURE))
        for _line in chain(sections.below(before), erasures.below(before)):
            pass  # of entries that were here already
        waiting = rest
        for n in range(-(-before // TILE_WIDTH), -(-self._size // TILE_WIDTH)):
            waiting = waiting + self._log.entries(n)
            if len(waiting) >= BUNDLES_AT_ONCE * TILE_WIDTH:
                self._batch(cursor, waiting, sections, erasures)
                waiting = []
        if waiting:
            self._batch(cursor, waiting, sections, erasures)
        if self._growing.size != self._size or self._growing.edge.root() != self._log.checkpoint.root:
            raise ImportRefused("The rebuilt entries do not lead to the signed root, so nothing was imported.")

    def _batch(self, cursor: Cursor[Row], entries: Sequence[bytes], sections: "_Ahead", erasures: "_Ahead") -> None:
        start, hashes = self._growing.size, leaf_hashes(entries)
        leaves = [parse_leaf(entry) for entry in entries]
        rows.copy(
            cursor,
            rows.ENTRY,
            10,
            [made.entry_row(start + n, *item) for n, item in enumerate(zip(entries, hashes, leaves, strict=True))],
        )
        rows.copy(cursor, rows.TILE, 4, [made.tile_row(tile) for tile in self._growing.take(hashes)])
        for leaf in leaves:
            if leaf.received_at < self._received_at:
                raise ImportRefused("The entries' times go back: this is not a log of this program.")
            self._received_at = leaf.received_at
        end = start + len(entries)
        kept: dict[int, set[str]] = {}
        for line in erasures.below(end):
            kept.setdefault(line.number("index"), set()).add(line.text("name"))
        self._copy_sections(cursor, sections.below(end), start, leaves, kept)
        for index, leaf in enumerate(leaves, start):
            if names := tuple(sorted(leaf.sections.keys() - kept.get(index, set()))):
                self._absences.add(index, names)
        self._say("entries", self._size)

    def _copy_sections(
        self, cursor: Cursor[Row], lines: Iterator[Line], start: int, leaves: Sequence[Leaf], kept: dict[int, set[str]]
    ) -> None:
        waiting: list[bytes] = []
        held = 0
        for line in lines:
            index, name = line.number("index"), line.text("name")
            waiting.append(made.section_row(index, name, line, leaves[index - start]))
            kept.setdefault(index, set()).add(name)
            held += len(waiting[-1])
            self._sections += 1
            if held > BYTES_AT_ONCE:
                rows.copy(cursor, rows.SECTION, 5, waiting)
                waiting, held = [], 0
        rows.copy(cursor, rows.SECTION, 5, waiting)

    def _keys_of_events(self, cursor: Cursor[Row], before: int) -> None:
        lines = self._log.lines(layout.EVENT_KEYS, layout.EVENT_KEY_LINE)
        latest = -1
        while batch := list(islice(lines, LINES_AT_ONCE)):
            for line in batch:
                if line.number("index") <= latest:
                    raise ImportRefused(f"{layout.EVENT_KEYS} has entry {line.number('index')} twice or out of order.")
                latest = line.number("index")
            if latest >= self._size:
                raise ImportRefused(f"{layout.EVENT_KEYS} names an entry that the log does not have.")
            fresh = [line for line in batch if line.number("index") >= before]
            rows.copy(cursor, rows.EVENT_KEY, 3, [made.key_row(line) for line in fresh])
            self._event_keys += len(fresh)

    def _head(self, cursor: Cursor[Row], before: int, root: bytes) -> None:
        if self._size == before:
            return
        edge: RightEdge = self._growing.edge
        cursor.execute(
            b"UPDATE head SET size = %s, root = %s, edge = %s, received_at = %s"
            b" WHERE id = 1 AND size = %s AND root = %s",
            [edge.size, edge.root(), edge.to_bytes(), self._received_at, before, root],
        )
        if cursor.rowcount != 1:
            raise ImportRefused("The head moved under its lock, so nothing was imported. Stop all other writers.")

    # --- what is told of the log ------------------------------------------------------------------
    def _told_erasures(self, cursor: Cursor[Row]) -> None:
        """Erasures that an entry with its facts tells. One whose telling entry has no facts here is an absence."""
        lines = self._log.lines(layout.ERASURES, _ERASURE)
        while batch := list(islice(lines, LINES_AT_ONCE)):
            told = [(line.number("index"), line.text("name"), line.number("entry")) for line in batch]
            if any(entry >= self._size for _index, _name, entry in told):
                raise ImportRefused(GREW)
            cursor.execute(_KNOWN_ERASURES, _columns(told))
            fresh = []
            for index, name, entry, known, stands, has_facts in cursor.fetchall():
                assert isinstance(index, int)
                assert isinstance(entry, int)
                item = index, str(name), entry
                if known:
                    continue
                if stands:
                    self._standing.append(item)
                elif has_facts:
                    fresh.append(item)
                else:
                    self._absences.add(index, (str(name),))
            cursor.execute(_ERASE, _columns(fresh))
            self._erasures += len(fresh)

    def _checkpoints(self, cursor: Cursor[Row], now: datetime) -> int:
        kept = ((line.number("size"), line.text("note")) for line in self._log.lines(layout.CHECKPOINTS, _CHECKPOINT))
        # Larger ones came after the verification, so nothing shows yet that they are of this log.
        notes = chain((item for item in kept if item[0] < self._size), [(self._size, self._log.note)])
        count = 0
        while batch := list(islice(notes, LINES_AT_ONCE)):
            sizes = [size for size, _note in batch]
            points = [peek_checkpoint(note) for _size, note in batch]
            if [point.size for point in points] != sizes:
                raise ImportRefused(GREW)
            roots = [point.root for point in points]
            cursor.execute(_CHECKPOINTS, [now, sizes, roots, [note for _size, note in batch]])
            count += cursor.rowcount
            other = cursor.execute(_OTHER_ROOTS, [sizes, roots]).fetchone()
            if other is not None:
                raise ImportRefused(f"The stored checkpoint of {other[0]} entries has another root than the folder's.")
        return count

    def _key_statements(self, cursor: Cursor[Row], now: datetime) -> None:
        cursor.execute(b"SELECT number, note FROM key_statement ORDER BY number")
        stored = [str(note) for _number, note in cursor.fetchall()]
        statements = self._log.history.statements
        if any(mine != said.note for mine, said in zip(stored, statements, strict=False)):
            raise ImportRefused("The stored key statements are not those of the folder.")
        for number, said in enumerate(statements[len(stored) :], len(stored) + 1):
            cursor.execute(
                b"INSERT INTO key_statement (number, kind, old_key, new_key, size, note, stated_at)"
                b" VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [number, said.kind, said.old.to_text(), said.new.to_text(), said.size, said.note, now],
            )

    def _say(self, what: str, size: int) -> None:
        self._tell(what, self._growing.size, size)


class _Ahead:
    """Lines in ascending order of their index, handed out up to some entry."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._waiting = next(lines, None)

    def below(self, index: int) -> Iterator[Line]:
        while (line := self._waiting) is not None and line.number("index") < index:
            self._waiting = next(self._lines, None)
            yield line


def _columns(items: Sequence[tuple[int, str, int]]) -> list[object]:
    return [[item[place] for item in items] for place in range(3)]
