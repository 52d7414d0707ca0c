"""One look at the log, and at most one signature. No loop, no signals: those are in `process`."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from psycopg import Connection

from audit.signer import database, examine
from audit.signer.database import Claim, Row, View
from audit.signer.examine import Contradiction, Tree
from audit.signer.key import LogKeys
from audit.signer.lease import LeaseHeld
from audit.signer.state import State, StateDir
from audit.tlog.checkpoint import Checkpoint, sign_checkpoint

SECONDS_BETWEEN_SIGNATURES: Final = 1.0
SECONDS_OF_READING: Final = 1.0
"""After this long a look ends, though entries are left: the lease has to be renewed."""

ALARM_KIND: Final = "signer.frozen"
LOST_PEN: Final = "Another signer took over while this one was paused. One log has one signer."
_log = logging.getLogger("audit.signer")


class Outcome(Enum):
    """What a look came to."""

    IDLE = "idle"
    SIGNED = "signed"
    BEHIND = "behind"
    """More entries wait than one look may read: look again at once."""
    FROZEN = "frozen"


def _now() -> datetime:
    return datetime.now(UTC)


class Signer:
    """Signs a log that only ever grew, and nothing else.

    The tree is computed from the leaf bytes of `entry` alone. It runs ahead of the state while signatures
    are paced or much is to be read, but a tree that was not signed is never written down.
    """

    def __init__(
        self,
        folder: StateDir,
        state: State,
        keys: LogKeys,
        *,
        holder: str,
        now: Callable[[], datetime] = _now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = state
        self._folder = folder
        self._keys = keys
        self._holder = holder
        self._now = now
        self._monotonic = monotonic
        self._tree = Tree.of(state)
        self._last_signed_at = float("-inf")
        self._announced = False

    @property
    def frozen_reason(self) -> str:
        """Why nothing is signed any more; empty while all is well."""
        return self.state.frozen.reason if self.state.frozen else ""

    def rehash(self, connection: Connection[Row]) -> None:
        """Hash the newest signed leaves again; for every new connection, as the server behind it may be
        another.
        """
        if self.state.frozen:
            return
        try:
            with database.snapshot(connection) as view:
                # The more exact findings first: sizes, then single leaves, then whole subtrees.
                examine.grown(view, self._tree)
                examine.tail_stands(view, self._tree)
                examine.subtrees_stand(view, self.state.edge)
        except Contradiction as contradiction:
            self._freeze(contradiction)

    def tell_keys(self, connection: Connection[Row]) -> None:
        """Publish the key statements that are not published yet; also what a killed rotation left undone."""
        if self.state.frozen:
            return
        own = self._keys.history.statements
        with database.snapshot(connection) as view:
            stored = view.statements()
        if stored != [said.note for said in own[: len(stored)]]:
            self._freeze(Contradiction("The stored key statements are not those that this signer made."))
            return
        for number, said in enumerate(own[len(stored) :], len(stored) + 1):
            database.insert_statement(connection, number, said)

    def look(self, connection: Connection[Row]) -> Outcome:
        """Read what is new, compare, sign if it is time.

        Raises:
            LeaseHeld: another signer took the pen.
            OSError: the state could not be written; nothing was signed.
            psycopg.Error: the database does not answer; nothing is wrong with the log for that.
        """
        if self.state.frozen is None:
            try:
                with database.snapshot(connection) as view:
                    head, published = self._examine(view)
            except Contradiction as contradiction:
                self._freeze(contradiction)
            else:
                return self._sign(connection, head, published=published)
        self._announce(connection)
        return Outcome.FROZEN

    def _examine(self, view: View) -> tuple[Claim, bool]:
        if not view.is_held_by(self._holder):
            # Resumed after a pause: what another signer signed meanwhile is no contradiction, and not ours to judge.
            raise LeaseHeld(LOST_PEN)
        head = examine.grown(view, self._tree)
        published = examine.checkpoints_agree(view, self.state)
        # What the signer sees itself names the entry; an alarm of somebody else may only name a range.
        examine.tail_stands(view, self._tree)
        examine.no_alarm(view, self.state.acknowledged)
        deadline = self._monotonic() + SECONDS_OF_READING
        for rows in view.leaves(self._tree.edge.size, head.size):
            hashes = examine.next_leaves(rows, self._tree.edge.size)
            if not hashes:
                size = self._tree.edge.size
                raise Contradiction(f"Entry {size} is missing, though later ones are there.", size)
            self._tree = self._tree.extend(hashes)
            if self._monotonic() > deadline:
                break
        examine.root_agrees(self._tree, head)
        return head, published

    def _sign(self, connection: Connection[Row], head: Claim, *, published: bool) -> Outcome:
        if self._tree.edge.size < head.size:
            return Outcome.BEHIND
        if self._tree.edge.size > self.state.size:
            now = self._monotonic()
            if now - self._last_signed_at < SECONDS_BETWEEN_SIGNATURES:
                return Outcome.IDLE
            self._last_signed_at = now
            # Remember first, publish second. Killed between the two, the next run finds a remembered tree
            # without a checkpoint and publishes it: Ed25519 is deterministic, so it is the same note. The
            # other way round, a checkpoint could be out in the world that the signer has forgotten, and if
            # the database were rewritten before it starts again it would sign a second root for that size:
            # the one thing it exists to prevent.
            state = self.state.grown(self._tree.edge, self._tree.tail)
            self._folder.save(state)
            self.state = state
        elif published:
            return Outcome.IDLE
        self._publish(connection)
        return Outcome.SIGNED

    def _publish(self, connection: Connection[Row]) -> None:
        claim = Claim(self.state.size, self.state.edge.root())
        note = sign_checkpoint(Checkpoint(self.state.origin, claim.size, claim.root), *self._keys.at(claim.size))
        if not database.insert_checkpoint(connection, claim, note, holder=self._holder):
            raise LeaseHeld(LOST_PEN)
        _log.debug("signed a checkpoint of %d entries", claim.size)

    def _freeze(self, why: Contradiction) -> None:
        # On disk before it is told to anybody: a signer that is killed here must not wake up trusting.
        state = self.state.freeze(str(why), at=self._now(), entry_index=why.entry_index)
        self._folder.save(state)
        self.state = state
        _log.critical("frozen at %d entries, nothing is signed any more: %s", state.size, why)

    def _announce(self, connection: Connection[Row]) -> None:
        if self.state.frozen and not self._announced:
            database.raise_alarm(
                connection,
                kind=ALARM_KIND,
                entry_index=self.state.frozen.entry_index,
                detail=self.state.frozen.reason,
                acknowledged=self.state.acknowledged,
            )
            self._announced = True
