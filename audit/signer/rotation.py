"""A log's keys change: a new one begins beside the old one, later the old one ends.

Both are done while the signer stands still, in its folder: the statement is durable there first, then it is
published; a running signer would have to be told in the middle of a signature. What a crash leaves undone the next
start of the signer does.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg import Connection

from audit.signer import database, lease, process
from audit.signer.core import Signer
from audit.signer.database import Row
from audit.signer.key import LogKeys, destroy_ended, load_keys, make_next_key, save_history
from audit.signer.state import State, StateDir
from audit.tlog.keyhistory import BEGINS, ENDS, KeyHistory, extend, sign_statement
from audit.tlog.keys import VerifierKey


class RotationRefused(RuntimeError):
    """The keys cannot change now; the sentence says what must be done first."""


@dataclass(frozen=True, slots=True)
class _Bench:
    """Everything a change of keys works with; the folder is locked and the pen is ours."""

    folder: StateDir
    keys: LogKeys
    state: State
    connection: Connection[Row]
    holder: str

    def adopt(self, history: KeyHistory) -> LogKeys:
        """Make the longer history durable, then public."""
        save_history(self.folder, history)
        keys = replace(self.keys, history=history)
        Signer(self.folder, self.state, keys, holder=self.holder).tell_keys(self.connection)
        return keys


def rotate(*, folder: Path, origin: str, vkey: str, entropy: Callable[[int], bytes] = os.urandom) -> VerifierKey:
    """Let a new key begin beside the old one, from the next tree size on; returns its verifier key.

    Raises:
        RotationRefused: a rotation is under way, the signer is frozen, or a checkpoint waits to be published.
        StateInUse, LeaseHeld: a signer runs: stop it first.
        KeyRefused, StateLost, StateUnreadable, OSError, psycopg.Error: as for the signer itself.
    """
    with _bench(folder, origin=origin, vkey=vkey) as bench:
        if len(bench.keys.living) > 1:
            raise RotationRefused("Two keys sign already. End the older one first: manage.py signer --retire")
        (old,) = bench.keys.living
        new = make_next_key(bench.folder, bench.keys, entropy=entropy)
        note = sign_statement(BEGINS, old=old, new=new, size=bench.state.size + 1)
        bench.adopt(extend(bench.keys.history, note))
        return new.verifier


def retire(*, folder: Path, origin: str, vkey: str) -> VerifierKey:
    """Let the older of two keys end with the newest signed tree size and destroy its file; returns that key.

    Raises: as `rotate`.
    """
    with _bench(folder, origin=origin, vkey=vkey) as bench:
        if len(bench.keys.living) < 2:
            raise RotationRefused("Only one key signs. Let another begin first: manage.py signer --rotate")
        old, new = bench.keys.living
        note = sign_statement(ENDS, old=old, new=new, size=bench.state.size)
        keys = bench.adopt(extend(bench.keys.history, note))
        destroy_ended(bench.folder, keys)
        return old.verifier


@contextmanager
def _bench(folder: Path, *, origin: str, vkey: str) -> Iterator[_Bench]:
    state_dir = StateDir(folder)
    with state_dir.locked():
        keys = load_keys(state_dir, origin=origin, vkey=vkey)
        destroy_ended(state_dir, keys)
        with database.connect() as connection:
            holder = lease.holder_name(folder)
            process.take_pen(connection, holder, process.pause)
            try:
                state = process.recall(connection, state_dir, origin=origin)
                _is_quiet(state, keys, connection)
                yield _Bench(state_dir, keys, state, connection, holder)
            finally:
                with suppress(psycopg.Error):
                    lease.give_back(connection, holder)


def _is_quiet(state: State, keys: LogKeys, connection: Connection[Row]) -> None:
    if state.frozen:
        raise RotationRefused(f"The signer is frozen and signs nothing, no key statement either: {state.frozen.reason}")
    with database.snapshot(connection) as view:
        newest, stored = view.checkpoint(), view.statements()
    if stored != [said.note for said in keys.history.statements[: len(stored)]]:
        raise RotationRefused("The stored key statements are not those of this folder: put back its newest copy.")
    if (newest.size if newest else 0) != state.size:
        # The old key may have to sign it, and must not be gone by then.
        raise RotationRefused(
            f"The checkpoint of {state.size} entries is not published yet. Start the signer, wait for it, then stop it."
        )
