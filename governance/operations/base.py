"""What all operations share: who acts, how a change becomes an event, what a text field may hold."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from audit import ledger
from audit.access.tokens import Credential
from audit.events import EventType
from audit.models import ServiceAccount, User
from governance.queries.rights import viewer, why_not_register
from governance.snapshot import snapshot

By = User | ServiceAccount | Credential
"""Who acts: a log-in, a service account, or the credential that a token opened."""


class Refused(ValueError):
    """A change that is not made.

    Attributes:
        field: what to correct; empty when nothing the caller can change would help.
        reason: a sentence for the person.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Recorded:
    """A change that was made: the row it is about, and the entries that tell it."""

    id: UUID
    entries: tuple[int, ...]


def refuse_unless_registrar(by: By) -> None:
    """Raises:
    Refused: this log-in belongs to no pool that changes the registry.
    """
    if isinstance(by, User):
        refusal = why_not_register(viewer(by))
        if refusal:
            raise Refused("", refusal)


def actor_of(by: By) -> str:
    """How the one who acts is named in the ledger."""
    return f"service:{by.id}" if isinstance(by, ServiceAccount) else by.actor


def person_of(by: By) -> UUID:
    """The person who answers for the act: of a service account, its owner."""
    return by.person_id if isinstance(by, User) else by.owner_id


def event(
    kind: str,
    told_as: EventType,
    row: object,
    *,
    actor: str,
    now: datetime,
    before: dict[str, object] | None = None,
    reason: str | None = None,
    files: Sequence[Mapping[str, object]] = (),
    more: Mapping[str, object] | None = None,
) -> ledger.Event:
    """The event of a changed row: its full snapshot after the change, and before it where there was one.

    Args:
        files: what was read to know this: name, length, digest, and what a file says beside the snapshot.
        more: what else the entry tells.
    """
    after = snapshot(kind, row)
    facts: dict[str, object] = {"before": before, "after": after, "reason": reason, **(more or {})}
    if files:
        facts["files"] = list(files)
    return ledger.Event(
        type=told_as,
        subject=f"{kind}:{after['id']}",
        source="app",
        actor=actor,
        occurred_at=now,
        sections=(ledger.facts(facts),),
    )


@contextmanager
def change(field: str) -> Iterator[None]:
    """One durable transaction; a constraint that another change met first becomes a sentence about `field`."""
    try:
        with transaction.atomic(durable=True):
            yield
    except IntegrityError as error:
        raise Refused(field, _sentence(error)) from error


def recorded(row_id: UUID, events: Sequence[ledger.Event]) -> Recorded:
    """Append the events of a change: the last statement of its transaction."""
    return Recorded(row_id, tuple(item.index for item in ledger.append(events=events)))


def next_number(sequence: str) -> int:
    """The next number that people see; a transaction that fails leaves a gap, which says nothing."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s::regclass)", [sequence])
        row = cursor.fetchone()
    assert row is not None  # nextval always returns
    return int(row[0])


def text(field: str, value: str, *, limit: int, required: bool = True) -> str:
    """`value` without space around it; lines end as they do in a file, not as a browser sends them.

    Raises:
        Refused: empty though required, too long, or with characters that cannot be stored or shown.
    """
    found = value.replace("\r\n", "\n").strip()
    if required and not found:
        raise Refused(field, "is missing.")
    if len(found) > limit:
        raise Refused(field, f"is {len(found)} characters long; at most {limit} are kept.")
    for character in found:
        if unicodedata.category(character) in {"Cc", "Cs", "Cf"} and character not in "\n\t":
            raise Refused(field, f"holds a character that is not text (U+{ord(character):04X}).")
    return found


def choice(field: str, value: str, choices: Sequence[str]) -> str:
    """`value`, when it is one of `choices`.

    Raises:
        Refused: it is not.
    """
    if value not in choices:
        raise Refused(field, f"must be one of {', '.join(choices)}.")
    return value


def whole(field: str, value: int, *, low: int, high: int) -> int:
    """`value`, when it lies between the bounds.

    Raises:
        Refused: it does not.
    """
    if not low <= value <= high:
        raise Refused(field, f"must be between {low} and {high}.")
    return value


def _sentence(error: IntegrityError) -> str:
    diagnostic = getattr(error.__cause__, "diag", None)
    if getattr(diagnostic, "sqlstate", "") == "23505":
        return "was registered by somebody else at the same moment, or stands already. Load the page again."
    return str(getattr(diagnostic, "message_primary", None) or "the database refused this change.")
