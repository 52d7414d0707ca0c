"""The part of an entry that can be made ready before the lock: ids, salts, commitments, most of its leaf and rows."""

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Final

import msgspec

from audit.events import Section
from audit.ledger import rows
from audit.ledger.event import Event, EventRefused
from audit.ledger.rows import blob
from audit.tlog.leaf import LeafError, format_time
from audit.tlog.leafframe import LeafFrame, section_frame
from audit.tlog.mac import Mac
from audit.tlog.section import SALT_SIZE, commit

ENTROPY_PER_ID: Final = 10
MAX_SECTIONS: Final = 8
MAX_SECTION_BYTES: Final = 1 << 20
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MEDIA = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,63}(; ?[a-z]+=[a-z0-9-]+)?")
_VARIANT: Final = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
"""The hexadecimal digit that keeps the low two bits of another and begins with the bits 10."""


class Prepared(msgspec.Struct, frozen=True):
    """An event with everything done that needs no lock: only index and `received_at` are missing."""

    event: Event
    id: str
    salts: tuple[bytes, ...]
    leaf_before_received_at: bytes
    leaf_after_received_at: bytes
    key: bytes | None
    content: bytes | None
    entry_fields: bytes
    """The fields from `event_id` to `occurred_at` of its row of `entry`, for COPY (audit.ledger.rows)."""
    section_fields: tuple[bytes, ...]
    """The fields after the index of each of its rows of `section`, for COPY."""


class _Alike(msgspec.Struct, frozen=True):
    """What entries of one type about one subject by one actor share."""

    frame: LeafFrame
    fields: bytes
    """The fields from `type` to `actor` of a row of `entry`."""
    key_begins: bytes
    """What an idempotency key is made of, before the client's own id."""


def prepare_all(
    events: Sequence[Event], *, origin: str, key: bytes, now: datetime, entropy: Callable[[int], bytes]
) -> list[Prepared]:
    """Everything of these entries that does not depend on their place in the log.

    Args:
        origin: of the log. `key`: its secret of 32 bytes, under which ids and contents of clients are known.
        now: the time in the ids. `entropy`: source of ids and salts, asked once.

    Raises:
        EventRefused: a section or field that may not stand in a leaf.
    """
    mac, id_begins = _mac(key), uuid7_begins(now)
    # Drawn at once: a thread that asks the system for each salt gives the interpreter away each time.
    pool = BytesIO(entropy(sum([ENTROPY_PER_ID + SALT_SIZE * len(event.sections) for event in events])))
    try:
        return [_prepare(event, origin, mac, id_begins, pool.read) for event in events]
    except LeafError as error:
        raise EventRefused(str(error)) from error


def uuid7(moment: datetime, random: bytes) -> str:
    """A version 7 UUID (RFC 9562, 5.7) from a time and 10 random bytes, as text."""
    return _uuid7(uuid7_begins(moment), random)


def uuid7_begins(moment: datetime) -> str:
    """The part of `uuid7` that comes of the time: 48 bits of milliseconds and the version."""
    digits = f"{int(moment.timestamp() * 1000) & ((1 << 48) - 1):012x}"
    return f"{digits[:8]}-{digits[8:]}-7"


def secret_form(key: bytes, label: bytes, text: str) -> bytes:
    """HMAC-SHA256 under the log key: how a client's own string is known without being told."""
    return _mac(key)(label + b"\x00" + text.encode())


def _uuid7(begins: str, random: bytes) -> str:
    # 12 bits, six that are left out (the variant stands in two of them), and 62 bits.
    digits = random.hex()
    return f"{begins}{digits[:3]}-{_VARIANT[digits[4]]}{digits[5:8]}-{digits[8:]}"


def _prepare(event: Event, origin: str, mac: Mac, id_begins: str, entropy: Callable[[int], bytes]) -> Prepared:
    sections = event.sections
    _check(sections)
    alike = _alike(origin, event.type, event.source, event.subject, event.actor)
    entry_id = _uuid7(id_begins, entropy(ENTROPY_PER_ID))
    salts = tuple([entropy(SALT_SIZE) for _ in sections])
    salted = list(zip(sections, salts, strict=True))
    texts = [
        section_frame(section.name, section.media).text(
            commit(salt, origin, entry_id, section.name, section.body), len(section.body)
        )
        for section, salt in (salted if len(salted) == 1 else sorted(salted, key=_name))
    ]
    before, after = alike.frame.around(entry_id, format_time(event.occurred_at), ",".join(texts))
    idempotency = event.idempotency
    return Prepared(
        event,
        entry_id,
        salts,
        before,
        after,
        # Under the log key: a bare digest of guessable content would outlive the content's erasure.
        None if idempotency is None else mac(alike.key_begins + idempotency.client_id.encode()),
        None if idempotency is None else mac(hashlib.sha256(idempotency.content).digest()),
        b"".join((rows.uuid(entry_id), alike.fields, rows.moment(event.occurred_at))),
        tuple(
            [
                b"".join(
                    (rows.text(section.name), rows.HASH_LENGTH, salt, blob(section.body), rows.text(section.media))
                )
                for section, salt in salted
            ]
        ),
    )


def _name(salted: tuple[Section, bytes]) -> str:
    return salted[0].name


@lru_cache(maxsize=8)
def _mac(key: bytes) -> Mac:
    return Mac(key)


@lru_cache(maxsize=4096)
def _alike(origin: str, type_: str, source: str, subject: str, actor: str) -> _Alike:
    # Pipelines say much of the same few subjects. Only what passed is remembered: a refusal is made anew.
    return _Alike(
        LeafFrame(origin=origin, type_=type_, source=source, subject=subject, actor=actor),
        rows.text(type_) + rows.text(source) + rows.text(subject) + rows.text(actor),
        b"event\x00" + source.encode() + b"\x00",
    )


def _check(sections: Sequence[Section]) -> None:
    names = {section.name for section in sections}
    if not 1 <= len(sections) <= MAX_SECTIONS or len(names) != len(sections):
        raise EventRefused(f"sections: 1 to {MAX_SECTIONS} with different names are needed.")
    for section in sections:
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
