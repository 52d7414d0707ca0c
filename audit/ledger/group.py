"""Group commit: one transaction carries what many waiting requests of this process brought.

The first request in line leads: it takes the head lock and only then drains the queue, so everything
that arrived while it waited for the lock rides along. Followers hold no transaction and no connection.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import Error, connections, transaction

from audit.ledger.append import Appended, append_prepared, prepare_all
from audit.ledger.event import Event, EventRefused, Prepared

MAX_WAITING_EVENTS = 20_000
MAX_GROUP_EVENTS = 4_096
_FAILURES = (Error, ValueError, RuntimeError, LookupError)


class Overloaded(RuntimeError):
    """More events wait than the database takes in seconds; the client should come again."""

    retry_after_seconds = 1


@dataclass(slots=True)
class _Job:
    prepared: list[Prepared]
    done: threading.Event = field(default_factory=threading.Event)
    result: list[Appended] | None = None
    error: BaseException | None = None


class Group:
    """The queue of one process.

    Every event it takes carries a client id: when a commit is stored but reported failed, the retry finds
    the first attempt by that id and answers with it, so nothing is doubled.
    """

    def __init__(self, *, using: str = "default") -> None:
        self._using = using
        self._queue: deque[_Job] = deque()
        self._waiting = 0
        self._mutex = threading.Lock()
        self._leader = threading.Lock()

    def append(self, events: Sequence[Event]) -> list[Appended]:
        """Append events and return when they are durable; not for use inside a transaction.

        Raises:
            EventRefused: an event without a client id, or one that may not stand in a leaf.
            Overloaded: too much waits already; nothing was written.
            IdempotencyConflict: as `audit.ledger.append`; nothing of this call was written.
        """
        if any(event.idempotency is None for event in events):
            raise EventRefused("id: an event that may be retried needs a client id.")
        job = _Job(prepare_all(events))
        with self._mutex:
            if self._waiting + len(job.prepared) > MAX_WAITING_EVENTS:
                raise Overloaded("The ledger has more waiting events than it writes in a second.")
            self._waiting += len(job.prepared)
            self._queue.append(job)
        with self._leader:
            while not job.done.is_set():
                self._lead()
        if job.error is not None:
            raise job.error
        assert job.result is not None
        return job.result

    def _lead(self) -> None:
        jobs: list[_Job] = []
        try:
            with transaction.atomic(using=self._using, durable=True):
                self._lock_head()
                jobs = self._drain()
                self._commit_jobs(jobs)
        except _FAILURES as error:
            self._one_by_one(jobs or self._drain(), error)
        finally:
            for job in jobs:
                if job.result is None and job.error is None:
                    job.error = RuntimeError("The writer of this group was interrupted; send the events again.")
                job.done.set()

    def _lock_head(self) -> None:
        with connections[self._using].cursor() as cursor:
            cursor.execute("SELECT FROM head WHERE id = 1 FOR UPDATE")

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

    def _commit_jobs(self, jobs: Sequence[_Job]) -> None:
        results = append_prepared([item for job in jobs for item in job.prepared], using=self._using)
        start = 0
        for job in jobs:
            job.result = results[start : start + len(job.prepared)]
            start += len(job.prepared)

    def _one_by_one(self, jobs: Sequence[_Job], group_error: BaseException) -> None:
        """A group failed: give each job its own transaction, so that one bad job harms no other."""
        for job in jobs:
            job.result = None
            if len(jobs) == 1:
                job.error = group_error
            else:
                try:
                    with transaction.atomic(using=self._using, durable=True):
                        job.result = append_prepared(job.prepared, using=self._using)
                except _FAILURES as error:
                    job.error = error
            job.done.set()
