"""The way out of a freeze, and out of a lost state: by hashing everything again, never by forgetting.

Neither signs anything. Both write down who did it and why before the signer may go on.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import psycopg
from psycopg import Connection

from audit.signer import database, lease, process
from audit.signer.database import Alarm, Row, View
from audit.signer.examine import Contradiction
from audit.signer.key import LogKeys, load_keys
from audit.signer.reexamine import Tell, whole
from audit.signer.state import State, StateDir, StateUnreadable
from audit.tlog.checkpoint import Checkpoint, CheckpointError
from audit.tlog.keyhistory import read_checkpoint_in
from audit.tlog.note import InvalidSignatureError, MalformedNoteError, UnverifiedNoteError

MAX_REASON: Final = 1000
_SHOWN: Final = 20


class ThawRefused(RuntimeError):
    """The signer must stay as it is; the sentence says what was found or what is missing."""


class NotAcknowledged(ThawRefused):
    """Alarms stand that nobody has acknowledged.

    Attributes:
        alarms: the oldest of them.
    """

    def __init__(self, alarms: Sequence[Alarm]) -> None:
        self.alarms = tuple(alarms)
        ids = " ".join(str(alarm.id) for alarm in alarms)
        super().__init__(f"Look at each of these alarms, then name it: --acknowledge {ids}")


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovered state rests on.

    Attributes:
        size: entries of the new state.
        kept: entries of the checkpoint that was kept outside: up to there the log is shown to be the old one.
        checkpoints: stored checkpoints that agree.
        frozen: the old state was frozen, and so is the new one: a person has to thaw it.
    """

    size: int
    kept: int
    checkpoints: int
    frozen: bool


def thaw(
    *,
    folder: Path,
    origin: str,
    vkey: str,
    reason: str,
    operator: str,
    acknowledge: Sequence[int | range],
    tell: Tell,
) -> int:
    """Let a frozen signer go on, once the whole log hashes to what it remembers; returns the entries hashed.

    Args:
        reason: why this is right, at most MAX_REASON characters; it becomes part of the ledger.
        operator: who says so.
        acknowledge: ids of the alarms that were looked at; every one that stands must be among them. Each id that
            stands alone must exist, one within a range need not: rolled-back writes leave gaps.
        tell: progress.

    Raises:
        ThawRefused: the signer is not frozen, the log contradicts what was signed, or the reason is unfit.
        NotAcknowledged: an alarm stands that is not in `acknowledge`.
        StateInUse, LeaseHeld: a signer runs: stop it first.
        StateExposed, KeyRefused, StateLost, StateUnreadable, OSError, psycopg.Error: as for the signer itself.
    """
    _check_reason(reason)
    with _held(folder, origin=origin, vkey=vkey) as (state_dir, keys, connection, holder):
        state = process.recall(connection, state_dir, origin=origin)
        if state.frozen is None:
            raise ThawRefused("The signer is not frozen: there is nothing to thaw.")
        with database.snapshot(connection) as view:
            named = _named(view, state, acknowledge)
            # A restored database may have lost the thaw that acknowledged an alarm: to everybody but the signer it
            # would stand for ever, so this thaw tells of it again.
            told = {alarm.id: alarm for alarm in [*view.alarms_without_thaw(), *named]}
            _same_keys(view.statements(), keys)
            try:
                found = whole(view, history=keys.history, sizes=frozenset({state.size}), tell=tell)
            except Contradiction as contradiction:
                raise ThawRefused(f"The log still contradicts what was signed. {contradiction}") from contradiction
        if found.trees[state.size].edge != state.edge:
            raise ThawRefused(f"The first {state.size} entries are not those that the signer remembers.")
        if found.newest > state.size:
            raise ThawRefused(
                f"There is a checkpoint of {found.newest} entries that this signer does not remember. If its state is "
                "an old copy, bring it up to date first: manage.py signer --recover FILE"
            )
        # The hashing may have taken longer than a lease: nobody else may have begun to sign meanwhile.
        process.take_pen(connection, holder, process.pause)
        database.insert_thaw(
            connection,
            size=state.size,
            frozen_reason=state.frozen.reason,
            reason=reason.strip(),
            operator=operator,
            alarms=[told[number] for number in sorted(told)],
        )
        state_dir.save(state.thaw(acknowledged=[alarm.identity for alarm in named]))
    return found.head.size


