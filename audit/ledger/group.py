"""Group commit: one transaction carries what many waiting requests of this process brought.

The first request in line leads: it takes the head lock and only then drains the queue, so everything
that arrived while it waited for the lock rides along. Followers hold no transaction and no connection.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

from django.db import Error, InterfaceError, InternalError, OperationalError, connections, transaction

from audit.ledger.append import Appended, append_prepared, append_when_locked, prepare_all
from audit.ledger.event import Event, EventRefused
from audit.ledger.prepare import Prepared

MAX_WAITING_EVENTS: Final = 20_000
MAX_GROUP_EVENTS: Final = 4_096
MAX_WAIT_SECONDS: Final = 60.0
_FAILURES = (Error, ValueError, RuntimeError, LookupError)
STORAGE_FAILED: Final = (OperationalError, InterfaceError, InternalError)
"""The connection broke, a limit of time was met, the disk or memory of the database is full, or it became read-only."""
_log = logging.getLogger("audit.ledger")


class Overloaded(RuntimeError):
    """More events wait than the database takes in seconds; the client should come again."""

    retry_after_seconds = 1


class StorageUnavailable(RuntimeError):
    """The database did not confirm the commit. Whether it stored the events is not known; sent again under the same
    ids they are answered with what was stored, or stored then.
    """

    retry_after_seconds = 1

    def __init__(self) -> None:
        super().__init__(
            "The ledger's database does not answer or has no room. Send the same events again later: under the same"
            " ids nothing is recorded twice."
        )


class _Checked(Protocol):
    """What the type stubs leave out of Django's connections: whether this request has asked that the server answers."""

    health_check_done: bool


@dataclass(slots=True, eq=False)
class _Job:
    prepared: list[Prepared]
    gate: threading.Lock = field(default_factory=threading.Lock)
    """Closed until the job is done or is to lead; a bare lock, as every request waits for one."""
    result: list[Appended] | None = None
    error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.result is not None or self.error is not None


class Group:
    """The queue of one process.

    Every event it takes carries a client id: when a commit is stored but reported failed, the retry finds
    the first attempt by that id and answers with it, so nothing is doubled.
    """

    def __init__(self, *, using: str = "default") -> None:
        self._using = using
        self._queue: deque[_Job] = deque()
        self._waiting = 0
        self._led = False
        """Whether a request leads; while nobody does, the queue is empty."""
        self._mutex = threading.Lock()

    def append(self, events: Sequence[Event]) -> list[Appended]:
        """Append events and return when they are durable; not for use inside a transaction.

        Raises:
            EventRefused: an event without a client id, or one that may not stand in a leaf.
            Overloaded: too much waits already, or it waited too long; nothing was written.
            IdempotencyConflict: as `audit.ledger.append`; nothing of this call was written.
            StorageUnavailable: the database was away, full or too slow, twice.
        """
        if any(event.idempotency is None for event in events):
            raise EventRefused("id: an event that may be retried needs a client id.")
        job = _Job(prepare_all(events))
        job.gate.acquire()
        if self._line_up(job) or self._wait(job):
            self._lead(job)
        if job.error is not None:
            raise job.error
        assert job.result is not None
        return job.result

    def _line_up(self, job: _Job) -> bool:
        """Whether this job leads: nobody else does."""
        with self._mutex:
            if self._waiting + len(job.prepared) > MAX_WAITING_EVENTS:
                raise Overloaded("The ledger has more waiting events than it writes in a second.")
            self._waiting += len(job.prepared)
            self._queue.append(job)
            leads, self._led = not self._led, True
        return leads

    def _wait(self, job: _Job) -> bool:
        """Until the job is done; True when it is to lead instead."""
        if not job.gate.acquire(timeout=MAX_WAIT_SECONDS):
            with self._mutex:
                if job in self._queue and job is not self._queue[0]:
                    self._queue.remove(job)
                    self._waiting -= len(job.prepared)
                    raise Overloaded("The events waited too long for their turn; nothing was written.")
            # Its turn has come just now, or it is being written: whoever holds it is bound by the database's limits.
            job.gate.acquire()
        return not job.is_done

    def _lead(self, own: _Job) -> None:
        jobs: list[_Job] = []
        # Whether the connection still lives is told by the first statement, and then all is tried once more: asking
        # beforehand costs every group a turn.
        cast("_Checked", connections[self._using]).health_check_done = True
        try:
            with transaction.atomic(using=self._using, durable=True):
                results = append_when_locked(lambda: self._ride(jobs), using=self._using)
            _share(results, jobs)
        except STORAGE_FAILED as error:
            jobs += [] if jobs else self._drain()
            self._once_more(jobs, error)
        except _FAILURES as error:
            jobs += [] if jobs else self._drain()
            self._one_by_one(jobs, error)
        finally:
            jobs += [] if jobs else self._drain()
            for job in jobs:
                if not job.is_done:
                    job.error = RuntimeError("The writer of this group was interrupted; send the events again.")
                if job is not own:
                    job.gate.release()
            self._pass_on()

    def _pass_on(self) -> None:
        """Let the next in line lead, if there is one."""
        with self._mutex:
            self._led = bool(self._queue)
            if self._led:
                self._queue[0].gate.release()

    def _ride(self, jobs: list[_Job]) -> list[Prepared]:
        """Everything that waits by now; `jobs` then holds it, too."""
        jobs += self._drain()
        return [item for job in jobs for item in job.prepared]

    def _drain(self) -> list[_Job]:
        jobs: list[_Job] = []
        events = 0
        with self._mutex:
            while self._queue and (not jobs or events + len(self._queue[0].prepared) <= MAX_GROUP_EVENTS):
                job = self._queue.popleft()
                jobs.append(job)
                events += len(job.prepared)
            self._waiting -= events
        return jobs

    def _once_more(self, jobs: Sequence[_Job], error: BaseException) -> None:
        """The storage failed under a group, which is nobody's fault: try the whole once more, then answer all.

        Not one by one: with a database that is away, each would wait for it in turn. What the first attempt did store
        is found by its ids.
        """
        _log.warning("the ledger's storage failed and is tried once more: %s", str(error).strip())
        try:
            with transaction.atomic(using=self._using, durable=True):
                results = append_prepared([item for job in jobs for item in job.prepared], using=self._using)
            _share(results, jobs)
        except STORAGE_FAILED as again:
            for job in jobs:
                job.error = StorageUnavailable()
                job.error.__cause__ = again
        except _FAILURES as other:
            self._one_by_one(jobs, other)

    def _one_by_one(self, jobs: Sequence[_Job], group_error: BaseException) -> None:
        """A group failed: give each job its own transaction, so that one bad job harms no other."""
        for job in jobs:
            if len(jobs) == 1:
                job.error = group_error
            else:
                try:
                    with transaction.atomic(using=self._using, durable=True):
                        job.result = append_prepared(job.prepared, using=self._using)
                except _FAILURES as error:
                    job.error = error


def _share(results: Sequence[Appended], jobs: Sequence[_Job]) -> None:
    """Each job its part of what was committed; only after the commit, so that no job believes in a lost one."""
    start = 0
    for job in jobs:
        job.result = list(results[start : start + len(job.prepared)])
        start += len(job.prepared)
