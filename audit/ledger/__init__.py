"""The only writer of the ledger: `append`, and the group commit that REST puts in front of it."""

from audit.events import Section, facts
from audit.ledger.append import Appended, IdempotencyConflict, NotInTransaction, append
from audit.ledger.event import Event, EventRefused, Idempotency
from audit.ledger.group import STORAGE_FAILED, Group, Overloaded, StorageUnavailable
from audit.ledger.guard import StatementAfterAppend
from audit.ledger.head import HeadMoved
from audit.ledger.prepare import secret_form

__all__ = [
    "STORAGE_FAILED",
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
    "StorageUnavailable",
    "append",
    "facts",
    "secret_form",
]
