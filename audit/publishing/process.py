"""The publisher as a process: its turn, its connection, and the loop that looks every few seconds."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
from psycopg import Connection

from audit.publishing import database
from audit.publishing.database import Row
from audit.publishing.publisher import Contradiction, NotOurs, Outcome, Publisher
from audit.publishing.status import State, Status, write_status
from audit.publishing.store import Store, StoreError
from audit.tlog.keys import VerifierKey

ALARM_KIND: Final = "publisher.refused"
RETRY_SECONDS: Final = 1.0
TURN_ATTEMPTS: Final = 3
_log = logging.getLogger("audit.publisher")

Wait = Callable[[float], bool]
"""Wait up to so many seconds; True when the process should end."""


class PublisherRuns(RuntimeError):
    """Another publisher works for the same place."""


class Stopped(Exception):
    """The process was asked to end."""


def _now() -> datetime:
    return datetime.now(UTC)


def run(
    store: Store,
    vkey: VerifierKey,
    *,
    period: timedelta,
    status: Path,
    wait: Wait,
    anew: bool = False,
    now: Callable[[], datetime] = _now,
) -> None:
    """Publish the log until `wait` says stop. A store or database that is down is waited for.

    Args:
        store: where the files go; closed at the end.
        vkey: the verifier key by which readers know this log.
        period: between two looks for a newer checkpoint.
        status: the file that tells health checks how publishing goes.
        wait: pauses between looks, and the way to end.
        anew: compare or write every file of the log first.
        now: the time, for the status.

    Raises:
        PublisherRuns: another publisher works for this place.
        OSError: the status could not be written.
    """
    try:
        _Process(store, vkey, period=period, status=status, wait=wait, anew=anew, now=now).run()
    except Stopped:
        _log.info("the publisher has stopped")
    finally:
        store.close()


class _Process:
    def __init__(
        self,
        store: Store,
        vkey: VerifierKey,
        *,
        period: timedelta,
        status: Path,
        wait: Wait,
        anew: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._publisher = Publisher(store, vkey, stay=self._stay)
        self._period = period.total_seconds()
        self._status = status
        self._wait = wait
        self._anew = anew
        self._now = now
        self._told = ""

    def run(self) -> None:
        """Look and publish, over as many connections as it takes. Ends by an exception only."""
        while True:
            try:
                with database.connect() as connection:
                    self._take_turn(connection)
                    _log.info("publishing to %s", self._store.place)
                    while True:
                        self._pause(0 if self._look(connection) is Outcome.BEHIND else self._period)
            except psycopg.Error as error:
                self._tell(logging.ERROR, f"the database does not serve the publisher: {str(error).strip()}")
                self._write("unreachable")
            self._pause(RETRY_SECONDS)

    def _take_turn(self, connection: Connection[Row]) -> None:
        for _attempt in range(TURN_ATTEMPTS):
            if database.take_turn(connection, self._store.place):
                return
            # One that was killed a moment ago keeps its turn until the server notices.
            self._pause(RETRY_SECONDS)
        raise PublisherRuns(f"Another publisher works for {self._store.place}: stop it first.")

    def _look(self, connection: Connection[Row]) -> Outcome:
        try:
            outcome = self._publisher.step(database.DatabaseLog(connection), anew=self._anew)
        except StoreError as error:
            self._tell(logging.ERROR, str(error))
            self._write("unreachable")
        except Contradiction as why:
            database.raise_alarm(connection, kind=ALARM_KIND, entry_index=why.entry_index, detail=str(why))
            self._tell(logging.CRITICAL, f"nothing is published any more: {why}")
            self._write("refused")
        except NotOurs as why:
            self._tell(logging.CRITICAL, f"nothing is published: {why}")
            self._write("refused")
        else:
            self._anew = False
            if self._told:
                _log.info("publishing goes on")
            self._told = ""
            self._write("ok")
            return outcome
        return Outcome.IDLE

    def _stay(self) -> None:
        self._pause(0)

    def _pause(self, seconds: float) -> None:
        if self._wait(seconds):
            raise Stopped

    def _tell(self, level: int, message: str) -> None:
        if message != self._told:
            _log.log(level, "%s", message)
            self._told = message

    def _write(self, state: State) -> None:
        write_status(self._status, Status(state, self._publisher.size, self._now()))
