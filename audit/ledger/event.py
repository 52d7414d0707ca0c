"""What a caller hands to the ledger, and the part of it that can be made ready before the lock."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from audit.events import Section
from audit.ledger import rows
from audit.ledger.rows import blob
from audit.tlog.leaf import Leaf, LeafError, SectionCommitment, encode_leaf_around
from audit.tlog.mac import hmac_sha256
from audit.tlog.section import commit

ENTROPY_PER_ID: Final = 10
SALT_BYTES: Final = 32
MAX_SECTIONS: Final = 8
MAX_SECTION_BYTES: Final = 1 << 20
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MEDIA = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,63}(; ?[a-z]+=[a-z0-9-]+)?")


class EventRefused(ValueError):
    """An event that has no place in a leaf: the message names the field and the reason."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A client's own name for an event, and the bytes that must be the same when it is sent again."""

    client_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Event:
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


class Prepared(NamedTuple):
    """An event with everything done that needs no lock: only index and `received_at` are missing."""

    event: Event
    id: str
    salts: tuple[bytes, ...]
    leaf_before_received_at: bytes
    leaf_after_received_at: bytes
    occurred_at: datetime
    key: bytes | None
    content: bytes | None
    entry_fields: bytes
    """The fields from `event_id` to `occurred_at` of its row of `entry`, for COPY (audit.ledger.rows)."""
    section_fields: tuple[bytes, ...]
    """The fields after the index of each of its rows of `section`, for COPY."""


def uuid7(moment: datetime, random: bytes) -> str:
    """A version 7 UUID (RFC 9562, 5.7) from a time and 10 random bytes, as text."""
    milliseconds = int(moment.timestamp() * 1000) & ((1 << 48) - 1)
    tail = int.from_bytes(random, "big")
    digits = f"{milliseconds << 16 | 0x7 << 12 | tail >> 68 & 0xFFF:016x}{0b10 << 62 | tail & ((1 << 62) - 1):016x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def entropy_needed(event: Event) -> int:
    """Random bytes that `prepare` takes for this event: its id's and a salt a section."""
    return ENTROPY_PER_ID + SALT_BYTES * len(event.sections)


def secret_form(key: bytes, label: bytes, text: str) -> bytes:
    """HMAC-SHA256 under the log key: how a client's own string is known without being told."""
    return hmac_sha256(key, label + b"\x00" + text.encode())


def prepare(event: Event, *, origin: str, key: bytes, now: datetime, entropy: Callable[[int], bytes]) -> Prepared:
    """Everything of an entry that does not depend on its place in the log.

    Raises:
        EventRefused: a section or field that may not stand in a leaf.
    """
    _check(event)
    entry_id = uuid7(now, entropy(ENTROPY_PER_ID))
    salts = tuple(entropy(SALT_BYTES) for _ in event.sections)
    commitments = {
        section.name: SectionCommitment(
            commit(salt, origin, entry_id, section.name, section.body), len(section.body), section.media
        )
        for section, salt in zip(event.sections, salts, strict=True)
    }
    leaf = Leaf(
        origin=origin,
        id=entry_id,
        type=event.type,
        source=event.source,
        subject=event.subject,
        actor=event.actor,
        occurred_at=event.occurred_at,
        received_at=now,
        sections=commitments,
    )
    try:
        before, after = encode_leaf_around(leaf)
    except LeafError as error:
        raise EventRefused(str(error)) from error
    idempotency = event.idempotency
    return Prepared(
        event=event,
        id=entry_id,
        salts=salts,
        leaf_before_received_at=before,
        leaf_after_received_at=after,
        occurred_at=event.occurred_at,
        key=None if idempotency is None else _event_key(key, event.source, idempotency),
        content=None if idempotency is None else _content_digest(key, idempotency),
        entry_fields=_entry_fields(event, entry_id),
        section_fields=tuple(
            rows.text(section.name) + rows.HASH_LENGTH + salt + blob(section.body) + rows.text(section.media)
            for section, salt in zip(event.sections, salts, strict=True)
        ),
    )


def _entry_fields(event: Event, entry_id: str) -> bytes:
    return b"".join(
        (
            blob(bytes.fromhex(entry_id.replace("-", ""))),
            rows.text(event.type),
            rows.text(event.source),
            rows.text(event.subject),
            rows.text(event.actor),
            rows.moment(event.occurred_at),
        )
    )


def _event_key(key: bytes, source: str, idempotency: Idempotency) -> bytes:
    return secret_form(key, b"event\x00" + source.encode(), idempotency.client_id)


def _content_digest(key: bytes, idempotency: Idempotency) -> bytes:
    # Under the log key: a bare digest of guessable content would outlive the content's erasure.
    return hmac_sha256(key, hashlib.sha256(idempotency.content).digest())


def _check(event: Event) -> None:
    names = [section.name for section in event.sections]
    if not 1 <= len(names) <= MAX_SECTIONS or len(set(names)) != len(names):
        raise EventRefused(f"sections: 1 to {MAX_SECTIONS} with different names are needed.")
    for section in event.sections:
        _check_labels(section.name, section.media)
        if len(section.body) > MAX_SECTION_BYTES:
            raise EventRefused(f"sections.{section.name}: more than {MAX_SECTION_BYTES} bytes.")


@lru_cache(maxsize=256)
def _check_labels(name: str, media: str) -> None:
    # Only what passed is remembered: a refusal is raised and so made anew.
    if not _NAME.fullmatch(name):
        raise EventRefused("sections: a name is up to 32 lower-case letters, digits and underscores.")
    if not _MEDIA.fullmatch(media):
        raise EventRefused(f"sections.{name}: {media!r} is not a media type.")
