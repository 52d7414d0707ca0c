"""One publication: from the published checkpoint to the next signed one. No loop, no signals: those are in `process`.

What is out is known from the store alone, so a publisher that is killed anywhere is followed by one that goes on from
the published checkpoint and writes the same bytes. The files of a size come first, the checkpoint last.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Final, NamedTuple

from audit.publishing.growth import Growth, partial_tiles, recent_partials, superseded
from audit.publishing.signedlog import EntryMissing, Signed, SignedLog
from audit.publishing.store import CHECKPOINT, KEYS, Differs, Store
from audit.tlog.checkpoint import Checkpoint, CheckpointError, peek_checkpoint
from audit.tlog.encoding import HASH_SIZE
from audit.tlog.keyhistory import KeyHistory, KeyHistoryError, read_checkpoint_in, read_history
from audit.tlog.keys import VerifierKey
from audit.tlog.note import InvalidSignatureError, MalformedNoteError, UnverifiedNoteError
from audit.tlog.tiles import TILE_WIDTH, tile_path
from audit.tlog.tree import TreeError, leaf_hashes

STEP: Final = 1_000_000
"""Entries between two published checkpoints while a long log is caught up with, if there are checkpoints to choose."""

GRACE_SECONDS: Final = 3600.0
"""How long partial files stay after full ones replaced them, for readers who are in the middle of an older size."""

RECENT: Final = 64
"""Full tiles whose partial files a new publisher looks for: those of before were removed by the one before it."""

_PROGRESS_SECONDS: Final = 10.0
_NOTE_ERRORS: Final = (MalformedNoteError, UnverifiedNoteError, InvalidSignatureError, CheckpointError)
_log = logging.getLogger("audit.publisher")


class Outcome(Enum):
    """What a step came to."""

    IDLE = "idle"
    PUBLISHED = "published"
    BEHIND = "behind"
    """A checkpoint was published and a newer one waits: go on at once."""


class Contradiction(Exception):
    """The published files, the database and the signed checkpoints do not tell the same: evidence of tampering.

    Attributes:
        entry_index: the entry at fault, None when it cannot be told.
    """

    def __init__(self, message: str, entry_index: int | None = None) -> None:
        self.entry_index = entry_index
        super().__init__(message)


class NotOurs(Exception):
    """Store, database and LEDGER_VKEY are not of one log: a mistake in the settings, so nothing is published."""


class _Published(NamedTuple):
    """The checkpoint that is out."""

    checkpoint: Checkpoint
    note: bytes


class Publisher:
    """Publishes one log to one store.

    Args:
        store: where the files go; this publisher has its turn there.
        vkey: the verifier key by which readers know the log; its name is the log's origin.
        stay: called between writes; may raise to end a long catch-up.
        monotonic: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        store: Store,
        vkey: VerifierKey,
        *,
        stay: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.size = 0
        """Entries under the checkpoint that was out at the last step."""
        self._store = store
        self._vkey = vkey
        self._stay = stay
        self._monotonic = monotonic
        self._growth: Growth | None = None
        self._old_partials: deque[tuple[float, str]] = deque()

    def step(self, log: SignedLog, *, anew: bool = False) -> Outcome:
        """Publish the next checkpoint, if there is one.

        With `anew` every file of the log is written or compared again, as for a store that lost some.

        Raises:
            Contradiction: an alarm is due.
            NotOurs: the settings do not fit each other.
            StoreError, psycopg.Error: store or database do not answer; the next step goes on.
        """
        try:
            return self._step(log, anew=anew)
        except Differs as error:
            raise Contradiction(str(error)) from error
        except EntryMissing as error:
            raise Contradiction(str(error), error.index) from error

    def _step(self, log: SignedLog, *, anew: bool) -> Outcome:
        text, history = self._keys(log)
        out = self._published(history)
        newest = log.newest()
        self._database_goes_on(log, out, newest)
        self._put_keys(text)
        self._sweep()
        self.size = out.checkpoint.size if out else 0
        if newest is None or (newest.size == self.size and not anew):
            return Outcome.IDLE
        if anew:
            self._growth = Growth()
        growth, self._growth = self._resumed(log, out), None  # kept only if all goes well
        target = log.after(growth.size, within=STEP)
        if target is None or target.size < self.size:
            target = newest  # files are written again from the first on, but the checkpoint does not go back
        return self._publish(log, growth, target, out, history, newest)

    def _publish(
        self,
        log: SignedLog,
        growth: Growth,
        target: Signed,
        out: _Published | None,
        history: KeyHistory,
        newest: Signed,
    ) -> Outcome:
        signed = self._opened(target, history)
        self._root_is_signed(log, growth, signed)
        self._fill(log, growth, signed)
        self._store.add(growth.partials())
        note = target.note.encode()
        self._store.replace(CHECKPOINT, note, expected=out.note if out else None)
        self._remove_later(superseded(self.size, signed.size))
        self.size, self._growth = signed.size, growth
        return Outcome.BEHIND if newest.size > signed.size else Outcome.PUBLISHED

    def _keys(self, log: SignedLog) -> tuple[str, KeyHistory]:
        """The file `keys`, and what it says. Raises NotOurs when LEDGER_VKEY is not one of the log's keys."""
        notes = log.key_statements()
        # The first statement names the first key as the one that was valid already (its third line).
        first = "".join(notes[0].split("\n")[2:3]) if notes else self._vkey.to_text()
        text = f"{first}\n" + "".join(f"\n{note}" for note in notes)
        try:
            return text, read_history(text, [self._vkey])
        except KeyHistoryError as error:
            raise NotOurs(f"LEDGER_VKEY does not fit the key history of this log: {error}") from error

    def _put_keys(self, text: str) -> None:
        content, found = text.encode(), self._store.read(KEYS)
        if found == content:
            return
        if found is not None and not content.startswith(found):
            raise Contradiction(f"The published key history in {self._store.place} is not that of this log.")
        self._store.replace(KEYS, content, expected=found)

    def _published(self, history: KeyHistory) -> _Published | None:
        note = self._store.read(CHECKPOINT)
        if note is None:
            return None
        try:
            origin = peek_checkpoint(note).origin
            if origin != self._vkey.name:
                raise NotOurs(f"{self._store.place} holds the log {origin}: give each log a place of its own.")
            return _Published(read_checkpoint_in(note, history)[0], note)
        except _NOTE_ERRORS as error:
            raise Contradiction(
                f"The published checkpoint in {self._store.place} is none that this log signed: {error}"
            ) from error

    def _database_goes_on(self, log: SignedLog, out: _Published | None, newest: Signed | None) -> None:
        """The database has at least what is out, and the same root for it."""
        if out is None:
            return
        size = out.checkpoint.size
        if newest is None or newest.size < size:
            raise Contradiction(
                f"A checkpoint of {size} entries is published, but the database knows of none that large: its end was "
                "cut off, or an older backup was restored."
            )
        stored = log.at(size)
        if stored and stored.root != out.checkpoint.root:
            raise Contradiction(f"The published checkpoint of {size} entries has another root than the database's.")

    def _opened(self, target: Signed, history: KeyHistory) -> Checkpoint:
        """The signed checkpoint of a row."""
        try:
            checkpoint = read_checkpoint_in(target.note, history)[0]
        except UnverifiedNoteError as error:
            raise NotOurs(
                f"The checkpoint of {target.size} entries is signed by none of the log's keys: LEDGER_VKEY is of "
                "another log."
            ) from error
        except _NOTE_ERRORS as error:
            raise Contradiction(f"The stored checkpoint of {target.size} entries is not as signed: {error}") from error
        if (checkpoint.origin, checkpoint.size, checkpoint.root) != (self._vkey.name, target.size, target.root):
            raise Contradiction(f"The row of the checkpoint of {target.size} entries does not repeat its signed note.")
        return checkpoint

    def _resumed(self, log: SignedLog, out: _Published | None) -> Growth:
        """The tree under the published checkpoint, from memory or from the published files."""
        growth, size = self._growth, out.checkpoint.size if out else 0
        if growth is not None and (growth.size == size or growth.size == 0):
            return growth
        if out is None:
            return Growth()
        tiles = {}
        for name in partial_tiles(size):
            assert name.level is not None
            content = self._store.read(tile_path(name.level, name.n, name.width))
            if content is None:
                _log.warning("%s lacks files of %d entries: all are written again", self._store.place, size)
                return Growth()
            tiles[name.level] = content
        entries = [leaf for found in log.leaves(size - size % TILE_WIDTH, size) for leaf in found]
        growth = self._checked(size, tiles, entries)
        if growth.edge().root() != out.checkpoint.root:
            raise Contradiction(f"The published tiles of {size} entries do not hash to the published checkpoint.")
        # A publisher before this one may have ended before it removed what was superseded last.
        self._remove_later(recent_partials(size, RECENT))
        return growth

    def _checked(self, size: int, tiles: dict[int, bytes], entries: list[bytes]) -> Growth:
        start = size - size % TILE_WIDTH
        published = tiles.get(0, b"")
        for offset, hashed in enumerate(leaf_hashes(entries)):
            if published[HASH_SIZE * offset : HASH_SIZE * (offset + 1)] != hashed:
                raise Contradiction(f"Entry {start + offset} is not the one that was published.", start + offset)
        try:
            return Growth.resumed(size, tiles, entries)
        except TreeError as error:
            raise Contradiction(f"The published tiles of {size} entries are not as written: {error}") from error

    def _root_is_signed(self, log: SignedLog, growth: Growth, signed: Checkpoint) -> None:
        """The published tree, grown by the entries of the database, is the signed one: before any file is written."""
        edge = growth.edge()
        for found in log.leaves(edge.size, signed.size):
            edge = edge.extend(leaf_hashes(found))
            self._stay()
        if edge.root() != signed.root:
            raise Contradiction(
                f"The entries from {growth.size} to {signed.size - 1} do not lead from what was published to the "
                f"signed checkpoint of {signed.size} entries: they were changed, or another past was signed."
            )

    def _fill(self, log: SignedLog, growth: Growth, signed: Checkpoint) -> None:
        """Write the files that are full, up to the signed size."""
        told = self._monotonic()
        for found in log.leaves(growth.size, signed.size):
            self._store.add(growth.add(found))
            self._stay()
            if self._monotonic() - told >= _PROGRESS_SECONDS:
                told = self._monotonic()
                _log.info("publishing: %d of %d entries", growth.size, signed.size)
        if growth.edge().root() != signed.root:
            raise Contradiction(f"The entries below {signed.size} changed while they were published.")

    def _remove_later(self, folders: list[str]) -> None:
        due = self._monotonic() + GRACE_SECONDS
        self._old_partials += [(due, folder) for folder in folders]

    def _sweep(self) -> None:
        """Remove partial files whose time is over."""
        while self._old_partials and self._old_partials[0][0] <= self._monotonic():
            self._store.remove(self._old_partials.popleft()[1])
