"""The only writer of the ledger: `append`, and the group commit that REST puts in front of it."""

from audit.events import Section, facts
from audit.ledger.append import Appended, HeadMoved, IdempotencyConflict, NotInTransaction, append
from audit.ledger.event import Event, EventRefused, Idempotency, secret_form
from audit.ledger.group import Group, Overloaded
from audit.ledger.guard import StatementAfterAppend

__all__ = [
    "Appended",
    "Event",
    "EventRefused",
    "Group",
    "HeadMoved",
    "Idempotency",
    "IdempotencyConflict",
    "NotInTransaction",
    "Overloaded",
    "Section",
    "StatementAfterAppend",
    "append",
    "facts",
    "secret_form",
]
