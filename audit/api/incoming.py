"""Events as a pipeline sends them, made into events of the ledger."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec
from django.conf import settings

from audit import ledger
from audit.access.tokens import Credential
from audit.api.body import MAX_DEPTH, BodyRefused, has_no_tricks, nesting_exceeds, parse_json
from audit.events import CLIENT_TYPES, RESERVED_TYPES
from audit.queries import known_subjects

MAX_EVENTS: Final = 1_000
MAX_EVENT_BYTES: Final = 64 * 1024
_MOST_BRACKETS: Final = 20 * MAX_EVENTS
"""A body with more is read by rule at once: one made to be slow is not read twice."""
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_ISSUED = re.compile(r"[a-z_]{2,30}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AT = re.compile(r" - at `\$(?P<path>.*)`$")


class EventIn(msgspec.Struct, forbid_unknown_fields=True):
    """One event of a pipeline.

    `id` is the sender's own name for the event: sent again with the same content it is answered with the
    first receipt. `data` is kept and hashed as the exact bytes that were sent.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    type: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*\Z")]
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    occurred_at: Annotated[datetime, msgspec.Meta(tz=True)]
    data: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Incoming(msgspec.Struct):
    """What one request brought: one event or a batch, as events of the ledger."""

    events: list[ledger.Event]
    is_batch: bool


_raw_batch = msgspec.json.Decoder(list[msgspec.Raw])
_batch = msgspec.json.Decoder(list[EventIn])
_one = msgspec.json.Decoder(EventIn)
_encoder = msgspec.json.Encoder()
_known: set[str] = set()


def parse_events(body: bytes, credential: Credential) -> Incoming:
    """The events of a request body: an object, or an array of 1 to 1,000 objects.

    Raises:
        BodyRefused: naming the first event and field that is wrong; nothing was written.
    """
    is_batch = body.lstrip()[:1] == b"["
    checked = read_at_a_glance(body, is_batch=is_batch) or read_by_rule(body, is_batch=is_batch)
    raws = [bytes(raw) for raw in _raw_batch.decode(body)] if is_batch else [body.strip()]
    clear = _clear_subjects({event.subject for event in checked})
    key = settings.LEDGER_HMAC_KEY
    events = []
    for position, (event, raw) in enumerate(zip(checked, raws, strict=True)):
        _check(event, raw, f"[{position}]." if is_batch else "")
        events.append(_event(event, raw, credential, clear, key))
    return Incoming(events, is_batch)


def read_at_a_glance(body: bytes, *, is_batch: bool) -> list[EventIn] | None:
    """The events of an ordinary body; None for any that must be read with care, or refused.

    The parser takes the last of two equal keys and any depth it can. So what it read is written again: a key it
    dropped is missing then, and with it two quotation marks; and few brackets cannot be nested deeply.
    """
    brackets = body.count(b"{") + body.count(b"[")
    if brackets > _MOST_BRACKETS or not has_no_tricks(body):
        return None
    try:
        events = _batch.decode(body) if is_batch else [_one.decode(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not 1 <= len(events) <= MAX_EVENTS or _encoder.encode(events).count(b'"') != body.count(b'"'):
        return None
    # The batch is one bracket around its events, each of which has one, and mostly one more for its data.
    data = [[event.data] for event in events if event.data is not msgspec.UNSET]
    if brackets - len(events) - len(data) > MAX_DEPTH - 2 and nesting_exceeds(data):
        return None
    return events


def read_by_rule(body: bytes, *, is_batch: bool) -> list[EventIn]:
    """The same with every rule, and the reason of a refusal."""
    parsed = parse_json(body)
    items = parsed if is_batch else [parsed]
    if not 1 <= len(items) <= MAX_EVENTS:
        raise BodyRefused(f"A batch has 1 to {MAX_EVENTS} events; this one has {len(items)}.")
    return _convert(items, is_batch=is_batch)


def _convert(items: Sequence[Any], *, is_batch: bool) -> list[EventIn]:
    try:
        return msgspec.convert(items, list[EventIn])
    except msgspec.ValidationError as error:
        text = str(error)
        match = _AT.search(text)
        path = match["path"] if match else ""
        field = path if is_batch else re.sub(r"^\[0\]\.?", "", path)
        raise BodyRefused(f"{_AT.sub('', text)}.", field=field.removeprefix(".")) from error


def _clear_subjects(subjects: set[str]) -> set[str]:
    """Subjects that Assay issued may stand in a leaf.

    The ledger only grows, so a hit stays a hit; and only what looks like an id of ours can be one, so a
    pipeline's own words cost no query.
    """
    candidates = {subject for subject in subjects if _ISSUED.fullmatch(subject)}
    unknown = candidates - _known
    if unknown:
        _known.update(known_subjects(unknown))
    return candidates & _known


def _check(event: EventIn, raw: bytes, at: str) -> None:
    if len(raw) > MAX_EVENT_BYTES:
        raise BodyRefused(f"An event has at most {MAX_EVENT_BYTES} bytes.", status=413, field=at.rstrip("."))
    if event.type in RESERVED_TYPES:
        raise BodyRefused(f"The type {event.type} is written by Assay alone.", field=f"{at}type")
    if not _EARLIEST <= event.occurred_at <= _LATEST:
        raise BodyRefused("The time lies outside the years 2000 to 2199.", field=f"{at}occurred_at")


def _event(event: EventIn, raw: bytes, credential: Credential, clear: set[str], key: bytes) -> ledger.Event:
    return ledger.Event(
        type=event.type if event.type in CLIENT_TYPES else _hidden(key, "type", event.type),
        subject=event.subject if event.subject in clear else _hidden(key, "subject", event.subject),
        source=credential.source,
        actor=credential.actor,
        occurred_at=event.occurred_at,
        sections=(ledger.Section(name="facts", body=raw),),
        idempotency=ledger.Idempotency(client_id=event.id, content=raw),
    )


def hidden(label: str, text: str) -> str:
    """How a client's own string stands in a public leaf: the HMAC under the log key, never the string."""
    return _hidden(settings.LEDGER_HMAC_KEY, label, text)


@lru_cache(maxsize=4096)
def _hidden(key: bytes, label: str, text: str) -> str:
    # Pipelines speak of the same few subjects all day.
    return "x:" + ledger.secret_form(key, label.encode(), text).hex()
