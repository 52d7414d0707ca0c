"""What a caller hands to the ledger."""

from datetime import datetime

import msgspec

from audit.events import Section


class EventRefused(ValueError):
    """An event that has no place in a leaf: the message names the field and the reason."""


class Idempotency(msgspec.Struct, frozen=True):
    """A client's own name for an event, and the bytes that must be the same when it is sent again."""

    client_id: str
    content: bytes


class Event(msgspec.Struct, frozen=True):
    """One thing that happened; it becomes one entry.

    Attributes:
        type: a catalogue value, or the HMAC form of a client's own type.
        subject: server-issued `kind:uuid`, or the HMAC form of a client's own subject.
        source: `app`, `collector`, `signer` or `source:<uuid>`: from the credential, never the payload.
        actor: `person:<uuid>`, `service:<uuid>` or `system:<name>`.
        occurred_at: aware time at which it happened, as the source claims.
        sections: one to eight, each disclosed and erased alone.
        idempotency: given when the source may send the event again.
    """

    type: str
    subject: str
    source: str
    actor: str
    occurred_at: datetime
    sections: tuple[Section, ...]
    idempotency: Idempotency | None = None
