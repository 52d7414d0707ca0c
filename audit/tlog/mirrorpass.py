"""One pass of a mirror: is the newest checkpoint a continuation of what is kept? Then fetch it, checked file by file.

Every file is believed only because it leads to the signed root, so a pass may be killed at any moment: the next one
finishes the checkpoint that was begun, and files that are here already are checked like fetched ones.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from audit.tlog.checkpoint import Checkpoint, CheckpointError
from audit.tlog.encoding import encode_base64
from audit.tlog.hashtiles import Mismatch, SignedTiles, edge_at, require_leaves, require_same_start
from audit.tlog.keyhistory import (
    MAX_HISTORY_BYTES,
    KeyHistory,
    KeyHistoryError,
    of_keys,
    read_checkpoint_in,
    read_history,
    trust,
)
from audit.tlog.keymerge import fit_together
from audit.tlog.keys import VerifierKey
from audit.tlog.mirrorfetch import Fetch, Progress
from audit.tlog.mirrorfolder import CHECKPOINT, KEYS, MirrorError, MirrorFolder
from audit.tlog.note import MAX_NOTE_BYTES, InvalidSignatureError, MalformedNoteError, UnverifiedNoteError
from audit.tlog.source import NotThere, Source, SourceError
from audit.tlog.tree import EMPTY_ROOT, TILE_WIDTH

_SECONDS_BETWEEN_LOOKS: Final = (1.0, 3.0)


class Refused(Exception):
    """What the source shows is not signed as it must be. No evidence against the log: anybody can make that up."""


class Alarm(Exception):
    """The log contradicts itself, and its own signature proves it.

    Attributes:
        kind: `fork`, `rollback`, `tile`, `entry` or `keys`.
        index: the first entry at fault, None when it cannot be told.
        files: evidence by file name.
    """

    def __init__(self, kind: str, text: str, index: int | None, files: dict[str, bytes]) -> None:
        self.kind = kind
        self.index = index
        self.files = files
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Kept:
    """A state that is kept, accepted or still pending: its checkpoint (size 0 before the first) and note."""

    checkpoint: Checkpoint
    note: str


class Pass:
    """One pass over a source.

    Args:
        folder: the mirror's own, locked.
        source: where the log is published.
        pins: the keys given on first use.
        wait: pauses before a checkpoint that went back is read again.
        choose: which of so many old bundles to read again; a random number below its argument.
        progress: told while a checkpoint's files are fetched.
    """

    def __init__(
        self,
        folder: MirrorFolder,
        source: Source,
        pins: Sequence[VerifierKey],
        *,
        wait: Callable[[float], object],
        progress: Progress,
        choose: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._folder = folder
        self._source = source
        self._pins = pins
        self._wait = wait
        self._progress = progress
        self._choose = choose
        self._history = of_keys(pins)

    def run(self) -> tuple[Checkpoint, Checkpoint]:
        """The checkpoint kept before and the one kept now; the same when there was nothing new.

        Raises:
            Alarm: the log contradicts itself.
            Refused: nothing that a pinned key signed is offered, or a key history that leaves statements out.
            SourceError: the source cannot be read; nothing is known.
            MirrorError: the mirror's own folder is damaged.
        """
        self._history = self._keys()
        kept = self._kept()
        before = kept.checkpoint
        if (pending := self._folder.pending()) is not None:
            kept = self._finish(kept, pending)
        seen, note = self._look()
        if seen.size < kept.checkpoint.size:
            seen, note = self._look_again(kept, kept, seen, note)
        if seen.size == kept.checkpoint.size and kept.note:
            if seen.root != kept.checkpoint.root:
                raise self._fork(kept, seen, note, f"The log signed two roots for {seen.size} entries.")
        else:
            kept = self._advance(kept, note, seen)
        self._recheck(kept)
        return before, kept.checkpoint

    def _recheck(self, kept: Kept) -> None:
        """One old bundle a pass, any of them: what is published may be rewritten though nothing new was signed."""
        full = kept.checkpoint.size // TILE_WIDTH
        if not full:
            return
        n = self._choose(full)
        try:
            tile = self._own(kept.checkpoint).tile(0, n)
        except (SourceError, Mismatch) as error:
            raise _damaged(error) from None
        try:
            require_leaves(self._source, n, tile)
        except Mismatch as found:
            files = {"kept-checkpoint": kept.note.encode(), **found.files}
            raise Alarm(found.kind, str(found), found.index, files) from None

    # --- keys and checkpoints ---------------------------------------------------------------------
    def _keys(self) -> KeyHistory:
        """The pinned keys with the ranges of the published history, which may only grow; it is kept at once."""
        pinned, kept = of_keys(self._pins), self._folder.keys()
        brought = self._optional(KEYS, MAX_HISTORY_BYTES)
        try:
            known = None if kept is None else read_history(kept, None)
        except KeyHistoryError as error:
            raise MirrorError(f"The mirror's own file of keys is damaged: {error}") from None
        try:
            if known is None:
                found = trust(pinned, brought)
                text = brought
            else:
                text = trust(known, brought).to_text()
                found = trust(pinned, text)
        except KeyHistoryError as error:
            other = None if known is None or brought is None else _other_history(known, brought)
            if known is None or brought is None or other is None:
                raise Refused(f"The published key history does not fit the key you gave. {error}") from None
            if fit_together(known, other):
                raise Refused(
                    "The published key history leaves out statements that were published before, or has some that were"
                    " left out then. Whoever serves the log can do that without its keys."
                ) from None
            files = {"kept-keys": (kept or "").encode(), "seen-keys": brought.encode()}
            raise Alarm("keys", f"The log's keys signed two histories of keys. {error}", None, files) from None
        if text is None and len(self._pins) == 1:
            text = pinned.to_text()
        if text is not None and text != kept:
            self._folder.write(KEYS, text.encode())
        return found

    def _optional(self, path: str, limit: int) -> str | None:
        try:
            return self._source.read(path, limit).decode()
        except NotThere:
            return None
        except UnicodeDecodeError:
            raise Refused(f"The published file {path} is not text.") from None

    def _kept(self) -> Kept:
        note = self._folder.checkpoint()
        if note is None:
            return Kept(Checkpoint(self._pins[0].name, 0, EMPTY_ROOT), "")
        checkpoint = self._open_own(note)
        self._own(checkpoint)
        return Kept(checkpoint, note)

    def _own(self, checkpoint: Checkpoint) -> SignedTiles:
        """The tiles kept here, checked up to the root that was accepted, before anything is compared with them: damage
        to this disk is not the log's doing.
        """
        try:
            return SignedTiles(self._folder.source, checkpoint)
        except (SourceError, Mismatch) as error:
            raise _damaged(error) from None

    def _open_own(self, note: str) -> Checkpoint:
        try:
            return self._open(note)
        except Refused as error:
            raise MirrorError(f"The mirror's own folder is damaged, or its key was withdrawn: {error}") from None

    def _open(self, note: str | bytes) -> Checkpoint:
        try:
            checkpoint = read_checkpoint_in(note, self._history)[0]
        except (CheckpointError, MalformedNoteError, InvalidSignatureError, UnverifiedNoteError) as error:
            raise Refused(f"The checkpoint is not one that the log's key signed. {error}") from None
        return checkpoint

    def _look(self) -> tuple[Checkpoint, str]:
        note = self._source.read(CHECKPOINT, MAX_NOTE_BYTES)
        return self._open(note), note.decode()

    def _look_again(self, kept: Kept, newest: Kept, seen: Checkpoint, note: str) -> tuple[Checkpoint, str]:
        """Older than the `newest` the log had signed: a cache that lags gets the chance to catch up, a fork does not.

        Raises Alarm, and what reading raises.
        """
        for pause in (*_SECONDS_BETWEEN_LOOKS, None):
            if kept.note and seen.size <= kept.checkpoint.size and self._root_at(kept, seen.size) != seen.root:
                text = f"The log signed {seen.size} entries that are not those it had signed before."
                raise self._fork(kept, seen, note, text)
            if pause is None:
                break
            self._wait(pause)
            seen, note = self._look()
            if seen.size >= newest.checkpoint.size:
                return seen, note
        raise Alarm(
            "rollback",
            f"The log went back from {newest.checkpoint.size} to {seen.size} entries: its end was cut off, or an older"
            " copy was put in place.",
            seen.size,
            _both(kept.note, note) if newest is kept else _all_three(kept.note, newest.note, note),
        )

    def _root_at(self, kept: Kept, size: int) -> bytes:
        """The root that the first `size` entries kept here have."""
        try:
            return edge_at(self._own(kept.checkpoint), size).root()
        except (SourceError, Mismatch) as error:
            raise _damaged(error) from None

    def _fork(self, kept: Kept, seen: Checkpoint, note: str, text: str) -> Alarm:
        """The alarm, with the entry where both histories part if what is published of the other one tells.

        That they part is proven by then: tiles that cannot be read, there or here, only leave open where.
        """
        index, files = None, _both(kept.note, note)
        try:
            require_same_start(SignedTiles(self._source, seen), self._own(kept.checkpoint))
        except Mismatch as found:
            if found.kind == "fork":
                index, text = found.index, f"{text} {found}"
                # The shorter history is the one that must be the start of the other: here, what was seen.
                files |= {"seen-tile": found.files["kept-tile"], "kept-tile": found.files["seen-tile"]}
        except SourceError:
            text = f"{text} Where they part cannot be told: the tiles cannot be read."
        return Alarm("fork", text, index, files)

    # --- fetching ---------------------------------------------------------------------------------
    def _finish(self, kept: Kept, note: str) -> Kept:
        """Accept the checkpoint that a former run began. When its files do not come, the log may have taken it back."""
        pending = Kept(self._open_own(note), note)
        try:
            return self._advance(kept, note, pending.checkpoint)
        except SourceError:
            self._require_kept_up(kept, pending)
            raise

    def _require_kept_up(self, kept: Kept, pending: Kept) -> None:
        """Check that the log still shows the pending checkpoint or one that continues it. Raises Alarm, and what
        reading raises.
        """
        seen, note = self._look()
        if seen.size < pending.checkpoint.size:
            seen, note = self._look_again(kept, pending, seen, note)
        files = _all_three(kept.note, pending.note, note)
        size, root = pending.checkpoint.size, seen.root
        if seen.size > size:
            try:
                root = edge_at(SignedTiles(self._source, seen), size).root()
            except Mismatch as found:
                raise Alarm(found.kind, str(found), found.index, {**files, **found.files}) from None
        if root != pending.checkpoint.root:
            text = f"The log signed two roots for {size} entries, and the files of the first are not published."
            if seen.size > size:
                text = f"The log signed {seen.size} entries that do not begin with the {size} it had signed before."
            raise Alarm("fork", text, None, files)

    def _advance(self, kept: Kept, note: str, target: Checkpoint) -> Kept:
        """Accept a larger checkpoint, after all its files are here and lead to its root."""
        size = kept.checkpoint.size
        try:
            if target.size > size:
                self._folder.begin(note)
                tree = SignedTiles(self._source, target)
                require_same_start(self._own(kept.checkpoint), tree)
                Fetch(self._folder, tree, size, self._progress).run()
        except Mismatch as found:
            raise Alarm(found.kind, str(found), found.index, {**_both(kept.note, note), **found.files}) from None
        if target.size >= size:
            self._folder.accept(target, note, older=size)
            return Kept(target, note)
        self._folder.forget_pending()
        return kept


def _other_history(known: KeyHistory, brought: str) -> KeyHistory | None:
    """The other history if it is properly signed and begins with the same key: anybody can make up a history with keys
    of their own.
    """
    try:
        other = read_history(brought, None)
    except KeyHistoryError:
        return None
    return other if other.keys[0] == known.keys[0] else None


def _damaged(error: Exception) -> MirrorError:
    return MirrorError(
        f"The mirror's own folder is damaged: {error} That is no fault of the log. Mirror into a new folder, and keep"
        " this one for the checkpoints in it."
    )


def _both(kept: str, seen: str) -> dict[str, bytes]:
    return {"kept-checkpoint": kept.encode(), "seen-checkpoint": seen.encode()}


def _all_three(kept: str, pending: str, seen: str) -> dict[str, bytes]:
    """The notes of an alarm about a checkpoint that was seen, but whose files never came."""
    files = {"kept-checkpoint": kept, "pending-checkpoint": pending, "seen-checkpoint": seen}
    return {name: note.encode() for name, note in files.items() if note}


def describe(checkpoint: Checkpoint) -> dict[str, object]:
    """JSON-ready form of a state."""
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": encode_base64(checkpoint.root)}