def recover(*, folder: Path, origin: str, vkey: str, note: str, tell: Tell) -> Recovered:
    """Make the signer's lost memory again from a checkpoint that was kept outside.

    An old copy that was frozen stays so: thawing is a decision of its own.

    Raises:
        ThawRefused: the memory is not lost, the checkpoint is not this log's, or the log does not continue it.
        StateInUse, LeaseHeld: a signer runs.
        StateExposed, KeyRefused, OSError, psycopg.Error: as for the signer itself.
    """
    with _held(folder, origin=origin, vkey=vkey) as (state_dir, keys, connection, holder):
        old = _remembered(state_dir)
        kept = _opened(note, keys, origin)
        with database.snapshot(connection) as view:
            stored = view.checkpoint()
            size = max(kept.size, stored.size if stored else 0)
            if old and old.size >= size:
                if old.frozen:
                    raise ThawRefused("The signer remembers that it is frozen. Use: manage.py signer --thaw")
                raise ThawRefused("The signer's state is there and is not older than what was signed: nothing is lost.")
            sizes = frozenset({kept.size, size, *([old.size] if old else [])})
            _same_keys(view.statements(), keys)
            try:
                found = whole(view, history=keys.history, sizes=sizes, tell=tell)
            except Contradiction as contradiction:
                raise ThawRefused(f"The log does not continue what was signed. {contradiction}") from contradiction
        if found.trees[kept.size].edge.root() != kept.root:
            raise ThawRefused(f"The first {kept.size} entries are not those of the checkpoint that was kept.")
        if old and found.trees[old.size].edge != old.edge:
            raise ThawRefused(f"The first {old.size} entries are not those of the old state in {folder}.")
        tree = found.trees[size]
        process.take_pen(connection, holder, process.pause)
        fresh = State(origin, tree.edge, tree.tail)
        if old:
            fresh = replace(fresh, frozen=old.frozen, acknowledged=old.acknowledged)
        state_dir.set_aside()
        state_dir.save(fresh)
    return Recovered(size, kept.size, found.checkpoints, frozen=fresh.frozen is not None)


def _named(view: View, state: State, acknowledge: Sequence[int | range]) -> list[Alarm]:
    """The alarms that a person names. Raises NotAcknowledged, ThawRefused."""
    single = {item for item in acknowledge if isinstance(item, int)}
    ids = single.union(*(item for item in acknowledge if isinstance(item, range)))
    if standing := view.alarms(state.acknowledged, besides=sorted(ids), limit=_SHOWN):
        raise NotAcknowledged(standing)
    named = view.alarms_of(sorted(ids))
    if strange := single - {alarm.id for alarm in named}:
        raise ThawRefused(f"There is no alarm {min(strange)} to acknowledge.")
    return named


@contextmanager
def _held(folder: Path, *, origin: str, vkey: str) -> Iterator[tuple[StateDir, LogKeys, Connection[Row], str]]:
    """The folder locked, its keys, a connection that holds the pen, and the name it holds it by."""
    state_dir = StateDir(folder)
    with state_dir.locked():
        keys = load_keys(state_dir, origin=origin, vkey=vkey)
        with database.connect() as connection:
            holder = lease.holder_name(folder)
            process.take_pen(connection, holder, process.pause)
            try:
                yield state_dir, keys, connection, holder
            finally:
                with suppress(psycopg.Error):
                    lease.give_back(connection, holder)


def _check_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > MAX_REASON or not reason.isprintable():
        raise ThawRefused(f"Give the reason in one line of at most {MAX_REASON} characters: the ledger keeps it.")


def _remembered(folder: StateDir) -> State | None:
    """The state in the folder; None when it is absent or damaged beyond reading."""
    try:
        return folder.load()
    except StateUnreadable:
        return None


def _opened(note: str, keys: LogKeys, origin: str) -> Checkpoint:
    try:
        kept, _opened = read_checkpoint_in(note, keys.history)
    except (CheckpointError, InvalidSignatureError, MalformedNoteError, UnverifiedNoteError) as error:
        raise ThawRefused(f"The file is no checkpoint that this log signed. {error}") from error
    if kept.origin != origin or kept.size == 0:
        raise ThawRefused(f"The file is no checkpoint of the log {origin} that covers an entry.")
    return kept


def _same_keys(stored: Sequence[str], keys: LogKeys) -> None:
    own = [said.note for said in keys.history.statements]
    # Fewer may be stored: the next start of the signer publishes what a restored copy lacks.
    if any(ours != theirs for ours, theirs in zip(own, stored, strict=False)):
        raise ThawRefused("The stored key statements are not those of this signer.")
    if len(stored) > len(own):
        raise ThawRefused(
            "The log's keys changed since this folder was copied: put back the newest key files and the file keys."
        )
