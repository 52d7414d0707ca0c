"""A log with old entries in it, and the people who erase: for the tests of erasure.

Old entries are made by the product's own writer under a clock that the test database brings: the writer asks for
`clock_timestamp()` by its bare name, so a schema that stands before `pg_catalog` can answer. What decides about floors
fixes its search path and sees the true clock.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Barrier
from uuid import UUID

from django.db import connections, transaction

from audit import erasure, ledger
from audit.access.people import register_login
from audit.models import User
from audit.queries.roles import AUDITORS, DATA_PROTECTION

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
REASON = "They asked us to forget them."
PERSONAL = ledger.Section("personal", b"born 1970 in Kyoto", "text/plain")


@contextmanager
def years_ago(years: int) -> Iterator[None]:
    """The app's clock `years` back; only before the log has younger entries."""
    with connections["admin"].cursor() as admin:
        admin.execute("CREATE SCHEMA IF NOT EXISTS past")
        admin.execute("GRANT USAGE ON SCHEMA past TO PUBLIC")
        admin.execute(
            "CREATE OR REPLACE FUNCTION past.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS"
            f" $$ SELECT pg_catalog.clock_timestamp() - interval '{years} years' $$"
        )
    with connections["default"].cursor() as app:
        app.execute("SET search_path = past, pg_catalog, public")
        yield
        app.execute("RESET search_path")


def person(username: str, *groups: str, superuser: bool = False) -> User:
    """A log-in without a password: hashing one costs more than the test."""
    return register_login(
        username=username,
        display_name=username.title(),
        password=None,
        groups=groups,
        actor="system:test",
        now=NOW,
        is_superuser=superuser,
    )


def record(
    *sections: ledger.Section, kind: str = "client.event", subject: str = "x:abc", source: str = "source:a"
) -> int:
    """One event; returns its index."""
    event = ledger.Event(
        type=kind, subject=subject, source=source, actor="service:a", occurred_at=NOW, sections=sections
    )
    with transaction.atomic(durable=True):
        return ledger.append(events=[event])[0].index


@dataclass(frozen=True, slots=True)
class Erasing:
    """Who takes part, and entries of every kind of floor; each has the sections `facts` and `personal`."""

    auditor: User
    officer: User
    second: User
    old_log: int
    old_document: int
    young_log: int

    def ask(self, index: int, section: str = "personal", *, by: User | None = None) -> UUID:
        return erasure.request_erasure(
            entry_index=index,
            section=section,
            legal_basis="gdpr-17-1-b",
            reason=REASON,
            by=by or self.auditor,
            now=NOW,
        )

    def decide(self, request: UUID, decision: str = "approve", *, by: User | None = None) -> erasure.Decided:
        return erasure.decide_erasure(
            request_id=request, decision=decision, reason=REASON, by=by or self.officer, now=NOW
        )

    def erase(self, index: int, section: str = "personal") -> int:
        """Through both persons; the entry that tells it."""
        return self.decide(self.ask(index, section)).entry


def tell_erasures() -> Erasing:
    """A log whose first entries are a year old."""
    facts = ledger.Section("facts", b'{"n":1}')
    with years_ago(1):
        old_log = record(facts, PERSONAL)
        old_document = record(facts, PERSONAL, kind="evaluation.completed")
    return Erasing(
        auditor=person("mori", AUDITORS),
        officer=person("keller", DATA_PROTECTION),
        second=person("sato", DATA_PROTECTION),
        old_log=old_log,
        old_document=old_document,
        young_log=record(facts, PERSONAL),
    )


def at_once(*acts: Callable[[], object]) -> list[object]:
    """What each act gives or refuses when all start together, each on its own connection."""
    start = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        start.wait(timeout=20)
        try:
            return act()
        except erasure.Refused as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
