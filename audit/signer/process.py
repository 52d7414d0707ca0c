"""The signer as a process: its lock, its lease, its connection, and the loop that looks every 250 ms."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Final

import psycopg
from psycopg import Connection

from audit.signer import database, lease
from audit.signer.core import LOST_PEN, Outcome, Signer
from audit.signer.database import Row
from audit.signer.key import LogKeys, destroy_ended, load_keys, make_key
from audit.signer.lease import LEASE_SECONDS, LeaseHeld
from audit.signer.state import State, StateDir

POLL_SECONDS: Final = 0.25
RENEW_SECONDS: Final = 1.0
RETRY_SECONDS: Final = 2.0
_log = logging.getLogger("audit.signer")

Wait = Callable[[float], bool]
"""Wait up to so many seconds; True when the process should end."""


class StateLost(RuntimeError):
    """Checkpoints were signed, but this signer does not remember them."""


class Stopped(Exception):
    """The process was asked to end."""


def run(*, folder: Path, origin: str, vkey: str, wait: Wait) -> None:
    """Sign the log until `wait` says stop.

    Args:
        folder: the signer's state folder, with its key.
        origin: name of the log.
        vkey: the published verifier key, which must be one of the log's history.
        wait: pauses between looks, and the way to end.

    Raises:
        StateInUse, LeaseHeld: another signer works on this log.
        KeyRefused, StateUnreadable, StateLost: what is in the folder does not fit this log.
        OSError: the state could not be written.
    """
    state_dir = StateDir(folder)
    with state_dir.locked():
        keys = load_keys(state_dir, origin=origin, vkey=vkey)
        destroy_ended(state_dir, keys)
        process = _Process(state_dir, keys, holder=lease.holder_name(folder), wait=wait)
        try:
            process.run()
        except Stopped:
            _log.info("the signer has stopped")


def create(*, folder: Path, origin: str) -> str:
    """Make the key of a new log and return the verifier key to publish as LEDGER_VKEY.

    Raises:
        StateInUse: a signer runs in this folder.
        KeyRefused: there is a key, or LEDGER_ORIGIN is unfit.
        StateLost: the log is not new.
        psycopg.Error: the database does not answer.
    """
    state_dir = StateDir(folder)
    with state_dir.locked():
        with database.connect() as connection, database.snapshot(connection) as view:
            if view.entries() or view.checkpoint():
                raise StateLost("This log has entries already: it needs the key it was started with, not a new one.")
        return make_key(state_dir, origin=origin).verifier.to_text()


class _Process:
    def __init__(self, folder: StateDir, keys: LogKeys, *, holder: str, wait: Wait) -> None:
        self._folder = folder
        self._keys = keys
        self._holder = holder
        self._wait = wait
        self._signer: Signer | None = None
        self._told = ""

    def run(self) -> None:
        """Look and sign, over as many connections as it takes. Ends by an exception only."""
        while True:
            try:
                with database.connect() as connection:
                    self._serve(connection)
            except psycopg.Error as error:
                # A database that is down says nothing about the log: try again, and say so once.
                self._tell(f"the database does not serve the signer: {str(error).strip()}")
            self._pause(RETRY_SECONDS)

    def _serve(self, connection: Connection[Row]) -> None:
        if self._signer is None:
            state = recall(connection, self._folder, origin=self._keys.origin)
            self._signer = Signer(self._folder, state, self._keys, holder=self._holder)
        signer = self._signer
        take_pen(connection, self._holder, self._pause)
        signer.rehash(connection)
        signer.tell_keys(connection)
        if self._told:
            _log.info("the database serves the signer again")
        self._told = ""
        self._renew(connection, signer)
        if signer.frozen_reason:
            _log.critical("the signer is frozen: %s", signer.frozen_reason)
        _log.info("signing %s from %d entries on", signer.state.origin, signer.state.size)
        try:
            self._loop(connection, signer)
        except Stopped:
            with suppress(psycopg.Error):
                lease.give_back(connection, self._holder)
            raise

    def _loop(self, connection: Connection[Row], signer: Signer) -> None:
        renewed_at = time.monotonic()
        was_frozen = bool(signer.frozen_reason)
        while True:
            outcome = signer.look(connection)
            frozen = outcome is Outcome.FROZEN
            if time.monotonic() - renewed_at >= RENEW_SECONDS or frozen != was_frozen:
                self._renew(connection, signer)
                renewed_at, was_frozen = time.monotonic(), frozen
            self._pause(0 if outcome is Outcome.BEHIND else POLL_SECONDS)

    def _renew(self, connection: Connection[Row], signer: Signer) -> None:
        if not lease.renew(connection, self._holder, frozen_reason=signer.frozen_reason):
            raise LeaseHeld(LOST_PEN)

    def _pause(self, seconds: float) -> None:
        if self._wait(seconds):
            raise Stopped

    def _tell(self, message: str) -> None:
        if message != self._told:
            _log.error("%s; trying again every %g s", message, RETRY_SECONDS)
            self._told = message


def pause(seconds: float) -> None:
    """Wait in a command that somebody watches: a signal may cut it short."""
    Event().wait(seconds)


def take_pen(connection: Connection[Row], holder: str, wait: Callable[[float], None]) -> None:
    """Wait for the lease one lease long, because its holder may have died on another machine a moment ago.

    Raises LeaseHeld.
    """
    deadline = time.monotonic() + LEASE_SECONDS + RENEW_SECONDS
    while other := lease.take(connection, holder):
        if time.monotonic() > deadline:
            raise LeaseHeld(
                f"The signer {other} works on this log and is alive. One log has one signer: stop it first."
            )
        wait(POLL_SECONDS)


def recall(connection: Connection[Row], folder: StateDir, *, origin: str) -> State:
    """The state to go on from, checked against the checkpoints that are out; a new log gets an empty one.

    Raises:
        StateLost: the folder remembers less than was signed.
        StateUnreadable: the state file is damaged.
    """
    state = folder.load()
    with database.snapshot(connection) as view:
        newest = view.checkpoint()
    if state is None:
        if newest:
            raise StateLost(
                f"The signer's state is lost: {folder.path} holds none, but {newest.size} entries were "
                f"signed already. Put back the state file that belongs to this log. Without it nobody can "
                f"tell whether the log was rewritten since, so nothing is signed. If no copy is left, a "
                f"checkpoint that was kept outside can stand in for it: manage.py signer --recover FILE"
            )
        state = State(origin)
        folder.save(state)
        return state
    if state.origin != origin:
        raise StateLost(f"The state in {folder.path} belongs to the log {state.origin}, not to {origin}.")
    if newest and newest.size > state.size and not state.frozen:
        raise StateLost(
            f"The state in {folder.path} is an old copy: it ends at {state.size} entries, but "
            f"{newest.size} were signed. Put back the newest state file of this log."
        )
    return state
